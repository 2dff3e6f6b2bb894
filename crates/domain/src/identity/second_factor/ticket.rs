use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use super::SecondFactor;
use crate::identity::{OneTimeSecret, SecretDigest, StoredPassword, User, UserId};

/// What somebody showed first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FirstFactor {
    /// The account's password.
    Password,
    /// A signature by a wallet of the account.
    Wallet,
}

impl FirstFactor {
    /// As stored and told.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::Wallet => "wallet",
        }
    }

    /// The factor of this [`FirstFactor::name`].
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Password, Self::Wallet].into_iter().find(|factor| factor.name() == name)
    }
}

/// That somebody showed the first factor of an account that asks for a second. Its secret is a [`OneTimeSecret`] with the
/// ticket's id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignInTicket {
    /// Its id.
    pub id: Uuid,
    /// What is kept of its secret.
    pub digest: SecretDigest,
    /// Whose account.
    pub user: UserId,
    /// What the account was like ([`SignInTicket::state_of`]); the ticket is void once it is not so any more.
    pub state: SecretDigest,
    /// What was shown.
    pub first_factor: FirstFactor,
    /// The device, where it was known.
    pub device: Option<Uuid>,
    /// When it was given out.
    pub created_at: OffsetDateTime,
}

impl SignInTicket {
    /// How long it is good for.
    pub const LIFETIME: Duration = Duration::minutes(5);
    /// How many codes may be tried with it, one right one included.
    pub const TRIES: u32 = 5;

    /// What is kept of a ticket's secret.
    #[must_use]
    pub fn digest_of(secret: &OneTimeSecret) -> SecretDigest {
        secret.digest("sign-in ticket")
    }

    /// What must not change between the two factors: the password, the factor, and whatever else makes the account another
    /// ([`User::updated_at`]), so that neither a new password nor a lock that was lifted again leaves old tickets behind.
    #[must_use]
    pub fn state_of(user: &User, password: &StoredPassword, factor: &SecondFactor) -> SecretDigest {
        // No field holds a line feed, so that different fields never make the same text.
        let (changed, set_up) = (user.updated_at.unix_timestamp_nanos(), factor.set_up_at.unix_timestamp_nanos());
        let state = format!("{changed}\n{set_up}\n{}\n{}", password.pepper_id, password.hash);
        SecretDigest::of("account state", state.as_bytes())
    }

    /// From when on it is good for nothing.
    #[must_use]
    pub fn expires_at(&self) -> OffsetDateTime {
        self.created_at + Self::LIFETIME
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{identity::Email, shared::sealed::Sealed};

    #[test]
    fn whatever_makes_the_account_another_makes_its_state_another() {
        let now = OffsetDateTime::UNIX_EPOCH;
        let user = User::new(UserId(Uuid::nil()), Email::try_new("ada@example.org").unwrap(), now);
        let password = StoredPassword { pepper_id: "1".to_owned(), hash: "hash".to_owned() };
        let secret = Sealed { key_id: "00000001".to_owned(), bytes: vec![1] };
        let factor = SecondFactor::new(user.id, secret, now);
        let state = SignInTicket::state_of(&user, &password, &factor);
        let later = now + Duration::MICROSECOND;
        let changed = [
            SignInTicket::state_of(&User { updated_at: later, ..user.clone() }, &password, &factor),
            SignInTicket::state_of(&user, &StoredPassword { hash: "other".to_owned(), ..password.clone() }, &factor),
            SignInTicket::state_of(&user, &password, &SecondFactor { set_up_at: later, ..factor.clone() }),
        ];
        assert!(changed.iter().all(|other| *other != state), "{changed:?}");
        let resealed = SecondFactor { secret: Sealed { key_id: "00000002".to_owned(), bytes: vec![2] }, ..factor };
        assert_eq!(SignInTicket::state_of(&user, &password, &resealed), state, "another key is not another factor");
    }

    #[test]
    fn a_first_factor_is_found_by_its_name() {
        for factor in [FirstFactor::Password, FirstFactor::Wallet] {
            assert_eq!(FirstFactor::from_name(factor.name()), Some(factor));
        }
        assert_eq!(FirstFactor::from_name("smile"), None);
    }
}
