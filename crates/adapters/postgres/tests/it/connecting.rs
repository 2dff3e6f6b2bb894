//! What a connection is told, and what a wrong setting says.
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::time::{Duration, Instant};

use coinlink_ports::operations::DependencyProbe;
use coinlink_postgres::{ConnectError, ConnectSettings, Database, DatabaseProbe};
use coinlink_testkit::servers::{free_port, shared_postgres};

async fn probe(url: &str) -> DatabaseProbe {
    DatabaseProbe::new(Database::connect(&ConnectSettings::new(url)).await.unwrap())
}

#[tokio::test]
async fn both_spellings_of_postgres_work() {
    let url = shared_postgres().await.url("postgres");
    for url in [url.replace("postgres://", "postgresql://"), url] {
        assert_eq!(probe(&url).await.check().await, Ok(()));
    }
}

#[tokio::test]
async fn another_scheme_is_refused_by_name_and_without_the_password() {
    let settings = ConnectSettings::new("mysql://coinlink:hunter2@db/coinlink");
    let refused = Database::connect(&settings).await.err().unwrap();
    assert!(matches!(refused, ConnectError::Scheme));
    assert_eq!(refused.to_string(), "a database URL begins with postgres:// or sqlite:");
    assert!(!format!("{settings:?}").contains("hunter2"));
}

#[tokio::test]
async fn a_broken_address_is_refused_without_the_password() {
    let broken = Database::connect(&ConnectSettings::new("postgres://coinlink:hunter2@db:port/x")).await.err().unwrap();
    assert!(matches!(broken, ConnectError::Url(_)));
    assert!(!format!("{broken} {broken:?}").contains("hunter2"), "{broken:?}");
}

#[tokio::test]
async fn a_database_that_is_not_there_is_found_out_in_time_and_not_before_it_is_needed() {
    let probe = probe(&format!("postgres://coinlink:hunter2@127.0.0.1:{}/coinlink", free_port())).await;
    let asked = Instant::now();
    let error = probe.check().await.unwrap_err();
    assert!(asked.elapsed() < Duration::from_secs(3), "{:?}", asked.elapsed());
    assert!(!error.contains("hunter2"), "{error}");
}

/// A server without TLS, asked for it: nothing is sent in the clear.
#[tokio::test]
async fn tls_is_as_the_url_says() {
    let url = shared_postgres().await.url("postgres");
    let asked = probe(&url.replace("sslmode=disable", "sslmode=require")).await.check().await;
    assert!(asked.unwrap_err().to_lowercase().contains("tls"));
}
