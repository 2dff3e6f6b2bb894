use std::{
    fmt::Write as _,
    sync::atomic::{AtomicUsize, Ordering},
};

use coinlink_domain::identity::{Email, TotpCode};
use coinlink_ports::identity::{Authenticators, Enrolment, EnrolmentError};
use sha2::{Digest as _, Sha256};
use time::OffsetDateTime;

/// Computes codes that no app would: from the SHA-256 of secret and step. Steps are those of the real ones.
#[derive(Debug, Clone, Copy, Default)]
pub struct PlainAuthenticators;

impl PlainAuthenticators {
    /// The step of a moment.
    pub fn step(at: OffsetDateTime) -> u64 {
        u64::try_from(at.unix_timestamp()).unwrap_or_default() / 30
    }

    /// The code that an app with this secret shows at a moment.
    pub fn code(secret: &[u8], at: OffsetDateTime) -> TotpCode {
        code(secret, Self::step(at))
    }

    /// [`PlainAuthenticators::code`] as it is shown, of a secret as it was told ([`Enrolment::secret`]).
    pub fn shown(secret: &str, at: OffsetDateTime) -> String {
        let secret: Vec<u8> = secret.as_bytes().chunks(2).map(hex).collect();
        format!("{:06}", Self::code(&secret, at).number())
    }
}

fn hex(digits: &[u8]) -> u8 {
    std::str::from_utf8(digits).ok().and_then(|digits| u8::from_str_radix(digits, 16).ok()).unwrap_or_default()
}

fn code(secret: &[u8], step: u64) -> TotpCode {
    let digest = Sha256::new().chain_update(secret).chain_update(step.to_be_bytes()).finalize();
    let [word, ..] = *<[u8; 32]>::from(digest).as_chunks::<4>().0 else { unreachable!("32 bytes are eight words") };
    TotpCode::new(u32::from_be_bytes(word) % 1_000_000).unwrap_or_else(|| unreachable!("it was cut to six digits"))
}

impl Authenticators for PlainAuthenticators {
    fn matching_step(&self, secret: &[u8], shown: TotpCode, now: OffsetDateTime) -> Option<u64> {
        let present = Self::step(now);
        (present.saturating_sub(1)..=present + 1).rev().find(|step| code(secret, *step) == shown)
    }

    fn enrol(&self, secret: &[u8], account: &Email) -> Result<Enrolment, EnrolmentError> {
        let secret = secret.iter().fold(String::new(), |mut digits, byte| {
            // Writing to a string cannot fail.
            let _ = write!(digits, "{byte:02x}");
            digits
        });
        Ok(Enrolment { uri: format!("otpauth://totp/{account}?secret={secret}"), qr_png: b"\x89PNG".to_vec(), secret })
    }
}

/// [`PlainAuthenticators`] that count how often a code was compared.
#[derive(Debug, Default)]
pub struct CountingAuthenticators(AtomicUsize);

impl CountingAuthenticators {
    /// How many codes were compared so far.
    pub fn compared(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

impl Authenticators for CountingAuthenticators {
    fn matching_step(&self, secret: &[u8], shown: TotpCode, now: OffsetDateTime) -> Option<u64> {
        self.0.fetch_add(1, Ordering::Relaxed);
        PlainAuthenticators.matching_step(secret, shown, now)
    }

    fn enrol(&self, secret: &[u8], account: &Email) -> Result<Enrolment, EnrolmentError> {
        PlainAuthenticators.enrol(secret, account)
    }
}
