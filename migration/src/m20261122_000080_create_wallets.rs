use sea_orm_migration::prelude::*;

use crate::exact_types::timestamp;

/// Addresses that open an account, and what their wallets are asked to sign.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[derive(DeriveIden)]
enum Users {
    Table,
    Id,
}

#[derive(DeriveIden)]
enum Wallets {
    Table,
    Id,
    UserId,
    Network,
    Address,
    Kind,
    CreatedAt,
    LastUsedAt,
}

#[derive(DeriveIden)]
enum WalletChallenges {
    Table,
    Id,
    Digest,
    Network,
    Address,
    Kind,
    Domain,
    Uri,
    Nonce,
    IssuedAt,
    ExpiresAt,
    UserId,
    SessionId,
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(wallets()).await?;
        // An address opens one account.
        let address = Index::create()
            .name("wallets_network_address")
            .table(Wallets::Table)
            .col(Wallets::Network)
            .col(Wallets::Address)
            .unique()
            .to_owned();
        manager.create_index(address).await?;
        let by_user = Index::create().name("wallets_user_id").table(Wallets::Table).col(Wallets::UserId).to_owned();
        manager.create_index(by_user).await?;
        manager.create_table(challenges()).await?;
        let index = |name: &str, column: WalletChallenges| {
            Index::create().name(name).table(WalletChallenges::Table).col(column).to_owned()
        };
        manager.create_index(index("wallet_challenges_user_id", WalletChallenges::UserId)).await?;
        // Old ones are pruned in this order.
        manager.create_index(index("wallet_challenges_expires_at", WalletChallenges::ExpiresAt)).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table(WalletChallenges::Table).to_owned()).await?;
        manager.drop_table(Table::drop().table(Wallets::Table).to_owned()).await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}

fn wallets() -> TableCreateStatement {
    let mut owner = ForeignKey::create()
        .name("wallets_user_id_fkey")
        .from(Wallets::Table, Wallets::UserId)
        .to(Users::Table, Users::Id)
        .on_delete(ForeignKeyAction::Cascade)
        .to_owned();
    Table::create()
        .table(Wallets::Table)
        .col(ColumnDef::new(Wallets::Id).uuid().not_null().primary_key())
        .col(ColumnDef::new(Wallets::UserId).uuid().not_null())
        .col(ColumnDef::new(Wallets::Network).text().not_null())
        .col(ColumnDef::new(Wallets::Address).text().not_null())
        .col(ColumnDef::new(Wallets::Kind).text().not_null())
        .col(timestamp(Wallets::CreatedAt).not_null())
        .col(timestamp(Wallets::LastUsedAt))
        .foreign_key(&mut owner)
        .to_owned()
}

fn challenges() -> TableCreateStatement {
    let mut owner = ForeignKey::create()
        .name("wallet_challenges_user_id_fkey")
        .from(WalletChallenges::Table, WalletChallenges::UserId)
        .to(Users::Table, Users::Id)
        .on_delete(ForeignKeyAction::Cascade)
        .to_owned();
    Table::create()
        .table(WalletChallenges::Table)
        .col(ColumnDef::new(WalletChallenges::Id).uuid().not_null().primary_key())
        .col(ColumnDef::new(WalletChallenges::Digest).blob().not_null())
        .col(ColumnDef::new(WalletChallenges::Network).text().not_null())
        .col(ColumnDef::new(WalletChallenges::Address).text().not_null())
        .col(ColumnDef::new(WalletChallenges::Kind).text().not_null())
        .col(ColumnDef::new(WalletChallenges::Domain).text().not_null())
        .col(ColumnDef::new(WalletChallenges::Uri).text().not_null())
        .col(ColumnDef::new(WalletChallenges::Nonce).blob().not_null())
        .col(timestamp(WalletChallenges::IssuedAt).not_null())
        .col(timestamp(WalletChallenges::ExpiresAt).not_null())
        // Both, or neither: who links a wallet, and in which session.
        .col(ColumnDef::new(WalletChallenges::UserId).uuid())
        .col(ColumnDef::new(WalletChallenges::SessionId).uuid())
        .foreign_key(&mut owner)
        .to_owned()
}
