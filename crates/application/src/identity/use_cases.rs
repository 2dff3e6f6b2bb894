use std::sync::Arc;

use coinlink_domain::identity::{GuardPolicies, LEEWAY, Network, SessionPolicy};
use coinlink_ports::{
    identity::{
        AccessTokens, AccountDirectory, ApiKeyCodec, ApiKeyReads, Authenticators, DeviceTokens, IdentityStore, MailLinkStore,
        PasswordHasher, RefreshTokens, SecondFactorStore, SocketTickets, WalletList, WalletSignatures,
    },
    shared::{Clock, Entropy, Pause, RequestGate, SecretBox},
};
use time::Duration;

use super::{
    AdministrationUseCases, ApiKeyUseCases, Authenticate, ChangePassword, ChangeRole, EndSession, EndedSessions,
    FollowRevocations, IssueTokens, Letters, LinkUseCases, OpenSession, OwedGuesses, OwnAccount, PruneIdentity, RefreshSession,
    RevokedSessions, SecondFactorUseCases, SignIn, SignOut, SignOutEverywhere, SignUp, SocketAccess, VerifiedEmail,
    WalletUseCases, own_password::OwnPassword,
};

/// What identity needs from outside, and what is set.
#[derive(Clone)]
pub struct IdentityAdapters {
    /// Accounts and sessions.
    pub store: Arc<dyn IdentityStore>,
    /// The same store, where keys are read.
    pub keys: Arc<dyn ApiKeyReads>,
    /// The texts of keys.
    pub key_texts: Arc<dyn ApiKeyCodec>,
    /// The same store, where administrators look accounts up.
    pub accounts: Arc<dyn AccountDirectory>,
    /// The same store, where second factors are asked for outside of transactions.
    pub factors: Arc<dyn SecondFactorStore>,
    /// Computes the codes of authenticator apps.
    pub authenticators: Arc<dyn Authenticators>,
    /// The same store, where wallets are read.
    pub wallets: Arc<dyn WalletList>,
    /// Reads addresses and verifies signatures of wallets.
    pub wallet_signatures: Arc<dyn WalletSignatures>,
    /// The chain whose addresses sign in.
    pub wallet_network: Network,
    /// The same store, where links in mail are looked at.
    pub mail_links: Arc<dyn MailLinkStore>,
    /// Hashes and checks passwords.
    pub hasher: Arc<dyn PasswordHasher>,
    /// Access tokens.
    pub access: Arc<dyn AccessTokens>,
    /// Refresh tokens.
    pub refresh: Arc<dyn RefreshTokens>,
    /// Device tokens.
    pub devices: Arc<dyn DeviceTokens>,
    /// Tickets for sockets.
    pub socket_tickets: Arc<dyn SocketTickets>,
    /// What the nodes share.
    pub gate: Arc<dyn RequestGate>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// How waiting is done.
    pub pause: Arc<dyn Pause>,
    /// Ids and keys.
    pub entropy: Arc<dyn Entropy>,
    /// Encrypts secrets that are stored and read again.
    pub secrets: Arc<dyn SecretBox>,
    /// Where this server is reached, for links in mail; without a slash at its end.
    pub public_url: String,
    /// Whether an address has to be shown to be its owner's before an account owns it.
    pub require_verified_email: bool,
    /// How long sessions live.
    pub policy: SessionPolicy,
    /// How guessing is slowed down.
    pub guards: GuardPolicies,
    /// How long access tokens live.
    pub access_ttl: Duration,
}

/// Every use case of identity, each put together in this one place.
#[derive(Clone)]
pub struct IdentityUseCases {
    /// Opens accounts.
    pub sign_up: Arc<SignUp>,
    /// Signs in with a password.
    pub sign_in: Arc<SignIn>,
    /// Exchanges refresh tokens.
    pub refresh: Arc<RefreshSession>,
    /// Ends a session by one of its tokens.
    pub sign_out: Arc<SignOut>,
    /// Ends all sessions of a user.
    pub sign_out_everywhere: Arc<SignOutEverywhere>,
    /// Changes passwords.
    pub change_password: Arc<ChangePassword>,
    /// What users see and change of their own accounts.
    pub own_account: Arc<OwnAccount>,
    /// Ends a session from the list of its owner.
    pub end_session: Arc<EndSession>,
    /// Makes administrators.
    pub change_role: Arc<ChangeRole>,
    /// Finds out who presents an access token.
    pub authenticate: Arc<Authenticate>,
    /// Says whose a socket is.
    pub sockets: Arc<SocketAccess>,
    /// Links in mail.
    pub links: LinkUseCases,
    /// Whether an account may do what takes a verified address.
    pub verified_email: Arc<VerifiedEmail>,
    /// Keys that programs use in place of a sign-in.
    pub api_keys: ApiKeyUseCases,
    /// What is asked beside the first factor.
    pub second_factor: SecondFactorUseCases,
    /// What administrators do.
    pub administration: AdministrationUseCases,
    /// Signing in with Bitcoin wallets.
    pub wallets: WalletUseCases,
    /// The sessions this node knows to be over.
    pub revoked: Arc<RevokedSessions>,
    /// Tells everybody which sessions are over.
    pub ended: EndedSessions,
}

impl IdentityUseCases {
    /// All of them on these adapters; sessions that end are added to `revoked`.
    pub fn new(adapters: &IdentityAdapters, revoked: Arc<RevokedSessions>) -> Self {
        let IdentityAdapters { store, hasher, access, refresh, devices, gate, clock, pause, entropy, .. } = adapters.clone();
        let IdentityAdapters { policy, guards, access_ttl, .. } = *adapters;
        // Judged with leeway, and made by a node whose clock may be ahead by as much.
        let keep = access_ttl + LEEWAY * 2;
        let authenticate = Authenticate {
            tokens: access.clone(),
            store: store.clone(),
            revoked: revoked.clone(),
            clock: clock.clone(),
            pause,
            policy,
        };
        let authenticate = Arc::new(authenticate);
        let sockets = sockets(adapters, &authenticate);
        let ended = EndedSessions { revoked: revoked.clone(), gate, keep };
        let tokens = IssueTokens { access: access.clone(), refresh: refresh.clone(), policy, access_ttl };
        let letters = Letters::new(adapters);
        let sessions =
            OpenSession { tokens: tokens.clone(), devices: devices.clone(), letters: letters.clone(), entropy: entropy.clone() };
        let own = OwnPassword::new(adapters, OwedGuesses::default());
        let second_factor = SecondFactorUseCases::new(adapters, &own, &letters, &ended, &sessions);
        let wallets = WalletUseCases::new(adapters, &own, &letters, &ended, &sessions);
        Self {
            wallets,
            second_factor,
            sign_up: Arc::new(SignUp {
                store: store.clone(),
                hasher: hasher.clone(),
                tokens: tokens.clone(),
                devices,
                letters: letters.clone(),
                require_verified_email: adapters.require_verified_email,
                clock: clock.clone(),
                entropy: entropy.clone(),
            }),
            sign_in: Arc::new(SignIn {
                store: store.clone(),
                hasher: hasher.clone(),
                sessions,
                ended: ended.clone(),
                guards,
                owed: own.owed.clone(),
                clock: clock.clone(),
                entropy: entropy.clone(),
            }),
            refresh: Arc::new(RefreshSession::new(
                store.clone(),
                refresh.clone(),
                tokens,
                letters.clone(),
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
                hasher,
                letters: letters.clone(),
                ended: ended.clone(),
                own: own.clone(),
                policy,
                clock: clock.clone(),
                entropy: entropy.clone(),
            }),
            own_account: Arc::new(OwnAccount { store: store.clone(), policy, clock: clock.clone(), entropy: entropy.clone() }),
            end_session: Arc::new(EndSession {
                store: store.clone(),
                ended: ended.clone(),
                policy,
                clock: clock.clone(),
                entropy: entropy.clone(),
            }),
            change_role: Arc::new(ChangeRole { store: store.clone(), policy, clock, entropy }),
            api_keys: ApiKeyUseCases::new(adapters, &own, &letters),
            administration: AdministrationUseCases::new(adapters, &ended),
            links: LinkUseCases::new(adapters, &own, &letters, &ended),
            verified_email: Arc::new(VerifiedEmail { store, required: adapters.require_verified_email }),
            authenticate,
            sockets: Arc::new(sockets),
            revoked,
            ended,
        }
    }

    /// What keeps this node's list of ended sessions as the store knows it.
    pub fn follow_revocations(adapters: &IdentityAdapters, use_cases: &Self) -> FollowRevocations {
        let revoked = Arc::clone(&use_cases.revoked);
        FollowRevocations::new(adapters.store.clone(), revoked, adapters.clock.clone(), use_cases.ended.keep)
    }

    /// What removes old rows.
    pub fn prune(adapters: &IdentityAdapters) -> PruneIdentity {
        let IdentityAdapters { store, keys, wallets, factors, policy, clock, .. } = adapters.clone();
        PruneIdentity { store, keys, factors, wallets, policy, clock }
    }
}

fn sockets(adapters: &IdentityAdapters, authenticate: &Arc<Authenticate>) -> SocketAccess {
    SocketAccess {
        authenticate: Arc::clone(authenticate),
        tickets: Arc::clone(&adapters.socket_tickets),
        gate: Arc::clone(&adapters.gate),
        entropy: Arc::clone(&adapters.entropy),
        clock: Arc::clone(&adapters.clock),
    }
}
