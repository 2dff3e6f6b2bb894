//! Read what was fetched for the cluster, on every node.

use std::sync::Arc;

use coinlink_domain::shared::backoff::FullJitter;
use coinlink_ports::{
    market::BulletinBoard,
    shared::{Dice, Pause},
};
use time::Duration;

use super::Bulletins;

/// Between two looks at the board; up to twice as much by chance, so that nodes do not look at the same moment.
const EVERY: Duration = Duration::milliseconds(6_700);
const JITTER: FullJitter = FullJitter { base: EVERY, cap: EVERY };

/// Follows for as long as it is polled. Held by one task.
pub struct FollowBulletins {
    /// Where they are.
    pub board: Arc<dyn BulletinBoard>,
    /// What this node knows.
    pub known: Arc<Bulletins>,
    /// Waiting.
    pub pause: Arc<dyn Pause>,
    /// Jitter.
    pub dice: Arc<dyn Dice>,
}

impl FollowBulletins {
    /// Never returns; drop it to stop. While the board cannot be read, what is known stays.
    pub async fn execute(&self) {
        let mut readable = true;
        loop {
            match self.board.read().await {
                Ok(board) => {
                    readable = true;
                    for bulletin in board {
                        self.known.take(bulletin);
                    }
                }
                Err(error) => {
                    if std::mem::replace(&mut readable, false) {
                        tracing::warn!(%error, "the board of bulletins cannot be read; what is known is shown");
                    }
                }
            }
            self.pause.pause(EVERY + JITTER.delay(0, self.dice.roll())).await;
        }
    }
}
