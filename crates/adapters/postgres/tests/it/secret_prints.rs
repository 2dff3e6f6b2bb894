//! By which secrets a database is written: the first one's, until its successor or somebody's will takes its place.
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use coinlink_ports::operations::{AuditFilter, AuditReader as _};
use coinlink_postgres::{SealedCounts, SecretPrint, SqlAuditReader, SqlSecretPrints};
use coinlink_testkit::operations::an_entry;
use sea_orm::ConnectionTrait as _;
use time::macros::datetime;

use crate::databases::{Place, on_postgres, on_sqlite};

const NAME: &str = "PASSWORD_PEPPER";

const KEY: &str = "TOTP_ENCRYPTION_KEY";

async fn prints_of(place: &Place) -> SqlSecretPrints {
    SqlSecretPrints::new(place.database().await)
}

/// The secrets of a node, by a byte each.
fn secrets(pepper: u8, key: u8, earlier: &[u8]) -> [SecretPrint<'static>; 2] {
    let print = |name, byte, earlier: &[u8]| SecretPrint {
        name,
        print: [byte; 32],
        earlier: earlier.iter().map(|byte| [*byte; 32]).collect(),
    };
    [print(NAME, pepper, &[]), print(KEY, key, earlier)]
}

async fn the_first_stays(place: Place) {
    let prints = prints_of(&place).await;
    assert_eq!(prints.kept(NAME).await.unwrap(), None);
    let nodes = [1_u8, 2, 3, 4].map(|node| (node, prints_of(&place)));
    let [one, two, three, four] = nodes.map(async |(node, prints)| prints.await.keep(&secrets(node, node, &[])).await);
    let told: [Vec<String>; 4] = tokio::try_join!(one, two, three, four).unwrap().into();
    assert_eq!(told.iter().filter(|others| others.is_empty()).count(), 1, "{told:?}");
    let first = prints.kept(NAME).await.unwrap().unwrap();
    assert_eq!(prints.kept(KEY).await.unwrap().as_ref(), Some(&first), "both are of one node");

    // What is refused for one of its secrets changes nothing of the other, whether it is new or a successor.
    assert_eq!(prints.keep(&secrets(first[0], 9, &[])).await.unwrap(), [KEY]);
    assert_eq!(prints.keep(&secrets(9, 10, &[first[0]])).await.unwrap(), [NAME]);
    assert_eq!(prints.kept(KEY).await.unwrap().as_ref(), Some(&first));
    assert!(prints.keep(&secrets(first[0], 10, &[first[0]])).await.unwrap().is_empty());
    assert_eq!(prints.kept(KEY).await.unwrap(), Some(vec![10; 32]));
    assert_eq!(prints.kept(NAME).await.unwrap(), Some(first));
}

async fn a_refused_start_leaves_an_empty_place_empty(place: Place) {
    let prints = prints_of(&place).await;
    prints.keep(&secrets(1, 1, &[])).await.unwrap();
    place.operator().await.execute_unprepared("DELETE FROM secret_prints WHERE name = 'TOTP_ENCRYPTION_KEY'").await.unwrap();
    assert_eq!(prints.keep(&secrets(2, 2, &[])).await.unwrap(), [NAME]);
    assert_eq!(prints.kept(KEY).await.unwrap(), None);
}

#[tokio::test]
async fn a_start_that_is_refused_for_one_secret_keeps_nothing_of_the_other_on_postgres() {
    Box::pin(a_refused_start_leaves_an_empty_place_empty(on_postgres().await)).await;
}

#[tokio::test]
async fn a_start_that_is_refused_for_one_secret_keeps_nothing_of_the_other_on_sqlite() {
    Box::pin(a_refused_start_leaves_an_empty_place_empty(on_sqlite().await)).await;
}

#[tokio::test]
async fn of_nodes_that_start_at_once_the_first_ones_secret_stays_on_postgres() {
    Box::pin(the_first_stays(on_postgres().await)).await;
}

#[tokio::test]
async fn of_nodes_that_start_at_once_the_first_ones_secret_stays_on_sqlite() {
    Box::pin(the_first_stays(on_sqlite().await)).await;
}

async fn who_wants_others_is_written_down(place: Place) {
    let prints = prints_of(&place).await;
    prints.keep(&secrets(1, 1, &[])).await.unwrap();
    let entry = an_entry(1);
    let both = [(NAME, [2; 32]), ("TOTP_ENCRYPTION_KEY", [3; 32])];
    prints.accept(&both, &entry).await.unwrap();
    prints.accept(&[(NAME, [4; 32])], &an_entry(2)).await.unwrap();
    assert_eq!(prints.kept(NAME).await.unwrap(), Some(vec![4; 32]));
    assert_eq!(prints.kept("TOTP_ENCRYPTION_KEY").await.unwrap(), Some(vec![3; 32]));
    let page = SqlAuditReader::new(place.database().await).page(&AuditFilter::default(), None, 10).await.unwrap();
    assert_eq!(page.entries.len(), 2);
    assert!(page.entries.contains(&entry));
}

#[tokio::test]
async fn who_goes_on_with_other_secrets_is_in_the_audit_log_on_postgres() {
    Box::pin(who_wants_others_is_written_down(on_postgres().await)).await;
}

#[tokio::test]
async fn who_goes_on_with_other_secrets_is_in_the_audit_log_on_sqlite() {
    Box::pin(who_wants_others_is_written_down(on_sqlite().await)).await;
}

async fn what_was_written_is_found(place: Place) {
    let prints = prints_of(&place).await;
    assert_eq!(prints.is_sealed_with(&["0a", "0b"]).await.unwrap(), None, "nothing is");
    assert_eq!(prints.is_keyed_with("p").await.unwrap(), None, "there is nobody");
    let now = datetime!(2026-11-22 12:00 UTC);
    assert_eq!(prints.sealed_otherwise(&["0a"], now).await.unwrap(), SealedCounts::default());
    let sqlite = place.url.starts_with("sqlite");
    let bytes = if sqlite { "x'00'" } else { r"'\x00'" };
    let id = "018f3e9a-5b7c-7def-8123-45678900000";
    let id = |last: u8| if sqlite { format!("x'{}{last}'", id.replace('-', "")) } else { format!("'{id}{last}'") };
    let at = "'2026-11-22T10:00:00.000000Z'";
    let factor = |user: u8, key: &str| {
        format!("INSERT INTO second_factors (user_id, key_id, secret, set_up_at) VALUES ({}, '{key}', {bytes}, {at})", id(user))
    };
    let free = if sqlite { "PRAGMA foreign_keys = OFF" } else { "SET session_replication_role = replica" };
    let person = format!(
        "INSERT INTO users (id, email, pepper_id, password_hash, role, is_active, is_verified, created_at, updated_at, logins)
         VALUES ({}, 'ada@example.org', 'p', 'h', 'user', true, false, {at}, {at}, 0)",
        id(1)
    );
    let hook = |n: u8, key: &str| {
        format!(
            "INSERT INTO webhooks (id, user_id, url, host, key_id, secret, created_at, failures)
             VALUES ({}, {}, 'u', 'h', '{key}', {bytes}, {at}, 0)",
            id(n),
            id(1)
        )
    };
    let link = |n: u8, expires_at: &str, ended_at: &str| {
        format!(
            "INSERT INTO mail_links (id, user_id, purpose, email, secret, code, key_id, kept, failures, created_at, expires_at, ended_at)
             VALUES ({}, {}, 'verify_email', 'e', {bytes}, {bytes}, '0c', {bytes}, 0, {at}, '{expires_at}', {ended_at})",
            id(n),
            id(1)
        )
    };
    let (past, future) = ("2026-11-22T11:59:59.000000Z", "2026-11-22T12:00:01.000000Z");
    let links = [link(1, past, "NULL"), link(2, future, at), link(3, future, "NULL")].join("; ");
    let hooks = [hook(1, "0a"), hook(2, "0c"), hook(3, "0c")].join("; ");
    let stored = format!("{free}; {person}; {}; {}; {hooks}; {links}", factor(1, "0a"), factor(2, "0c"));
    place.operator().await.execute_unprepared(&stored).await.unwrap();
    assert_eq!((prints.is_keyed_with("p").await.unwrap(), prints.is_keyed_with("q").await.unwrap()), (Some(true), Some(false)));
    assert_eq!(prints.is_sealed_with(&["0a", "0b"]).await.unwrap(), Some(true));
    assert_eq!(prints.is_sealed_with(&["0b", "0d"]).await.unwrap(), Some(false));
    let counts = SealedCounts { second_factors: 1, webhooks: 2, letters: 0, links: 1 };
    assert_eq!(prints.sealed_otherwise(&["0a"], now).await.unwrap(), counts);
    assert_eq!(prints.sealed_with(&["0b", "0c"], now).await.unwrap(), counts);
    assert_eq!(prints.sealed_otherwise(&["0a", "0c"], now).await.unwrap(), SealedCounts::default());
    assert_eq!(prints.sealed_with(&["0b"], now).await.unwrap(), SealedCounts::default());
}

#[tokio::test]
async fn what_was_written_with_other_secrets_is_found_on_postgres() {
    Box::pin(what_was_written_is_found(on_postgres().await)).await;
}

#[tokio::test]
async fn what_was_written_with_other_secrets_is_found_on_sqlite() {
    Box::pin(what_was_written_is_found(on_sqlite().await)).await;
}
