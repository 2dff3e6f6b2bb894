use sea_orm_migration::prelude::*;

/// Keys that expired long ago are found without looking at all of them.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[derive(DeriveIden)]
enum ApiKeys {
    Table,
    ExpiresAt,
}

const BY_EXPIRY: &str = "api_keys_expires_at";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let by_expiry = Index::create().name(BY_EXPIRY).table(ApiKeys::Table).col(ApiKeys::ExpiresAt).to_owned();
        manager.create_index(by_expiry).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_index(Index::drop().name(BY_EXPIRY).table(ApiKeys::Table).to_owned()).await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
