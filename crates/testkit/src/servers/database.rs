//! A migrated database for each test, copied from a template that is migrated once a server.

use std::process::{Command, Stdio};

use coinlink_migration::{Migrator, MigratorTrait};
use sea_orm::{ConnectOptions, ConnectionTrait, Database, DbBackend, Statement};

use super::{
    postgres::{PostgresAddress, PrivatePostgres, USER},
    programs,
    shared::shared_postgres,
};

const TEMPLATE: &str = "coinlink_template";

/// A database of one test. Dropped, it is removed.
pub struct TestDatabase {
    /// Where to connect.
    pub url: String,
    name: String,
    server: PostgresAddress,
}

/// A migrated, empty database in the server that tests share.
pub async fn fresh_database() -> TestDatabase {
    shared_postgres().await.fresh_database().await
}

impl PostgresAddress {
    /// A migrated, empty database in this server.
    pub async fn fresh_database(self) -> TestDatabase {
        self.migrate_template().await;
        self.copy_of(TEMPLATE).await
    }

    /// A database without tables in this server.
    pub async fn empty_database(self) -> TestDatabase {
        self.copy_of("template0").await
    }

    async fn copy_of(self, template: &str) -> TestDatabase {
        let name = format!("test_{}", uuid::Uuid::now_v7().simple());
        let mut command = tokio::process::Command::from(self.client("createdb"));
        let output = command.args(["--template", template, &name]).output().await.expect("createdb");
        assert!(output.status.success(), "createdb: {}", String::from_utf8_lossy(&output.stderr));
        TestDatabase { url: self.url(&name), name, server: self }
    }

    /// The template gets its name only when it is complete, so that its being there says that it is. An advisory lock makes
    /// one of the processes that ask at once do the work.
    async fn migrate_template(self) {
        let mut options = ConnectOptions::new(self.url("postgres"));
        options.max_connections(1).sqlx_logging(false);
        let admin = Database::connect(options).await.expect("a test server");
        let sql = async |statement: String| admin.execute_unprepared(&statement).await.expect("a superuser may").rows_affected();
        sql("SELECT pg_advisory_lock(1)".to_owned()).await;
        if sql(format!("SELECT FROM pg_database WHERE datname = '{TEMPLATE}'")).await == 0 {
            let draft = self.copy_of("template0").await;
            let connection = Database::connect(&draft.url).await.expect("a test server");
            Migrator::up(&connection, None).await.expect("migrations of the template");
            connection.close().await.expect("nobody else uses the connection");
            sql(format!("ALTER DATABASE {} RENAME TO {TEMPLATE}", draft.name)).await;
        }
        admin.close().await.expect("nobody else uses the connection");
    }

    /// One of PostgreSQL's own client programs, which need no driver and no runtime, as a `drop` has none.
    fn client(self, program: &str) -> Command {
        let mut command = Command::new(programs::postgres_folder().join(program));
        command.env("PGCONNECT_TIMEOUT", "3").stdin(Stdio::null());
        command.args(["--host", "127.0.0.1", "--port", &self.port.to_string(), "--username", USER]);
        command
    }
}

impl PrivatePostgres {
    /// A migrated, empty database in this server.
    pub async fn fresh_database(&self) -> TestDatabase {
        self.address().fresh_database().await
    }
}

impl TestDatabase {
    /// Carries out statements as somebody who has all rights, and whom no trigger stops.
    pub async fn tamper(&self, statements: &str) {
        let operator = Database::connect(&self.url).await.expect("a test server");
        let unhindered = format!("SET session_replication_role = replica; {statements}");
        operator.execute_unprepared(&unhindered).await.expect("a superuser may");
        operator.close().await.expect("nobody else uses the connection");
    }

    /// How many rows a table has.
    pub async fn count(&self, table: &str) -> i64 {
        let reader = Database::connect(&self.url).await.expect("a test server");
        let count = Statement::from_string(DbBackend::Postgres, format!("SELECT count(*) FROM {table}"));
        let row = reader.query_one_raw(count).await.expect("a superuser may").expect("a count is a row");
        reader.close().await.expect("nobody else uses the connection");
        row.try_get_by_index(0).expect("a number")
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        // The server may have been stopped by the test; then its databases go with its directory.
        drop(self.server.client("dropdb").args(["--force", "--if-exists", &self.name]).output());
    }
}
