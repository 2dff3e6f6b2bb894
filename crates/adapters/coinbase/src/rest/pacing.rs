use std::sync::{Mutex, PoisonError};

use coinlink_domain::shared::token_bucket::{BucketPolicy, TokenBucket};
use time::{Duration, OffsetDateTime};
use tokio::time::Instant;

/// Ten requests a second, fifteen at once: what Coinbase Exchange allows one address.
const POLICY: BucketPolicy = BucketPolicy { burst: 15, refill: Duration::milliseconds(100) };

/// Spreads requests over time. Counts on the runtime's own clock, the one its waits are measured by.
pub(super) struct Pacing {
    started: Instant,
    bucket: Mutex<TokenBucket>,
}

impl Pacing {
    pub(super) fn new() -> Self {
        Self { started: Instant::now(), bucket: Mutex::new(TokenBucket::full(OffsetDateTime::UNIX_EPOCH)) }
    }

    /// Returns when one more request may go out.
    pub(super) async fn turn(&self) {
        loop {
            let now = OffsetDateTime::UNIX_EPOCH + self.started.elapsed();
            let taken = self.bucket.lock().unwrap_or_else(PoisonError::into_inner).take(now, POLICY);
            match taken {
                Ok(()) => return,
                Err(wait) => tokio::time::sleep(wait.unsigned_abs()).await,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn fifteen_go_at_once_and_then_ten_a_second() {
        let pacing = Pacing::new();
        let started = Instant::now();
        let mut sent = Vec::new();
        for _ in 0..40 {
            pacing.turn().await;
            sent.push(started.elapsed().as_millis());
        }
        assert!(sent[14] < 10, "{sent:?}");
        assert!((2_500..2_600).contains(&sent[39]), "{sent:?}");
    }
}
