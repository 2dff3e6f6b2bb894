//! Accounts, sessions and what stands before every route.

use std::sync::Arc;

use coinlink_application::{
    identity::{
        Authenticate, ChangePassword, EndSession, EndedSessions, FollowRevocations, IssueTokens, OwedGuesses, OwnAccount,
        PruneIdentity, RefreshSession, RevokedSessions, SignIn, SignOut, SignOutEverywhere, SignUp,
    },
    shared::AdmitRequest,
};
use coinlink_credentials::{BcryptPool, HashSettings, JwtAccessTokens, JwtSettings, PasetoDeviceTokens, PasetoRefreshTokens};
use coinlink_domain::{
    identity::{GuardPolicies, SessionPolicy},
    shared::rate_limit::RateLimits,
};
use coinlink_embedded::{EmbeddedGate, SystemEntropy};
use coinlink_ports::{identity::IdentityStore, shared::Entropy};
use coinlink_postgres::{Database, SqlIdentityStore};
use secrecy::SecretString;
use time::Duration;

use super::{Shared, Surroundings};
use crate::{
    config::Settings,
    http::{GateParts, Gatekeeper, IdentityParts, TrustedProxies},
    serve::StartError,
    telemetry::Metrics,
};

/// Clocks of nodes and clients may differ by so much: the settled conflict of 60 s.
const LEEWAY: Duration = Duration::seconds(60);

/// What one node runs of identity.
pub struct Identity {
    /// Behind the routes.
    pub parts: IdentityParts,
    /// Before them.
    pub gatekeeper: Arc<Gatekeeper>,
    /// Keeps this node's list of sessions that are over.
    pub follow: FollowRevocations,
    /// Removes what nobody needs any more.
    pub prune: PruneIdentity,
    /// Hashes passwords.
    pub hasher: Arc<BcryptPool>,
}

fn secret(secret: Option<&SecretString>) -> SecretString {
    // `serve` refuses to start without, and `dev` makes its own.
    secret.cloned().unwrap_or_default()
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
    }
}

fn policy(settings: &Settings) -> SessionPolicy {
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

/// All of it.
pub fn identity(
    settings: &Settings,
    shared: &Shared,
    database: &Database,
    metrics: &Metrics,
    around: &Surroundings,
) -> Result<Identity, StartError> {
    let auth = &settings.auth;
    let jwt_secret = secret(auth.jwt_secret_key.as_ref());
    let hasher = Arc::new(hasher(settings, metrics)?);
    let access = Arc::new(JwtAccessTokens::new(&JwtSettings {
        secret: jwt_secret.clone(),
        issuer: auth.jwt_issuer.clone(),
        audience: auth.jwt_audience.clone(),
        leeway: LEEWAY,
    })?);
    let refresh = Arc::new(PasetoRefreshTokens::new(&jwt_secret)?);
    let devices = Arc::new(PasetoDeviceTokens::new(&jwt_secret)?);
    let store: Arc<dyn IdentityStore> = Arc::new(SqlIdentityStore::new(database.clone()));
    let entropy: Arc<dyn Entropy> = Arc::new(SystemEntropy);
    let clock = Arc::clone(&around.clock);
    let (policy, guards) = (policy(settings), GuardPolicies::default());
    let access_ttl = Duration::minutes(auth.access_token_ttl_min.into());
    // Judged with leeway, and made by a node whose clock may be ahead by as much.
    let keep = access_ttl + LEEWAY * 2;
    let revoked = Arc::new(RevokedSessions::default());
    let ended = EndedSessions { revoked: Arc::clone(&revoked), gate: Arc::clone(&shared.gate), keep };
    let tokens = IssueTokens { access: access.clone(), refresh: refresh.clone(), policy, access_ttl };

    let parts = IdentityParts {
        sign_up: Arc::new(SignUp {
            store: store.clone(),
            hasher: hasher.clone(),
            tokens: tokens.clone(),
            devices: devices.clone(),
            clock: clock.clone(),
            entropy: entropy.clone(),
        }),
        sign_in: Arc::new(SignIn {
            store: store.clone(),
            hasher: hasher.clone(),
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
            hasher: hasher.clone(),
            ended: ended.clone(),
            guards,
            policy,
            clock: clock.clone(),
            entropy: entropy.clone(),
        }),
        own_account: Arc::new(OwnAccount { store: store.clone(), policy, clock: clock.clone(), entropy: entropy.clone() }),
        end_session: Arc::new(EndSession { store: store.clone(), ended, policy, clock: clock.clone(), entropy }),
    };
    let authenticate = Authenticate {
        tokens: access,
        store: store.clone(),
        revoked: revoked.clone(),
        clock: clock.clone(),
        pause: around.pause.clone(),
        policy,
    };
    let alone = Arc::new(EmbeddedGate::new(clock.clone()));
    let admit = AdmitRequest::new(shared.gate.clone(), alone, limits(settings), clock.clone(), around.pause.clone());
    let gatekeeper = Arc::new(Gatekeeper::new(GateParts {
        admit: Arc::new(admit),
        authenticate: Arc::new(authenticate),
        trusted_proxies: TrustedProxies::of(&settings.server),
        clock: clock.clone(),
        metrics: metrics.clone(),
    }));
    let follow = FollowRevocations::new(store.clone(), revoked, clock.clone(), keep);
    Ok(Identity { parts, gatekeeper, follow, prune: PruneIdentity { store, policy, clock }, hasher })
}
