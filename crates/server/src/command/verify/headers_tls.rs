//! What the way to the server is.

use time::{Duration, OffsetDateTime};

use super::{
    Visit,
    client::{Answer, Ask, Trouble},
};
use crate::certificate::not_after;

const WAY: &str = "the way is encrypted";
const EXPIRY: &str = "the certificate lasts";
const REDIRECT: &str = "http leads to https";
/// Less than this is too late for most renewals.
const URGENT: Duration = Duration::days(7);
/// Renewals happen with a third of 90 days left.
const SOON: Duration = Duration::days(21);

pub(super) async fn check(visit: &mut Visit<'_>, answer: Option<&Answer>) {
    if visit.options.url.scheme() == "https" {
        visit.report.ok(WAY, "https, with a certificate that this machine trusts");
        expiry(visit, answer);
        redirect(visit).await;
        return;
    }
    let advice = "put TLS before it and verify the https URL";
    if visit.options.is_local() && !visit.options.require_https {
        visit.report.warn(WAY, "http on this machine: nothing of TLS is seen", advice);
    } else {
        visit.report.fail(WAY, "http: passwords and tokens can be read on their way", advice);
    }
    visit.report.skip(EXPIRY, "no https");
    visit.report.skip(REDIRECT, "no https");
}

fn expiry(visit: &mut Visit<'_>, answer: Option<&Answer>) {
    let Some(until) = answer.and_then(|answer| not_after(answer.certificate.as_deref()?)) else {
        return visit.report.fail(EXPIRY, "the certificate could not be read", "look at it with `openssl s_client`");
    };
    let left = until - OffsetDateTime::now_utc();
    let seen = format!("{} days, until {}", left.whole_days(), until.date());
    if left < URGENT {
        visit.report.fail(EXPIRY, seen, "renew it now");
    } else if left < SOON {
        visit.report.warn(EXPIRY, seen, "its renewal is late: see why");
    } else {
        visit.report.ok(EXPIRY, seen);
    }
}

async fn redirect(visit: &mut Visit<'_>) {
    let mut plain = visit.options.url.clone();
    if plain.set_scheme("http").is_err() || plain.set_port(None).is_err() {
        return visit.report.skip(REDIRECT, "the URL has no http form");
    }
    plain.set_path("/livez");
    match visit.client.send_to(plain, &Ask::get("/livez")).await {
        Err(Trouble::Unreachable(_) | Trouble::Slow(_)) => visit.report.ok(REDIRECT, "nothing answers over http"),
        Err(trouble) => visit.report.trouble(REDIRECT, &trouble),
        Ok(answer) => {
            let leads = (300..400).contains(&answer.status) && answer.header("location").starts_with("https://");
            let seen = format!("http is answered {}", answer.status);
            visit.report.must(leads, REDIRECT, seen, "have the proxy answer http with a redirect to https, and nothing else");
        }
    }
}
