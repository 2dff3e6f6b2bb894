use std::sync::Arc;

use coinlink_domain::{
    identity::{
        ClientInfo, GuardKey, GuardPolicies, Password, RecoveryCode, SecondFactor, Session, SessionId, SessionPolicy, TotpCode,
        User, UserId,
    },
    shared::audit::AuditStatus,
};
use coinlink_ports::{
    identity::{Account, Authenticators, IdentityStore, IdentityTx, SecondFactorStore},
    shared::{Clock, Entropy, SecretBox, StoreError},
};
use time::OffsetDateTime;

use super::SecondFactorError;
use crate::identity::{EndedSessions, Letters, audit, owed_guesses::Reserved, own_password::OwnPassword};

/// What somebody shows of a second factor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FactorProof {
    /// A code of the authenticator app.
    Code(TotpCode),
    /// A recovery code.
    Recovery(RecoveryCode),
}

impl FactorProof {
    const fn name(self) -> &'static str {
        match self {
            Self::Code(_) => "code",
            Self::Recovery(_) => "recovery_code",
        }
    }
}

/// What all use cases of second factors work with.
#[derive(Clone)]
pub struct SecondFactorParts {
    /// Accounts and sessions.
    pub store: Arc<dyn IdentityStore>,
    /// Second factors.
    pub factors: Arc<dyn SecondFactorStore>,
    /// Checks passwords.
    pub(in crate::identity) own: OwnPassword,
    /// Computes codes.
    pub authenticators: Arc<dyn Authenticators>,
    /// Encrypts the secrets behind them.
    pub secrets: Arc<dyn SecretBox>,
    /// Tells owners.
    pub letters: Letters,
    /// Told which sessions are over.
    pub ended: EndedSessions,
    /// How guessing is slowed down.
    pub guards: GuardPolicies,
    /// How long sessions live.
    pub policy: SessionPolicy,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Ids and secrets.
    pub entropy: Arc<dyn Entropy>,
}

/// A guess at an account's second factor.
pub(super) struct Guess {
    counted: Reserved,
    /// Whether it may be checked: not during a delay.
    pub(super) admitted: bool,
    /// Whether it is the one after which there is a delay for the first time.
    pub(super) is_last: bool,
}

impl SecondFactorParts {
    /// An account that may be used.
    pub(super) async fn account(&self, user: UserId) -> Result<Account, SecondFactorError> {
        let account = self.store.account_of(user).await?;
        account.filter(|account| account.user.is_active).ok_or(SecondFactorError::NoAccount)
    }

    /// Whether `password` is that of `account` ([`OwnPassword::is_right`]).
    pub(super) async fn check_password(
        &self,
        account: &Account,
        session: SessionId,
        password: &Password,
    ) -> Result<(), SecondFactorError> {
        let is_right = self.own.is_right::<SecondFactorError>(account, session, password).await?;
        if is_right { Ok(()) } else { Err(SecondFactorError::WrongPassword) }
    }

    /// Holds an account that may be used, and a session of it that goes on.
    pub(super) async fn lock(
        &self,
        tx: &mut dyn IdentityTx,
        (user, session): (UserId, SessionId),
        now: OffsetDateTime,
    ) -> Result<(Account, Session), SecondFactorError> {
        let locked = tx.users().lock(user).await?.filter(|account| account.user.is_active);
        let locked = locked.ok_or(SecondFactorError::NoAccount)?;
        let own = tx.sessions().lock(session).await?.filter(|own| own.user == user && own.is_live(now, &self.policy));
        Ok((locked, own.ok_or(SecondFactorError::NoAccount)?))
    }

    /// [`SecondFactorParts::lock`] of an account whose password was checked before, and is still the same.
    pub(super) async fn lock_checked(
        &self,
        tx: &mut dyn IdentityTx,
        (checked, session): (&Account, SessionId),
        now: OffsetDateTime,
    ) -> Result<Session, SecondFactorError> {
        let (locked, own) = self.lock(tx, (checked.user.id, session), now).await?;
        if locked.password == checked.password { Ok(own) } else { Err(SecondFactorError::WrongPassword) }
    }

    /// Counts a guess with `proof` in `session`: in a transaction of its own, so that guesses made at once do not all find the
    /// same allowance, and none is forgotten because what it was made for came to nothing.
    pub(super) async fn count(&self, session: SessionId, proof: FactorProof, now: OffsetDateTime) -> Result<Guess, StoreError> {
        let mut tx = self.store.begin().await?;
        let guess = self.count_in(&mut *tx, GuardKey::SessionFactor(session), proof, now).await?;
        tx.commit().await?;
        Ok(guess)
    }

    /// Counts a guess in a transaction that will be committed whatever the guess is worth. Nobody guesses a recovery code: those
    /// are not counted, so that guesses at the other kind do not keep their owner out.
    pub(super) async fn count_in(
        &self,
        tx: &mut dyn IdentityTx,
        key: GuardKey,
        proof: FactorProof,
        now: OffsetDateTime,
    ) -> Result<Guess, StoreError> {
        let keys = if matches!(proof, FactorProof::Code(_)) { vec![key] } else { Vec::new() };
        let counted = Reserved { keys, at: now };
        let [key] = &counted.keys[..] else { return Ok(Guess { counted, admitted: true, is_last: false }) };
        let admitted = tx.guards().reserve(&counted.keys, now, &self.guards).await?.is_ok();
        let free = self.guards.of(key).free;
        let is_last = admitted && tx.guards().attempts(key).await?.failures == free.saturating_add(1);
        Ok(Guess { counted, admitted, is_last })
    }

    /// What came of a guess. It stays counted where a code was compared and was wrong; where it was right, or was never
    /// compared, it is given back: in the transaction that it was right in ([`SecondFactorParts::prove`]), or else here.
    pub(super) async fn judged<T>(&self, guess: &Guess, done: Result<T, SecondFactorError>) -> Result<T, SecondFactorError> {
        let is_kept = matches!(done, Ok(_) | Err(SecondFactorError::InvalidCode));
        if guess.admitted && !guess.counted.keys.is_empty() && !is_kept {
            self.own.owed.give_back(guess.counted.clone(), &*self.store, &self.guards).await;
        }
        done
    }

    /// Takes a guess back that was right.
    pub(super) async fn give_back(&self, tx: &mut dyn IdentityTx, guess: &Guess) -> Result<(), StoreError> {
        if guess.counted.keys.is_empty() {
            return Ok(());
        }
        tx.guards().give_back(&guess.counted.keys, guess.counted.at, &self.guards).await
    }

    /// Whether `proof` is one of `factor`, and was not used before; it is used from now on, if `tx` is committed, and the guess
    /// taken back. Whoever looks after the account is told of a recovery code.
    pub(super) async fn prove(
        &self,
        tx: &mut dyn IdentityTx,
        (user, factor): (&User, &SecondFactor),
        (guess, proof): (&Guess, FactorProof),
        client: &ClientInfo,
        now: OffsetDateTime,
    ) -> Result<(), SecondFactorError> {
        if !guess.admitted {
            return Err(SecondFactorError::InvalidCode);
        }
        match proof {
            FactorProof::Code(code) => {
                let step = self.step_of(factor, code, now)?.ok_or(SecondFactorError::InvalidCode)?;
                if !tx.second_factors().claim_step(user.id, step).await? {
                    return Err(SecondFactorError::UsedCode);
                }
            }
            FactorProof::Recovery(code) => {
                if !tx.second_factors().spend_code(user.id, &code.digest()).await? {
                    return Err(SecondFactorError::InvalidCode);
                }
            }
        }
        if matches!(proof, FactorProof::Recovery(_)) {
            let left = tx.second_factors().codes_left(user.id).await?.to_string();
            let notice = ("recovery_code_used", &[("left", left.as_str())][..]);
            self.letters.notice_of(tx, user, notice, client, now).await?;
        }
        self.give_back(tx, guess).await?;
        let entry = audit::on_user(&*self.entropy, now, audit::SECOND_FACTOR_VERIFY, client)
            .by(user.id.0)
            .on(user.id.to_string())
            .detail("with", proof.name());
        Ok(tx.audit().record(&entry).await?)
    }

    /// The step of a code that is good now.
    pub(super) fn step_of(
        &self,
        factor: &SecondFactor,
        code: TotpCode,
        now: OffsetDateTime,
    ) -> Result<Option<u64>, SecondFactorError> {
        let secret = self.secrets.open(&SecondFactor::context(factor.user), &factor.secret)?;
        Ok(self.authenticators.matching_step(&secret, code, now))
    }

    /// Writes down what failed, where it is not our own failure.
    pub(super) async fn failed<T>(
        &self,
        done: Result<T, SecondFactorError>,
        action: &'static str,
        user: Option<UserId>,
        client: &ClientInfo,
    ) -> Result<T, SecondFactorError> {
        let Some(reason) = done.as_ref().err().and_then(SecondFactorError::reason) else { return done };
        let entry = audit::on_user(&*self.entropy, self.clock.now(), action, client).detail("reason", reason);
        let entry = entry.ended(AuditStatus::Failure);
        // Who holds a ticket showed the first factor only: whose account it is for is the resource.
        let entry = if let Some(user) = user { entry.on(user.to_string()) } else { entry };
        audit::record_alone(&*self.store, &entry).await?;
        done
    }
}
