//! Use cases of what is told to people.

mod alerts;
mod deliver_mail;
mod deliver_to_sockets;
mod deliver_to_webhooks;
mod fate;
mod inbox;
mod leave;
mod prune_mail;
mod prune_notifications;
mod reseal_webhooks;
mod settings;
mod use_cases;
mod webhooks;

pub use alerts::{
    AlertHistory, ChangeAlert, CreateAlert, DeleteAlert, EvaluateAlerts, Evaluated, EvaluationError, EvaluatorParts, ListAlerts,
    ManageAlertError, PruneAlerts,
};
pub use deliver_mail::{DeliverMail, Delivered};
pub use deliver_to_sockets::DeliverToSockets;
pub use deliver_to_webhooks::DeliverToWebhooks;
pub use fate::Fate;
pub use inbox::{ReadInbox, TendInbox};
pub use leave::{MOST_LETTERS_AN_HOUR, leave, leave_fired};
pub use prune_mail::PruneMail;
pub use prune_notifications::PruneNotifications;
pub use reseal_webhooks::ResealWebhooks;
pub use settings::KeepNotificationSettings;
pub use use_cases::{NotificationsAdapters, NotificationsUseCases};
pub use webhooks::{AddWebhookError, KeepWebhooks, TestWebhookError, WebhookSecret};
