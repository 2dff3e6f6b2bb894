//! Time and chance, under a test's control.

mod clock;
mod dice;
mod pause;

pub use clock::StoppedClock;
pub use coinlink_embedded::TokioPause;
pub use dice::LoadedDice;
pub use pause::ManualPause;

use std::sync::{Mutex, MutexGuard, PoisonError};

/// A test that panicked while it held a fake must not hide behind a second panic.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
