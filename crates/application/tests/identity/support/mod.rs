//! All of identity on fakes.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use coinlink_application::identity::{
    AdministrationUseCases, ApiKeyUseCases, Authenticate, ChangePassword, ChangeRole, EndSession, IdentityAdapters,
    IdentityUseCases, LinkUseCases, NewAccount, OwnAccount, PruneIdentity, RefreshError, RefreshSession, RevokedSessions,
    SecondFactorUseCases, SignIn, SignInError, SignOut, SignOutEverywhere, SignUp, SignUpError, SignedIn, Tokens, VerifiedEmail,
    WalletUseCases,
};
use coinlink_domain::{
    identity::{ClientInfo, GuardPolicies, Network, Password, RetryKey, SessionPolicy},
    shared::{audit::AuditStatus, rate_limit::Charge, sliding_window::WindowPolicy},
};
use coinlink_embedded::EmbeddedSocketTickets;
use coinlink_ports::shared::{Admission, Admitted, BusError, RequestGate, WindowState};
use coinlink_testkit::{
    identity::{
        CountingAuthenticators, MemoryIdentity, NOON, PlainAccessTokens, PlainApiKeys, PlainDeviceTokens, PlainHasher,
        PlainRefreshTokens, PlainWalletSignatures, an_email,
    },
    shared::{CountingEntropy, PlainSecretBox, StoppedClock, TokioPause},
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
    pub(crate) authenticators: Arc<CountingAuthenticators>,
    pub(crate) clock: Arc<StoppedClock>,
    pub(crate) gate: Arc<NotedGate>,
    pub(crate) revoked: Arc<RevokedSessions>,
    pub(crate) sign_up: Arc<SignUp>,
    pub(crate) sign_in: Arc<SignIn>,
    pub(crate) refresh: Arc<RefreshSession>,
    pub(crate) sign_out: Arc<SignOut>,
    pub(crate) everywhere: Arc<SignOutEverywhere>,
    pub(crate) change_password: Arc<ChangePassword>,
    pub(crate) account: Arc<OwnAccount>,
    pub(crate) end_session: Arc<EndSession>,
    pub(crate) role: Arc<ChangeRole>,
    pub(crate) authenticate: Arc<Authenticate>,
    pub(crate) administration: AdministrationUseCases,
    pub(crate) wallets: WalletUseCases,
    pub(crate) api_keys: ApiKeyUseCases,
    pub(crate) prune: PruneIdentity,
    pub(crate) links: LinkUseCases,
    pub(crate) verified_email: Arc<VerifiedEmail>,
    pub(crate) second_factor: SecondFactorUseCases,
}

impl Identity {
    pub(crate) fn new() -> Self {
        Self::with(SessionPolicy::default())
    }

    pub(crate) fn with(policy: SessionPolicy) -> Self {
        Self::built(policy, false)
    }

    /// Where an account owns its address only once it was verified.
    pub(crate) fn strict() -> Self {
        Self::built(SessionPolicy::default(), true)
    }

    fn built(policy: SessionPolicy, require_verified_email: bool) -> Self {
        let (hasher, clock) = (Arc::new(PlainHasher::default()), Arc::new(StoppedClock::at(NOON)));
        // Time passes for it as for the node; what somebody sets the node's clock to is nothing to it.
        let store = MemoryIdentity::by(clock.clone());
        let (gate, authenticators) = (Arc::new(NotedGate::default()), Arc::<CountingAuthenticators>::default());
        let adapters = IdentityAdapters {
            store: Arc::new(store.clone()),
            keys: Arc::new(store.clone()),
            factors: Arc::new(store.clone()),
            authenticators: authenticators.clone(),
            accounts: Arc::new(store.clone()),
            key_texts: Arc::new(PlainApiKeys),
            wallets: Arc::new(store.clone()),
            wallet_signatures: Arc::new(PlainWalletSignatures),
            wallet_network: Network::Mainnet,
            mail_links: Arc::new(store.clone()),
            hasher: hasher.clone(),
            access: Arc::new(PlainAccessTokens),
            refresh: Arc::new(PlainRefreshTokens),
            devices: Arc::new(PlainDeviceTokens),
            socket_tickets: Arc::new(EmbeddedSocketTickets::new(clock.clone())),
            gate: gate.clone(),
            clock: clock.clone(),
            pause: Arc::new(TokioPause),
            entropy: Arc::new(CountingEntropy::default()),
            secrets: Arc::new(PlainSecretBox::default()),
            public_url: "https://api.example.com".to_owned(),
            require_verified_email,
            policy,
            guards: GuardPolicies::default(),
            access_ttl: TTL,
        };
        let use_cases = IdentityUseCases::new(&adapters, Arc::default());
        Self {
            store,
            hasher,
            authenticators,
            clock,
            gate,
            revoked: use_cases.revoked,
            sign_up: use_cases.sign_up,
            sign_in: use_cases.sign_in,
            refresh: use_cases.refresh,
            sign_out: use_cases.sign_out,
            everywhere: use_cases.sign_out_everywhere,
            change_password: use_cases.change_password,
            account: use_cases.own_account,
            end_session: use_cases.end_session,
            role: use_cases.change_role,
            authenticate: use_cases.authenticate,
            administration: use_cases.administration,
            wallets: use_cases.wallets,
            api_keys: use_cases.api_keys,
            prune: IdentityUseCases::prune(&adapters),
            links: use_cases.links,
            verified_email: use_cases.verified_email,
            second_factor: use_cases.second_factor,
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
        let outcome = self.sign_in.execute(&an_email(email), &password(word), device, client(ip), std::future::pending()).await?;
        Ok(outcome.signed_in().expect("no second factor is set up"))
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
