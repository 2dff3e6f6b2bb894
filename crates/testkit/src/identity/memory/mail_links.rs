use std::collections::BTreeMap;

use async_trait::async_trait;
use coinlink_domain::identity::{Email, LinkPurpose, MailLink, SessionId, UserId};
use coinlink_ports::{
    identity::{MailLinkStore, MailLinks},
    shared::StoreError,
};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{MemoryIdentity, MemoryTx};
use crate::shared::{faults::unavailable, memory::micros};

/// Links by id.
#[derive(Clone, Default)]
pub(super) struct Links(BTreeMap<Uuid, MailLink>);

impl Links {
    fn end(&mut self, which: impl Fn(&MailLink) -> bool, now: OffsetDateTime) {
        for link in self.0.values_mut().filter(|link| which(link)) {
            link.end(micros(now));
        }
    }

    pub(super) fn prune(&mut self, before: OffsetDateTime, limit: usize) -> u64 {
        let old: Vec<_> = self.0.values().filter(|link| link.created_at < before).map(|link| link.id).take(limit).collect();
        self.0.retain(|id, _| !old.contains(id));
        old.len() as u64
    }
}

impl MemoryIdentity {
    /// Committed links in mail by id.
    pub fn mail_links(&self) -> Vec<MailLink> {
        self.committed().links.0.values().cloned().collect()
    }
}

#[async_trait]
impl MailLinks for MemoryTx {
    async fn add(&mut self, link: &MailLink) -> Result<(), StoreError> {
        self.call(|draft| {
            draft.accounts.get(&link.user).ok_or_else(|| unavailable("no such account"))?;
            let same_asker = |older: &MailLink| match link.purpose {
                LinkPurpose::UndoEmailChange => false,
                LinkPurpose::ChangeEmail => true,
                LinkPurpose::VerifyEmail | LinkPurpose::ResetPassword => {
                    (link.browser.is_some() && older.browser == link.browser)
                        || (link.session.is_some() && older.session == link.session)
                        || [link.browser, older.browser] == [None; 2] && [link.session, older.session] == [None; 2]
                }
            };
            let ends = |older: &MailLink| older.user == link.user && older.purpose == link.purpose && same_asker(older);
            draft.links.end(ends, link.created_at);
            let kept = MailLink {
                created_at: micros(link.created_at),
                expires_at: micros(link.expires_at),
                ended_at: link.ended_at.map(micros),
                paused_until: link.paused_until.map(micros),
                ..link.clone()
            };
            draft.links.0.insert(link.id, kept);
            Ok(())
        })
    }

    async fn lock(&mut self, id: Uuid) -> Result<Option<MailLink>, StoreError> {
        self.call(|draft| Ok(draft.links.0.get(&id).cloned()))
    }

    async fn save(&mut self, link: &MailLink) -> Result<(), StoreError> {
        self.call(|draft| {
            if let Some(kept) = draft.links.0.get_mut(&link.id) {
                (kept.failures, kept.ended_at) = (link.failures, link.ended_at.map(micros));
                kept.paused_until = link.paused_until.map(micros);
            }
            Ok(())
        })
    }

    async fn void(&mut self, user: UserId, spared: OffsetDateTime, now: OffsetDateTime) -> Result<(), StoreError> {
        let spared = micros(spared);
        self.call(|draft| {
            let stays = |link: &MailLink| link.purpose == LinkPurpose::UndoEmailChange && link.created_at < spared;
            draft.links.end(|link| link.user == user && !stays(link), now);
            Ok(())
        })
    }

    async fn sent_since(
        &mut self,
        email: &Email,
        purpose: LinkPurpose,
        since: OffsetDateTime,
    ) -> Result<Vec<MailLink>, StoreError> {
        let since = micros(since);
        self.call(|draft| {
            let is_sent = |link: &&MailLink| link.email == *email && link.purpose == purpose && link.created_at >= since;
            let mut sent: Vec<_> = draft.links.0.values().filter(is_sent).cloned().collect();
            sent.sort_by_key(|link| std::cmp::Reverse((link.created_at, link.id)));
            sent.truncate(100);
            Ok(sent)
        })
    }
}

#[async_trait]
impl MailLinkStore for MemoryIdentity {
    async fn mail_link(&self, id: Uuid) -> Result<Option<MailLink>, StoreError> {
        self.read(|state| state.links.0.get(&id).cloned())
    }

    async fn open_link(&self, user: UserId, session: SessionId, purpose: LinkPurpose) -> Result<Option<MailLink>, StoreError> {
        let is_open = |link: &&MailLink| {
            link.user == user && link.session == Some(session) && link.purpose == purpose && link.ended_at.is_none()
        };
        self.read(|state| state.links.0.values().filter(is_open).max_by_key(|link| (link.created_at, link.id)).cloned())
    }
}
