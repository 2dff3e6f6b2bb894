//! What is asked beside a password: codes of an authenticator app (RFC 6238), and recovery codes for when the app is gone.

mod code;
mod recovery_code;
mod ticket;

use time::OffsetDateTime;

pub use code::TotpCode;
pub use recovery_code::RecoveryCode;
pub use ticket::{FirstFactor, SignInTicket};

use super::UserId;
use crate::shared::sealed::Sealed;

/// An account's authenticator app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecondFactor {
    /// Whose.
    pub user: UserId,
    /// The secret that the app shares with us, encrypted in the context [`SecondFactor::context`].
    pub secret: Sealed,
    /// When the secret was made.
    pub set_up_at: OffsetDateTime,
    /// Since when it is asked for: when a code of it was first shown.
    pub confirmed_at: Option<OffsetDateTime>,
    /// The newest step whose code was used; neither it nor an older one is good any more (RFC 6238, 5.2).
    pub last_step: Option<u64>,
}

impl SecondFactor {
    /// Bytes of a secret: 160 bits, as RFC 4226, section 4 (R6), recommends, and as every authenticator app takes.
    pub const SECRET_LEN: usize = 20;
    /// How many recovery codes there are after a factor is confirmed.
    pub const RECOVERY_CODES: usize = 10;

    /// One that was set up now, and is not asked for yet.
    #[must_use]
    pub fn new(user: UserId, secret: Sealed, now: OffsetDateTime) -> Self {
        Self { user, secret, set_up_at: now, confirmed_at: None, last_step: None }
    }

    /// Whether it is asked for.
    #[must_use]
    pub const fn is_on(&self) -> bool {
        self.confirmed_at.is_some()
    }

    /// What a secret is sealed for, so that the secret of one account is not read as that of another.
    #[must_use]
    pub fn context(user: UserId) -> String {
        format!("totp {user}")
    }
}
