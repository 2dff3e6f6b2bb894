//! Rules of what is told to people.

pub mod alerts;
mod delivery;
mod notification;

pub use delivery::{Attempted, DeliveryPolicy, Next};
pub use notification::{Notification, NotificationId, NotificationKind, Priority};
