//! The store of identity on each database.
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::sync::Arc;

use coinlink_postgres::SqlIdentityStore;
use coinlink_testkit::{
    identity::{Audited, IdentityUnderTest},
    shared::PlainSecretBox,
};
use sea_orm::{ConnectionTrait, DatabaseConnection, Statement};

use crate::databases;

/// A store, and a connection beside its own.
pub(crate) struct Place {
    pub(crate) it: IdentityUnderTest,
    pub(crate) sql: DatabaseConnection,
}

/// On the PostgreSQL server that tests share.
pub(crate) async fn on_postgres() -> Place {
    under_test(databases::on_postgres().await).await
}

/// In a file.
pub(crate) async fn on_sqlite() -> Place {
    under_test(databases::on_sqlite().await).await
}

async fn under_test(place: databases::Place) -> Place {
    let (database, sql) = (place.patient_database().await, place.operator().await);
    let ids_in = |table: &'static str| {
        let reader = sql.clone();
        move || -> Audited {
            let reader = reader.clone();
            Box::pin(async move {
                let all = Statement::from_string(reader.get_database_backend(), format!("SELECT id FROM {table}"));
                let rows = reader.query_all_raw(all).await.unwrap();
                rows.iter().map(|row| row.try_get("", "id").unwrap()).collect()
            })
        }
    };
    let store = Arc::new(SqlIdentityStore::new(database, Arc::new(PlainSecretBox::default())));
    let (audited, mailed) = (Arc::new(ids_in("audit_log")), Arc::new(ids_in("outbox_mails")));
    Place {
        it: IdentityUnderTest {
            keys: store.clone(),
            factors: store.clone(),
            links: store.clone(),
            wallets: store.clone(),
            store,
            audited,
            mailed,
            place: Arc::new(place),
        },
        sql,
    }
}
