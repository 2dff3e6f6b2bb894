//! Ports that every context may use.

mod audit_log;
mod clock;
mod entropy;
mod errors;
mod gate;

pub use audit_log::AuditLog;
pub use clock::{Clock, Dice, Pause};
pub use entropy::Entropy;
pub use errors::{BusError, StoreError};
pub use gate::{Admission, Admitted, RequestGate, WindowState};
