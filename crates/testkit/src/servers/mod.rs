//! Real servers for tests, on 127.0.0.1, each with its own port and its own directory, never run as root.
//!
//! * [`fresh_database`] and [`shared_redis`] are for ordinary tests. Under `cargo nextest`, which runs each test in a
//!   process of its own, all tests of a run share one server of each kind; else all tests of a process do.
//! * [`PrivatePostgres`] and [`PrivateRedis`] are for fault tests, which stop, kill and freeze them.
//! * [`PrivateMail`] takes letters.
//! * [`Process`] runs a program of ours the same way.
//!
//! They end when they are dropped, when the test panics, and when the test process or the run is killed.

mod account;
mod daemon;
#[cfg(feature = "database")]
mod database;
mod http;
mod mail;
mod port;
mod postgres;
mod process;
mod programs;
mod redis;
mod resp;
mod shared;
mod signals;
mod watchdog;

#[cfg(feature = "database")]
pub use database::{TestDatabase, fresh_database};
pub use mail::{MailTls, PrivateMail, ReceivedMail};
pub use port::free_port;
pub use postgres::{PostgresAddress, PrivatePostgres};
pub use process::{Launch, Process, built_binary};
pub use programs::postgres_folder;
pub use redis::{PrivateRedis, RedisAddress};
pub use shared::{shared_postgres, shared_redis};

use std::time::Duration;

/// How long a server may take to start or stop, on a busy machine.
const PATIENCE: Duration = Duration::from_mins(1);
/// How often a server that is starting or stopping is looked at.
const LOOK: Duration = Duration::from_millis(20);
