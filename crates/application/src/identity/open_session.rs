use std::sync::Arc;

use coinlink_domain::identity::{
    ClientInfo, EndReason, FamilyKey, FirstFactor, OneTimeSecret, SecondFactor, Session, SessionId, SignInTicket, UserId,
    to_evict,
};
use coinlink_ports::{
    identity::{Account, DeviceTokens, IdentityTx, SigningError},
    shared::{Entropy, StoreError},
};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{IssueTokens, Letters, SecondFactorTicket, SignInOutcome, SignedIn, audit, sign_up::DeviceSecret};

/// A sign-in was not carried out.
#[derive(Debug, thiserror::Error)]
pub enum OpenSessionError {
    /// The tokens could not be made.
    #[error(transparent)]
    Signing(#[from] SigningError),
    /// The store is not there.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// How somebody showed who they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shown {
    /// With what first.
    pub first_factor: FirstFactor,
    /// Whether a second factor followed.
    pub second_factor: bool,
    /// The device, where it is known from before.
    pub device: Option<Uuid>,
}

/// Opens the session of a sign-in, whichever way somebody showed who they are.
#[derive(Clone)]
pub struct OpenSession {
    /// Makes tokens.
    pub tokens: IssueTokens,
    /// Makes device tokens.
    pub devices: Arc<dyn DeviceTokens>,
    /// Tells owners of devices they may not know.
    pub letters: Letters,
    /// Ids and keys.
    pub entropy: Arc<dyn Entropy>,
}

impl OpenSession {
    /// What showing the first factor of `account` leads to: a session, or a ticket to show the second with, where the account
    /// has one. `tx` holds the account as it is to be stored. Sessions that had to make room are told as well: the caller
    /// commits and then announces them.
    pub(super) async fn or_ask(
        &self,
        tx: &mut dyn IdentityTx,
        account: Account,
        first_factor: FirstFactor,
        device: Option<Uuid>,
        client: ClientInfo,
        now: OffsetDateTime,
    ) -> Result<(SignInOutcome, Vec<SessionId>), OpenSessionError> {
        let factor = tx.second_factors().lock(account.user.id).await?.filter(SecondFactor::is_on);
        let Some(factor) = factor else {
            let shown = Shown { first_factor, second_factor: false, device };
            let (signed_in, evicted) = self.in_tx(tx, account, shown, client, now).await?;
            return Ok((SignInOutcome::SignedIn(Box::new(signed_in)), evicted));
        };
        tx.users().save(&account).await?;
        let user = account.user.id;
        let secret = OneTimeSecret { id: self.entropy.id(), secret: self.entropy.key() };
        let ticket = SignInTicket {
            id: secret.id,
            digest: SignInTicket::digest_of(&secret),
            user,
            state: SignInTicket::state_of(&account.user, &account.password, &factor),
            first_factor,
            device,
            created_at: now,
        };
        tx.tickets().add(&ticket).await?;
        // Nobody is signed in: that the first factor was right is all there is to tell.
        let entry = audit::on_user(&*self.entropy, now, audit::SECOND_FACTOR_ASK, &client)
            .on(user.to_string())
            .detail("first_factor", first_factor.name());
        tx.audit().record(&entry).await?;
        let ticket = SecondFactorTicket { secret, expires_in: SignInTicket::LIFETIME };
        Ok((SignInOutcome::SecondFactorRequired(ticket), Vec::new()))
    }

    /// Opens a session of `account`, which `tx` holds, as it is to be stored; its stored password is the one the device is to be
    /// known with. Sessions that had to make room are told as well: the caller commits and then announces them.
    pub(super) async fn in_tx(
        &self,
        tx: &mut dyn IdentityTx,
        mut account: Account,
        shown: Shown,
        client: ClientInfo,
        now: OffsetDateTime,
    ) -> Result<(SignedIn, Vec<SessionId>), OpenSessionError> {
        let user = account.user.id;
        let family_key = FamilyKey(self.entropy.key());
        let mut session = Session::start(SessionId(self.entropy.id()), user, family_key, client, now);
        session.second_factor_at = shown.second_factor.then_some(now);
        let tokens = self.tokens.of(&session, now)?;
        let device = shown.device.unwrap_or_else(|| self.entropy.id());
        let device_token = DeviceSecret(self.devices.mint(user, device, &account.password)?);

        let live = tx.sessions().lock_live(user, now, &self.tokens.policy).await?;
        let is_news = shown.device.is_none() && live.iter().all(|known| known.client != session.client);
        let evicted = self.make_room(tx, live, user, now).await?;
        tx.sessions().add(&session).await?;
        account.user.signed_in(now);
        tx.users().save(&account).await?;
        let entry = audit::on_session(&*self.entropy, now, audit::SIGN_IN, (user, session.id), &session.client)
            .detail("device", if shown.device.is_some() { "known" } else { "new" })
            .detail("first_factor", shown.first_factor.name())
            .detail("second_factor", if shown.second_factor { "shown" } else { "none" });
        tx.audit().record(&entry).await?;
        if is_news {
            self.letters.notice(tx, &account.user, "new_device", &session.client, now).await?;
        }
        Ok((SignedIn { user: account.user, tokens, device_token }, evicted))
    }

    async fn make_room(
        &self,
        tx: &mut dyn IdentityTx,
        live: Vec<Session>,
        user: UserId,
        now: OffsetDateTime,
    ) -> Result<Vec<SessionId>, StoreError> {
        let policy = &self.tokens.policy;
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
}
