use std::sync::Arc;

use coinlink_domain::{
    identity::{
        BrowserMark, ClientInfo, Email, FamilyKey, Password, PasswordFault, PersonName, Session, SessionId, StoredPassword, User,
        UserId,
    },
    shared::audit::AuditStatus,
};
use coinlink_ports::{
    identity::{Account, DeviceTokens, HashError, IdentityStore, PasswordHasher, SigningError},
    shared::{Clock, Entropy, StoreError},
};

use super::{
    IssueTokens, Letters, Tokens,
    audit::{self, masked},
    mail_links::Asked,
};

/// Somebody is signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedIn {
    /// Who.
    pub user: User,
    /// What the client goes on with.
    pub tokens: Tokens,
    /// What the device keeps to be known next time.
    pub device_token: DeviceSecret,
}

/// A device token, never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct DeviceSecret(pub String);

impl std::fmt::Debug for DeviceSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DeviceSecret(…)")
    }
}

/// A new account as it is asked for.
#[derive(Debug, Clone)]
pub struct NewAccount {
    /// Its address.
    pub email: Email,
    /// Its password.
    pub password: Password,
    /// Given name.
    pub first_name: Option<PersonName>,
    /// Family name.
    pub last_name: Option<PersonName>,
}

/// There is no new account.
#[derive(Debug, thiserror::Error)]
pub enum SignUpError {
    /// The password does not do.
    #[error("the password does not do")]
    WeakPassword(Vec<PasswordFault>),
    /// The address has an account already.
    #[error("the address has an account already")]
    EmailTaken,
    /// The password could not be hashed.
    #[error(transparent)]
    Hash(#[from] HashError),
    /// The tokens could not be made.
    #[error(transparent)]
    Signing(#[from] SigningError),
    /// The store is not there.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Opens an account and signs it in.
pub struct SignUp {
    /// Accounts and sessions.
    pub store: Arc<dyn IdentityStore>,
    /// Hashes passwords.
    pub hasher: Arc<dyn PasswordHasher>,
    /// Makes tokens.
    pub tokens: IssueTokens,
    /// Makes device tokens.
    pub devices: Arc<dyn DeviceTokens>,
    /// Writes the letter that verifies the address.
    pub letters: Letters,
    /// Whether an account owns its address only once it was verified. Then nobody is told that an address has an account: the
    /// new one merely claims it, and whoever owns it gets a letter.
    pub require_verified_email: bool,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Ids and keys.
    pub entropy: Arc<dyn Entropy>,
}

impl SignUp {
    /// Opens the account of `new` for `client`.
    pub async fn execute(&self, new: NewAccount, client: ClientInfo) -> Result<SignedIn, SignUpError> {
        self.in_browser(new, None, client).await
    }

    /// The same in a browser that is recognised when it opens the link of the letter.
    #[tracing::instrument(name = "identity.sign_up", skip_all)]
    pub async fn in_browser(
        &self,
        new: NewAccount,
        browser: Option<BrowserMark>,
        client: ClientInfo,
    ) -> Result<SignedIn, SignUpError> {
        if let Err(faults) = new.password.check(&new.email) {
            self.record_failure("weak_password", &new.email, &client).await?;
            return Err(SignUpError::WeakPassword(faults));
        }
        let _place = self.hasher.place()?;
        let password = self.hasher.hash(&new.password).await?;
        match self.open(&new, password, browser, &client).await {
            Err(SignUpError::Store(StoreError::Conflict { .. })) => {
                self.record_failure("email_taken", &new.email, &client).await?;
                Err(SignUpError::EmailTaken)
            }
            opened => opened,
        }
    }

    async fn open(
        &self,
        new: &NewAccount,
        password: StoredPassword,
        browser: Option<BrowserMark>,
        client: &ClientInfo,
    ) -> Result<SignedIn, SignUpError> {
        let now = self.clock.now();
        let mut user = User::new(UserId(self.entropy.id()), new.email.clone(), now);
        user.first_name.clone_from(&new.first_name);
        user.last_name.clone_from(&new.last_name);
        user.owns_email = !self.require_verified_email;
        user.signed_in(now);
        let family_key = FamilyKey(self.entropy.key());
        let session = Session::start(SessionId(self.entropy.id()), user.id, family_key, client.clone(), now);
        let device_token = DeviceSecret(self.devices.mint(user.id, self.entropy.id(), &password)?);
        let tokens = self.tokens.of(&session, now)?;
        let account = Account { user, password };

        let mut tx = self.store.begin().await?;
        tx.users().add(&account).await?;
        tx.sessions().add(&session).await?;
        let user = account.user;
        let entry = audit::on_user(&*self.entropy, now, audit::SIGN_UP, client)
            .by(user.id.0)
            .on(user.id.to_string())
            .detail("session", session.id.to_string());
        tx.audit().record(&entry).await?;
        let asked = Asked { browser, session: Some(session.id) };
        self.letters.send_verification(&mut *tx, &user, asked, now).await?;
        tx.commit().await?;
        Ok(SignedIn { user, tokens, device_token })
    }

    async fn record_failure(&self, reason: &'static str, email: &Email, client: &ClientInfo) -> Result<(), StoreError> {
        let entry = audit::on_user(&*self.entropy, self.clock.now(), audit::SIGN_UP, client)
            .detail("reason", reason)
            .detail("email", masked(email))
            .ended(AuditStatus::Failure);
        audit::record_alone(&*self.store, &entry).await
    }
}
