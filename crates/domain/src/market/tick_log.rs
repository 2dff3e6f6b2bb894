//! The newest ticks a node has seen: what is forwarded, and what a returning client may still get.

use std::{collections::VecDeque, sync::Arc};

use super::{Tick, TickId};

/// A bounded run of ticks in their order.
#[derive(Debug, Clone)]
pub struct TickLog {
    ticks: VecDeque<Arc<Tick>>,
    keep: usize,
}

/// What a log did with a tick.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Accepted {
    /// It follows the newest one.
    Next,
    /// It is newer, but ticks between were missed.
    AfterGap {
        /// How many, where that can be known: in one epoch.
        missed: u64,
    },
    /// It is not newer: dropped.
    NotNewer,
}

/// What a client that was away gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Resumption {
    /// Everything it missed, oldest first; empty when it missed nothing.
    Recovered(Vec<Arc<Tick>>),
    /// What it missed is no longer here: it starts again from the newest tick.
    Lost(Option<Arc<Tick>>),
}

impl TickLog {
    /// A log of the newest `keep` ticks, at least one.
    #[must_use]
    pub fn new(keep: usize) -> Self {
        Self { ticks: VecDeque::new(), keep: keep.max(1) }
    }

    /// Takes a tick if it is newer than the newest.
    pub fn accept(&mut self, tick: Arc<Tick>) -> Accepted {
        let accepted = match self.newest().map(|newest| newest.id) {
            Some(newest) if tick.id <= newest => return Accepted::NotNewer,
            Some(newest) if tick.id.epoch == newest.epoch && tick.id.seq > newest.seq + 1 => {
                Accepted::AfterGap { missed: tick.id.seq - newest.seq - 1 }
            }
            Some(newest) if tick.id.epoch != newest.epoch && tick.id.seq > 1 => Accepted::AfterGap { missed: tick.id.seq - 1 },
            _ => Accepted::Next,
        };
        if self.ticks.len() == self.keep {
            self.ticks.pop_front();
        }
        self.ticks.push_back(tick);
        accepted
    }

    /// The newest tick.
    #[must_use]
    pub fn newest(&self) -> Option<&Arc<Tick>> {
        self.ticks.back()
    }

    /// What a client whose last tick was `last` gets. A client at the newest tick has missed nothing, however long ago
    /// that was.
    #[must_use]
    pub fn resume(&self, last: TickId) -> Resumption {
        let Some(position) = self.ticks.iter().position(|tick| tick.id == last) else {
            return Resumption::Lost(self.newest().cloned());
        };
        let missed: Vec<_> = self.ticks.iter().skip(position + 1).cloned().collect();
        let mut previous = last;
        for tick in &missed {
            let follows = if tick.id.epoch == previous.epoch { tick.id.seq == previous.seq + 1 } else { tick.id.seq == 1 };
            if !follows {
                return Resumption::Lost(self.newest().cloned());
            }
            previous = tick.id;
        }
        Resumption::Recovered(missed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use time::OffsetDateTime;

    fn tick(epoch: u64, seq: u64) -> Arc<Tick> {
        Arc::new(Tick {
            id: TickId { epoch, seq },
            timestamp: OffsetDateTime::UNIX_EPOCH,
            source: None,
            as_of: None,
            stale: true,
            held: None,
            items: Arc::new([]),
        })
    }

    fn log(ids: &[(u64, u64)]) -> TickLog {
        let mut log = TickLog::new(4);
        for &(epoch, seq) in ids {
            log.accept(tick(epoch, seq));
        }
        log
    }

    #[test]
    fn order_never_goes_backward() {
        let mut log = log(&[(7, 1), (7, 2)]);
        assert_eq!(log.accept(tick(7, 2)), Accepted::NotNewer);
        assert_eq!(log.accept(tick(6, 99)), Accepted::NotNewer, "a fenced leader's epoch is older");
        assert_eq!(log.accept(tick(7, 3)), Accepted::Next);
        assert_eq!(log.accept(tick(8, 1)), Accepted::Next, "a new leader counts from one");
        assert_eq!(log.accept(tick(8, 4)), Accepted::AfterGap { missed: 2 });
        assert_eq!(log.accept(tick(9, 3)), Accepted::AfterGap { missed: 2 });
    }

    #[test]
    fn a_client_gets_exactly_what_it_missed_or_is_told_that_it_cannot() {
        let log = log(&[(7, 1), (7, 2), (7, 3), (8, 1), (8, 2)]);
        let resumed = |epoch, seq| log.resume(TickId { epoch, seq });
        assert_eq!(resumed(7, 2), Resumption::Recovered(vec![tick(7, 3), tick(8, 1), tick(8, 2)]));
        assert_eq!(resumed(7, 1), Resumption::Lost(Some(tick(8, 2))), "the log holds four");
        assert_eq!(resumed(9, 9), Resumption::Lost(Some(tick(8, 2))), "never published");
    }

    #[test]
    fn a_quiet_client_at_the_head_has_missed_nothing() {
        assert_eq!(log(&[(7, 1)]).resume(TickId { epoch: 7, seq: 1 }), Resumption::Recovered(vec![]));
    }

    #[test]
    fn a_gap_inside_the_log_is_not_passed_off_as_complete() {
        assert_eq!(log(&[(7, 1), (7, 3)]).resume(TickId { epoch: 7, seq: 1 }), Resumption::Lost(Some(tick(7, 3))));
    }

    proptest! {
        #[test]
        fn whatever_arrives_the_newest_only_moves_forward(ids in prop::collection::vec((0_u64..4, 1_u64..6), 0..60)) {
            let mut log = TickLog::new(8);
            let mut newest = None;
            for (epoch, seq) in ids {
                log.accept(tick(epoch, seq));
                let now = log.newest().map(|tick| tick.id);
                prop_assert!(now >= newest);
                newest = now;
            }
        }
    }
}
