//! Letters as rows, and back. Their fields hold links that sign people in: they are stored encrypted, and only as long as the
//! letter waits.

use std::collections::BTreeMap;

use coinlink_domain::shared::{mail::OutgoingMail, sealed::Sealed};
use coinlink_ports::shared::{SecretBox, SecretBoxError, StoreError};
use sea_orm::{ActiveValue::Set, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, PaginatorTrait, QueryFilter};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::{
    entities::outbox_mails::{ActiveModel, Column, Entity, Model},
    errors::corrupt,
    exact::Moment,
};

/// To be sent.
pub(crate) const WAITING: &str = "waiting";
/// Handed over.
pub(crate) const SENT: &str = "sent";
/// Given up.
pub(crate) const DEAD: &str = "dead";

/// What only the row of this letter opens.
fn context(id: Uuid) -> String {
    format!("mail {id}")
}

/// The row of a letter that is to be sent at once.
pub(crate) fn row(mail: &OutgoingMail, secrets: &dyn SecretBox) -> Result<ActiveModel, StoreError> {
    let fields = serde_json::to_vec(&mail.fields).map_err(|e| corrupt("the fields of a letter", e))?;
    let sealed = secrets.seal(&context(mail.id), &fields).map_err(|e| StoreError::Unavailable(Box::new(e)))?;
    Ok(ActiveModel {
        id: Set(mail.id),
        recipient: Set(mail.to.clone()),
        template: Set(mail.template.clone().into_owned()),
        key_id: Set(Some(sealed.key_id)),
        fields: Set(Some(sealed.bytes)),
        state: Set(WAITING.to_owned()),
        attempts: Set(0),
        due_at: Set(Moment(mail.created_at)),
        error: Set(None),
        created_at: Set(Moment(mail.created_at)),
        ended_at: Set(None),
    })
}

/// How many of this template were left for this address from the first to the second of these moments.
pub(crate) async fn posted_within(
    connection: &impl ConnectionTrait,
    to: &str,
    template: &str,
    (since, until): (OffsetDateTime, OffsetDateTime),
) -> Result<u64, DbErr> {
    let posted = Entity::find().filter(Column::Recipient.eq(to)).filter(Column::CreatedAt.gte(Moment(since)));
    let posted = posted.filter(Column::CreatedAt.lte(Moment(until)));
    posted.filter(Column::Template.eq(template)).count(connection).await
}

/// Adds a letter, in whatever transaction `connection` is.
pub(crate) async fn insert(connection: &impl ConnectionTrait, row: ActiveModel) -> Result<(), DbErr> {
    Entity::insert(row).exec_without_returning(connection).await.map(drop)
}

/// The letter in a row that waits; the error says why it cannot be read.
pub(crate) fn letter(row: Model, secrets: &dyn SecretBox) -> Result<OutgoingMail, SecretBoxError> {
    let (Some(key_id), Some(bytes)) = (row.key_id, row.fields) else { return Err(SecretBoxError::Forged) };
    let opened = secrets.open(&context(row.id), &Sealed { key_id, bytes })?;
    let fields: BTreeMap<String, String> = serde_json::from_slice(&opened).map_err(|_| SecretBoxError::Forged)?;
    Ok(OutgoingMail {
        id: row.id,
        to: row.recipient,
        template: row.template.into(),
        fields: fields.into_iter().map(|(name, value)| (name.into(), value)).collect(),
        created_at: row.created_at.0,
    })
}
