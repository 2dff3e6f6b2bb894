//! The schema, step by step. A step that was released never changes; what it got wrong, a later one mends.

use sea_orm_migration::prelude::*;

pub use sea_orm_migration::{
    MigratorTrait,
    sea_orm::{DatabaseConnection, DbErr},
};

mod exact_types;
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

/// All steps in order.
pub struct Migrator;

impl MigratorTrait for Migrator {
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
            Box::new(m20261122_000050_create_api_keys::Migration),
            Box::new(m20261122_000060_add_admin_indexes::Migration),
            Box::new(m20261122_000040_create_second_factors::Migration),
            Box::new(m20261122_000070_create_mail_links::Migration),
            Box::new(m20261122_000080_create_wallets::Migration),
        ]
    }
}
