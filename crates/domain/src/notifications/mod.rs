//! Rules of what is told to people.

pub mod alerts;
mod delivery;
mod notification;
mod outgoing;
mod settings;
mod switches;
mod webhook;
mod webhook_address;
mod webhook_turns;

pub use delivery::{Attempted, DeliveryPolicy, Next};
pub use notification::{Notification, NotificationId, NotificationKind, Priority};
pub use outgoing::{Channel, Delivery};
pub use settings::{ClockOffset, ClockOffsetError, NotificationSettings, QuietHours, QuietHoursError};
pub use switches::Switches;
pub use webhook::{TestRefused, Webhook, WebhookCalls, WebhookId, signature};
pub use webhook_address::is_public;
pub use webhook_turns::{UnderWay, webhook_turns};
