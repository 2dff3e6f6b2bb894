//! What authenticator apps compute, and what they are given.

mod picture;

use coinlink_domain::identity::{Email, TotpCode};
use coinlink_ports::identity::{Authenticators, Enrolment, EnrolmentError};
use subtle::{Choice, ConditionallySelectable as _, ConstantTimeEq as _};
use time::OffsetDateTime;
use totp_rs::{Algorithm, Builder, Totp};

/// Who the app says the account is with.
const ISSUER: &str = "CoinLink";
/// Seconds of a step.
const STEP: u64 = 30;
/// Steps before and after the present one whose codes are good (RFC 6238, 5.2, recommends one).
const AROUND: u64 = 1;

/// Apps as there are: SHA-1, six digits, thirty seconds. Some apps show wrong codes for anything else without a word.
#[derive(Debug, Clone, Copy, Default)]
pub struct TotpAuthenticators;

fn app(secret: &[u8]) -> Builder {
    Builder::new().with_algorithm(Algorithm::SHA1).with_digits(6).with_step_duration(STEP).with_secret(secret.to_vec())
}

/// The six digits of a step.
fn digits(app: &Totp, step: u64) -> String {
    app.generate(step.saturating_mul(STEP)).to_string()
}

impl Authenticators for TotpAuthenticators {
    fn matching_step(&self, secret: &[u8], code: TotpCode, now: OffsetDateTime) -> Option<u64> {
        let app = app(secret).build().ok()?;
        let shown = format!("{:06}", code.number());
        let present = u64::try_from(now.unix_timestamp()).unwrap_or_default() / STEP;
        let (mut matching, mut found) = (0, Choice::from(0));
        for step in present.saturating_sub(AROUND)..=present + AROUND {
            let equal = digits(&app, step).as_bytes().ct_eq(shown.as_bytes());
            // The newest counts: with it the older ones are used up too.
            matching.conditional_assign(&step, equal);
            found |= equal;
        }
        bool::from(found).then_some(matching)
    }

    fn enrol(&self, secret: &[u8], account: &Email) -> Result<Enrolment, EnrolmentError> {
        let failed = |error: totp_rs::TotpError| EnrolmentError(error.to_string());
        let app = app(secret).with_issuer(Some(ISSUER)).with_account_name(account.as_str()).build().map_err(failed)?;
        let uri = app.to_url().map_err(failed)?;
        let qr_png = picture::qr_png(&uri).map_err(|error| EnrolmentError(error.to_string()))?;
        Ok(Enrolment { secret: app.secret().to_base32(), uri, qr_png })
    }
}

#[cfg(test)]
mod tests;
