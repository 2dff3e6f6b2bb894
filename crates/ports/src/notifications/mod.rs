//! Ports of the notifications context.

mod alerts;
mod delivery_queue;
mod live_events;
mod mail_queue;
mod mail_sender;
mod store;
mod webhook_sender;

pub use alerts::{AlertCounts, AlertNews, AlertReads, AlertRules, AlertsBefore, ReadRule, UnreadableRule};
pub use delivery_queue::{DeliveryCounts, DeliveryQueue, ForSockets, ForWebhook, WayCounts};
pub use live_events::{LiveEvent, LiveEvents, LiveListener};
pub use mail_queue::{ClaimedMail, EndedBefore, MailCounts, MailQueue};
pub use mail_sender::{MailSender, SendError};
pub use store::{Inbox, InboxQuery, LastTest, NotificationsStore, NotificationsTx, Reach, Reaches, Standing};
pub use webhook_sender::{WebhookAddress, WebhookCall, WebhookRefused, WebhookSender};
