//! All of identity on fakes.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use coinlink_application::identity::{
    Authenticate, ChangePassword, ChangeRole, EndSession, EndedSessions, IssueTokens, NewAccount, OwedGuesses, OwnAccount,
    RefreshError, RefreshSession, RevokedSessions, SignIn, SignInError, SignOut, SignOutEverywhere, SignUp, SignUpError,
    SignedIn, Tokens,
};
use coinlink_domain::{
    identity::{ClientInfo, GuardPolicies, Password, RetryKey, SessionPolicy},
    shared::{audit::AuditStatus, rate_limit::Charge, sliding_window::WindowPolicy},
};
use coinlink_ports::shared::{Admission, Admitted, BusError, RequestGate, WindowState};
use coinlink_testkit::{
    identity::{MemoryIdentity, NOON, PlainAccessTokens, PlainDeviceTokens, PlainHasher, PlainRefreshTokens, an_email},
    shared::{CountingEntropy, StoppedClock, TokioPause},
};
use time::Duration;
use uuid::Uuid;

pub(crate) const ADA: &str = "ada@example.org";
pub(crate) const GOOD: &str = "Correct-horse-9-battery";
/// How long access tokens live.
pub(crate) const TTL: Duration = Duration::minutes(15);

/// A gate that only notes what was revoked, while it is up.
#[derive(Default)]
pub(crate) struct NotedGate {
    pub(crate) revoked: Mutex<Vec<Uuid>>,
    pub(crate) down: Mutex<bool>,
}

#[async_trait]
impl RequestGate for NotedGate {
    async fn admit(&self, _: &Admission) -> Result<Admitted, BusError> {
        Ok(Admitted { windows: vec![], limited: false, revoked: false })
    }

    async fn peek(&self, _: &[(Charge, WindowPolicy)]) -> Result<Vec<WindowState>, BusError> {
        Ok(vec![])
    }

    async fn revoke(&self, sessions: &[Uuid], _: Duration) -> Result<(), BusError> {
        if *self.down.lock().unwrap() {
            return Err(BusError("down".to_owned()));
        }
        self.revoked.lock().unwrap().extend(sessions);
        Ok(())
    }
}

pub(crate) struct Identity {
    pub(crate) store: MemoryIdentity,
    pub(crate) hasher: Arc<PlainHasher>,
    pub(crate) clock: Arc<StoppedClock>,
    pub(crate) gate: Arc<NotedGate>,
    pub(crate) revoked: Arc<RevokedSessions>,
    pub(crate) sign_up: SignUp,
    pub(crate) sign_in: SignIn,
    pub(crate) refresh: RefreshSession,
    pub(crate) sign_out: SignOut,
    pub(crate) everywhere: SignOutEverywhere,
    pub(crate) change_password: ChangePassword,
    pub(crate) account: OwnAccount,
    pub(crate) end_session: EndSession,
    pub(crate) role: ChangeRole,
    pub(crate) authenticate: Authenticate,
}

impl Identity {
    pub(crate) fn new() -> Self {
        Self::with(SessionPolicy::default())
    }

    pub(crate) fn with(policy: SessionPolicy) -> Self {
        let store = MemoryIdentity::default();
        let shared: Arc<dyn coinlink_ports::identity::IdentityStore> = Arc::new(store.clone());
        let (hasher, clock) = (Arc::new(PlainHasher::default()), Arc::new(StoppedClock::at(NOON)));
        let (gate, revoked) = (Arc::new(NotedGate::default()), Arc::new(RevokedSessions::default()));
        let entropy = Arc::new(CountingEntropy::default());
        let keep = TTL + Duration::minutes(1);
        let ended = EndedSessions { revoked: revoked.clone(), gate: gate.clone(), keep };
        let refresh_tokens = Arc::new(PlainRefreshTokens);
        let tokens =
            IssueTokens { access: Arc::new(PlainAccessTokens), refresh: refresh_tokens.clone(), policy, access_ttl: TTL };
        let guards = GuardPolicies::default();
        let devices = Arc::new(PlainDeviceTokens);
        Self {
            sign_up: SignUp {
                store: shared.clone(),
                hasher: hasher.clone(),
                tokens: tokens.clone(),
                devices: devices.clone(),
                clock: clock.clone(),
                entropy: entropy.clone(),
            },
            sign_in: SignIn {
                store: shared.clone(),
                hasher: hasher.clone(),
                tokens: tokens.clone(),
                devices,
                ended: ended.clone(),
                guards,
                owed: OwedGuesses::default(),
                clock: clock.clone(),
                entropy: entropy.clone(),
            },
            refresh: RefreshSession::new(
                shared.clone(),
                refresh_tokens.clone(),
                tokens,
                ended.clone(),
                clock.clone(),
                entropy.clone(),
            ),
            sign_out: SignOut {
                store: shared.clone(),
                refresh: refresh_tokens,
                ended: ended.clone(),
                clock: clock.clone(),
                entropy: entropy.clone(),
            },
            everywhere: SignOutEverywhere {
                store: shared.clone(),
                ended: ended.clone(),
                policy,
                clock: clock.clone(),
                entropy: entropy.clone(),
            },
            change_password: ChangePassword {
                store: shared.clone(),
                hasher: hasher.clone(),
                ended: ended.clone(),
                guards,
                policy,
                clock: clock.clone(),
                entropy: entropy.clone(),
            },
            account: OwnAccount { store: shared.clone(), policy, clock: clock.clone(), entropy: entropy.clone() },
            end_session: EndSession { store: shared.clone(), ended, policy, clock: clock.clone(), entropy: entropy.clone() },
            role: ChangeRole { store: shared.clone(), clock: clock.clone(), entropy },
            authenticate: Authenticate {
                tokens: Arc::new(PlainAccessTokens),
                store: shared,
                revoked: revoked.clone(),
                clock: clock.clone(),
                pause: Arc::new(TokioPause),
                policy,
            },
            store,
            hasher,
            clock,
            gate,
            revoked,
        }
    }

    pub(crate) async fn signs_up(&self, email: &str) -> Result<SignedIn, SignUpError> {
        let new = NewAccount { email: an_email(email), password: password(GOOD), first_name: None, last_name: None };
        self.sign_up.execute(new, client("192.0.2.1")).await
    }

    pub(crate) async fn signs_in(&self, email: &str, word: &str) -> Result<SignedIn, SignInError> {
        self.signs_in_from(email, word, "192.0.2.1", None).await
    }

    pub(crate) async fn signs_in_from(
        &self,
        email: &str,
        word: &str,
        ip: &str,
        device: Option<&str>,
    ) -> Result<SignedIn, SignInError> {
        let device = device.and_then(|token| self.sign_in.device(token));
        self.sign_in.execute(&an_email(email), &password(word), device, client(ip), std::future::pending()).await
    }

    pub(crate) async fn refreshes(&self, token: &str, named: Option<&str>) -> Result<Tokens, RefreshError> {
        let claimed = self.refresh.claimed(token).ok_or(RefreshError::Invalid)?;
        self.refresh.execute(claimed, named.and_then(RetryKey::of), client("192.0.2.1")).await
    }

    pub(crate) fn is_revoked(&self, signed_in: &SignedIn) -> bool {
        self.revoked.contains(signed_in.tokens.session)
    }

    /// Actions and how they ended, oldest first.
    pub(crate) fn audited(&self) -> Vec<(String, AuditStatus)> {
        self.store.audit().into_iter().map(|entry| (entry.action.into_owned(), entry.status)).collect()
    }
}

pub(crate) fn password(text: &str) -> Password {
    Password::new(text.to_owned())
}

pub(crate) fn client(ip: &str) -> ClientInfo {
    ClientInfo::new(Some(ip.parse().unwrap()), Some("test"))
}
