//! Notifications and alerts.

use std::sync::Arc;

use coinlink_application::notifications::{
    DeliverToSockets, DeliverToWebhooks, EvaluateAlerts, EvaluatorParts, NotificationsAdapters, NotificationsUseCases,
    PruneAlerts, PruneNotifications,
};
use coinlink_embedded::SystemEntropy;
use coinlink_ports::{
    notifications::{DeliveryQueue, WebhookSender},
    shared::Clock,
};
use coinlink_postgres::SqlNotificationsStore;
use coinlink_webhooks::HttpWebhooks;
use tokio::task::JoinSet;

use super::{contexts::ContextParts, market::candles};
use crate::{
    config::Mode,
    jobs::{self, Led},
    serve::StartError,
    telemetry::Metrics,
};

/// Notifications and alerts, put together.
pub struct Notifications {
    pub use_cases: NotificationsUseCases,
    pub jobs: NotificationsJobs,
}

/// What runs beside requests.
pub struct NotificationsJobs {
    to_sockets: DeliverToSockets,
    to_webhooks: Arc<DeliverToWebhooks>,
    queue: Arc<dyn DeliveryQueue>,
    prune: PruneNotifications,
    evaluate: EvaluateAlerts,
    prune_alerts: PruneAlerts,
    clock: Arc<dyn Clock>,
    metrics: Metrics,
}

impl NotificationsJobs {
    /// Starts each of them; some work only while this node leads.
    pub fn spawn(self, set: &mut JoinSet<()>, led: &mut Led) {
        let Self { to_sockets, to_webhooks, queue, prune, evaluate, prune_alerts, clock, metrics } = self;
        set.spawn(jobs::evaluate_alerts(evaluate, led.ticks("alerts"), led.leading(), metrics.clone()));
        set.spawn(jobs::prune_alerts(prune_alerts, metrics.clone()));
        set.spawn(jobs::deliver_to_sockets(to_sockets, metrics.clone()));
        set.spawn(jobs::deliver_to_webhooks(to_webhooks, metrics.clone()));
        set.spawn(jobs::count_deliveries(queue, clock, metrics.clone()));
        set.spawn(jobs::prune_notifications(prune, metrics));
    }
}

/// All of it.
pub fn notifications(parts: &ContextParts<'_>) -> Result<Notifications, StartError> {
    let clock = &parts.around.clock;
    let store = Arc::new(SqlNotificationsStore::new(parts.database.clone(), Arc::clone(parts.secrets)));
    let queue: Arc<dyn DeliveryQueue> = Arc::clone(&store) as _;
    let sender = webhook_sender(parts)?;
    let adapters = NotificationsAdapters {
        prices: Arc::new(parts.broadcaster.clone()),
        store: Arc::clone(&store) as _,
        alerts: Arc::clone(&store) as _,
        webhook_sender: Arc::clone(&sender),
        secrets: Arc::clone(parts.secrets),
        clock: Arc::clone(clock),
        entropy: Arc::new(SystemEntropy),
    };
    let use_cases = NotificationsUseCases::new(adapters);
    let (secrets, events) = (Arc::clone(parts.secrets), Arc::clone(&parts.shared.live));
    let evaluator = EvaluatorParts {
        store: Arc::clone(&store) as _,
        reads: Arc::clone(&store) as _,
        bus: Arc::clone(&parts.shared.bus),
        candles: candles(parts),
        clock: Arc::clone(clock),
        entropy: Arc::new(SystemEntropy),
    };
    let in_jobs = Arc::new(SqlNotificationsStore::new(parts.database.for_jobs(), Arc::clone(parts.secrets)));
    let jobs = NotificationsJobs {
        evaluate: EvaluateAlerts::new(evaluator),
        prune_alerts: PruneAlerts::new(Arc::clone(&in_jobs) as _, Arc::clone(clock)),
        to_sockets: DeliverToSockets {
            queue: Arc::clone(&queue),
            store: Arc::clone(&store) as _,
            events,
            clock: Arc::clone(clock),
        },
        to_webhooks: Arc::new(DeliverToWebhooks { queue: Arc::clone(&queue), store, sender, secrets, clock: Arc::clone(clock) }),
        prune: PruneNotifications { store: Arc::clone(&in_jobs) as _, queue: in_jobs, clock: Arc::clone(clock) },
        queue,
        clock: Arc::clone(clock),
        metrics: parts.metrics.clone(),
    };
    Ok(Notifications { use_cases, jobs })
}

fn webhook_sender(parts: &ContextParts<'_>) -> Result<Arc<dyn WebhookSender>, StartError> {
    let allowed = &parts.settings.webhook.allowed_private;
    if !allowed.is_empty() && parts.settings.mode == Mode::Serve {
        tracing::warn!(?allowed, "WEBHOOK_ALLOWED_PRIVATE is set: webhooks of any user reach what stands there");
    }
    Ok(Arc::new(HttpWebhooks::new(allowed.clone().into())?))
}
