use sea_orm_migration::{prelude::*, sea_orm::Statement};

use crate::exact_types::timestamp;

/// Addresses that accounts claim without owning them, and when a session showed its second factor.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[derive(DeriveIden)]
enum Users {
    Table,
    ClaimedEmail,
}

#[derive(DeriveIden)]
enum Sessions {
    Table,
    SecondFactorAt,
}

/// Accounts that could not have the address they claim: another has it, or a newer one claims it too.
const LEFT_OUT: &str = "
SELECT count(*) AS accounts FROM users AS claimants WHERE claimed_email IS NOT NULL AND (
    EXISTS (SELECT 1 FROM users AS owners WHERE owners.email = claimants.claimed_email)
    OR EXISTS (SELECT 1 FROM users AS newer WHERE newer.claimed_email = claimants.claimed_email AND newer.id > claimants.id)
)";
const OWN: &str = "UPDATE users SET email = claimed_email WHERE claimed_email IS NOT NULL";

/// Without this step an account has an address of its own or none: whoever claims one gets it, or nothing is changed.
async fn give_claimed_addresses(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let connection = manager.get_connection();
    let counted = Statement::from_string(manager.get_database_backend(), LEFT_OUT);
    let counted = connection.query_one_raw(counted).await?.map(|row| row.try_get::<i64>("", "accounts")).transpose()?;
    if let Some(left @ 1..) = counted {
        return Err(DbErr::Custom(format!(
            "{left} of the accounts that claim an address would be left without one, for another account has it: remove them \
             from users (claimed_email is not null there), or give each an address of its own in email"
        )));
    }
    connection.execute_unprepared(OWN).await.map(drop)
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let claimed = ColumnDef::new(Users::ClaimedEmail).string_len(254).to_owned();
        manager.alter_table(Table::alter().table(Users::Table).add_column(claimed).to_owned()).await?;
        let by_claim = Index::create().name("users_claimed_email").table(Users::Table).col(Users::ClaimedEmail).to_owned();
        manager.create_index(by_claim).await?;
        let shown = timestamp(Sessions::SecondFactorAt);
        manager.alter_table(Table::alter().table(Sessions::Table).add_column(shown).to_owned()).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        give_claimed_addresses(manager).await?;
        manager.alter_table(Table::alter().table(Sessions::Table).drop_column(Sessions::SecondFactorAt).to_owned()).await?;
        manager.drop_index(Index::drop().name("users_claimed_email").table(Users::Table).to_owned()).await?;
        manager.alter_table(Table::alter().table(Users::Table).drop_column(Users::ClaimedEmail).to_owned()).await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
