//! What administrators read, on each database, and that PostgreSQL finds it by an index.

use std::sync::Arc;

use coinlink_postgres::{SqlAuditReader, SqlIdentityStore};
use coinlink_testkit::{identity::administration_contract::AdministrationUnderTest, shared::PlainSecretBox};
use sea_orm::{ConnectionTrait, DbBackend, Statement};

use crate::databases::{Place, on_each_database, on_postgres};

async fn under_test(place: Place) -> AdministrationUnderTest {
    let database = place.database().await;
    let store = Arc::new(SqlIdentityStore::new(database.clone(), Arc::new(PlainSecretBox::default())));
    let audit = Arc::new(SqlAuditReader::new(database));
    AdministrationUnderTest { store: store.clone(), accounts: store, audit, place: Arc::new(place) }
}

on_each_database!(administration_contract, place => under_test(place).await);

/// A hundred thousand accounts and as many entries, and what the planner makes of the statements that pages are read with.
#[tokio::test]
async fn among_many_every_page_is_found_by_an_index() {
    let place = on_postgres().await;
    let operator = place.operator().await;
    operator
        .execute_unprepared(
            "INSERT INTO users (id, email, pepper_id, password_hash, role, is_active, is_verified, created_at, updated_at, logins)
             SELECT gen_random_uuid(), 'person' || n || '@example.org', '1', '-', CASE WHEN n % 50000 = 0 THEN 'admin' ELSE 'user' END,
                    n % 50000 <> 0, n % 2 = 0, now(), now(), 0 FROM generate_series(1, 100000) n;
             INSERT INTO audit_log (id, timestamp, user_id, action, resource_type, resource_id, details, status)
             SELECT gen_random_uuid(), now() - make_interval(secs => n), gen_random_uuid(), 'auth.sign_in', 'session', n::text, '{}',
                    CASE WHEN n % 1000 = 0 THEN 'denied' ELSE 'success' END FROM generate_series(1, 100000) n;
             ANALYZE users; ANALYZE audit_log",
        )
        .await
        .unwrap();
    for (sql, index) in [
        (
            "SELECT * FROM users WHERE (claimed_email IS NULL AND email COLLATE \"C\" >= 'person77' AND email COLLATE \"C\" < 'person7701')
             OR (claimed_email COLLATE \"C\" >= 'person77' AND claimed_email COLLATE \"C\" < 'person7701') ORDER BY id DESC LIMIT 21",
            "users_email_bytes",
        ),
        ("SELECT * FROM users WHERE is_active = false ORDER BY id DESC LIMIT 21", "users_active"),
        ("SELECT * FROM users WHERE role = 'admin' ORDER BY id DESC LIMIT 21", "users_role"),
        ("SELECT * FROM users ORDER BY id DESC LIMIT 21", "users_pkey"),
        (
            "SELECT * FROM audit_log WHERE resource_type = 'session' AND resource_id = '77' ORDER BY timestamp DESC, id DESC LIMIT 21",
            "resource_type_resource_id_timestamp_idx",
        ),
        ("SELECT * FROM audit_log WHERE status = 'denied' ORDER BY timestamp DESC, id DESC LIMIT 21", "status_timestamp_idx"),
        ("SELECT * FROM audit_log ORDER BY timestamp DESC, id DESC LIMIT 21", "timestamp_idx"),
    ] {
        let explain = Statement::from_string(DbBackend::Postgres, format!("EXPLAIN {sql}"));
        let plan = operator.query_all_raw(explain).await.unwrap();
        let plan: Vec<String> = plan.iter().map(|row| row.try_get_by_index(0).unwrap()).collect();
        assert!(plan.iter().any(|line| line.contains(index)), "{sql}:\n{}", plan.join("\n"));
        assert!(!plan.iter().any(|line| line.contains("Seq Scan on users")), "{sql}:\n{}", plan.join("\n"));
    }
}
