use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use coinlink_domain::{
    identity::{
        ApiKey, ApiKeyId, Attempts, Email, Ending, GuardKey, Preferences, Session, SessionId, SessionPolicy, User, UserId,
    },
    shared::{audit::AuditEntry, mail::OutgoingMail},
};
use coinlink_ports::{identity::Account, shared::Clock};
use time::{Duration, OffsetDateTime};

use super::{mail_links::Links, second_factors::Factors, wallets::KeptWallets};
use crate::shared::{SystemClock, memory::micros};

/// Everything that is kept.
#[derive(Clone, Default)]
pub struct State {
    pub(super) accounts: BTreeMap<UserId, Account>,
    pub(super) preferences: HashMap<UserId, Preferences>,
    pub(super) sessions: BTreeMap<SessionId, Session>,
    /// When the store was told that they are over.
    ends: HashMap<SessionId, Duration>,
    pub(super) clock: StoreClock,
    pub(super) guards: BTreeMap<GuardKey, Attempts>,
    pub(super) factors: Factors,
    pub(super) api_keys: BTreeMap<ApiKeyId, ApiKey>,
    pub(super) links: Links,
    pub(super) wallets: KeptWallets,
    pub(super) audit: Vec<AuditEntry>,
    pub(super) mails: Vec<OutgoingMail>,
}

/// The clock of the store, which is nobody's to set.
#[derive(Clone)]
pub(super) struct StoreClock(pub(super) Arc<dyn Clock>);

impl Default for StoreClock {
    fn default() -> Self {
        Self(Arc::new(SystemClock::default()))
    }
}

impl State {
    pub(super) fn ended_within(&self, span: Duration) -> Vec<SessionId> {
        let now = self.clock.0.monotonic();
        let lately = |id: &&SessionId| self.ends.get(id).is_some_and(|told| now - *told <= span);
        self.sessions.keys().filter(lately).copied().collect()
    }

    pub(super) fn account(&self, email: &Email) -> Option<&Account> {
        self.accounts.values().find(|account| account.user.owns_email && account.user.email == *email)
    }

    /// Whether another account owns the address that this one is to own.
    pub(super) fn is_taken(&self, user: &User) -> bool {
        user.owns_email && self.account(&user.email).is_some_and(|owner| owner.user.id != user.id)
    }

    pub(super) fn live(&self, user: UserId, now: OffsetDateTime, policy: &SessionPolicy) -> Vec<Session> {
        let live = |session: &&Session| session.user == user && session.is_live(now, policy);
        self.sessions.values().filter(live).cloned().collect()
    }

    pub(super) fn put_account(&mut self, account: &Account) {
        let user = User {
            created_at: micros(account.user.created_at),
            updated_at: micros(account.user.updated_at),
            last_login_at: account.user.last_login_at.map(micros),
            secured_at: account.user.secured_at.map(micros),
            ..account.user.clone()
        };
        self.accounts.insert(user.id, Account { user, password: account.password.clone() });
    }

    pub(super) fn put_session(&mut self, session: &Session) {
        let session = Session {
            created_at: micros(session.created_at),
            rotated_at: micros(session.rotated_at),
            second_factor_at: session.second_factor_at.map(micros),
            ended: session.ended.map(|ending| Ending { at: micros(ending.at), ..ending }),
            ..session.clone()
        };
        if session.ended.is_some() {
            self.ends.entry(session.id).or_insert_with(|| self.clock.0.monotonic());
        }
        self.sessions.insert(session.id, session);
    }

    pub(super) fn put_attempts(&mut self, key: &GuardKey, attempts: Attempts) {
        let attempts = Attempts {
            failures: attempts.failures,
            last_at: attempts.last_at.map(micros),
            delayed_until: attempts.delayed_until.map(micros),
        };
        self.guards.insert(key.clone(), attempts);
    }

    pub(super) fn prune(&mut self, before: OffsetDateTime, policy: &SessionPolicy, limit: u64) -> u64 {
        let before = micros(before);
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let forgotten = |attempts: &Attempts| {
            attempts.last_at.is_none_or(|last| last < before) && attempts.delayed_until.is_none_or(|until| until < before)
        };
        let over =
            |session: &Session| session.ended.is_some_and(|ending| ending.at < before) || session.expires_at(policy) < before;
        let guards: Vec<_> = self.guards.iter().filter(|(_, a)| forgotten(a)).map(|(key, _)| key.clone()).take(limit).collect();
        let sessions: Vec<_> = self.sessions.values().filter(|s| over(s)).map(|s| s.id).take(limit).collect();
        self.guards.retain(|key, _| !guards.contains(key));
        self.sessions.retain(|id, _| !sessions.contains(id));
        (guards.len() + sessions.len()) as u64 + self.links.prune(before, limit)
    }
}

impl AsMut<Vec<OutgoingMail>> for State {
    fn as_mut(&mut self) -> &mut Vec<OutgoingMail> {
        &mut self.mails
    }
}
