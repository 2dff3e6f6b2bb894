//! What notifications have to know of an account.

use std::collections::HashMap;

use coinlink_domain::{
    notifications::{NotificationId, Priority, Webhook},
    shared::user_id::UserId,
};
use coinlink_ports::{notifications::Standing, shared::StoreError};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, FromQueryResult, QueryFilter, QuerySelect, Select, SelectModel, Selector,
};
use uuid::Uuid;

use super::rows;
use crate::{
    entities::{notification_settings, notifications, users},
    exact::Moment,
};

/// Some columns of a row of `users`.
#[derive(Debug, Clone, FromQueryResult)]
pub(super) struct Account {
    id: Uuid,
    email: String,
    claimed_email: Option<String>,
    pub(super) is_active: bool,
    is_verified: bool,
    pub(super) secured_at: Option<Moment>,
}

impl Account {
    fn select(of: Select<users::Entity>) -> Selector<SelectModel<Self>> {
        use users::Column::{ClaimedEmail, Email, Id, IsActive, IsVerified, SecuredAt};

        of.select_only().columns([Id, Email, ClaimedEmail, IsActive, IsVerified, SecuredAt]).into_model()
    }

    pub(super) fn find(user: UserId) -> Selector<SelectModel<Self>> {
        Self::select(users::Entity::find_by_id(user.0))
    }

    /// Where its letters go: an address that is only claimed stands in another column, and no letter goes there.
    pub(super) fn address(self) -> Option<String> {
        (self.is_active && self.is_verified && self.claimed_email.is_none()).then_some(self.email)
    }

    /// A webhook of it, not in use where it is of before the account was secured.
    pub(super) fn webhook(&self, webhook: Webhook) -> Webhook {
        let secured_at = self.secured_at.map(|Moment(at)| at);
        Webhook { disabled_at: webhook.ended_at(secured_at), ..webhook }
    }
}

/// Whose notifications these are, those accounts, and what their users have set.
type Found = (Vec<(Uuid, Uuid, String)>, Vec<Account>, Vec<notification_settings::Model>);

pub(super) async fn find(connection: &impl ConnectionTrait, of: &[NotificationId]) -> Result<Found, DbErr> {
    use notifications::Column::{Id, Priority, UserId};

    let left = notifications::Entity::find().select_only().columns([Id, UserId, Priority]);
    let left = left.filter(Id.is_in(of.iter().map(|id| id.0)));
    let left: Vec<(Uuid, Uuid, String)> = left.into_tuple().all(connection).await?;
    let owners = || left.iter().map(|(_, user, _)| *user);
    let accounts = Account::select(users::Entity::find().filter(users::Column::Id.is_in(owners()))).all(connection).await?;
    let settings = notification_settings::Entity::find().filter(notification_settings::Column::UserId.is_in(owners()));
    let settings = settings.all(connection).await?;
    Ok((left, accounts, settings))
}

pub(super) fn standings((left, accounts, settings): Found) -> Result<HashMap<NotificationId, Standing>, StoreError> {
    let accounts: HashMap<Uuid, Account> = accounts.into_iter().map(|account| (account.id, account)).collect();
    let set = settings.into_iter().map(|row| Ok((row.user_id, rows::settings(row)?)));
    let set = set.collect::<Result<HashMap<_, _>, StoreError>>()?;
    let standing = |(id, user, priority): (Uuid, Uuid, String)| {
        let account = accounts.get(&user)?;
        // One that cannot be read waits for the end of quiet hours.
        let priority = Priority::from_name(&priority).unwrap_or(Priority::Low);
        let settings = set.get(&user).cloned().unwrap_or_default();
        let secured_at = account.secured_at.map(|Moment(at)| at);
        Some((NotificationId(id), Standing { is_active: account.is_active, secured_at, settings, priority }))
    };
    Ok(left.into_iter().filter_map(standing).collect())
}
