use std::sync::Arc;

use coinlink_domain::identity::{GuardKey, GuardPolicies, Password, SessionId};
use coinlink_ports::{
    identity::{Account, HashError, HashPlace, IdentityStore, PasswordHasher},
    shared::{Clock, StoreError},
};

use super::{IdentityAdapters, OwedGuesses, owed_guesses::Reserved};

/// Asks somebody who is signed in for the password once more.
#[derive(Clone)]
pub(super) struct OwnPassword {
    /// Where guesses are counted.
    pub(super) store: Arc<dyn IdentityStore>,
    /// Checks passwords.
    pub(super) hasher: Arc<dyn PasswordHasher>,
    /// How guessing is slowed down.
    pub(super) guards: GuardPolicies,
    /// Guesses that could not be given back yet.
    pub(super) owed: OwedGuesses,
    /// What time it is.
    pub(super) clock: Arc<dyn Clock>,
}

impl OwnPassword {
    /// With these adapters.
    pub(super) fn new(adapters: &IdentityAdapters, owed: OwedGuesses) -> Self {
        let IdentityAdapters { store, hasher, clock, guards, .. } = adapters.clone();
        Self { store, hasher, guards, owed, clock }
    }

    /// [`PasswordHasher::place`].
    pub(super) fn place(&self) -> Result<HashPlace, HashError> {
        self.hasher.place()
    }

    /// Whether `password` is that of `account`. Guesses are counted by session: whoever found one open gets few, and an attack
    /// from outside does not stand in the way.
    pub(super) async fn is_right<E: From<HashError> + From<StoreError>>(
        &self,
        account: &Account,
        session: SessionId,
        password: &Password,
    ) -> Result<bool, E> {
        let keys = vec![GuardKey::Device(account.user.email.clone(), session.0)];
        let guess = Reserved { keys, at: self.clock.now() };
        let admitted = guess.reserve(&*self.store, &self.guards).await?;
        // During a delay it is not compared: neither the answer nor its time tells.
        let checked = self.hasher.check(password, admitted.then_some(&account.password)).await;
        let is_wrong = checked.as_ref().is_ok_and(|check| !check.matches);
        if admitted && !is_wrong {
            self.owed.give_back(guess, &*self.store, &self.guards).await;
        }
        Ok(checked?.matches && admitted)
    }
}
