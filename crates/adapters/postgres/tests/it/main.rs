//! The SQL stores on PostgreSQL and on SQLite.

mod administration;
mod alert_rules;
mod app_role;
mod assistant;
mod audit_chain;
mod audit_guards;
mod audit_retention;
mod audit_support;
mod audit_tampering;
mod candles;
mod connecting;
mod databases;
mod fault_database;
mod history_gaps;
mod identity;
mod last_known_prices;
mod mail;
mod migrations;
mod migrations_with_rows;
mod missing_account;
mod monitor_alerts;
mod notifications_store;
mod secret_prints;
