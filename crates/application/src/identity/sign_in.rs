use std::sync::Arc;

use coinlink_domain::{
    identity::{
        ClientInfo, Email, EndReason, FamilyKey, GuardKey, GuardPolicies, Password, Session, SessionId, StoredPassword, UserId,
        guard_keys, to_evict,
    },
    shared::audit::AuditStatus,
};
use coinlink_ports::{
    identity::{Account, DeviceTokens, HashError, IdentityStore, IdentityTx, PasswordHasher, SigningError},
    shared::{Clock, Entropy, StoreError},
};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{
    EndedSessions, IssueTokens, SignedIn,
    audit::{self, masked},
    sign_up::DeviceSecret,
};

/// Nobody is signed in.
#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    /// No such account, another password, an account that is switched off, or a delay that is not over: whoever asks is not
    /// told which.
    #[error("the address and the password do not belong together")]
    InvalidCredentials,
    /// The password could not be checked.
    #[error(transparent)]
    Hash(#[from] HashError),
    /// The tokens could not be made.
    #[error(transparent)]
    Signing(#[from] SigningError),
    /// The store is not there.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Signs somebody in with a password.
pub struct SignIn {
    /// Accounts and sessions.
    pub store: Arc<dyn IdentityStore>,
    /// Checks passwords.
    pub hasher: Arc<dyn PasswordHasher>,
    /// Makes tokens.
    pub tokens: IssueTokens,
    /// Knows devices again.
    pub devices: Arc<dyn DeviceTokens>,
    /// Told of sessions that had to make room.
    pub ended: EndedSessions,
    /// How guessing is slowed down.
    pub guards: GuardPolicies,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Ids and keys.
    pub entropy: Arc<dyn Entropy>,
}

/// Why a sign-in failed, for the audit log alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Failure {
    UnknownAccount,
    WrongPassword,
    Inactive,
    Delayed,
}

impl Failure {
    const fn reason(self) -> &'static str {
        match self {
            Self::UnknownAccount => "unknown_account",
            Self::WrongPassword => "wrong_password",
            Self::Inactive => "inactive",
            Self::Delayed => "delayed",
        }
    }

    const fn status(self) -> AuditStatus {
        match self {
            Self::Delayed | Self::Inactive => AuditStatus::Denied,
            Self::UnknownAccount | Self::WrongPassword => AuditStatus::Failure,
        }
    }
}

impl SignIn {
    /// Signs `client` in as `email`. The password is hashed exactly once whatever is found, and every failure looks the same.
    #[tracing::instrument(name = "identity.sign_in", skip_all)]
    pub async fn execute(
        &self,
        email: &Email,
        password: &Password,
        device_token: Option<&str>,
        client: ClientInfo,
    ) -> Result<SignedIn, SignInError> {
        let account = self.store.account(email).await?;
        let device = known_device(device_token.and_then(|token| self.devices.open(token)), account.as_ref());
        let keys = guard_keys(email, client.ip, device);
        let admitted = self.reserve(&keys).await?;
        let checked = self.hasher.check(password, account.as_ref().map(|account| &account.password)).await;
        let checked = match checked {
            Err(busy @ HashError::Busy { .. }) if admitted => {
                // Nothing was checked.
                self.give_back(&keys).await?;
                return Err(busy.into());
            }
            checked => checked?,
        };
        let failure = match &account {
            _ if !admitted => Some(Failure::Delayed),
            None => Some(Failure::UnknownAccount),
            Some(_) if !checked.matches => Some(Failure::WrongPassword),
            Some(account) if !account.user.is_active => Some(Failure::Inactive),
            Some(_) => None,
        };
        let account = match (account, failure) {
            (Some(account), None) => account,
            (found, failure) => {
                let failure = failure.unwrap_or(Failure::UnknownAccount);
                self.record_failure(failure, email, found.map(|found| found.user.id), &client).await?;
                return Err(SignInError::InvalidCredentials);
            }
        };
        let renewed = if checked.outdated { self.rehash(password).await } else { None };
        self.open_session(account, renewed, device, &keys, client).await
    }

    /// Whether a guess may be checked now; it is then counted.
    async fn reserve(&self, keys: &[GuardKey]) -> Result<bool, StoreError> {
        let mut tx = self.store.begin().await?;
        let admitted = tx.guards().reserve(keys, self.clock.now(), &self.guards).await?;
        tx.commit().await?;
        Ok(admitted.is_ok())
    }

    async fn give_back(&self, keys: &[GuardKey]) -> Result<(), StoreError> {
        let mut tx = self.store.begin().await?;
        tx.guards().give_back(keys, &self.guards).await?;
        tx.commit().await
    }

    /// The password at today's cost. A sign-in does not fail for it: the next one tries again.
    async fn rehash(&self, password: &Password) -> Option<StoredPassword> {
        self.hasher.hash(password).await.inspect_err(|error| tracing::warn!(%error, "a password was not rehashed")).ok()
    }

    async fn open_session(
        &self,
        checked: Account,
        renewed: Option<StoredPassword>,
        device: Option<Uuid>,
        keys: &[GuardKey],
        client: ClientInfo,
    ) -> Result<SignedIn, SignInError> {
        let now = self.clock.now();
        let user = checked.user.id;
        let family_key = FamilyKey(self.entropy.key());
        let session = Session::start(SessionId(self.entropy.id()), user, family_key, client, now);
        let tokens = self.tokens.of(&session, now)?;
        let device_token = DeviceSecret(self.devices.mint(user, device.unwrap_or_else(|| self.entropy.id()))?);

        let mut tx = self.store.begin().await?;
        // What was checked may have changed while it was hashed.
        let locked = tx.users().lock(user).await?.filter(|now| now.password == checked.password && now.user.is_active);
        let Some(mut account) = locked else { return Err(SignInError::InvalidCredentials) };
        tx.guards().give_back(keys, &self.guards).await?;
        let evicted = self.make_room(&mut *tx, user, now).await?;
        tx.sessions().add(&session).await?;
        account.user.signed_in(now);
        if let Some(renewed) = renewed {
            account.password = renewed;
        }
        tx.users().save(&account).await?;
        let entry = audit::on_session(&*self.entropy, now, audit::SIGN_IN, (user, session.id), &session.client)
            .detail("device", if device.is_some() { "known" } else { "new" });
        tx.audit().record(&entry).await?;
        tx.commit().await?;
        self.ended.announce(&evicted, now).await;
        Ok(SignedIn { user: account.user, tokens, device_token })
    }

    async fn make_room(&self, tx: &mut dyn IdentityTx, user: UserId, now: OffsetDateTime) -> Result<Vec<SessionId>, StoreError> {
        let policy = &self.tokens.policy;
        let live = tx.sessions().lock_live(user, now, policy).await?;
        let mut evicted = Vec::new();
        for mut session in to_evict(live, policy) {
            session.end(EndReason::Evicted, now);
            tx.sessions().save(&session).await?;
            let entry = audit::on_session(&*self.entropy, now, audit::SESSION_EVICT, (user, session.id), &session.client);
            tx.audit().record(&entry).await?;
            evicted.push(session.id);
        }
        Ok(evicted)
    }

    async fn record_failure(
        &self,
        failure: Failure,
        email: &Email,
        user: Option<UserId>,
        client: &ClientInfo,
    ) -> Result<(), StoreError> {
        let entry = audit::on_user(&*self.entropy, self.clock.now(), audit::SIGN_IN, client)
            .detail("reason", failure.reason())
            .detail("email", masked(email))
            .ended(failure.status());
        // Whose account it was tried on is the resource; who tried is not known.
        let entry = if let Some(user) = user { entry.on(user.to_string()) } else { entry };
        let mut tx = self.store.begin().await?;
        tx.audit().record(&entry).await?;
        tx.commit().await
    }
}

/// The device, where it is one of this account.
fn known_device(device: Option<(UserId, Uuid)>, account: Option<&Account>) -> Option<Uuid> {
    let ((user, device), account) = (device?, account?);
    (account.user.id == user).then_some(device)
}
