//! The sockets of this node, and what is written to them.

use std::sync::Arc;

use coinlink_application::identity::SocketAccess;
use coinlink_domain::shared::{sliding_window::WindowPolicy, token_bucket::BucketPolicy};
use time::Duration;
use tokio::{
    sync::{Semaphore, watch},
    task::JoinSet,
};

use super::{Contexts, Shared, Surroundings};
use crate::{
    broadcast::Broadcaster,
    config::Settings,
    http::TrustedProxies,
    jobs,
    telemetry::Metrics,
    ws::{Admission, AdmissionPolicy, Assistant, Connections, Context, Feeds, Figures, Limits},
};

/// Kernel send buffer of a socket: a few ticks, so that a client that does not read is found out.
const SEND_BUFFER: usize = 32 * 1024;
/// Questions of sockets that the assistant thinks about at once.
const THINKING: usize = 16;

/// What sockets are made of.
pub struct SocketParts<'a> {
    pub settings: &'a Settings,
    pub broadcaster: &'a Broadcaster,
    pub connections: &'a Connections,
    pub metrics: &'a Metrics,
    pub access: Arc<SocketAccess>,
    pub assistant: Arc<dyn Assistant>,
    pub around: &'a Surroundings,
    pub draining: watch::Receiver<bool>,
}

/// What every socket of the node shares.
pub fn sockets(parts: SocketParts<'_>) -> Context {
    let SocketParts { settings, broadcaster, connections, metrics, access, assistant, around, draining } = parts;
    let ws = &settings.ws;
    let policy = AdmissionPolicy {
        max_connections: ws.max_connections,
        handshakes: BucketPolicy { burst: ws.handshake_burst, refill: Duration::milliseconds(ws.handshake_refill_ms.into()) },
        origins: settings.origins(),
    };
    Context {
        broadcaster: broadcaster.clone(),
        feeds: Arc::default(),
        admission: Admission::new(policy, connections.clone()),
        access,
        assistant,
        thinking: Semaphore::new(THINKING),
        limits: Limits {
            messages: WindowPolicy { limit: ws.messages_per_minute, window: Duration::minutes(1) },
            max_message: ws.max_frame_bytes,
            ping_every_ms: u64::from(ws.ping_secs) * 1000,
            dead_after_ms: u64::from(ws.dead_after_secs) * 1000,
            write_stall_ms: u64::from(ws.write_stall_secs) * 1000,
            tick_every_ms: settings.ticker.interval_ms,
            send_buffer: SEND_BUFFER,
        },
        figures: Figures::of(metrics),
        clock: Arc::clone(&around.clock),
        trusted_proxies: TrustedProxies::of(&settings.server),
        draining,
    }
}

/// Starts what is written to sockets beside ticks.
pub fn spawn_feeds(feeds: &Arc<Feeds>, shared: &Shared, contexts: &Contexts, around: &Surroundings, running: &mut JoinSet<()>) {
    let clock = || Arc::clone(&around.clock);
    running.spawn(jobs::tell_live_events(Arc::clone(&shared.live), Arc::clone(feeds), clock()));
    let (prompts, prices) = (Arc::clone(&contexts.assistant.use_cases.prompts), Arc::clone(&contexts.market.use_cases.prices));
    let stand = move || prices.current().filter(|current| current.tick.as_of.is_some()).map(|current| current.stale);
    running.spawn(jobs::show_prompts(stand, move || prompts.current(), Arc::clone(feeds), clock()));
    running.spawn(jobs::tell_news(Arc::clone(&contexts.market.use_cases.bulletins), Arc::clone(feeds), clock()));
}
