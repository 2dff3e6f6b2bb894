//! A person with an account.

use time::OffsetDateTime;

use super::{Email, UserId};

/// An account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// Its id.
    pub id: UserId,
    /// Where it is reached.
    pub email: Email,
    /// Whether the address is this account's alone: signing in with it means this account, and no other can be opened with it.
    /// An account that claims an address without having shown that it receives its mail does not own it where verified
    /// addresses are required; of those there may be several, and none can be signed in to with a password.
    pub owns_email: bool,
    /// Given name.
    pub first_name: Option<PersonName>,
    /// Family name.
    pub last_name: Option<PersonName>,
    /// What it may do.
    pub role: Role,
    /// Whether it may sign in.
    pub is_active: bool,
    /// Whether the address is known to be its owner's.
    pub is_verified: bool,
    /// When it was made.
    pub created_at: OffsetDateTime,
    /// When anything of it last changed.
    pub updated_at: OffsetDateTime,
    /// When it last signed in with a password.
    pub last_login_at: Option<OffsetDateTime>,
    /// How often it signed in.
    pub logins: u32,
    /// When its owner last secured it, by a new password by mail or by taking the address back: whoever had been in it before
    /// keeps nothing of it, in no other context either.
    pub secured_at: Option<OffsetDateTime>,
}

/// What an account may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Role {
    /// What everybody may.
    #[default]
    User,
    /// Look after other accounts.
    Admin,
}

impl Role {
    /// As stored and told.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Admin => "admin",
        }
    }

    /// The role of this [`Role::name`].
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::User, Self::Admin].into_iter().find(|role| role.name() == name)
    }
}

impl User {
    /// A new account, made now.
    #[must_use]
    pub fn new(id: UserId, email: Email, now: OffsetDateTime) -> Self {
        Self {
            id,
            email,
            owns_email: true,
            first_name: None,
            last_name: None,
            role: Role::User,
            is_active: true,
            is_verified: false,
            created_at: now,
            updated_at: now,
            last_login_at: None,
            secured_at: None,
            logins: 0,
        }
    }

    /// Notes that it signed in.
    pub fn signed_in(&mut self, now: OffsetDateTime) {
        self.last_login_at = Some(now);
        self.logins = self.logins.saturating_add(1);
    }
}

/// A name as its owner writes it: 1 to 100 characters without control characters, kept as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersonName(String);

/// The text is no name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a name is 1 to 100 characters, not all of them spaces, without control characters")]
pub struct PersonNameError;

impl PersonName {
    /// The longest name, in characters (Unicode code points).
    pub const MAX_CHARS: usize = 100;

    /// Takes `raw` as it is, or not at all.
    pub fn try_new(raw: &str) -> Result<Self, PersonNameError> {
        let fits = raw.chars().count() <= Self::MAX_CHARS && !raw.chars().any(char::is_control) && !raw.trim().is_empty();
        if fits { Ok(Self(raw.to_owned())) } else { Err(PersonNameError) }
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_all_kinds_are_kept_as_they_are() {
        for name in ["O'Brien", "María-José", "李", "Robert'); DROP TABLE users;--", " van Dyk"] {
            assert_eq!(PersonName::try_new(name).unwrap().as_str(), name);
        }
    }

    #[test]
    fn emptiness_length_and_control_characters_are_refused() {
        for name in ["", "   ", "a\u{0}b", "a\nb", &"x".repeat(101)] {
            assert_eq!(PersonName::try_new(name), Err(PersonNameError), "{name:?}");
        }
        assert!(PersonName::try_new(&"é".repeat(100)).is_ok());
    }

    #[test]
    fn a_role_is_found_by_its_name() {
        for role in [Role::User, Role::Admin] {
            assert_eq!(Role::from_name(role.name()), Some(role));
        }
        assert_eq!(Role::from_name("root"), None);
    }
}
