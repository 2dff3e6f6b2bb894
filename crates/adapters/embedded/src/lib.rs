//! The shared ports in this process, for a CoinLink that is one node: no coordinator, nothing to reach, nothing to wait for.

mod bulletins;
mod bus;
mod conversations;
mod gate;
mod lease;
mod live_events;
mod quota;
mod socket_tickets;
mod system;

pub use bulletins::EmbeddedBulletins;
pub use bus::EmbeddedBus;
pub use conversations::EmbeddedConversations;
pub use gate::EmbeddedGate;
pub use lease::EmbeddedLease;
pub use live_events::EmbeddedLiveEvents;
pub use quota::EmbeddedQuota;
pub use socket_tickets::EmbeddedSocketTickets;
pub use system::{SystemClock, SystemDice, SystemEntropy, TokioPause};

use std::sync::{Mutex, MutexGuard, PoisonError};

/// What a panicking holder left behind is whole: every change here is one assignment or insertion.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
