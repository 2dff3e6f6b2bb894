//! The use cases of accounts and sessions, on a store in memory, with passwords and tokens that anyone can read.

use std::sync::Arc;

use coinlink_application::identity::{IdentityAdapters, IdentityUseCases};
use coinlink_domain::identity::{GuardPolicies, SessionPolicy};
use coinlink_testkit::{
    identity::{PlainAccessTokens, PlainDeviceTokens, PlainRefreshTokens},
    shared::{CountingEntropy, PlainSecretBox, TokioPause},
};
use time::Duration;

use super::gated::Behind;

/// How long access tokens live.
pub const TTL: Duration = Duration::minutes(15);

impl Behind {
    /// All of them, behind the same clock and the same gate as the routes.
    pub fn identity(&self) -> IdentityUseCases {
        let adapters = IdentityAdapters {
            store: Arc::new(self.store.clone()),
            hasher: self.hasher.clone(),
            access: Arc::new(PlainAccessTokens),
            refresh: Arc::new(PlainRefreshTokens),
            devices: Arc::new(PlainDeviceTokens),
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
            leeway: Duration::seconds(30),
        };
        IdentityUseCases::new(&adapters, Arc::clone(&self.revoked))
    }
}
