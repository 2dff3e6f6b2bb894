//! Keys that programs use in place of a sign-in.

mod bad_keys;
mod known_keys;
mod manage;
mod uses;
mod verify;

use std::sync::Arc;

use super::{IdentityAdapters, Letters, VerifiedEmail, own_password::OwnPassword};

pub use known_keys::KnownKeys;
pub use manage::{ApiKeyPage, CreateApiKey, CreateApiKeyError, ListApiKeys, NewApiKey, RevokeApiKey};
pub use uses::{KeyUses, NoteKeyUses};
pub use verify::{KeyRefusal, VerifiedKey, VerifyApiKey};

/// Every use case of keys.
#[derive(Clone)]
pub struct ApiKeyUseCases {
    /// Makes keys.
    pub create: Arc<CreateApiKey>,
    /// Shows keys.
    pub list: Arc<ListApiKeys>,
    /// Revokes keys.
    pub revoke: Arc<RevokeApiKey>,
    /// Finds out who presents a key.
    pub verify: Arc<VerifyApiKey>,
    /// Writes down when keys were used.
    pub note_uses: Arc<NoteKeyUses>,
    /// What this node read about keys a moment ago.
    pub known: Arc<KnownKeys>,
}

impl ApiKeyUseCases {
    pub(super) fn new(adapters: &IdentityAdapters, own: &OwnPassword, letters: &Letters) -> Self {
        let IdentityAdapters { store, keys, key_texts: codec, policy, clock, entropy, .. } = adapters.clone();
        let (known, uses) = (Arc::<KnownKeys>::default(), Arc::<KeyUses>::default());
        let verify = VerifyApiKey::new(keys.clone(), codec.clone(), known.clone(), uses.clone(), clock.clone());
        let verified_email = Arc::new(VerifiedEmail { store: store.clone(), required: adapters.require_verified_email });
        Self {
            create: Arc::new(CreateApiKey {
                store: store.clone(),
                codec,
                letters: letters.clone(),
                own: own.clone(),
                verified_email,
                policy,
                clock: clock.clone(),
                entropy: entropy.clone(),
            }),
            list: Arc::new(ListApiKeys { keys: keys.clone() }),
            revoke: Arc::new(RevokeApiKey { store, known: known.clone(), clock, entropy }),
            verify: Arc::new(verify),
            note_uses: Arc::new(NoteKeyUses { keys, uses }),
            known,
        }
    }
}
