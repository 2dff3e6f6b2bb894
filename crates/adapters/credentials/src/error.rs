/// Passwords or tokens cannot be handled with these settings.
#[derive(Debug, thiserror::Error)]
pub enum CredentialsError {
    /// Guessing it would be too easy.
    #[error("the secret that signs tokens must have at least 32 bytes")]
    ShortSecret,
    /// Without it, a copy of the database is enough to try passwords.
    #[error("the pepper of passwords must have at least 32 bytes")]
    ShortPepper,
    /// Too quick to guess, or too slow to answer.
    #[error("the cost of password hashes must be 10 to 15, not {0}")]
    Cost(u32),
    /// No password could wait.
    #[error("the queue of passwords and its deadline must not be empty")]
    NoQueue,
    /// A token of anybody would do.
    #[error("access tokens need an issuer and an audience")]
    Nameless,
    /// Leeway must not make tokens live for ever.
    #[error("the leeway must be 0 to 300 seconds")]
    Leeway,
    /// The system gave no thread.
    #[error("the threads that hash passwords could not be started: {0}")]
    Threads(#[from] std::io::Error),
}
