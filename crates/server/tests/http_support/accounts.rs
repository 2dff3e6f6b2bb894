//! The use cases of accounts and sessions, on a store in memory, with passwords and tokens that anyone can read.

use std::sync::Arc;

use coinlink::http::IdentityParts;
use coinlink_application::identity::{
    ChangePassword, EndSession, EndedSessions, IssueTokens, OwedGuesses, OwnAccount, RefreshSession, SignIn, SignOut,
    SignOutEverywhere, SignUp,
};
use coinlink_domain::identity::{GuardPolicies, SessionPolicy};
use coinlink_ports::{
    identity::IdentityStore,
    shared::{Clock, Entropy},
};
use coinlink_testkit::{
    identity::{PlainAccessTokens, PlainDeviceTokens, PlainRefreshTokens},
    shared::CountingEntropy,
};
use time::Duration;

use super::gated::Behind;

/// How long access tokens live.
pub const TTL: Duration = Duration::minutes(15);

impl Behind {
    /// All of them, behind the same clock and the same gate as the routes.
    pub fn identity(&self) -> IdentityParts {
        let (policy, guards) = (SessionPolicy::default(), GuardPolicies::default());
        let store: Arc<dyn IdentityStore> = Arc::new(self.store.clone());
        let clock: Arc<dyn Clock> = Arc::clone(&self.clock) as _;
        let entropy: Arc<dyn Entropy> = Arc::new(CountingEntropy::default());
        let (refresh, devices) = (Arc::new(PlainRefreshTokens), Arc::new(PlainDeviceTokens));
        let tokens = IssueTokens { access: Arc::new(PlainAccessTokens), refresh: refresh.clone(), policy, access_ttl: TTL };
        let keep = TTL + Duration::MINUTE;
        let ended = EndedSessions { revoked: Arc::clone(&self.revoked), gate: Arc::clone(&self.shared) as _, keep };
        IdentityParts {
            sign_up: Arc::new(SignUp {
                store: store.clone(),
                hasher: self.hasher.clone(),
                tokens: tokens.clone(),
                devices: devices.clone(),
                clock: clock.clone(),
                entropy: entropy.clone(),
            }),
            sign_in: Arc::new(SignIn {
                store: store.clone(),
                hasher: self.hasher.clone(),
                tokens: tokens.clone(),
                devices,
                ended: ended.clone(),
                guards,
                owed: OwedGuesses::default(),
                clock: clock.clone(),
                entropy: entropy.clone(),
            }),
            refresh: Arc::new(RefreshSession::new(
                store.clone(),
                refresh.clone(),
                tokens,
                ended.clone(),
                clock.clone(),
                entropy.clone(),
            )),
            sign_out: Arc::new(SignOut {
                store: store.clone(),
                refresh,
                ended: ended.clone(),
                clock: clock.clone(),
                entropy: entropy.clone(),
            }),
            sign_out_everywhere: Arc::new(SignOutEverywhere {
                store: store.clone(),
                ended: ended.clone(),
                policy,
                clock: clock.clone(),
                entropy: entropy.clone(),
            }),
            change_password: Arc::new(ChangePassword {
                store: store.clone(),
                hasher: self.hasher.clone(),
                ended: ended.clone(),
                guards,
                policy,
                clock: clock.clone(),
                entropy: entropy.clone(),
            }),
            own_account: Arc::new(OwnAccount { store: store.clone(), policy, clock: clock.clone(), entropy: entropy.clone() }),
            end_session: Arc::new(EndSession { store, ended, policy, clock, entropy }),
        }
    }
}
