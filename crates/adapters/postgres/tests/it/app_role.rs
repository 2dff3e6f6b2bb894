//! The role that the app runs as: it may do what the app does on every table there is, and only add to the audit log.
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::sync::Arc;

use coinlink_migration::{Migrator, MigratorTrait as _, TABLES, is_forbidden, missing_rights, role};
use coinlink_ports::{
    identity::IdentityStore as _,
    shared::{AuditLog as _, StoreError},
};
use coinlink_postgres::{ConnectSettings, Database, SqlAuditLog, SqlIdentityStore};
use coinlink_testkit::{
    identity::{a_user, an_account_of},
    operations::an_entry,
    servers::PrivatePostgres,
    shared::PlainSecretBox,
};
use sea_orm::{ConnectionTrait, DatabaseConnection, Statement};

/// A database of an owner who is no superuser, as operators have one.
struct Place {
    server: PrivatePostgres,
    superuser: DatabaseConnection,
    owner: DatabaseConnection,
}

impl Place {
    async fn new() -> Self {
        let server = PrivatePostgres::start().await;
        let superuser = sea_orm::Database::connect(&server.url()).await.unwrap();
        for sql in ["CREATE ROLE owner LOGIN", "CREATE DATABASE app OWNER owner"] {
            superuser.execute_unprepared(sql).await.unwrap();
        }
        let owner = sea_orm::Database::connect(url(&server, "owner")).await.unwrap();
        Self { server, superuser, owner }
    }

    async fn make_role(&self) {
        self.superuser.execute_unprepared("CREATE ROLE coinlink_app LOGIN").await.unwrap();
    }

    /// The rights of the role, a line for each relation of the schema.
    async fn rights(&self) -> Vec<(String, String)> {
        let sql = "SELECT relname::text, concat_ws(',', VARIADIC ARRAY(
                SELECT p FROM unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE']) p WHERE has_table_privilege('coinlink_app', c.oid, p)))
            FROM pg_class c WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v', 'm') ORDER BY 1";
        let rows = self.owner.query_all_raw(Statement::from_string(self.owner.get_database_backend(), sql)).await.unwrap();
        rows.iter().map(|row| (row.try_get_by_index(0).unwrap(), row.try_get_by_index(1).unwrap())).collect()
    }

    async fn expect_rights(&self) {
        let rights = self.rights().await;
        assert!(rights.len() > 15, "{rights:?}");
        for (table, may) in &rights {
            let expected = match table.as_str() {
                "audit_log" | "audit_seals" | "audit_checkpoints" => "SELECT,INSERT",
                partition if partition.starts_with("audit_log_") => "",
                "seaql_migrations" | "audit_retirements" => "SELECT",
                _ => "SELECT,INSERT,UPDATE,DELETE",
            };
            assert_eq!(may, expected, "{table}");
        }
    }

    /// The app, as it runs.
    async fn app(&self) -> Database {
        Database::connect(&ConnectSettings::new(url(&self.server, "coinlink_app"))).await.unwrap()
    }
}

fn url(server: &PrivatePostgres, role: &str) -> String {
    server.address().url("app").replace("coinlink@", &format!("{role}@"))
}

async fn uses_the_store(app: Database) {
    let store = SqlIdentityStore::new(app.clone(), Arc::new(PlainSecretBox::default()));
    let account = an_account_of(a_user("ada@example.org"));
    let mut tx = store.begin().await.unwrap();
    tx.users().add(&account).await.unwrap();
    tx.users().save(&account).await.unwrap();
    tx.audit().record(&an_entry(1)).await.unwrap();
    tx.second_factors().remove(account.user.id).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(store.account(&account.user.email).await.unwrap(), Some(account));
    SqlAuditLog::new(app).record(&an_entry(2)).await.unwrap();
}

#[tokio::test]
async fn a_role_that_was_there_before_may_use_every_table() {
    let place = Place::new().await;
    place.make_role().await;
    Migrator::up(&place.owner, None).await.unwrap();
    place.expect_rights().await;
    uses_the_store(place.app().await).await;
}

#[tokio::test]
async fn a_role_that_was_made_later_gets_its_rights_with_the_next_migration_and_what_is_too_much_is_taken_away() {
    let place = Place::new().await;
    Migrator::up(&place.owner, None).await.unwrap();
    place.make_role().await;
    assert!(place.rights().await.iter().all(|(_, may)| may.is_empty()));
    place.owner.execute_unprepared("GRANT ALL ON ALL TABLES IN SCHEMA public TO coinlink_app").await.unwrap();
    place.owner.execute_unprepared("REVOKE TRUNCATE ON ALL TABLES IN SCHEMA public FROM coinlink_app").await.unwrap();
    place.owner.execute_unprepared("REVOKE INSERT, UPDATE, DELETE ON seaql_migrations FROM coinlink_app").await.unwrap();
    for _ in 0..2 {
        Migrator::up(&place.owner, None).await.unwrap();
        place.expect_rights().await;
    }
    uses_the_store(place.app().await).await;
}

#[tokio::test]
async fn what_belongs_to_somebody_else_is_theirs_to_grant() {
    let place = Place::new().await;
    place.make_role().await;
    let superuser = sea_orm::Database::connect(place.server.address().url("app")).await.unwrap();
    superuser.execute_unprepared("CREATE TABLE others (id int)").await.unwrap();
    Migrator::up(&place.owner, None).await.unwrap();
    let rights = place.rights().await;
    assert!(rights.contains(&("others".to_owned(), String::new())), "{rights:?}");
    let app = sea_orm::Database::connect(url(&place.server, "coinlink_app")).await.unwrap();
    assert_eq!(Migrator::get_pending_migrations_read_only(&app).await.unwrap().len(), 0);
}

#[tokio::test]
async fn what_a_role_may_not_do_is_told_with_the_table_and_the_code() {
    let place = Place::new().await;
    Migrator::up(&place.owner, None).await.unwrap();
    place.make_role().await;
    let store = SqlIdentityStore::new(place.app().await, Arc::new(PlainSecretBox::default()));
    let error = store.account(&a_user("ada@example.org").email).await.unwrap_err();
    assert!(matches!(error, StoreError::Unavailable(_)));
    assert_eq!(error.to_string(), "store unavailable: permission denied for table users (SQLSTATE 42501)");
}

/// Whoever adds a table adds it to the list.
#[tokio::test]
async fn the_rights_that_a_server_needs_are_those_on_every_table_there_is() {
    let place = Place::new().await;
    place.make_role().await;
    Migrator::up(&place.owner, None).await.unwrap();
    let whole = |name: &String| !name.starts_with("audit_log_") && !name.contains("_20");
    let tables: Vec<String> = place.rights().await.into_iter().map(|(table, _)| table).filter(whole).collect();
    assert_eq!(TABLES.to_vec(), tables);
    let app = sea_orm::Database::connect(url(&place.server, "coinlink_app")).await.unwrap();
    assert_eq!(missing_rights(&app).await.unwrap(), Vec::<String>::new());
    assert_eq!(missing_rights(&place.owner).await.unwrap(), Vec::<String>::new());
    assert_eq!(role(&app).await.unwrap().as_deref(), Some("coinlink_app"));
}

#[tokio::test]
async fn each_right_that_is_missing_is_told_with_its_table() {
    let place = Place::new().await;
    place.make_role().await;
    Migrator::up(&place.owner, None).await.unwrap();
    let take = "REVOKE INSERT, DELETE ON wallets FROM coinlink_app; REVOKE INSERT ON audit_log FROM coinlink_app;
        REVOKE SELECT ON seaql_migrations FROM coinlink_app; REVOKE EXECUTE ON FUNCTION audit_log_ensure_partitions(int) FROM coinlink_app;
        DROP TABLE feedback";
    place.owner.execute_unprepared(take).await.unwrap();
    let app = sea_orm::Database::connect(url(&place.server, "coinlink_app")).await.unwrap();
    let told = [
        "EXECUTE on audit_log_ensure_partitions(integer)",
        "INSERT on audit_log",
        "INSERT, DELETE on wallets",
        "SELECT on seaql_migrations",
        "SELECT, INSERT, UPDATE, DELETE on feedback (which is not there)",
    ];
    assert_eq!(missing_rights(&app).await.unwrap(), told);
}

#[tokio::test]
async fn a_role_that_may_not_make_the_schema_is_told_from_one_whose_schema_is_wrong() {
    let place = Place::new().await;
    place.make_role().await;
    let app = sea_orm::Database::connect(url(&place.server, "coinlink_app")).await.unwrap();
    let refused = Migrator::up(&app, None).await.unwrap_err();
    assert!(is_forbidden(&refused), "{refused}");
    let wrong = place.owner.execute_unprepared("SELECT nonsense").await.unwrap_err();
    assert!(!is_forbidden(&wrong), "{wrong}");
}
