//! Accounts, sessions and what stands before every route.

use std::sync::Arc;

use coinlink_application::{
    identity::{FollowRevocations, IdentityAdapters, IdentityUseCases, NoteKeyUses, PruneIdentity, SignIn},
    shared::AdmitRequest,
};
use coinlink_credentials::{
    BcryptPool, BoxKey, CheckedApiKeys, HashSettings, HmacCsrfTokens, JwtAccessTokens, KeyRing, PasetoDeviceTokens,
    PasetoRefreshTokens, SigningKeys, TotpAuthenticators,
};
use coinlink_domain::{
    identity::{GuardPolicies, SessionPolicy},
    shared::rate_limit::RateLimits,
};
use coinlink_embedded::{EmbeddedGate, SystemEntropy};
use coinlink_ports::{identity::PublicKeys, shared::SecretBox};
use coinlink_postgres::{Database, SqlIdentityStore};
use coinlink_wallets::{BitcoinSignatures, Headers};
use secrecy::SecretString;
use time::Duration;
use tokio::task::JoinSet;

use super::{
    Shared, Surroundings,
    tokens::{access_tokens, signing_keys, token_secret},
};
use crate::{
    config::{Settings, key_bytes, keys_bytes},
    http::{GateParts, Gatekeeper, Pages, TrustedProxies},
    jobs,
    serve::StartError,
    telemetry::Metrics,
};

/// What one node runs of identity.
pub struct Identity {
    /// Behind the routes.
    pub use_cases: IdentityUseCases,
    /// Before them.
    pub gatekeeper: Arc<Gatekeeper>,
    /// What runs beside requests.
    pub jobs: IdentityJobs,
    /// Hashes passwords.
    pub hasher: Arc<BcryptPool>,
    /// What it is made of.
    pub adapters: IdentityAdapters,
    /// What others check access tokens with.
    pub public_keys: Arc<dyn PublicKeys>,
}

/// What runs beside requests.
pub struct IdentityJobs {
    /// Keeps this node's list of sessions that are over.
    pub follow: FollowRevocations,
    /// Removes what nobody needs any more.
    prune: PruneIdentity,
    sign_in: Arc<SignIn>,
    key_uses: Arc<NoteKeyUses>,
    /// What signs access tokens, where that is not a shared secret: the node follows their folder.
    signing_keys: Option<Arc<SigningKeys>>,
}

impl IdentityJobs {
    /// Starts each of them.
    pub fn spawn(self, jobs: &mut JoinSet<()>, metrics: &Metrics) {
        jobs.spawn(jobs::follow_revocations(self.follow, metrics.clone()));
        jobs.spawn(jobs::settle_guesses(self.sign_in, metrics.clone()));
        jobs.spawn(jobs::note_key_uses(self.key_uses, metrics.clone()));
        jobs.spawn(jobs::prune(self.prune, metrics.clone()));
        if let Some(keys) = self.signing_keys {
            jobs.spawn(jobs::follow_signing_keys(keys, metrics.clone()));
        }
    }
}

fn secret(secret: Option<&SecretString>) -> SecretString {
    // `serve` refuses to start without, and `dev` makes its own.
    secret.cloned().unwrap_or_default()
}

/// What encrypts stored secrets.
pub fn secret_box(settings: &Settings) -> Result<KeyRing, StartError> {
    let (newest, earlier) = box_keys(settings)?;
    Ok(KeyRing::new(&newest, &earlier))
}

/// Its keys: the newest, and those before it.
pub(super) fn box_keys(settings: &Settings) -> Result<(BoxKey, Vec<BoxKey>), StartError> {
    let auth = &settings.auth;
    // `serve` refuses to start without one, and `dev` makes its own.
    let key = auth.totp_encryption_key.as_ref().and_then(key_bytes).ok_or(StartError::BoxKey("TOTP_ENCRYPTION_KEY"))?;
    let earlier = auth.totp_encryption_key_previous.as_ref().map_or_else(|| Some(Vec::new()), keys_bytes);
    let earlier = earlier.ok_or(StartError::BoxKey("TOTP_ENCRYPTION_KEY_PREVIOUS"))?;
    Ok((BoxKey::new(key), earlier.into_iter().map(BoxKey::new).collect()))
}

fn limits(settings: &Settings) -> RateLimits {
    let limits = &settings.rate_limits;
    RateLimits {
        anonymous: limits.anonymous,
        authenticated: limits.authenticated,
        api_key: limits.api_key,
        credentials: limits.credentials,
        session: limits.session,
        chat: limits.chat,
        price: limits.price,
        prompts: settings.assistant.prompts(),
    }
}

/// How long sessions live.
pub fn session_policy(settings: &Settings) -> SessionPolicy {
    SessionPolicy {
        idle: Duration::days(settings.auth.refresh_token_ttl_days.into()),
        absolute: Duration::days(settings.auth.session_max_days.into()),
        max_sessions: settings.auth.max_sessions,
        ..SessionPolicy::default()
    }
}

fn hasher(settings: &Settings, metrics: &Metrics) -> Result<BcryptPool, StartError> {
    let auth = &settings.auth;
    let histogram = metrics.password_hash.clone();
    let pool = HashSettings {
        pepper: secret(auth.password_pepper.as_ref()),
        cost: auth.bcrypt_cost,
        threads: auth.hash_threads,
        queue: auth.hash_queue,
        deadline: Duration::milliseconds(i64::try_from(auth.hash_wait_ms).unwrap_or(i64::MAX)),
    };
    Ok(BcryptPool::start(pool, move |took| histogram.observe(took.as_secs_f64()))?)
}

/// What is demanded of signatures by wallets.
fn headers(settings: &Settings) -> Headers {
    if settings.wallet.lenient_headers { Headers::Lenient } else { Headers::Exact }
}

fn adapters(
    settings: &Settings,
    shared: &Shared,
    database: &Database,
    hasher: Arc<BcryptPool>,
    access: Arc<JwtAccessTokens>,
    around: &Surroundings,
) -> Result<IdentityAdapters, StartError> {
    let auth = &settings.auth;
    let secrets: Arc<dyn SecretBox> = Arc::new(secret_box(settings)?);
    let jwt_secret = token_secret(settings)?;
    let store = Arc::new(SqlIdentityStore::new(database.clone(), Arc::clone(&secrets)));
    Ok(IdentityAdapters {
        keys: store.clone(),
        factors: store.clone(),
        authenticators: Arc::new(TotpAuthenticators),
        accounts: store.clone(),
        mail_links: store.clone(),
        key_texts: Arc::new(CheckedApiKeys),
        wallets: store.clone(),
        store,
        wallet_signatures: Arc::new(BitcoinSignatures::new(headers(settings))),
        wallet_network: settings.wallet.network,
        hasher,
        access,
        refresh: Arc::new(PasetoRefreshTokens::new(&jwt_secret)?),
        devices: Arc::new(PasetoDeviceTokens::new(&jwt_secret)?),
        socket_tickets: Arc::clone(&shared.tickets),
        gate: Arc::clone(&shared.gate),
        clock: Arc::clone(&around.clock),
        pause: Arc::clone(&around.pause),
        entropy: Arc::new(SystemEntropy),
        secrets,
        public_url: settings.server.public_url.trim_end_matches('/').to_owned(),
        require_verified_email: auth.require_verified_email,
        policy: session_policy(settings),
        guards: GuardPolicies::default(),
        access_ttl: Duration::minutes(auth.access_token_ttl_min.into()),
    })
}

/// Where browsers keep the tokens: which pages may act with them.
fn pages(settings: &Settings) -> Result<Pages, StartError> {
    let tokens = HmacCsrfTokens::new(&token_secret(settings)?)?;
    Ok(Pages { origins: settings.origins(), tokens: Arc::new(tokens) })
}

/// What stands before every route. It counts in what the nodes share, or on this node alone.
pub fn gatekeeper(
    adapters: &IdentityAdapters,
    use_cases: &IdentityUseCases,
    limits: RateLimits,
    pages: Pages,
    trusted_proxies: TrustedProxies,
    metrics: Metrics,
) -> Gatekeeper {
    let IdentityAdapters { gate, clock, pause, .. } = adapters.clone();
    let alone = Arc::new(EmbeddedGate::new(clock.clone()));
    let admit = Arc::new(AdmitRequest::new(gate, alone, limits, clock.clone(), pause));
    let (authenticate, verify_key) = (use_cases.authenticate.clone(), use_cases.api_keys.verify.clone());
    Gatekeeper::new(GateParts { admit, authenticate, verify_key, pages, trusted_proxies, clock, metrics })
}

/// All of it.
pub fn identity(
    settings: &Settings,
    shared: &Shared,
    database: &Database,
    metrics: &Metrics,
    around: &Surroundings,
) -> Result<Identity, StartError> {
    let hasher = Arc::new(hasher(settings, metrics)?);
    let signing_keys = signing_keys(settings, around)?;
    let access = Arc::new(access_tokens(settings, signing_keys.clone())?);
    let adapters = adapters(settings, shared, database, Arc::clone(&hasher), Arc::clone(&access), around)?;
    let use_cases = IdentityUseCases::new(&adapters, Arc::default());
    let proxies = TrustedProxies::of(&settings.server);
    let gatekeeper = gatekeeper(&adapters, &use_cases, limits(settings), pages(settings)?, proxies, metrics.clone());
    let in_jobs = Arc::new(SqlIdentityStore::new(database.for_jobs(), Arc::clone(&adapters.secrets)));
    let old = IdentityAdapters {
        keys: in_jobs.clone(),
        factors: in_jobs.clone(),
        wallets: in_jobs.clone(),
        store: in_jobs,
        ..adapters.clone()
    };
    let jobs = IdentityJobs {
        follow: IdentityUseCases::follow_revocations(&adapters, &use_cases),
        prune: IdentityUseCases::prune(&old),
        sign_in: Arc::clone(&use_cases.sign_in),
        key_uses: Arc::clone(&use_cases.api_keys.note_uses),
        signing_keys,
    };
    Ok(Identity { use_cases, gatekeeper: Arc::new(gatekeeper), jobs, hasher, adapters, public_keys: access })
}
