//! The schema, step by step. A step that was released never changes; what it got wrong, a later one mends.

use sea_orm_migration::prelude::*;

pub use sea_orm_migration::{
    MigratorTrait,
    sea_orm::{DatabaseConnection, DbErr},
};

mod ahead;
mod app_role;
mod candles;
mod exact_types;
mod losses;
mod m20261121_000000_create_exact_types;
mod m20261121_000001_create_last_known_prices;
mod m20261121_000010_create_users;
mod m20261121_000011_create_sessions;
mod m20261121_000012_create_sign_in_guards;
mod m20261121_000013_create_user_preferences;
mod m20261121_000020_create_audit_log;
mod m20261121_000021_create_audit_chain;
mod m20261122_000030_add_claims_and_factors;
mod m20261122_000031_create_outbox_mails;
mod m20261122_000040_create_second_factors;
mod m20261122_000050_create_api_keys;
mod m20261122_000060_add_admin_indexes;
mod m20261122_000070_create_mail_links;
mod m20261122_000080_create_wallets;
mod m20261122_000090_let_links_rest;
mod m20261122_000100_index_key_expiry;
mod m20261123_000100_create_price_candles;
mod m20261123_000200_create_candle_gaps;
mod m20261123_000300_create_alert_rules;
mod m20261123_000400_create_notifications;
mod m20261123_000410_note_webhook_calls;
mod m20261123_000500_create_chat_exchanges;
mod m20261123_000510_create_feedback;
mod m20261123_000520_add_users_secured_at;
mod m20261124_000600_create_monitor_alerts;
mod m20261124_000700_create_secret_prints;
mod m20261124_000800_forget_made_up_candles;
mod m20261124_000810_note_alert_sources;
mod m20261124_000900_note_when_ends_were_told;
mod m20261124_001000_create_audit_retirements;
mod rights;

pub use ahead::is_ahead;
pub use losses::loss;
pub use rights::{TABLES, is_forbidden, missing_rights, role};

/// All steps in order.
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        Steps::migrations()
    }

    /// What is pending, and then the rights of the app's role, pending or not: a role that was made later gets them too.
    async fn up<'c, C>(db: C, steps: Option<u32>) -> Result<(), DbErr>
    where
        C: IntoSchemaManagerConnection<'c>,
    {
        let connection = db.into_database_executor();
        match &connection {
            SchemaManagerConnection::Connection(connection) => Steps::up(*connection, steps).await?,
            SchemaManagerConnection::Transaction(transaction) => Steps::up(*transaction, steps).await?,
            SchemaManagerConnection::OwnedTransaction(transaction) => Steps::up(transaction, steps).await?,
        }
        app_role::grant(&connection).await
    }
}

/// The steps alone.
struct Steps;

impl MigratorTrait for Steps {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m20261121_000000_create_exact_types::Migration),
            Box::new(m20261121_000001_create_last_known_prices::Migration),
            Box::new(m20261121_000010_create_users::Migration),
            Box::new(m20261121_000011_create_sessions::Migration),
            Box::new(m20261121_000012_create_sign_in_guards::Migration),
            Box::new(m20261121_000013_create_user_preferences::Migration),
            Box::new(m20261121_000020_create_audit_log::Migration),
            Box::new(m20261121_000021_create_audit_chain::Migration),
            Box::new(m20261122_000030_add_claims_and_factors::Migration),
            Box::new(m20261122_000031_create_outbox_mails::Migration),
            Box::new(m20261122_000040_create_second_factors::Migration),
            Box::new(m20261122_000050_create_api_keys::Migration),
            Box::new(m20261122_000060_add_admin_indexes::Migration),
            Box::new(m20261122_000070_create_mail_links::Migration),
            Box::new(m20261122_000080_create_wallets::Migration),
            Box::new(m20261122_000090_let_links_rest::Migration),
            Box::new(m20261122_000100_index_key_expiry::Migration),
            Box::new(m20261123_000100_create_price_candles::Migration),
            Box::new(m20261123_000200_create_candle_gaps::Migration),
            Box::new(m20261123_000300_create_alert_rules::Migration),
            Box::new(m20261123_000400_create_notifications::Migration),
            Box::new(m20261123_000410_note_webhook_calls::Migration),
            Box::new(m20261123_000500_create_chat_exchanges::Migration),
            Box::new(m20261123_000510_create_feedback::Migration),
            Box::new(m20261123_000520_add_users_secured_at::Migration),
            Box::new(m20261124_000600_create_monitor_alerts::Migration),
            Box::new(m20261124_000700_create_secret_prints::Migration),
            Box::new(m20261124_000800_forget_made_up_candles::Migration),
            Box::new(m20261124_000810_note_alert_sources::Migration),
            Box::new(m20261124_000900_note_when_ends_were_told::Migration),
            Box::new(m20261124_001000_create_audit_retirements::Migration),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `coinlink migrate status` shows them so, and whoever adds one looks at the last.
    #[test]
    fn the_steps_are_in_the_order_of_their_names() {
        let names: Vec<_> = Migrator::migrations().iter().map(|step| step.name().to_owned()).collect();
        assert!(names.is_sorted(), "{names:#?}");
    }
}
