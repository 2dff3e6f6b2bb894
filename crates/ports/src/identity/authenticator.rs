use coinlink_domain::identity::{Email, TotpCode};
use time::OffsetDateTime;

/// What an authenticator app is given, once.
#[derive(Clone, PartialEq, Eq)]
pub struct Enrolment {
    /// The secret as people type it, in base 32 (RFC 4648) without padding.
    pub secret: String,
    /// The same as an app reads it: `otpauth://totp/…`.
    pub uri: String,
    /// The same as a picture: a QR code as a PNG file.
    pub qr_png: Vec<u8>,
}

impl std::fmt::Debug for Enrolment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Enrolment(…)")
    }
}

/// An app cannot be given this secret.
#[derive(Debug, thiserror::Error)]
#[error("an authenticator app cannot be set up: {0}")]
pub struct EnrolmentError(
    /// Why; never a secret.
    pub String,
);

/// What authenticator apps compute (RFC 6238).
pub trait Authenticators: Send + Sync {
    /// The newest step whose code this is, of those that are good at `now`: the present one, the one before and the one after,
    /// for clocks that differ. Compares with all of them, in a time that does not tell which one it was.
    fn matching_step(&self, secret: &[u8], code: TotpCode, now: OffsetDateTime) -> Option<u64>;

    /// What the app of this account is given.
    fn enrol(&self, secret: &[u8], account: &Email) -> Result<Enrolment, EnrolmentError>;
}
