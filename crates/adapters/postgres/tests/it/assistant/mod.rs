//! Conversations of users, and feedback: the contracts on each database, and what becomes of them when an account goes.
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use coinlink_domain::shared::user_id::UserId;
use coinlink_ports::assistant::{FeedbackStore as _, UserConversations as _};
use coinlink_postgres::{Database, SqlFeedback, SqlUserConversations};
use coinlink_testkit::assistant::{an_exchange, feedback, user_conversations_contract::TwoUsers};
use sea_orm::{ConnectionTrait as _, DatabaseConnection, DbBackend};
use uuid::Uuid;

use crate::databases::{self, Place};

mod conversations {
    use super::{Accounts, SqlUserConversations};
    use crate::databases::on_each_database;

    on_each_database!(user_conversations_contract, place => Accounts::new(place).await.with(SqlUserConversations::new));
}

mod opinions {
    use super::{Accounts, SqlFeedback};
    use crate::databases::on_each_database;

    on_each_database!(feedback_store_contract, place => Accounts::new(place).await.with(SqlFeedback::new));
}

const USERS: [UserId; 2] = [UserId(Uuid::from_u128(0xa1)), UserId(Uuid::from_u128(0xb2))];

/// A database with two accounts, and a connection beside the stores.
struct Accounts {
    database: Database,
    sql: DatabaseConnection,
    place: Place,
}

impl Accounts {
    async fn new(place: Place) -> Self {
        let accounts = Self { database: place.database().await, sql: place.operator().await, place };
        for user in USERS {
            let id = accounts.id(user);
            let now = "2026-11-21T12:00:00.000000Z";
            let add = format!(
                "INSERT INTO users (id, email, pepper_id, password_hash, role, is_active, is_verified, created_at, updated_at, logins)
                 VALUES ({id}, '{user}@example.com', 'p', 'h', 'user', true, true, '{now}', '{now}', 0)"
            );
            assert_eq!(accounts.sql.execute_unprepared(&add).await.unwrap().rows_affected(), 1);
        }
        accounts
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
        TwoUsers { store: store(self.database), users: USERS, place: Box::new(self.place) }
    }
}

#[tokio::test]
async fn what_somebody_said_goes_with_the_account_and_what_they_think_becomes_nobodys() {
    for place in [databases::on_postgres().await, databases::on_sqlite().await] {
        let accounts = Accounts::new(place).await;
        let [gone, stays] = USERS;
        let (said, thought) = (SqlUserConversations::new(accounts.database.clone()), SqlFeedback::new(accounts.database.clone()));
        for (n, user) in [(1, gone), (2, stays)] {
            said.append(user, &an_exchange(n)).await.unwrap();
            thought.leave(&feedback(n, Some(user))).await.unwrap();
        }
        accounts.remove(gone).await;
        assert_eq!(said.newest(gone, 10).await.unwrap(), []);
        assert_eq!(said.newest(stays, 10).await.unwrap(), [an_exchange(2)]);
        assert_eq!(thought.newest(10).await.unwrap(), [feedback(2, Some(stays)), feedback(1, None)]);
        assert!(said.append(gone, &an_exchange(3)).await.is_err(), "there is no such account any more");
    }
}
