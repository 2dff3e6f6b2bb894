//! The contract of gaps in history, on each database.
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::ops::Deref;

use coinlink_migration::{Migrator, MigratorTrait};
use coinlink_postgres::{ConnectSettings, Database, SqlHistoryGaps};
use coinlink_testkit::servers::fresh_database;

/// Gaps, and what has to stay as long as they are used.
struct Held<Place> {
    gaps: SqlHistoryGaps,
    _place: Place,
}

impl<Place> Deref for Held<Place> {
    type Target = SqlHistoryGaps;

    fn deref(&self) -> &Self::Target {
        &self.gaps
    }
}

async fn held<Place>(url: &str, place: Place) -> Held<Place> {
    let database = Database::connect(&ConnectSettings::new(url)).await.unwrap();
    database.with_migration_lock(async |connection| Migrator::up(connection, None).await).await.unwrap();
    Held { gaps: SqlHistoryGaps::new(database), _place: place }
}

mod postgres {
    coinlink_testkit::history_gaps_contract!({
        let place = super::fresh_database().await;
        super::held(&place.url.clone(), place).await
    });
}

mod sqlite {
    coinlink_testkit::history_gaps_contract!({
        let place = tempfile::tempdir().unwrap();
        super::held(&format!("sqlite:{}", place.path().join("coinlink.db").display()), place).await
    });
}
