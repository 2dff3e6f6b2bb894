//! Letters to an SMTP server.

mod settings;
mod words;

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use coinlink_domain::shared::mail::OutgoingMail;
use coinlink_ports::notifications::{MailSender, SendError};
use lettre::{
    Address,
    transport::smtp::{
        Error,
        authentication::Mechanism,
        client::{AsyncSmtpConnection, TlsParameters},
        commands::{Data, Mail, Rcpt},
        extension::{ClientId, Extension, MailParameter},
    },
};
use tokio::time::timeout;

use self::words::{of_the_connection, of_the_letter};
use crate::{Letter, Stationery};

pub use settings::{SmtpSettings, SmtpSettingsError, Tls};

/// No answer of the server takes longer.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);
/// No letter takes longer: half of what its lease leaves when clocks differ by a minute.
const LETTER_WITHIN: Duration = Duration::from_secs(30);
/// Saying goodbye is a courtesy.
const GOODBYE_WITHIN: Duration = Duration::from_secs(1);

/// Hands letters to an SMTP server, each over a connection of its own.
pub struct SmtpMail {
    settings: SmtpSettings,
    tls: Option<TlsParameters>,
    name: ClientId,
    stationery: Arc<Stationery>,
}

impl SmtpMail {
    /// To the server of `settings`; nothing is connected yet.
    pub fn new(settings: SmtpSettings, stationery: Arc<Stationery>) -> Result<Self, SmtpSettingsError> {
        let tls = (settings.tls != Tls::None).then(|| {
            let parameters = TlsParameters::builder(settings.host.clone());
            let certificates = settings.certificates.iter().cloned();
            certificates.fold(parameters, lettre::transport::smtp::client::TlsParametersBuilder::add_root_certificate).build()
        });
        let tls = tls.transpose().map_err(|_| SmtpSettingsError::Certificates)?;
        let name = ClientId::Domain(stationery.sender().domain().to_owned());
        Ok(Self { settings, tls, name, stationery })
    }

    /// A connection on which letters may be sent. Whatever goes wrong here is not about the letter.
    async fn connect(&self) -> Result<AsyncSmtpConnection, SendError> {
        let SmtpSettings { host, port, tls, credentials, .. } = &self.settings;
        let at_once = self.tls.clone().filter(|_| *tls == Tls::Implicit);
        let connect = AsyncSmtpConnection::connect_tokio1((host.as_str(), *port), Some(ANSWER_WITHIN), &self.name, at_once, None);
        let mut connection = in_time(connect).await?.map_err(|error| of_the_connection("connecting", &error))?;
        if *tls != Tls::Implicit
            && let Some(parameters) = &self.tls
            && (*tls == Tls::Required || connection.can_starttls())
        {
            let upgraded = in_time(connection.starttls(parameters.clone(), &self.name)).await?;
            upgraded.map_err(|error| of_the_connection("STARTTLS", &error))?;
        }
        if let Some(credentials) = credentials {
            if *tls == Tls::Opportunistic && !connection.is_encrypted() {
                return Err(SendError::Temporary("the SMTP server offers no encryption, and a password is set".to_owned()));
            }
            let known = in_time(connection.auth(&[Mechanism::Plain, Mechanism::Login], credentials)).await?;
            known.map_err(|error| of_the_letter("AUTH", &error, false))?;
        }
        Ok(connection)
    }

    /// Whoever refuses the sender refuses all letters: only what is said of the recipient and of the text is about this one.
    async fn hand_over(&self, connection: &mut AsyncSmtpConnection, letter: &Letter) -> Result<(), SendError> {
        let sender = self.stationery.sender();
        let international = [sender, &letter.to].iter().any(|address| !AsRef::<str>::as_ref(*address).is_ascii());
        if international && !connection.server_info().supports_feature(Extension::SmtpUtfEight) {
            return Err(SendError::Permanent("the SMTP server takes no address like the recipient's".to_owned()));
        }
        let parameters = if international { vec![MailParameter::SmtpUtfEight] } else { Vec::new() };
        let from: Option<Address> = Some(sender.clone());
        step("MAIL FROM", false, connection.command(Mail::new(from, parameters))).await?;
        step("RCPT TO", true, connection.command(Rcpt::new(letter.to.clone(), Vec::new()))).await?;
        step("DATA", true, connection.command(Data)).await?;
        step("the letter", true, connection.message(&letter.bytes)).await
    }
}

async fn in_time<T>(step: impl Future<Output = T>) -> Result<T, SendError> {
    timeout(ANSWER_WITHIN, step).await.map_err(|_| too_slow())
}

fn too_slow() -> SendError {
    SendError::Temporary("the SMTP server does not answer in time".to_owned())
}

async fn step<T>(what: &str, about_letter: bool, step: impl Future<Output = Result<T, Error>>) -> Result<(), SendError> {
    in_time(step).await?.map(drop).map_err(|error| of_the_letter(what, &error, about_letter))
}

#[async_trait]
impl MailSender for SmtpMail {
    async fn send(&self, mail: &OutgoingMail) -> Result<(), SendError> {
        let letter = self.stationery.write(mail)?;
        let sent = timeout(LETTER_WITHIN, async {
            let mut connection = self.connect().await?;
            let handed_over = self.hand_over(&mut connection, &letter).await;
            Ok((connection, handed_over))
        });
        let (mut connection, handed_over) = sent.await.unwrap_or_else(|_| Err(too_slow()))?;
        // It is handed over, or not, whatever is said now.
        let _ = timeout(GOODBYE_WITHIN, connection.quit()).await;
        handed_over
    }
}
