//! Conversations of users, and feedback: the contracts on each database, and what becomes of them when an account goes.
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::any::Any;

use coinlink_domain::shared::user_id::UserId;
use coinlink_migration::{Migrator, MigratorTrait};
use coinlink_ports::assistant::{FeedbackStore as _, UserConversations as _};
use coinlink_postgres::{ConnectSettings, Database, SqlFeedback, SqlUserConversations};
use coinlink_testkit::{
    assistant::{an_exchange, feedback, user_conversations_contract::TwoUsers},
    servers::fresh_database,
};
use sea_orm::{ConnectionTrait as _, DatabaseConnection, DbBackend};
use uuid::Uuid;

mod conversations {
    mod postgres {
        coinlink_testkit::user_conversations_contract!(
            crate::assistant::on_postgres().await.with(crate::assistant::SqlUserConversations::new)
        );
    }

    mod sqlite {
        coinlink_testkit::user_conversations_contract!(
            crate::assistant::on_sqlite().await.with(crate::assistant::SqlUserConversations::new)
        );
    }
}

mod opinions {
    mod postgres {
        coinlink_testkit::feedback_store_contract!(
            crate::assistant::on_postgres().await.with(crate::assistant::SqlFeedback::new)
        );
    }

    mod sqlite {
        coinlink_testkit::feedback_store_contract!(crate::assistant::on_sqlite().await.with(crate::assistant::SqlFeedback::new));
    }
}

const USERS: [UserId; 2] = [UserId(Uuid::from_u128(0xa1)), UserId(Uuid::from_u128(0xb2))];

/// A database with two accounts, and a connection beside the stores.
struct Place {
    database: Database,
    sql: DatabaseConnection,
    held: Box<dyn Any + Send + Sync>,
}

impl Place {
    async fn at(url: &str, held: Box<dyn Any + Send + Sync>) -> Self {
        let database = Database::connect(&ConnectSettings::new(url)).await.unwrap();
        let mut options = sea_orm::ConnectOptions::new(url);
        options.max_connections(1).sqlx_logging(false);
        let sql = sea_orm::Database::connect(options).await.unwrap();
        let place = Self { database, sql, held };
        for user in USERS {
            let id = place.id(user);
            let now = "2026-11-21T12:00:00.000000Z";
            let add = format!(
                "INSERT INTO users (id, email, pepper_id, password_hash, role, is_active, is_verified, created_at, updated_at, logins)
                 VALUES ({id}, '{user}@example.com', 'p', 'h', 'user', true, true, '{now}', '{now}', 0)"
            );
            assert_eq!(place.sql.execute_unprepared(&add).await.unwrap().rows_affected(), 1);
        }
        place
    }

    fn id(&self, user: UserId) -> String {
        match self.sql.get_database_backend() {
            DbBackend::Postgres => format!("'{user}'"),
            _ => format!("x'{}'", user.0.simple()),
        }
    }

    async fn remove(&self, user: UserId) {
        let remove = format!("DELETE FROM users WHERE id = {}", self.id(user));
        assert_eq!(self.sql.execute_unprepared(&remove).await.unwrap().rows_affected(), 1);
    }

    fn with<S>(self, store: impl FnOnce(Database) -> S) -> TwoUsers<S> {
        TwoUsers { store: store(self.database), users: USERS, place: self.held }
    }
}

async fn on_postgres() -> Place {
    let place = fresh_database().await;
    Place::at(&place.url.clone(), Box::new(place)).await
}

async fn on_sqlite() -> Place {
    let place = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", place.path().join("coinlink.db").display());
    let database = Database::connect(&ConnectSettings::new(&url)).await.unwrap();
    database.with_migration_lock(async |connection| Migrator::up(connection, None).await).await.unwrap();
    Place::at(&url, Box::new(place)).await
}

#[tokio::test]
async fn what_somebody_said_goes_with_the_account_and_what_they_think_becomes_nobodys() {
    for place in [on_postgres().await, on_sqlite().await] {
        let [gone, stays] = USERS;
        let (said, thought) = (SqlUserConversations::new(place.database.clone()), SqlFeedback::new(place.database.clone()));
        for (n, user) in [(1, gone), (2, stays)] {
            said.append(user, &an_exchange(n)).await.unwrap();
            thought.leave(&feedback(n, Some(user))).await.unwrap();
        }
        place.remove(gone).await;
        assert_eq!(said.newest(gone, 10).await.unwrap(), []);
        assert_eq!(said.newest(stays, 10).await.unwrap(), [an_exchange(2)]);
        assert_eq!(thought.newest(10).await.unwrap(), [feedback(2, Some(stays)), feedback(1, None)]);
        assert!(said.append(gone, &an_exchange(3)).await.is_err(), "there is no such account any more");
    }
}
