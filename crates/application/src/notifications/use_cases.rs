use std::sync::Arc;

use coinlink_ports::{
    market::CurrentPrices,
    notifications::{AlertReads, NotificationsStore, WebhookSender},
    shared::{Clock, Entropy, SecretBox},
};

use super::{
    AlertHistory, ChangeAlert, CreateAlert, DeleteAlert, KeepNotificationSettings, KeepWebhooks, ListAlerts, ReadInbox,
    ResealWebhooks, TendInbox,
};

/// What notifications need from outside.
#[derive(Clone)]
pub struct NotificationsAdapters {
    /// What this node shows.
    pub prices: Arc<dyn CurrentPrices>,
    /// Inboxes, settings, webhooks and rules.
    pub store: Arc<dyn NotificationsStore>,
    /// The same, where alert rules are read.
    pub alerts: Arc<dyn AlertReads>,
    /// Says which addresses webhooks may have.
    pub webhook_sender: Arc<dyn WebhookSender>,
    /// Encrypts what webhooks are signed with.
    pub secrets: Arc<dyn SecretBox>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Names.
    pub entropy: Arc<dyn Entropy>,
}

/// What is asked of notifications and alerts.
#[derive(Clone)]
pub struct NotificationsUseCases {
    /// Reads inboxes.
    pub read_inbox: Arc<ReadInbox>,
    /// Keeps inboxes in order.
    pub tend_inbox: Arc<TendInbox>,
    /// What users have set.
    pub settings: Arc<KeepNotificationSettings>,
    /// Webhooks.
    pub webhooks: Arc<KeepWebhooks>,
    /// Seals their secrets anew.
    pub reseal_webhooks: Arc<ResealWebhooks>,
    /// Makes alert rules.
    pub create_alert: Arc<CreateAlert>,
    /// Changes them.
    pub change_alert: Arc<ChangeAlert>,
    /// Deletes them.
    pub delete_alert: Arc<DeleteAlert>,
    /// Lists them.
    pub list_alerts: Arc<ListAlerts>,
    /// Lists what fired.
    pub alert_history: Arc<AlertHistory>,
}

impl NotificationsUseCases {
    /// All of them.
    pub fn new(adapters: NotificationsAdapters) -> Self {
        let NotificationsAdapters { prices, store, alerts, webhook_sender, secrets, clock, entropy } = adapters;
        let create_alert = CreateAlert::new(store.clone(), prices.clone(), clock.clone(), entropy.clone());
        let reseal_webhooks = ResealWebhooks { store: store.clone(), secrets: secrets.clone() };
        let webhooks = KeepWebhooks { store: store.clone(), sender: webhook_sender, secrets, entropy, clock: clock.clone() };
        Self {
            create_alert: Arc::new(create_alert),
            change_alert: Arc::new(ChangeAlert::new(store.clone(), prices, clock.clone())),
            delete_alert: Arc::new(DeleteAlert::new(store.clone(), clock.clone())),
            list_alerts: Arc::new(ListAlerts::new(alerts.clone(), clock.clone())),
            alert_history: Arc::new(AlertHistory::new(alerts, clock.clone())),
            read_inbox: Arc::new(ReadInbox { store: store.clone(), clock: clock.clone() }),
            tend_inbox: Arc::new(TendInbox { store: store.clone(), clock }),
            settings: Arc::new(KeepNotificationSettings { store }),
            webhooks: Arc::new(webhooks),
            reseal_webhooks: Arc::new(reseal_webhooks),
        }
    }
}
