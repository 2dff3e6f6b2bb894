//! An account as a row, and back.

use coinlink_domain::identity::{Email, PersonName, Role, StoredPassword, User, UserId};
use coinlink_ports::{identity::Account, shared::StoreError};
use sea_orm::ActiveValue::{NotSet, Set};

use crate::{
    entities::users::{ActiveModel, Model},
    errors::corrupt,
    exact::Moment,
};

/// All of an account.
pub(super) fn row(account: &Account) -> ActiveModel {
    let user = &account.user;
    ActiveModel { id: Set(user.id.0), created_at: Set(Moment(user.created_at)), ..changes(account) }
}

/// Stands in the unique column for the address of an account that does not own the one it claims. The domain receives no mail
/// (RFC 6761, section 6.4), and whoever signs in with it needs the password of that very account.
fn placeholder(id: UserId) -> String {
    format!("{id}@claimed.invalid")
}

/// What of an account may change.
pub(super) fn changes(account: &Account) -> ActiveModel {
    let Account { user, password } = account;
    let address = user.email.as_str().to_owned();
    let (email, claimed_email) = if user.owns_email { (address, None) } else { (placeholder(user.id), Some(address)) };
    let name = |name: Option<&PersonName>| Set(name.map(|name| name.as_str().to_owned()));
    ActiveModel {
        id: NotSet,
        email: Set(email),
        claimed_email: Set(claimed_email),
        pepper_id: Set(password.pepper_id.clone()),
        password_hash: Set(password.hash.clone()),
        first_name: name(user.first_name.as_ref()),
        last_name: name(user.last_name.as_ref()),
        role: Set(user.role.name().to_owned()),
        is_active: Set(user.is_active),
        is_verified: Set(user.is_verified),
        created_at: NotSet,
        updated_at: Set(Moment(user.updated_at)),
        last_login_at: Set(user.last_login_at.map(Moment)),
        logins: Set(user.logins.into()),
        secured_at: Set(user.secured_at.map(Moment)),
    }
}

pub(super) fn account(row: Model) -> Result<Account, StoreError> {
    let name = |what: &'static str, name: Option<String>| {
        name.map(|name| PersonName::try_new(&name).map_err(|e| corrupt(what, e))).transpose()
    };
    let user = User {
        id: UserId(row.id),
        owns_email: row.claimed_email.is_none(),
        email: Email::try_new(row.claimed_email.as_ref().unwrap_or(&row.email)).map_err(|e| corrupt("users.email", e))?,
        first_name: name("users.first_name", row.first_name)?,
        last_name: name("users.last_name", row.last_name)?,
        role: Role::from_name(&row.role).ok_or(StoreError::Corrupt { what: "users.role", source: None })?,
        is_active: row.is_active,
        is_verified: row.is_verified,
        created_at: row.created_at.0,
        updated_at: row.updated_at.0,
        last_login_at: row.last_login_at.map(|Moment(at)| at),
        logins: row.logins.try_into().map_err(|e| corrupt("users.logins", e))?,
        secured_at: row.secured_at.map(|Moment(at)| at),
    };
    Ok(Account { user, password: StoredPassword { pepper_id: row.pepper_id, hash: row.password_hash } })
}
