use std::sync::Arc;

use super::{
    CompleteSignIn, ConfirmSecondFactor, DisableSecondFactor, RenewRecoveryCodes, ResealSecrets, ResetSecondFactor,
    SecondFactorParts, SecondFactorStatus, SetUpSecondFactor, StepUp,
};
use crate::identity::{EndedSessions, IdentityAdapters, Letters, OpenSession, own_password::OwnPassword};

/// Every use case of second factors.
#[derive(Clone)]
pub struct SecondFactorUseCases {
    /// Makes the secret of an app.
    pub set_up: Arc<SetUpSecondFactor>,
    /// Turns it on.
    pub confirm: Arc<ConfirmSecondFactor>,
    /// Signs in with it.
    pub complete_sign_in: Arc<CompleteSignIn>,
    /// Takes it again in a session.
    pub step_up: Arc<StepUp>,
    /// Turns it off.
    pub disable: Arc<DisableSecondFactor>,
    /// Turns it off for somebody who lost it.
    pub reset: Arc<ResetSecondFactor>,
    /// Makes new recovery codes.
    pub renew_codes: Arc<RenewRecoveryCodes>,
    /// Tells whether there is one.
    pub status: Arc<SecondFactorStatus>,
    /// Seals secrets anew.
    pub reseal: Arc<ResealSecrets>,
}

impl SecondFactorUseCases {
    /// All of them on these adapters.
    pub(in crate::identity) fn new(
        adapters: &IdentityAdapters,
        own: &OwnPassword,
        letters: &Letters,
        ended: &EndedSessions,
        sessions: &OpenSession,
    ) -> Self {
        let IdentityAdapters { store, factors, authenticators, secrets, clock, entropy, .. } = adapters.clone();
        let reseal = ResealSecrets { store: store.clone(), factors: factors.clone(), secrets: secrets.clone() };
        let status = SecondFactorStatus { factors: factors.clone() };
        let (ended, guards, policy) = (ended.clone(), adapters.guards, adapters.policy);
        let (own, letters) = (own.clone(), letters.clone());
        let (lost, told, at, ids) = (store.clone(), letters.clone(), clock.clone(), entropy.clone());
        let reset = ResetSecondFactor { store: lost, letters: told, policy, clock: at, entropy: ids };
        let parts =
            SecondFactorParts { store, factors, own, authenticators, secrets, letters, ended, guards, policy, clock, entropy };
        Self {
            set_up: Arc::new(SetUpSecondFactor { parts: parts.clone() }),
            confirm: Arc::new(ConfirmSecondFactor { parts: parts.clone() }),
            complete_sign_in: Arc::new(CompleteSignIn { parts: parts.clone(), sessions: sessions.clone() }),
            step_up: Arc::new(StepUp { parts: parts.clone() }),
            disable: Arc::new(DisableSecondFactor { parts: parts.clone() }),
            reset: Arc::new(reset),
            renew_codes: Arc::new(RenewRecoveryCodes { parts }),
            status: Arc::new(status),
            reseal: Arc::new(reseal),
        }
    }
}
