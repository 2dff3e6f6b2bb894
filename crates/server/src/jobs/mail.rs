//! Delivers what was left in the outbox.

use std::{sync::Arc, time::Duration as StdDuration};

use coinlink_application::notifications::{DeliverMail, PruneMail};
use coinlink_ports::{notifications::MailQueue, shared::Clock};
use tokio::sync::watch;

use super::upkeep::{BREATH, PRUNE_EVERY, Told, beats};
use crate::telemetry::Metrics;

/// Whoever asked for a letter waits for it.
const DELIVER_EVERY: StdDuration = StdDuration::from_secs(1);
/// Counting costs more than looking whether anything is due.
const COUNT_EVERY: u32 = 5;

/// What the job works with.
pub struct MailJob {
    /// Delivers; without it letters are only counted.
    pub deliver: Option<DeliverMail>,
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
    let (mut delivering, mut counting) = (Told::of("delivering mail"), Told::of("counting mail"));
    let mut beats = beats(DELIVER_EVERY);
    let mut turn = 0_u32;
    loop {
        tokio::select! {
            _ = beats.tick() => {}
            _ = stop.wait_for(|stop| *stop) => return,
        }
        while let Some(deliver) = &job.deliver
            && let Some(report) = delivering.tell(deliver.execute().await)
        {
            for letter in &report.delivered {
                job.metrics.mail_sent.with_label_values(&[letter.template.as_ref(), letter.fate.name()]).inc();
            }
            if !report.more || *stop.borrow() {
                break;
            }
        }
        if turn.is_multiple_of(COUNT_EVERY)
            && let Some(counts) = counting.tell(job.queue.counts().await)
        {
            let count = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
            job.metrics.mail_waiting.set(count(counts.waiting));
            job.metrics.mail_dead.set(count(counts.dead));
            let age = counts.oldest.map_or(0.0, |oldest| (job.clock.now() - oldest).as_seconds_f64().max(0.0));
            job.metrics.mail_oldest.set(age);
        }
        turn = turn.wrapping_add(1);
    }
}

/// Removes letters that ended long ago.
pub async fn prune_mail(prune: PruneMail) {
    let mut told = Told::of("removing old mail");
    let mut beats = beats(PRUNE_EVERY);
    loop {
        beats.tick().await;
        while told.tell(prune.execute().await) == Some(true) {
            tokio::time::sleep(BREATH).await;
        }
    }
}
