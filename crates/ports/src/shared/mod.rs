//! Ports that every context may use.

mod audit_log;
mod clock;
mod entropy;
mod errors;
mod gate;
mod mail_outbox;
mod secret_box;

pub use audit_log::AuditLog;
pub use clock::{Clock, Dice, Pause};
pub use entropy::Entropy;
pub use errors::{BusError, StoreError};
pub use gate::{Admission, Admitted, RequestGate, WindowState};
pub use mail_outbox::MailOutbox;
pub use secret_box::{SecretBox, SecretBoxError};
