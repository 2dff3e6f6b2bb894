//! The outbox: the contract of the queue on each database, and what is in the table.
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::sync::Arc;

use async_trait::async_trait;
use coinlink_domain::shared::mail::OutgoingMail;
use coinlink_ports::{
    identity::IdentityStore,
    notifications::MailQueue,
    shared::{SecretBox, SecretBoxError},
};
use coinlink_postgres::{Database, SqlIdentityStore, SqlMailQueue};
use coinlink_testkit::{
    notifications::{PostedMail, a_letter},
    shared::PlainSecretBox,
};
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, Statement};
use time::Duration;

use crate::databases::{self, Place, on_each_database};

on_each_database!(mail_queue_contract, place => Outbox::new(place).await);

/// A queue, the store whose transactions fill it, and a connection beside them.
struct Outbox {
    queue: SqlMailQueue,
    store: SqlIdentityStore,
    database: Database,
    sql: DatabaseConnection,
    _place: Place,
}

#[async_trait]
impl PostedMail for Outbox {
    fn queue(&self) -> &dyn MailQueue {
        &self.queue
    }

    async fn post(&self, mail: &OutgoingMail) {
        let mut tx = self.store.begin().await.unwrap();
        tx.mail().post(mail).await.unwrap();
        tx.commit().await.unwrap();
    }
}

impl Outbox {
    async fn new(place: Place) -> Self {
        let (database, sql) = (place.database().await, place.operator().await);
        let secrets: Arc<dyn SecretBox> = Arc::new(PlainSecretBox::default());
        let (queue, store) =
            (SqlMailQueue::new(database.clone(), secrets.clone()), SqlIdentityStore::new(database.clone(), secrets));
        Self { queue, store, database, sql, _place: place }
    }

    /// The text of one value of the only row.
    async fn value(&self, column: &str) -> Option<String> {
        let hex = if self.sql.get_database_backend() == DbBackend::Postgres { "encode(fields, 'hex')" } else { "hex(fields)" };
        let column = if column == "fields" { hex } else { column };
        let query = Statement::from_string(self.sql.get_database_backend(), format!("SELECT {column} FROM outbox_mails"));
        self.sql.query_one_raw(query).await.unwrap().unwrap().try_get_by_index(0).unwrap()
    }
}

async fn on_postgres() -> Outbox {
    Outbox::new(databases::on_postgres().await).await
}

async fn on_sqlite() -> Outbox {
    Outbox::new(databases::on_sqlite().await).await
}

fn is_erased(fields: Option<String>) -> bool {
    fields.is_none_or(|fields| fields.is_empty())
}

#[tokio::test]
async fn what_a_letter_says_is_erased_once_it_ended() {
    let places = [on_postgres().await, on_sqlite().await, on_postgres().await, on_sqlite().await];
    for (turn, place) in places.into_iter().enumerate() {
        let letter = a_letter(1);
        place.post(&letter).await;
        assert!(!is_erased(place.value("fields").await));
        place.queue.claim(letter.created_at, Duration::ZERO, 1).await.unwrap();
        let (state, error) = if turn < 2 {
            assert!(place.queue.give_up(letter.id, 1, letter.created_at, "550").await.unwrap());
            ("dead", Some("550"))
        } else {
            place.queue.sent(letter.id, letter.created_at).await.unwrap();
            ("sent", None)
        };
        assert!(is_erased(place.value("fields").await) && place.value("key_id").await.is_none());
        assert_eq!((place.value("state").await.as_deref(), place.value("error").await.as_deref()), (Some(state), error));
    }
}

/// A secret that cannot be opened is told as what it is, and holds nobody up.
#[tokio::test]
async fn a_letter_that_cannot_be_opened_is_claimed_like_the_others_and_says_why() {
    for place in [on_postgres().await, on_sqlite().await] {
        let letters = [a_letter(0), a_letter(1), a_letter(2)];
        for letter in &letters {
            place.post(letter).await;
        }
        let first = format!("'{}'", letters[0].id);
        let second = format!("'{}'", letters[1].id);
        let (of, other) = match place.sql.get_database_backend() {
            DbBackend::Postgres => ("'\\x00'::bytea", [first, second]),
            _ => ("x'00'", [format!("x'{}'", letters[0].id.simple()), format!("x'{}'", letters[1].id.simple())]),
        };
        for (change, id) in [(format!("fields = {of}"), &other[0]), ("key_id = 'ffffffff'".to_owned(), &other[1])] {
            let sql = format!("UPDATE outbox_mails SET {change} WHERE id = {id}");
            assert_eq!(place.sql.execute_unprepared(&sql).await.unwrap().rows_affected(), 1, "{sql}");
        }
        let mut claimed = place.queue.claim(letters[2].created_at, Duration::ZERO, 3).await.unwrap();
        assert_eq!(claimed.pop().unwrap().mail.unwrap(), letters[2]);
        assert!(matches!(claimed.pop().unwrap().mail, Err(SecretBoxError::UnknownKey(_))));
        assert!(matches!(claimed.pop().unwrap().mail, Err(SecretBoxError::Forged)));
    }
}

/// One letter's secrets do not open in another's row.
#[tokio::test]
async fn what_one_letter_says_cannot_be_put_into_another() {
    let place = on_sqlite().await;
    place.post(&a_letter(0)).await;
    place.post(&a_letter(1)).await;
    let swap = "UPDATE outbox_mails SET fields = (SELECT fields FROM outbox_mails ORDER BY created_at LIMIT 1)";
    place.sql.execute_unprepared(swap).await.unwrap();
    let claimed = place.queue.claim(a_letter(1).created_at, Duration::ZERO, 2).await.unwrap();
    assert!(claimed[0].mail.is_ok() && matches!(claimed[1].mail, Err(SecretBoxError::Forged)));
}

#[tokio::test]
async fn a_letter_that_cannot_be_sealed_is_not_posted() {
    struct NoKeys;
    impl SecretBox for NoKeys {
        fn seal(&self, _: &str, _: &[u8]) -> Result<coinlink_domain::shared::sealed::Sealed, SecretBoxError> {
            Err(SecretBoxError::Failed)
        }
        fn open(&self, _: &str, _: &coinlink_domain::shared::sealed::Sealed) -> Result<Vec<u8>, SecretBoxError> {
            Err(SecretBoxError::Failed)
        }
        fn newest_key(&self) -> &'static str {
            ""
        }
    }
    let place = on_sqlite().await;
    let store = SqlIdentityStore::new(place.database.clone(), Arc::new(NoKeys));
    let mut tx = store.begin().await.unwrap();
    tx.mail().post(&a_letter(0)).await.unwrap_err();
    tx.commit().await.unwrap_err();
    assert_eq!(place.queue.counts().await.unwrap().waiting, 0);
}
