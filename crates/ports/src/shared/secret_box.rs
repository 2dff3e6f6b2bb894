use coinlink_domain::shared::sealed::Sealed;

/// A secret could not be encrypted, or what is stored of it cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum SecretBoxError {
    /// None of the keys there are is the one it was encrypted with.
    #[error("no key {0} to read a stored secret with")]
    UnknownKey(String),
    /// It was changed, or belongs to something else.
    #[error("a stored secret is not what was put there")]
    Forged,
    /// It could not be encrypted.
    #[error("a secret could not be encrypted")]
    Failed,
}

/// Encrypts secrets that have to be read again.
pub trait SecretBox: Send + Sync {
    /// Encrypts `plain` under the newest key. Only the same `context` opens it again: what it is and whose, such as
    /// `totp <user id>`.
    fn seal(&self, context: &str, plain: &[u8]) -> Result<Sealed, SecretBoxError>;

    /// What was sealed in this context. Never panics, whatever is stored.
    fn open(&self, context: &str, sealed: &Sealed) -> Result<Vec<u8>, SecretBoxError>;

    /// The id of the newest key: whatever was sealed with another one is to be sealed anew.
    fn newest_key(&self) -> &str;
}
