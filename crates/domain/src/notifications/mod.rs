//! Rules of what is told to people.

pub mod alerts;
mod delivery;
mod notification;
mod outgoing;
mod settings;
mod webhook;
mod webhook_address;

pub use delivery::{Attempted, DeliveryPolicy, Next};
pub use notification::{Notification, NotificationId, NotificationKind, Priority};
pub use outgoing::{Channel, Delivery};
pub use settings::{ClockOffset, ClockOffsetError, NotificationSettings, QuietHours, QuietHoursError};
pub use webhook::{Webhook, WebhookId, signature};
pub use webhook_address::is_public;
