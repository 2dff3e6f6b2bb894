//! Time and chance, under a test's control, and the contract of the request gate.

pub mod gate_contract;

mod clock;
mod dice;
mod entropy;
pub(crate) mod faults;
pub(crate) mod memory;
mod pause;
mod secret_box;

pub use clock::StoppedClock;
pub use coinlink_embedded::{EmbeddedGate, SystemClock, TokioPause};
pub use dice::LoadedDice;
pub use entropy::CountingEntropy;
pub use gate_contract::GateNodes;
pub use memory::MemoryStore;
pub use pause::ManualPause;
pub use secret_box::PlainSecretBox;

use std::sync::{Mutex, MutexGuard, PoisonError};

/// A test that panicked while it held a fake must not hide behind a second panic.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
