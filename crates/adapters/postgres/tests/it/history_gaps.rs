//! The contract of gaps in history, on each database.

use coinlink_postgres::SqlHistoryGaps;

use crate::databases::on_each_database;

on_each_database!(history_gaps_contract, place => place.with(SqlHistoryGaps::new).await);
