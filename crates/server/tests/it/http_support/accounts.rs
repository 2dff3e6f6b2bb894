//! The use cases of accounts and sessions, on a store in memory, with passwords and tokens that anyone can read.

use std::sync::Arc;

use coinlink_application::{
    identity::{IdentityAdapters, IdentityUseCases},
    operations::{OperationsAdapters, OperationsUseCases},
};
use coinlink_credentials::CheckedApiKeys;
use coinlink_domain::identity::{GuardPolicies, Network, SessionPolicy};
use coinlink_embedded::EmbeddedSocketTickets;
use coinlink_testkit::{
    identity::{PlainAccessTokens, PlainAuthenticators, PlainDeviceTokens, PlainRefreshTokens},
    shared::{CountingEntropy, PlainSecretBox, TokioPause},
};
use coinlink_wallets::{BitcoinSignatures, Headers};
use time::Duration;

use super::gated::Behind;

/// How long access tokens live.
pub(crate) const TTL: Duration = Duration::minutes(15);

impl Behind {
    /// All of them on these.
    pub(crate) fn identity_on(&self, adapters: &IdentityAdapters) -> IdentityUseCases {
        IdentityUseCases::new(adapters, Arc::clone(&self.revoked))
    }

    /// What administrators do, on these; the ticker of a server that leads nobody is what may be forgotten.
    pub(crate) fn operations_on(&self, adapters: &IdentityAdapters) -> OperationsUseCases {
        let operations = OperationsAdapters {
            audit: Arc::new(self.store.clone()),
            mail: Arc::clone(&self.mail) as _,
            caches: vec![Arc::clone(&self.bus) as _],
            alerts: Arc::clone(&self.monitor.alerts) as _,
            samples: Arc::clone(&self.monitor.samples),
        };
        OperationsUseCases::new(adapters, operations)
    }

    /// What they are made of: the same clock and the same gate as the routes.
    pub(crate) fn adapters(&self) -> IdentityAdapters {
        let store = Arc::new(self.store.clone());
        IdentityAdapters {
            store: store.clone(),
            keys: store.clone(),
            factors: store.clone(),
            authenticators: Arc::new(PlainAuthenticators),
            accounts: store.clone(),
            key_texts: Arc::new(CheckedApiKeys),
            wallets: store.clone(),
            wallet_signatures: Arc::new(BitcoinSignatures::new(Headers::Exact)),
            wallet_network: Network::Mainnet,
            mail_links: store,
            hasher: self.hasher.clone(),
            access: Arc::new(PlainAccessTokens),
            refresh: Arc::new(PlainRefreshTokens),
            devices: Arc::new(PlainDeviceTokens),
            socket_tickets: Arc::new(EmbeddedSocketTickets::new(Arc::clone(&self.clock) as _)),
            gate: Arc::clone(&self.shared) as _,
            clock: Arc::clone(&self.clock) as _,
            pause: Arc::new(TokioPause),
            entropy: Arc::new(CountingEntropy::default()),
            secrets: Arc::new(PlainSecretBox::default()),
            public_url: "https://api.example.com".to_owned(),
            require_verified_email: false,
            policy: SessionPolicy::default(),
            guards: GuardPolicies::default(),
            access_ttl: TTL,
        }
    }
}
