//! Hands over the letters that are due.

use std::{
    borrow::Cow,
    sync::{Arc, Mutex, PoisonError},
};

use coinlink_domain::notifications::{Attempted, DeliveryPolicy, Next};
use coinlink_ports::{
    notifications::{ClaimedMail, MailQueue, MailSender, SendError},
    shared::{Clock, SecretBoxError, StoreError},
};
use futures_util::future::join_all;
use uuid::Uuid;

/// Letters that are handed over at the same time.
const AT_ONCE: u32 = 8;

/// What became of a letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It was handed over.
    Sent,
    /// It is tried again later.
    Postponed,
    /// It was given up.
    Dead,
}

impl Fate {
    /// As metrics call it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::Postponed => "postponed",
            Self::Dead => "dead",
        }
    }
}

/// One attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivered {
    /// Which kind of letter.
    pub template: Cow<'static, str>,
    /// What became of it.
    pub fate: Fate,
}

/// What a run did.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DeliveryReport {
    /// Its attempts.
    pub delivered: Vec<Delivered>,
    /// Whether there may be more that is due.
    pub more: bool,
}

/// Delivers the outbox. Any number of nodes may run it: a letter is with one of them at a time. One that is killed between handing
/// a letter over and marking it leaves it to be sent once more when the lease is over.
pub struct DeliverMail {
    queue: Arc<dyn MailQueue>,
    sender: Arc<dyn MailSender>,
    clock: Arc<dyn Clock>,
    policy: DeliveryPolicy,
    /// Handed over, and not marked since the store did not answer.
    unmarked: Mutex<Vec<Uuid>>,
}

impl DeliverMail {
    /// From `queue` to `sender`.
    pub fn new(queue: Arc<dyn MailQueue>, sender: Arc<dyn MailSender>, clock: Arc<dyn Clock>) -> Self {
        Self { queue, sender, clock, policy: DeliveryPolicy::default(), unmarked: Mutex::default() }
    }

    /// Tries some of the letters that are due.
    #[tracing::instrument(name = "notifications.deliver_mail", skip_all)]
    pub async fn execute(&self) -> Result<DeliveryReport, StoreError> {
        self.mark_sent(Vec::new()).await?;
        let claimed = self.queue.claim(self.clock.now(), self.policy.lease, AT_ONCE).await?;
        let more = claimed.len() >= AT_ONCE as usize;
        let attempts = join_all(claimed.into_iter().map(|mail| self.attempt(mail))).await;
        let (mut delivered, mut sent, mut failed) = (Vec::new(), Vec::new(), None);
        for Attempt { id, template, number, outcome, why } in attempts {
            let now = self.clock.now();
            let next = self.policy.after(number, outcome, now);
            let (fate, recorded) = match next {
                Next::Done => {
                    sent.push(id);
                    (Fate::Sent, Ok(true))
                }
                Next::Again(due) => (Fate::Postponed, self.queue.postpone(id, number, due, &why).await),
                Next::Dead => (Fate::Dead, self.queue.give_up(id, number, now, &why).await),
            };
            match fate {
                Fate::Sent => tracing::debug!(%id, %template, attempt = number, "mail was sent"),
                Fate::Postponed => tracing::info!(%id, %template, attempt = number, why, "mail is to be tried again"),
                Fate::Dead => tracing::warn!(%id, %template, attempt = number, why, "mail was given up"),
            }
            delivered.push(Delivered { template, fate });
            failed = failed.or(recorded.err());
        }
        self.mark_sent(sent).await?;
        failed.map_or(Ok(DeliveryReport { delivered, more }), Err)
    }

    async fn attempt(&self, claimed: ClaimedMail) -> Attempt {
        let ClaimedMail { id, template, attempt: number, mail } = claimed;
        let (outcome, why) = match mail {
            _ if !self.policy.may_try(number) => {
                (Attempted::RefusedForGood, "every attempt ended without telling why".to_owned())
            }
            Ok(mail) => match self.sender.send(&mail).await {
                Ok(()) => (Attempted::Sent, String::new()),
                Err(SendError::Temporary(why)) => (Attempted::Refused, why),
                Err(SendError::Permanent(why)) => (Attempted::RefusedForGood, why),
            },
            // Another node may have the key, or this one after its next start.
            Err(error @ SecretBoxError::UnknownKey(_)) => (Attempted::Refused, error.to_string()),
            Err(error) => (Attempted::RefusedForGood, error.to_string()),
        };
        Attempt { id, template, number, outcome, why }
    }

    /// Marks these and what is left of earlier runs; what cannot be marked is left to the next.
    async fn mark_sent(&self, sent: Vec<Uuid>) -> Result<(), StoreError> {
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
