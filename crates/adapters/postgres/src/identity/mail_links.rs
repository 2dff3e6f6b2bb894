//! Links in mail.

use async_trait::async_trait;
use coinlink_domain::{
    identity::{Email, LinkPurpose, MailLink, SecretDigest, SessionId, UserId},
    shared::sealed::Sealed,
};
use coinlink_ports::{
    identity::{MailLinkStore, MailLinks},
    shared::StoreError,
};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{LockBehavior, LockType},
};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{SqlIdentityStore, transaction::SqlTx};
use crate::{
    entities::mail_links::{ActiveModel, Column, Entity, Model},
    errors::corrupt,
    exact::Moment,
};

/// Rows in one statement.
const ROWS: usize = 500;
/// The most links that are looked at to tell whether too many were sent.
const MOST_SENT: u64 = 100;

fn row(link: &MailLink) -> ActiveModel {
    ActiveModel {
        id: Set(link.id),
        user_id: Set(link.user.0),
        purpose: Set(link.purpose.name().to_owned()),
        email: Set(link.email.as_str().to_owned()),
        other_email: Set(link.other_email.as_ref().map(|email| email.as_str().to_owned())),
        secret: Set(link.secret.0.to_vec()),
        code: Set(link.code.0.to_vec()),
        key_id: Set(link.kept.as_ref().map(|kept| kept.key_id.clone())),
        kept: Set(link.kept.as_ref().map(|kept| kept.bytes.clone())),
        browser: Set(link.browser.map(|browser| browser.0.to_vec())),
        session_id: Set(link.session.map(|session| session.0)),
        created_at: Set(Moment(link.created_at)),
        expires_at: Set(Moment(link.expires_at)),
        ..changes(link)
    }
}

/// What of a link may change.
fn changes(link: &MailLink) -> ActiveModel {
    ActiveModel {
        failures: Set(link.failures.into()),
        ended_at: Set(link.ended_at.map(Moment)),
        paused_until: Set(link.paused_until.map(Moment)),
        ..<ActiveModel as Default>::default()
    }
}

fn digest(what: &'static str, bytes: &[u8]) -> Result<SecretDigest, StoreError> {
    bytes.try_into().map(SecretDigest).map_err(|e| corrupt(what, e))
}

fn link(row: Model) -> Result<MailLink, StoreError> {
    let email = |what: &'static str, text: &str| Email::try_new(text).map_err(|e| corrupt(what, e));
    let purpose = LinkPurpose::from_name(&row.purpose);
    Ok(MailLink {
        id: row.id,
        user: UserId(row.user_id),
        purpose: purpose.ok_or(StoreError::Corrupt { what: "mail_links.purpose", source: None })?,
        email: email("mail_links.email", &row.email)?,
        other_email: row.other_email.map(|other| email("mail_links.other_email", &other)).transpose()?,
        secret: digest("mail_links.secret", &row.secret)?,
        code: digest("mail_links.code", &row.code)?,
        kept: row.key_id.zip(row.kept).map(|(key_id, bytes)| Sealed { key_id, bytes }),
        browser: row.browser.map(|browser| digest("mail_links.browser", &browser)).transpose()?,
        session: row.session_id.map(SessionId),
        failures: row.failures.try_into().map_err(|e| corrupt("mail_links.failures", e))?,
        created_at: row.created_at.0,
        expires_at: row.expires_at.0,
        ended_at: row.ended_at.map(|Moment(at)| at),
        paused_until: row.paused_until.map(|Moment(at)| at),
    })
}

/// Links that were asked for where this one is.
fn same_asker(link: &MailLink) -> Condition {
    let browser = link.browser.map(|browser| Column::Browser.eq(browser.0.to_vec()));
    let session = link.session.map(|session| Column::SessionId.eq(session.0));
    if browser.is_none() && session.is_none() {
        return Condition::all().add(Column::Browser.is_null()).add(Column::SessionId.is_null());
    }
    Condition::any().add_option(browser).add_option(session)
}

/// Ends such links as are not over.
async fn end(connection: &impl ConnectionTrait, which: Condition, now: OffsetDateTime) -> Result<(), DbErr> {
    let ended = ActiveModel { ended_at: Set(Some(Moment(now))), ..<ActiveModel as Default>::default() };
    Entity::update_many().set(ended).filter(Column::EndedAt.is_null()).filter(which).exec(connection).await.map(drop)
}

#[async_trait]
impl MailLinks for SqlTx {
    async fn add(&mut self, link: &MailLink) -> Result<(), StoreError> {
        let transaction = self.take()?;
        if link.purpose != LinkPurpose::UndoEmailChange {
            let older = Condition::all().add(Column::UserId.eq(link.user.0)).add(Column::Purpose.eq(link.purpose.name()));
            let older = if link.purpose == LinkPurpose::ChangeEmail { older } else { older.add(same_asker(link)) };
            self.call(end(&transaction, older, link.created_at)).await?;
        }
        self.call(Entity::insert(row(link)).exec_without_returning(&transaction)).await?;
        self.put_back(transaction);
        Ok(())
    }

    async fn lock(&mut self, id: Uuid) -> Result<Option<MailLink>, StoreError> {
        let transaction = self.take()?;
        let row = self.call(Entity::find_by_id(id).lock_exclusive().one(&transaction)).await?;
        self.put_back(transaction);
        row.map(link).transpose()
    }

    async fn save(&mut self, link: &MailLink) -> Result<(), StoreError> {
        let transaction = self.take()?;
        let change = Entity::update_many().set(changes(link)).filter(Column::Id.eq(link.id));
        self.call(change.exec(&transaction)).await?;
        self.put_back(transaction);
        Ok(())
    }

    async fn void(&mut self, user: UserId, spared: OffsetDateTime, now: OffsetDateTime) -> Result<(), StoreError> {
        let transaction = self.take()?;
        let not_spared = Condition::any()
            .add(Column::Purpose.ne(LinkPurpose::UndoEmailChange.name()))
            .add(Column::CreatedAt.gte(Moment(spared)));
        let voided = Condition::all().add(Column::UserId.eq(user.0)).add(not_spared);
        self.call(end(&transaction, voided, now)).await?;
        self.put_back(transaction);
        Ok(())
    }

    async fn sent_since(
        &mut self,
        email: &Email,
        purpose: LinkPurpose,
        since: OffsetDateTime,
    ) -> Result<Vec<MailLink>, StoreError> {
        let transaction = self.take()?;
        let sent = Entity::find()
            .filter(Column::Email.eq(email.as_str()))
            .filter(Column::Purpose.eq(purpose.name()))
            .filter(Column::CreatedAt.gte(Moment(since)));
        let newest = sent.order_by_desc(Column::CreatedAt).order_by_desc(Column::Id).limit(MOST_SENT);
        let rows = self.call(newest.all(&transaction)).await?;
        self.put_back(transaction);
        rows.into_iter().map(link).collect()
    }
}

#[async_trait]
impl MailLinkStore for SqlIdentityStore {
    async fn mail_link(&self, id: Uuid) -> Result<Option<MailLink>, StoreError> {
        let row = self.database.within_deadline(Entity::find_by_id(id).one(&self.database.connection)).await?;
        row.map(link).transpose()
    }

    async fn open_link(&self, user: UserId, session: SessionId, purpose: LinkPurpose) -> Result<Option<MailLink>, StoreError> {
        let open = Entity::find()
            .filter(Column::UserId.eq(user.0))
            .filter(Column::SessionId.eq(session.0))
            .filter(Column::Purpose.eq(purpose.name()))
            .filter(Column::EndedAt.is_null());
        let newest = open.order_by_desc(Column::CreatedAt).order_by_desc(Column::Id);
        let row = self.database.within_deadline(newest.one(&self.database.connection)).await?;
        row.map(link).transpose()
    }
}

/// Forgets links that were sent before `before`.
pub(super) async fn prune(connection: &impl ConnectionTrait, before: OffsetDateTime, limit: u64) -> Result<u64, DbErr> {
    let old = Entity::find().select_only().column(Column::Id).filter(Column::CreatedAt.lt(Moment(before)));
    let old = old.order_by_asc(Column::CreatedAt).limit(limit).lock_with_behavior(LockType::Update, LockBehavior::SkipLocked);
    let ids: Vec<Uuid> = old.into_tuple().all(connection).await?;
    for chunk in ids.chunks(ROWS) {
        Entity::delete_many().filter(Column::Id.is_in(chunk.iter().copied())).exec(connection).await?;
    }
    Ok(ids.len() as u64)
}
