//! Delivers what was left in the outbox.

use std::{sync::Arc, time::Duration as StdDuration};

use coinlink_application::notifications::{DeliverMail, Delivered, PruneMail};
use coinlink_ports::{
    notifications::{MailCounts, MailQueue},
    shared::{Clock, StoreError},
};
use tokio::{
    sync::watch,
    task::{JoinError, JoinSet},
};

use super::upkeep::{Told, beats, in_parts};
use crate::telemetry::Metrics;

/// Whoever asked for a letter waits for it.
const DELIVER_EVERY: StdDuration = StdDuration::from_secs(1);
/// Counting costs more than looking whether anything is due.
const COUNT_EVERY: u32 = 5;

/// What the job works with.
pub struct MailJob {
    /// Delivers; without it letters are only counted.
    pub deliver: Option<Arc<DeliverMail>>,
    /// What is counted.
    pub queue: Arc<dyn MailQueue>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Where it is told.
    pub metrics: Metrics,
}

/// Delivers letters until `stop`. What is under way then is brought to its end: a letter that was handed over is marked, or it
/// would come twice.
pub async fn deliver_mail(job: MailJob, mut stop: watch::Receiver<bool>) {
    let mut post = Post { under_way: JoinSet::new(), told: Told::of(&job.metrics, "deliver_mail", "delivering mail"), job };
    let mut counting = Told::of(&post.job.metrics, "count_mail", "counting mail");
    let mut beats = beats(DELIVER_EVERY);
    let (mut turn, mut more) = (0_u32, false);
    loop {
        let ended = tokio::select! {
            _ = stop.wait_for(|stop| *stop) => break,
            _ = beats.tick() => None,
            Some(ended) = post.under_way.join_next() => Some(ended),
        };
        if let Some(ended) = ended {
            post.note(ended);
        } else {
            if turn.is_multiple_of(COUNT_EVERY)
                && let Some(counts) = counting.tell(post.job.queue.counts().await)
            {
                post.job.show(counts);
            }
            turn = turn.wrapping_add(1);
            more = true;
        }
        // Where nothing more was due a moment ago, a free place waits for the next beat.
        if more {
            more = post.fill().await;
        }
    }
    while let Some(ended) = post.under_way.join_next().await {
        post.note(ended);
    }
}

/// Letters on their way, each by itself: one that takes its time holds up no other.
struct Post {
    job: MailJob,
    under_way: JoinSet<Result<Delivered, StoreError>>,
    told: Told,
}

impl Post {
    /// Takes as many letters as there are places. Whether there may be more.
    async fn fill(&mut self) -> bool {
        let Some(deliver) = self.job.deliver.clone() else { return false };
        while let Some(ended) = self.under_way.try_join_next() {
            self.note(ended);
        }
        let free = DeliverMail::AT_ONCE.saturating_sub(self.under_way.len());
        if free == 0 {
            return true;
        }
        let claimed = self.told.tell(deliver.claim(free).await).unwrap_or_default();
        let more = claimed.len() >= free;
        for letter in claimed {
            let deliver = Arc::clone(&deliver);
            self.under_way.spawn(async move { deliver.deliver(letter).await });
        }
        more
    }

    fn note(&mut self, ended: Result<Result<Delivered, StoreError>, JoinError>) {
        match ended.map_err(JoinError::try_into_panic) {
            Ok(outcome) => {
                if let Some(letter) = self.told.tell(outcome) {
                    self.job.metrics.mail_sent.with_label_values(&[letter.template.as_ref(), letter.fate.name()]).inc();
                }
            }
            Err(Ok(panic)) => std::panic::resume_unwind(panic),
            // The node is over.
            Err(Err(_)) => {}
        }
    }
}

impl MailJob {
    fn show(&self, counts: MailCounts) {
        let age = counts.oldest.map_or(StdDuration::ZERO, |oldest| (self.clock.now() - oldest).try_into().unwrap_or_default());
        // Where nobody sends, letters wait for ever and by choice: an alert on their age would never end.
        self.metrics.outbox("mail", counts.waiting, counts.dead, self.deliver.is_some().then_some(age));
    }
}

/// Removes letters that ended long ago.
pub async fn prune_mail(prune: PruneMail, metrics: Metrics) {
    in_parts(Told::of(&metrics, "prune_mail", "removing old mail"), || prune.execute()).await;
}

#[cfg(test)]
mod tests {
    use super::*;
    use async_trait::async_trait;
    use coinlink_domain::shared::mail::OutgoingMail;
    use coinlink_ports::notifications::{MailSender, SendError};
    use coinlink_testkit::{
        notifications::{MailState, MemoryMailQueue, MemoryNotifications, RecordingMail, a_letter},
        shared::StoppedClock,
    };
    use tokio::sync::Semaphore;

    /// Has the letters to one address, and does not say so before it is let go.
    struct Hanging {
        mail: Arc<RecordingMail>,
        address: String,
        go: Arc<Semaphore>,
    }

    #[async_trait]
    impl MailSender for Hanging {
        async fn send(&self, mail: &OutgoingMail) -> Result<(), SendError> {
            self.mail.send(mail).await?;
            if mail.to == self.address {
                drop(self.go.acquire().await);
            }
            Ok(())
        }
    }

    struct Delivering {
        queue: Arc<MemoryMailQueue>,
        mail: Arc<RecordingMail>,
        go: Arc<Semaphore>,
        stop: watch::Sender<bool>,
        job: tokio::task::JoinHandle<()>,
    }

    /// A job with so many letters, of which one hangs.
    fn delivering(letters: u32, hangs: u32) -> Delivering {
        let (queue, mail) = (Arc::new(MemoryMailQueue::default()), Arc::new(RecordingMail::default()));
        (0..letters).for_each(|n| queue.post(&a_letter(n)));
        let clock = Arc::new(StoppedClock::at(a_letter(0).created_at + time::Duration::HOUR));
        let go = Arc::new(Semaphore::new(0));
        let sender = Hanging { mail: Arc::clone(&mail), address: a_letter(hangs).to, go: Arc::clone(&go) };
        let deliver = Some(Arc::new(DeliverMail::new(
            queue.clone(),
            Arc::new(sender),
            Arc::new(MemoryNotifications::default()),
            clock.clone(),
        )));
        let (stop, stopped) = watch::channel(false);
        let metrics = Metrics::new("0", "test").unwrap();
        let job = tokio::spawn(deliver_mail(MailJob { deliver, queue: queue.clone(), clock, metrics }, stopped));
        Delivering { queue, mail, go, stop, job }
    }

    impl Delivering {
        async fn marks_all_but(&self, letters: u32, hangs: u32) {
            let is_sent = |n: &u32| matches!(self.queue.record(a_letter(*n).id).unwrap().state, MailState::Sent(_));
            let others = async {
                while !(0..letters).all(|n| is_sent(&n) || n == hangs) {
                    tokio::task::yield_now().await;
                }
            };
            tokio::time::timeout(StdDuration::from_secs(10), others).await.unwrap();
            assert!(!is_sent(&hangs));
        }
    }

    #[tokio::test]
    async fn letters_that_nobody_sends_are_counted_and_are_not_late() {
        let queue = Arc::new(MemoryMailQueue::default());
        queue.post(&a_letter(0));
        let clock = Arc::new(StoppedClock::at(a_letter(0).created_at + time::Duration::HOUR));
        let metrics = Metrics::new("0", "test").unwrap();
        let text = || String::from_utf8(metrics.render().unwrap()).unwrap();
        let mut job = MailJob { deliver: None, queue: queue.clone(), clock: clock.clone(), metrics: metrics.clone() };
        job.show(queue.counts().await.unwrap());
        assert!(text().contains("coinlink_outbox_pending{channel=\"mail\"} 1\n"));
        assert!(!text().contains("coinlink_outbox_oldest_seconds"));
        let (mail, notifications) = (Arc::new(RecordingMail::default()), Arc::new(MemoryNotifications::default()));
        job.deliver = Some(Arc::new(DeliverMail::new(queue.clone(), mail, notifications, clock)));
        job.show(queue.counts().await.unwrap());
        assert!(text().contains("coinlink_outbox_oldest_seconds{channel=\"mail\"} 3600\n"), "{}", text());
    }

    #[tokio::test]
    async fn a_letter_that_hangs_leaves_no_other_unmarked_and_holds_up_none() {
        let it = delivering(30, 3);
        it.marks_all_but(30, 3).await;
        it.queue.post(&a_letter(30));
        it.marks_all_but(31, 3).await;
        let order: Vec<_> = it.mail.sent().iter().map(|mail| mail.id).collect();
        assert_eq!(order, (0..31).map(|n| a_letter(n).id).collect::<Vec<_>>());
        assert_eq!(it.queue.record(a_letter(3).id).unwrap().attempts, 1);
    }

    #[tokio::test]
    async fn a_job_that_is_asked_to_end_marks_what_it_handed_over_and_begins_nothing() {
        let it = delivering(2, 1);
        it.marks_all_but(2, 1).await;
        it.stop.send_replace(true);
        it.queue.post(&a_letter(2));
        tokio::task::yield_now().await;
        assert!(!it.job.is_finished());
        it.go.add_permits(1);
        it.job.await.unwrap();
        assert!(matches!(it.queue.record(a_letter(1).id).unwrap().state, MailState::Sent(_)));
        assert_eq!(it.mail.sent().len(), 2);
    }
}
