use sea_orm_migration::prelude::*;

use crate::exact_types::timestamp;

/// Authenticator apps, their recovery codes, and the tickets between the first factor and the second.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[derive(DeriveIden)]
enum Users {
    Table,
    Id,
}

#[derive(DeriveIden)]
enum SecondFactors {
    Table,
    UserId,
    KeyId,
    Secret,
    SetUpAt,
    ConfirmedAt,
    LastStep,
}

#[derive(DeriveIden)]
enum RecoveryCodes {
    Table,
    UserId,
    Digest,
}

#[derive(DeriveIden)]
enum SignInTickets {
    Table,
    Id,
    Digest,
    UserId,
    State,
    FirstFactor,
    Device,
    Tries,
    CreatedAt,
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut owner = ForeignKey::create()
            .name("second_factors_user_id_fkey")
            .from(SecondFactors::Table, SecondFactors::UserId)
            .to(Users::Table, Users::Id)
            .on_delete(ForeignKeyAction::Cascade)
            .to_owned();
        let factors = Table::create()
            .table(SecondFactors::Table)
            .col(ColumnDef::new(SecondFactors::UserId).uuid().not_null().primary_key())
            .col(ColumnDef::new(SecondFactors::KeyId).text().not_null())
            .col(ColumnDef::new(SecondFactors::Secret).blob().not_null())
            .col(timestamp(SecondFactors::SetUpAt).not_null())
            .col(timestamp(SecondFactors::ConfirmedAt))
            .col(ColumnDef::new(SecondFactors::LastStep).big_integer())
            .foreign_key(&mut owner)
            .to_owned();
        manager.create_table(factors).await?;

        // Codes go with the factor they stand in for.
        let mut factor = ForeignKey::create()
            .name("recovery_codes_user_id_fkey")
            .from(RecoveryCodes::Table, RecoveryCodes::UserId)
            .to(SecondFactors::Table, SecondFactors::UserId)
            .on_delete(ForeignKeyAction::Cascade)
            .to_owned();
        let codes = Table::create()
            .table(RecoveryCodes::Table)
            .col(ColumnDef::new(RecoveryCodes::UserId).uuid().not_null())
            .col(ColumnDef::new(RecoveryCodes::Digest).blob().not_null())
            .primary_key(Index::create().col(RecoveryCodes::UserId).col(RecoveryCodes::Digest))
            .foreign_key(&mut factor)
            .to_owned();
        manager.create_table(codes).await?;

        let mut owner = ForeignKey::create()
            .name("sign_in_tickets_user_id_fkey")
            .from(SignInTickets::Table, SignInTickets::UserId)
            .to(Users::Table, Users::Id)
            .on_delete(ForeignKeyAction::Cascade)
            .to_owned();
        let tickets = Table::create()
            .table(SignInTickets::Table)
            .col(ColumnDef::new(SignInTickets::Id).uuid().not_null().primary_key())
            .col(ColumnDef::new(SignInTickets::Digest).blob().not_null())
            .col(ColumnDef::new(SignInTickets::UserId).uuid().not_null())
            .col(ColumnDef::new(SignInTickets::State).blob().not_null())
            .col(ColumnDef::new(SignInTickets::FirstFactor).text().not_null())
            .col(ColumnDef::new(SignInTickets::Device).uuid())
            .col(ColumnDef::new(SignInTickets::Tries).big_integer().not_null())
            .col(timestamp(SignInTickets::CreatedAt).not_null())
            .foreign_key(&mut owner)
            .to_owned();
        manager.create_table(tickets).await?;
        let index =
            |name: &str, column: SignInTickets| Index::create().name(name).table(SignInTickets::Table).col(column).to_owned();
        manager.create_index(index("sign_in_tickets_user_id", SignInTickets::UserId)).await?;
        // Old ones are pruned in this order.
        manager.create_index(index("sign_in_tickets_created_at", SignInTickets::CreatedAt)).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table(SignInTickets::Table).to_owned()).await?;
        manager.drop_table(Table::drop().table(RecoveryCodes::Table).to_owned()).await?;
        manager.drop_table(Table::drop().table(SecondFactors::Table).to_owned()).await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
