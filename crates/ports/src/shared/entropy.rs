use uuid::Uuid;

/// Ids and secrets that nobody can guess.
pub trait Entropy: Send + Sync {
    /// A new id, version 7.
    fn id(&self) -> Uuid;

    /// 256 random bits, from the operating system.
    fn key(&self) -> [u8; 32];
}
