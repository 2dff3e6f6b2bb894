//! Fakes and the contract suite of the notifications context.

pub mod alert_rules_contract;
pub mod live_events_contract;
pub mod mail_queue_contract;
pub mod store_contract;

mod builders;
mod memory;
mod memory_mail_queue;
mod recording_mail;

pub use alert_rules_contract::AlertsUnderTest;
pub use builders::{a_notification, a_webhook};
pub use live_events_contract::a_firing;
pub use mail_queue_contract::{PostedMail, a_letter};
pub use memory::MemoryNotifications;
pub use memory_mail_queue::{MailRecord, MailState, MemoryMailQueue};
pub use recording_mail::RecordingMail;
pub use store_contract::NotificationsUnderTest;
