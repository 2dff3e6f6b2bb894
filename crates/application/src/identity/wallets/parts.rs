use std::sync::Arc;

use coinlink_domain::identity::{
    ChallengeRefusal, OneTimeSecret, SessionId, SessionPolicy, UserId, WalletAddress, WalletChallenge, WalletPurpose, WalletSite,
};
use coinlink_ports::{
    identity::{Account, IdentityStore, IdentityTx, SignatureFit, WalletSignatures},
    shared::{Clock, Entropy, StoreError},
};
use time::OffsetDateTime;

use crate::identity::{
    IdentityAdapters, Letters,
    second_factor::{FactorError, require_fresh},
};

/// What all use cases of wallets work with.
#[derive(Clone)]
pub(in crate::identity) struct WalletParts {
    /// Accounts, challenges and wallets.
    pub(super) store: Arc<dyn IdentityStore>,
    /// Reads addresses and verifies signatures.
    pub(super) signatures: Arc<dyn WalletSignatures>,
    /// Tells owners.
    pub(super) letters: Letters,
    /// Where wallets sign in.
    pub(super) site: WalletSite,
    /// How long sessions live.
    pub(super) policy: SessionPolicy,
    /// What time it is.
    pub(super) clock: Arc<dyn Clock>,
    /// Ids, secrets and nonces.
    pub(super) entropy: Arc<dyn Entropy>,
}

/// Why a signature leads nowhere, for the audit log alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unproven {
    /// There is no such challenge, or not any more.
    UnknownChallenge,
    /// The challenge is good for nothing here and now.
    Refused(ChallengeRefusal),
    /// The signature is another's, or on another message.
    WrongSignature,
}

impl Unproven {
    pub(super) const fn reason(self) -> &'static str {
        match self {
            Self::UnknownChallenge => "unknown_challenge",
            Self::Refused(ChallengeRefusal::Expired) => "challenge_expired",
            Self::Refused(ChallengeRefusal::Purpose) => "wrong_purpose",
            Self::Refused(ChallengeRefusal::Domain) => "wrong_domain",
            Self::Refused(ChallengeRefusal::Network) => "wrong_network",
            Self::WrongSignature => "wrong_signature",
        }
    }
}

/// Whose signature was shown.
pub(super) struct Proven {
    pub(super) address: WalletAddress,
    pub(super) fit: SignatureFit,
}

impl WalletParts {
    pub(in crate::identity) fn new(adapters: &IdentityAdapters, letters: &Letters) -> Self {
        Self {
            store: adapters.store.clone(),
            signatures: adapters.wallet_signatures.clone(),
            letters: letters.clone(),
            site: WalletSite::of(&adapters.public_url, adapters.wallet_network),
            policy: adapters.policy,
            clock: adapters.clock.clone(),
            entropy: adapters.entropy.clone(),
        }
    }

    /// Takes the challenge of a secret, in a transaction that is committed before anything is verified: however many present
    /// one, whatever they present with it, one of them is looked at.
    pub(super) async fn take(
        &self,
        mut tx: Box<dyn IdentityTx>,
        secret: Option<OneTimeSecret>,
    ) -> Result<Option<WalletChallenge>, StoreError> {
        let Some(secret) = secret else { return Ok(None) };
        let taken = tx.wallets().take_challenge(secret.id, secret.digest(WalletChallenge::SECRET)).await?;
        tx.commit().await?;
        Ok(taken)
    }

    /// Whose signature on the challenge's own message `signature` is.
    pub(super) fn prove(
        &self,
        taken: Option<WalletChallenge>,
        purpose: WalletPurpose,
        signature: &str,
    ) -> Result<Proven, Unproven> {
        let challenge = taken.ok_or(Unproven::UnknownChallenge)?;
        challenge.admit(&self.site, purpose, self.clock.now()).map_err(Unproven::Refused)?;
        let fit = self.signatures.verify(&challenge.address, &challenge.message(), signature);
        let fit = fit.map_err(|_| Unproven::WrongSignature)?;
        Ok(Proven { address: challenge.address, fit })
    }

    /// Holds an account that may be used, in a session of it that goes on and in which the second factor was shown lately, where
    /// the account has one. `None` where there is no such account or session.
    pub(super) async fn lock_fresh(
        &self,
        tx: &mut dyn IdentityTx,
        (user, session): (UserId, SessionId),
        now: OffsetDateTime,
    ) -> Result<Option<Account>, FactorError> {
        let Some(account) = tx.users().lock(user).await?.filter(|account| account.user.is_active) else { return Ok(None) };
        let own = tx.sessions().lock(session).await?;
        if !own.is_some_and(|own| own.user == user && own.is_live(now, &self.policy)) {
            return Ok(None);
        }
        require_fresh(tx, user, session, now, &self.policy).await?;
        Ok(Some(account))
    }
}

/// An address as it may be shown to whoever reads the log: enough to recognise one's own.
pub(super) fn masked(address: &WalletAddress) -> String {
    let text = address.as_str();
    let ends = text.get(..6).zip(text.len().checked_sub(4).and_then(|at| text.get(at..)));
    ends.map_or_else(|| "…".to_owned(), |(first, last)| format!("{first}…{last}"))
}
