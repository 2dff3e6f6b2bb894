use std::{pin::pin, sync::Arc};

use coinlink_domain::{
    identity::{ClientInfo, Email, FirstFactor, GuardPolicies, OneTimeSecret, Password, StoredPassword, UserId, guard_keys},
    shared::audit::AuditStatus,
};
use coinlink_ports::{
    identity::{Account, HashError, IdentityStore, PasswordHasher, PresentedDevice, SigningError},
    shared::{Clock, Entropy, StoreError},
};
use futures_util::future::{Either, select};
use time::Duration;
use uuid::Uuid;

use super::{
    EndedSessions, OpenSession, OpenSessionError, OwedGuesses, SignedIn,
    audit::{self, masked},
    owed_guesses::Reserved,
};

/// Nobody is signed in.
#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    /// No such account, another password, an account that is switched off, or a delay that is not over: whoever asks is not
    /// told which.
    #[error("the address and the password do not belong together")]
    InvalidCredentials,
    /// Whoever asked is gone.
    #[error("nobody waits for the answer any more")]
    Abandoned,
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

impl From<OpenSessionError> for SignInError {
    fn from(error: OpenSessionError) -> Self {
        match error {
            OpenSessionError::Signing(error) => Self::Signing(error),
            OpenSessionError::Store(error) => Self::Store(error),
        }
    }
}

/// What a right password, or a wallet's right signature, leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SignInOutcome {
    /// Somebody is signed in.
    SignedIn(Box<SignedIn>),
    /// The account asks for a second factor first.
    SecondFactorRequired(SecondFactorTicket),
}

impl SignInOutcome {
    /// Who is signed in, where nothing more is asked.
    pub fn signed_in(self) -> Option<SignedIn> {
        match self {
            Self::SignedIn(signed_in) => Some(*signed_in),
            Self::SecondFactorRequired(_) => None,
        }
    }
}

/// With it somebody who showed the first factor shows the second; good once.
#[derive(Clone, PartialEq, Eq)]
pub struct SecondFactorTicket {
    /// What the client sends back; never printed.
    pub secret: OneTimeSecret,
    /// How long it is good for.
    pub expires_in: Duration,
}

impl std::fmt::Debug for SecondFactorTicket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SecondFactorTicket").field("expires_in", &self.expires_in).finish_non_exhaustive()
    }
}

/// Signs somebody in with a password.
pub struct SignIn {
    /// Accounts and sessions.
    pub store: Arc<dyn IdentityStore>,
    /// Checks passwords.
    pub hasher: Arc<dyn PasswordHasher>,
    /// Opens sessions.
    pub sessions: OpenSession,
    /// Told of sessions that had to make room.
    pub ended: EndedSessions,
    /// How guessing is slowed down.
    pub guards: GuardPolicies,
    /// Guesses that were right, and could not be given back yet.
    pub owed: OwedGuesses,
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
    Abandoned,
    ChangedMeanwhile,
}

impl Failure {
    const fn reason(self) -> &'static str {
        match self {
            Self::UnknownAccount => "unknown_account",
            Self::WrongPassword => "wrong_password",
            Self::Inactive => "inactive",
            Self::Delayed => "delayed",
            Self::Abandoned => "abandoned",
            Self::ChangedMeanwhile => "changed_meanwhile",
        }
    }

    const fn status(self) -> AuditStatus {
        match self {
            Self::Delayed | Self::Inactive => AuditStatus::Denied,
            Self::UnknownAccount | Self::WrongPassword | Self::Abandoned | Self::ChangedMeanwhile => AuditStatus::Failure,
        }
    }
}

impl SignIn {
    /// The device that a client says it is, without asking anybody: for limits by device.
    pub fn device(&self, token: &str) -> Option<PresentedDevice> {
        self.sessions.devices.open(token)
    }

    /// Signs `client` in as `email`. The password is hashed exactly once whatever is found, and every failure looks the same.
    /// When `left` ends, nobody waits any more: the hash is not computed if it was not begun, and the guess stays counted, and
    /// is written down. So this must be run to its end.
    #[tracing::instrument(name = "identity.sign_in", skip_all)]
    pub async fn execute(
        &self,
        email: &Email,
        password: &Password,
        device: Option<PresentedDevice>,
        client: ClientInfo,
        left: impl Future<Output = ()> + Send,
    ) -> Result<SignInOutcome, SignInError> {
        let _place = self.hasher.place()?;
        let account = self.store.account(email).await?;
        let device = account.as_ref().and_then(|account| self.known_device(device, account));
        let guess = Reserved { keys: guard_keys(email, client.ip, device), at: self.clock.now() };
        let admitted = guess.reserve(&*self.store, &self.guards).await?;
        let found = account.as_ref().map(|account| account.user.id);
        // Where the answer is no whatever the password is, it is not compared: neither the answer nor its time tells.
        let compared = account.as_ref().filter(|account| admitted && account.user.is_active);
        let check = self.hasher.check(password, compared.map(|account| &account.password));
        let checked = match select(check, pin!(left)).await {
            Either::Left((checked, _)) => checked,
            Either::Right(_) => {
                self.record_failure(Failure::Abandoned, &guess, email, found, &client).await?;
                return Err(SignInError::Abandoned);
            }
        };
        let checked = match checked {
            // Nothing was checked.
            Err(error) if admitted => {
                self.owed.give_back(guess, &*self.store, &self.guards).await;
                return Err(error.into());
            }
            checked => checked?,
        };
        let failure = match &account {
            _ if !admitted => Some(Failure::Delayed),
            None => Some(Failure::UnknownAccount),
            Some(account) if !account.user.is_active => Some(Failure::Inactive),
            Some(_) if !checked.matches => Some(Failure::WrongPassword),
            Some(_) => None,
        };
        let account = match (account, failure) {
            (Some(account), None) => account,
            (_, failure) => {
                let failure = failure.unwrap_or(Failure::UnknownAccount);
                self.record_failure(failure, &guess, email, found, &client).await?;
                return Err(SignInError::InvalidCredentials);
            }
        };
        let renewed = if checked.outdated { self.rehash(password).await } else { None };
        match self.open_session(account, renewed, device, &guess, client.clone()).await {
            Ok(Some(signed_in)) => Ok(signed_in),
            Ok(None) => {
                self.record_failure(Failure::ChangedMeanwhile, &guess, email, found, &client).await?;
                Err(SignInError::InvalidCredentials)
            }
            Err(error) => {
                // The guess was right, and nothing came of it that is the client's fault.
                self.owed.add(guess);
                Err(error)
            }
        }
    }

    /// Gives back what is owed; to be repeated.
    pub async fn settle(&self) -> Result<(), StoreError> {
        while let Some(guess) = self.owed.take() {
            if let Err(error) = guess.give_back(&*self.store, &self.guards).await {
                self.owed.add(guess);
                return Err(error);
            }
        }
        Ok(())
    }

    /// The device, where it is one of this account and its password is still the one it was known with.
    fn known_device(&self, device: Option<PresentedDevice>, account: &Account) -> Option<Uuid> {
        let device = device.filter(|device| device.user == account.user.id)?;
        self.sessions.devices.belongs(&device, &account.password).then_some(device.device)
    }

    /// The password at today's cost. A sign-in does not fail for it: the next one tries again.
    async fn rehash(&self, password: &Password) -> Option<StoredPassword> {
        self.hasher.hash(password).await.inspect_err(|error| tracing::warn!(%error, "a password was not rehashed")).ok()
    }

    /// `None` where the account is not what it was when the password was checked.
    async fn open_session(
        &self,
        checked: Account,
        renewed: Option<StoredPassword>,
        device: Option<Uuid>,
        guess: &Reserved,
        client: ClientInfo,
    ) -> Result<Option<SignInOutcome>, SignInError> {
        let now = self.clock.now();
        let user = checked.user.id;
        let mut tx = self.store.begin().await?;
        // What was checked may have changed while it was hashed.
        let locked = tx.users().lock(user).await?.filter(|now| now.password == checked.password && now.user.is_active);
        let Some(mut account) = locked else { return Ok(None) };
        tx.guards().give_back(&guess.keys, guess.at, &self.guards).await?;
        if let Some(renewed) = renewed {
            account.password = renewed;
        }
        let (outcome, evicted) = self.sessions.or_ask(&mut *tx, account, FirstFactor::Password, device, client, now).await?;
        tx.commit().await?;
        self.ended.announce(&evicted).await;
        Ok(Some(outcome))
    }

    async fn record_failure(
        &self,
        failure: Failure,
        guess: &Reserved,
        email: &Email,
        user: Option<UserId>,
        client: &ClientInfo,
    ) -> Result<(), StoreError> {
        let now = self.clock.now();
        let entry = audit::on_user(&*self.entropy, now, audit::SIGN_IN, client)
            .detail("reason", failure.reason())
            .detail("email", masked(email))
            .ended(failure.status());
        // Whose account it was tried on is the resource; who tried is not known.
        let entry = if let Some(user) = user { entry.on(user.to_string()) } else { entry };
        let mut tx = self.store.begin().await?;
        tx.audit().record(&entry).await?;
        // Asked for an address without an account as well, so that it costs the same.
        if failure != Failure::Delayed && guess.locks(&mut *tx, &self.guards).await? && user.is_some() {
            self.sessions.letters.point_to_reset(&mut *tx, email, "sign_in_locked", now).await?;
        }
        tx.commit().await
    }
}
