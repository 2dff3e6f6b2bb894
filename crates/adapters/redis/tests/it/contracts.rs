//! The ports' contracts on a real Redis.
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::sync::Arc;

use coinlink_domain::market::Source;
use coinlink_ports::market::QuotaLedger;
use coinlink_redis::{
    RedisBulletins, RedisBus, RedisLease, RedisLink, RedisLiveEvents, RedisQuota, RedisSettings, RedisSocketTickets,
};
use coinlink_testkit::{
    identity::TicketNodes,
    market::{BoardNodes, HISTORY_KEPT, LeaseNodes, NOON, TickerNode},
    servers::shared_redis,
    shared::{LoadedDice, TokioPause},
};

/// Settings for a corner of the shared server that no other test has.
async fn settings() -> RedisSettings {
    let server = shared_redis().await;
    RedisSettings { prefix: server.fresh_prefix(), ..RedisSettings::new(server.url()) }
}

/// A connection of its own, as each node has.
fn link(settings: &RedisSettings) -> RedisLink {
    RedisLink::try_new(settings, Arc::new(LoadedDice::always(0))).unwrap()
}

mod leases {
    use super::*;

    async fn nodes() -> LeaseNodes {
        let settings = settings().await;
        let [one, other] = ["a", "a"].map(|node| Arc::new(RedisLease::new(link(&settings), node)));
        LeaseNodes { one, other, pause: Arc::new(TokioPause) }
    }

    coinlink_testkit::leader_lease_contract!(nodes().await);
}

mod buses {
    use super::*;

    async fn node() -> TickerNode {
        let link = link(&settings().await);
        let bus = Arc::new(RedisBus::new(link.clone(), HISTORY_KEPT));
        TickerNode { bus: Arc::clone(&bus) as _, lease: Arc::new(RedisLease::new(link, "a")), cache: bus }
    }

    coinlink_testkit::ticker_bus_contract!(node().await);
}

mod bulletins {
    use super::*;

    async fn nodes() -> BoardNodes {
        let settings = settings().await;
        let [one, other] = [(), ()].map(|()| Arc::new(RedisBulletins::new(link(&settings))));
        BoardNodes { one, other, pause: Arc::new(TokioPause) }
    }

    coinlink_testkit::bulletin_board_contract!(nodes().await);
}

mod live_events {
    use super::*;

    coinlink_testkit::live_events_contract!(Arc::new(RedisLiveEvents::new(link(&settings().await))));
}

mod quotas {
    use super::*;

    coinlink_testkit::quota_ledger_contract!(Arc::new(RedisQuota::new(link(&settings().await))));
}

mod tickets {
    use super::*;

    async fn nodes() -> TicketNodes {
        let settings = settings().await;
        let [one, other] = [(), ()].map(|()| Arc::new(RedisSocketTickets::new(link(&settings))));
        TicketNodes { one, other, pause: Arc::new(TokioPause) }
    }

    coinlink_testkit::socket_tickets_contract!(nodes().await);
}

#[tokio::test]
async fn nodes_draw_on_one_budget_and_never_overrun_it() {
    let settings = settings().await;
    let policy = coinlink_domain::shared::quota::QuotaPolicy { per_minute: None, per_month: Some(100) };
    let nodes: Vec<_> = (0..5)
        .map(|_| {
            let ledger = RedisQuota::new(link(&settings));
            tokio::spawn(async move {
                let mut allowed = 0;
                for _ in 0..40 {
                    let verdict = ledger.spend(Source::CoinGecko, policy, NOON).await.unwrap();
                    allowed += u32::from(verdict != coinlink_domain::shared::quota::QuotaVerdict::Exhausted);
                }
                allowed
            })
        })
        .collect();
    let mut allowed = 0;
    for node in nodes {
        allowed += node.await.unwrap();
    }
    assert_eq!(allowed, 100);
}
