use async_trait::async_trait;

use crate::shared::BusError;

/// Something that is kept only so that it need not be asked for again, and that may be forgotten at any moment: never a limit, a
/// revocation or a lease.
#[async_trait]
pub trait ClearableCache: Send + Sync {
    /// What it is called: `ticker`.
    fn name(&self) -> &'static str;

    /// Whether the nodes share it; else clearing it clears this node's.
    fn is_shared(&self) -> bool;

    /// Forgets everything in it. Answers how many entries went.
    async fn clear(&self) -> Result<u64, BusError>;
}
