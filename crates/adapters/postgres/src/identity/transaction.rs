use async_trait::async_trait;
use coinlink_ports::{identity::IdentityTx, shared::StoreError};

pub(super) use crate::shared::transaction::SqlTx;

#[async_trait]
impl IdentityTx for SqlTx {
    async fn commit(mut self: Box<Self>) -> Result<(), StoreError> {
        self.end().await
    }
}
