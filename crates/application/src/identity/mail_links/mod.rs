//! Links in mail: to verify an address, to reset a password, to change an address and to take that back.

mod ask_for_mail;
mod change_email;
mod letters;
mod look_at_link;
mod opened;
mod reclaim;
mod reset_password;
mod undo_email_change;
mod verify_email;

pub use ask_for_mail::AskForMail;
pub use change_email::{ChangeEmail, ChangeEmailError};
pub use letters::Letters;
pub use look_at_link::{LinkView, LookAtLink};
pub use opened::{LinkError, OpenLink, Opening};
pub use reset_password::{ResetPassword, ResetPasswordError};
pub use undo_email_change::{UndoEmailChange, UndoEmailChangeError};
pub use verify_email::{VerifyEmail, VerifyEmailError};

pub(super) use letters::Asked;

use std::sync::Arc;

use super::{EndedSessions, IdentityAdapters, own_password::OwnPassword};

/// What links in mail do.
#[derive(Clone)]
pub struct LinkUseCases {
    /// Sends them.
    pub ask: Arc<AskForMail>,
    /// Looks at them.
    pub look: Arc<LookAtLink>,
    /// Verifies addresses.
    pub verify_email: Arc<VerifyEmail>,
    /// Resets passwords.
    pub reset_password: Arc<ResetPassword>,
    /// Changes addresses.
    pub change_email: Arc<ChangeEmail>,
    /// Takes such a change back.
    pub undo_email_change: Arc<UndoEmailChange>,
}

impl LinkUseCases {
    /// All of them on these adapters.
    pub(super) fn new(adapters: &IdentityAdapters, own: &OwnPassword, letters: &Letters, ended: &EndedSessions) -> Self {
        let IdentityAdapters { store, mail_links, hasher, devices, clock, pause, entropy, secrets, .. } = adapters.clone();
        let policy = adapters.policy;
        let links = OpenLink { store: store.clone() };
        Self {
            ask: Arc::new(AskForMail {
                store: store.clone(),
                letters: letters.clone(),
                clock: clock.clone(),
                pause,
                entropy: entropy.clone(),
            }),
            look: Arc::new(LookAtLink { store: store.clone(), links: mail_links.clone(), clock: clock.clone() }),
            verify_email: Arc::new(VerifyEmail {
                store: store.clone(),
                links: links.clone(),
                sent: mail_links,
                secrets,
                hasher: hasher.clone(),
                ended: ended.clone(),
                policy,
                clock: clock.clone(),
                entropy: entropy.clone(),
            }),
            reset_password: Arc::new(ResetPassword {
                store: store.clone(),
                links: links.clone(),
                hasher: hasher.clone(),
                devices,
                letters: letters.clone(),
                ended: ended.clone(),
                policy,
                clock: clock.clone(),
                entropy: entropy.clone(),
            }),
            change_email: Arc::new(ChangeEmail {
                store: store.clone(),
                links: links.clone(),
                own: own.clone(),
                letters: letters.clone(),
                ended: ended.clone(),
                policy,
                clock: clock.clone(),
                entropy: entropy.clone(),
            }),
            undo_email_change: Arc::new(UndoEmailChange {
                store,
                links,
                hasher,
                letters: letters.clone(),
                ended: ended.clone(),
                policy,
                clock,
                entropy,
            }),
        }
    }
}
