//! Hands over the letters that are due.

use std::{
    borrow::Cow,
    sync::{Arc, Mutex, PoisonError},
};

use coinlink_domain::notifications::{Attempted, DeliveryPolicy, Next, NotificationId};
use coinlink_ports::{
    notifications::{ClaimedMail, MailQueue, MailSender, NotificationsStore, Standing},
    shared::{Clock, StoreError},
};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{
    fate::{Fate, attempted, unopened},
    leave::TEMPLATES,
};

/// One attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivered {
    /// Which kind of letter.
    pub template: Cow<'static, str>,
    /// What became of it.
    pub fate: Fate,
}

/// Delivers the outbox. Any number of nodes may run it: a letter is with one of them at a time. Each is marked as soon as it was
/// handed over, whatever becomes of others: a node that is killed in between leaves that one to be sent once more when the lease is
/// over.
pub struct DeliverMail {
    queue: Arc<dyn MailQueue>,
    sender: Arc<dyn MailSender>,
    notifications: Arc<dyn NotificationsStore>,
    clock: Arc<dyn Clock>,
    policy: DeliveryPolicy,
    /// Handed over, and not marked since the store did not answer.
    unmarked: Mutex<Vec<Uuid>>,
}

impl DeliverMail {
    /// Letters that are handed over at the same time.
    pub const AT_ONCE: usize = 8;

    /// From `queue` to `sender`; letters that tell of a notification as far as `notifications` still stand.
    pub fn new(
        queue: Arc<dyn MailQueue>,
        sender: Arc<dyn MailSender>,
        notifications: Arc<dyn NotificationsStore>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self { queue, sender, notifications, clock, policy: DeliveryPolicy::default(), unmarked: Mutex::default() }
    }

    /// Takes at most `limit` letters that are due, those due longest first. Each is to be delivered at once: its lease runs.
    #[tracing::instrument(name = "notifications.claim_mail", skip_all, fields(otel.kind = "consumer"))]
    pub async fn claim(&self, limit: usize) -> Result<Vec<ClaimedMail>, StoreError> {
        self.mark_sent(None).await?;
        let limit = u32::try_from(limit).unwrap_or(u32::MAX);
        self.queue.claim(self.clock.now(), self.policy.lease, limit).await
    }

    /// Tries one letter, and marks it.
    #[tracing::instrument(name = "notifications.deliver_mail", skip_all)]
    pub async fn deliver(&self, claimed: ClaimedMail) -> Result<Delivered, StoreError> {
        let standing = if TEMPLATES.contains(&claimed.template.as_ref()) {
            let id = NotificationId(claimed.id);
            self.notifications.standings(&[id]).await?.remove(&id).map_or(Stands::Withdrawn, Stands::AsLongAs)
        } else {
            Stands::Always
        };
        let Attempt { id, template, number, outcome, why } = self.attempt(claimed, &standing).await;
        let now = self.clock.now();
        let (fate, recorded) = match self.policy.after(number, outcome, now) {
            Next::Done => (Fate::Sent, self.mark_sent(Some(id)).await),
            Next::Again(due) => {
                let due = standing.undisturbed(due);
                (Fate::Postponed, self.queue.postpone(id, number, due, &why).await.map(drop))
            }
            Next::Dead => (Fate::Dead, self.queue.give_up(id, number, now, &why).await.map(drop)),
        };
        match fate {
            Fate::Sent => tracing::debug!(%id, %template, attempt = number, "mail was sent"),
            Fate::Postponed => tracing::info!(%id, %template, attempt = number, why, "mail is to be tried again"),
            Fate::Dead => tracing::warn!(%id, %template, attempt = number, why, "mail was given up"),
        }
        recorded.map(|()| Delivered { template, fate })
    }

    async fn attempt(&self, claimed: ClaimedMail, standing: &Stands) -> Attempt {
        let ClaimedMail { id, template, attempt: number, mail } = claimed;
        let (outcome, why) = match mail {
            _ if !self.policy.may_try(number) => {
                (Attempted::RefusedForGood, "every attempt ended without telling why".to_owned())
            }
            _ if !standing.holds() => (Attempted::RefusedForGood, "nobody is to be told of it any more".to_owned()),
            Ok(mail) => attempted(self.sender.send(&mail).await),
            Err(error) => (unopened(&error), error.to_string()),
        };
        Attempt { id, template, number, outcome, why }
    }

    /// Marks this one, and what is left from before; what cannot be marked is left to the next.
    async fn mark_sent(&self, sent: Option<Uuid>) -> Result<(), StoreError> {
        let mut unmarked = std::mem::take(&mut *self.unmarked.lock().unwrap_or_else(PoisonError::into_inner));
        unmarked.extend(sent);
        while let Some(id) = unmarked.last() {
            if let Err(error) = self.queue.sent(*id, self.clock.now()).await {
                self.unmarked.lock().unwrap_or_else(PoisonError::into_inner).append(&mut unmarked);
                return Err(error);
            }
            unmarked.pop();
        }
        Ok(())
    }
}

struct Attempt {
    id: Uuid,
    template: Cow<'static, str>,
    number: u32,
    outcome: Attempted,
    why: String,
}

/// How long a letter is to be sent.
enum Stands {
    /// Whatever happens.
    Always,
    /// Its notification is there, and may be told of on these terms.
    AsLongAs(Standing),
    /// Its notification was removed.
    Withdrawn,
}

impl Stands {
    fn holds(&self) -> bool {
        match self {
            Self::Always => true,
            Self::AsLongAs(standing) => standing.is_active,
            Self::Withdrawn => false,
        }
    }

    /// `due`, or the end of the quiet hours that it falls into.
    fn undisturbed(&self, due: OffsetDateTime) -> OffsetDateTime {
        match self {
            Self::AsLongAs(standing) => standing.settings.may_disturb_at(standing.priority, due),
            Self::Always | Self::Withdrawn => due,
        }
    }
}
