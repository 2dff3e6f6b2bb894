use std::sync::Arc;

use coinlink_domain::{
    identity::{BrowserMark, ClientInfo, Email, LinkPurpose, SessionId, UserId},
    shared::audit::{AuditEntry, AuditStatus},
};
use coinlink_ports::{
    identity::{Account, IdentityStore, IdentityTx},
    shared::{Clock, Entropy, Pause, StoreError},
};
use time::{Duration, OffsetDateTime};

use super::{
    super::audit::{self, masked},
    Asked, Letters,
};

/// An answer takes so long at least: more than the work behind any of them, so that its time does not tell what there was to do.
const TAKES: Duration = Duration::milliseconds(60);

/// Sends links to whoever asks for them, without saying whether there is an account.
pub struct AskForMail {
    /// Accounts.
    pub store: Arc<dyn IdentityStore>,
    /// Writes the letters.
    pub letters: Letters,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Waits until an answer has taken its time.
    pub pause: Arc<dyn Pause>,
    /// Ids of audit entries, and marks of browsers.
    pub entropy: Arc<dyn Entropy>,
}

impl AskForMail {
    /// A mark for a browser that has none.
    #[must_use]
    pub fn new_mark(&self) -> BrowserMark {
        BrowserMark::new(self.entropy.key())
    }

    /// Sends the owner of `email` a link to set another password.
    #[tracing::instrument(name = "identity.forgot_password", skip_all)]
    pub async fn forgot_password(&self, email: &Email, browser: BrowserMark, client: &ClientInfo) -> Result<(), StoreError> {
        self.in_even_time(async {
            let now = self.clock.now();
            let mut tx = self.store.begin().await?;
            let account = tx.users().lock_by_email(email).await?;
            let asked = Asked { browser: Some(browser), session: None };
            let refused = match &account {
                None => Some("unknown_account"),
                Some(account) if !account.user.is_active => Some("inactive"),
                Some(account)
                    if Letters::is_flooded(&mut *tx, (account.user.id, email), LinkPurpose::ResetPassword, now).await? =>
                {
                    Some("too_many")
                }
                Some(account) => {
                    let to = (&account.user, email, None);
                    self.letters.send_link(&mut *tx, to, LinkPurpose::ResetPassword, asked, now).await?;
                    None
                }
            };
            let entry = audit::on_user(&*self.entropy, now, audit::PASSWORD_RESET_REQUEST, client);
            record(&mut *tx, entry, email, account.as_ref(), refused).await?;
            tx.commit().await
        })
        .await
    }

    /// Sends a link to show that `email` is one's own to whoever opened an account for it. Used from wherever it takes its code
    /// and another password: who asks here need not be who opened it.
    #[tracing::instrument(name = "identity.resend_verification", skip_all)]
    pub async fn resend(&self, email: &Email, client: &ClientInfo) -> Result<(), StoreError> {
        self.in_even_time(async {
            let now = self.clock.now();
            let mut tx = self.store.begin().await?;
            let owner = tx.users().lock_by_email(email).await?;
            let account = match owner {
                Some(owner) => Some(owner),
                None => tx.users().lock_claimants(email, 1).await?.pop(),
            };
            self.verify(&mut *tx, email, account, Asked::default(), client, now).await?;
            tx.commit().await
        })
        .await
    }

    /// The same for the own account, to be used in this browser or in this session without a code.
    #[tracing::instrument(name = "identity.resend_own_verification", skip_all)]
    pub async fn resend_own(
        &self,
        (user, session): (UserId, SessionId),
        browser: BrowserMark,
        client: &ClientInfo,
    ) -> Result<(), StoreError> {
        self.in_even_time(async {
            let now = self.clock.now();
            let mut tx = self.store.begin().await?;
            let Some(account) = tx.users().lock(user).await? else { return Ok(()) };
            let asked = Asked { browser: Some(browser), session: Some(session) };
            let email = account.user.email.clone();
            self.verify(&mut *tx, &email, Some(account), asked, client, now).await?;
            tx.commit().await
        })
        .await
    }

    async fn verify(
        &self,
        tx: &mut dyn IdentityTx,
        email: &Email,
        account: Option<Account>,
        asked: Asked,
        client: &ClientInfo,
        now: OffsetDateTime,
    ) -> Result<(), StoreError> {
        let refused = match &account {
            None => Some("unknown_account"),
            Some(account) if !account.user.is_active => Some("inactive"),
            Some(account) if account.user.is_verified => Some("verified_already"),
            Some(account) => {
                self.letters.send_verification(tx, &account.user, asked, now).await?;
                None
            }
        };
        let entry = audit::on_user(&*self.entropy, now, audit::EMAIL_VERIFY_REQUEST, client);
        record(tx, entry, email, account.as_ref(), refused).await
    }

    async fn in_even_time(&self, work: impl Future<Output = Result<(), StoreError>>) -> Result<(), StoreError> {
        let begun = self.clock.monotonic();
        work.await?;
        self.pause.pause(TAKES - (self.clock.monotonic() - begun)).await;
        Ok(())
    }
}

async fn record(
    tx: &mut dyn IdentityTx,
    entry: AuditEntry,
    email: &Email,
    account: Option<&Account>,
    refused: Option<&'static str>,
) -> Result<(), StoreError> {
    let entry = entry.detail("email", masked(email));
    // Whose account it is about is the resource; who asked is not known.
    let entry = if let Some(account) = account { entry.on(account.user.id.to_string()) } else { entry };
    let entry = match refused {
        Some(reason) => entry.detail("reason", reason).ended(AuditStatus::Denied),
        None => entry,
    };
    tx.audit().record(&entry).await
}
