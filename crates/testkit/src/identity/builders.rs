use coinlink_domain::identity::{AddressKind, Network, Wallet, WalletAddress, WalletId};
use coinlink_domain::identity::{ClientInfo, Email, FamilyKey, Session, SessionId, StoredPassword, User, UserId};
use coinlink_ports::identity::Account;
use time::{OffsetDateTime, macros::datetime};
use uuid::Uuid;

/// When tests begin.
pub const NOON: OffsetDateTime = datetime!(2026-01-01 12:00 UTC);

/// This address.
///
/// # Panics
/// Where it is none.
pub fn an_email(text: &str) -> Email {
    Email::try_new(text).unwrap_or_else(|error| panic!("{text:?}: {error}"))
}

/// A user with a new id, made at [`NOON`].
pub fn a_user(email: &str) -> User {
    User::new(UserId(Uuid::now_v7()), an_email(email), NOON)
}

/// The account of [`a_user`], with something in place of a hash that no password matches.
pub fn an_account(email: &str) -> Account {
    an_account_of(a_user(email))
}

/// The account of this user, as [`an_account`].
pub fn an_account_of(user: User) -> Account {
    let hash = format!("$2b$12${}", user.id.0.simple());
    Account { user, password: StoredPassword { pepper_id: "1".to_owned(), hash } }
}

/// A session with a new id and a key of its own, signed in at [`NOON`] from nowhere known.
pub fn a_session(user: UserId) -> Session {
    let id = SessionId(Uuid::now_v7());
    let mut key = [0; 32];
    key[..16].copy_from_slice(id.0.as_bytes());
    Session::start(id, user, FamilyKey(key), ClientInfo::default(), NOON)
}

/// A wallet with a new id, linked at [`NOON`], whose address is this text.
pub fn a_wallet(user: UserId, address: &str) -> Wallet {
    let address = WalletAddress::checked(address.to_owned(), Network::Mainnet, AddressKind::P2wpkh);
    Wallet { id: WalletId(Uuid::now_v7()), user, address, created_at: NOON, last_used_at: None }
}
