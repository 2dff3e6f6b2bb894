//! When the certificate runs out that clients are shown: whoever ends TLS in front of the nodes may fail to renew it.

use std::{sync::Arc, time::Duration as StdDuration};

use coinlink_ports::shared::Clock;
use reqwest::{Client, redirect::Policy, tls::TlsInfo};
use time::OffsetDateTime;

use super::upkeep::Told;
use crate::{certificate::not_after, telemetry::Metrics};

const LOOK_EVERY: StdDuration = StdDuration::from_mins(10);
const LOOK_WITHIN: StdDuration = StdDuration::from_secs(10);

/// Why nothing is known of it.
#[derive(Debug, thiserror::Error)]
enum CertificateError {
    #[error("the public URL does not answer: {0}")]
    Unreachable(#[from] reqwest::Error),
    #[error("the public URL shows no certificate that can be read")]
    Unreadable,
}

/// Looks at the certificate of `public_url`, which begins with `https`, until the node ends. What does not answer leaves the last figure to age.
pub async fn watch_certificate(public_url: String, clock: Arc<dyn Clock>, metrics: Metrics) {
    let mut told = Told::of(&metrics, "watch_certificate", "looking at the certificate of PUBLIC_URL");
    let mut beats = super::upkeep::beats(LOOK_EVERY);
    let mut ends = None;
    loop {
        beats.tick().await;
        ends = told.tell(look(&public_url).await).or(ends);
        if let Some(ends) = ends {
            metrics.machine.certificate_runs_out_in((ends - clock.now()).as_seconds_f64());
        }
    }
}

/// The end of the certificate that is shown there, whoever signed it: whether it is trusted is for clients to say, and one that ran out is to be
/// seen. Nothing is sent but a question for the head of a page that anybody may see.
async fn look(public_url: &str) -> Result<OffsetDateTime, CertificateError> {
    let client = Client::builder()
        .tls_info(true)
        .tls_danger_accept_invalid_certs(true)
        .redirect(Policy::none())
        .timeout(LOOK_WITHIN)
        .build()?;
    let answer = client.head(public_url).send().await?;
    let shown = answer.extensions().get::<TlsInfo>().and_then(TlsInfo::peer_certificate);
    shown.and_then(not_after).ok_or(CertificateError::Unreadable)
}

#[cfg(test)]
mod tests {
    use super::*;
    use coinlink_testkit::shared::StoppedClock;
    use rcgen::{CertificateParams, KeyPair};
    use time::{Duration, macros::datetime};
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        net::TcpListener,
    };
    use tokio_rustls::{
        TlsAcceptor,
        rustls::{
            ServerConfig,
            crypto::aws_lc_rs::default_provider,
            pki_types::{CertificateDer, PrivateKeyDer},
        },
    };

    const END: OffsetDateTime = datetime!(2026-02-01 0:00 UTC);

    fn certificate() -> (CertificateDer<'static>, PrivateKeyDer<'static>) {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        params.not_after = END;
        let certificate = params.self_signed(&key).unwrap();
        (certificate.der().clone(), PrivateKeyDer::try_from(key.serialize_der()).unwrap())
    }

    #[tokio::test]
    async fn the_end_of_the_shown_certificate_is_told_although_nobody_trusts_it_and_it_has_run_out() {
        let (shown, key) = certificate();
        let config =
            ServerConfig::builder_with_provider(default_provider().into()).with_safe_default_protocol_versions().unwrap();
        let config = config.with_no_client_auth().with_single_cert(vec![shown], key).unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = tokio::spawn(async move {
            let (stream, _) = listener.accept().await.unwrap();
            let mut stream = acceptor.accept(stream).await.unwrap();
            let mut asked = [0; 1024];
            let _ = stream.read(&mut asked).await.unwrap();
            stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await.unwrap();
        });
        let metrics = Metrics::new("0", "test").unwrap();
        let text = || String::from_utf8(metrics.render().unwrap()).unwrap();
        assert!(!text().contains("certificate_expiry"), "nothing is known yet");
        let clock = Arc::new(StoppedClock::at(END + Duration::MINUTE));
        let watching = tokio::spawn(watch_certificate(format!("https://localhost:{}", address.port()), clock, metrics.clone()));
        server.await.unwrap();
        while !text().contains("coinlink_tls_certificate_expiry_seconds -60\n") {
            assert!(!watching.is_finished());
            tokio::task::yield_now().await;
        }
        watching.abort();
    }
}
