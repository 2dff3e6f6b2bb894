//! The bare route of [`super::http`] after the call to Redis that the gate makes: the same script, as many keys and arguments,
//! over one connection that all workers share. What the answer means is not looked at.

use super::{WORKERS, end_with_parent, http::price};
use crate::Outcome;
use actix_web::{App, HttpResponse, HttpServer, error::ErrorServiceUnavailable, rt, web};
use deadpool_redis::redis::{Client, Script, aio::MultiplexedConnection, cmd};
use serde_json::Value;
use std::{
    fs,
    net::SocketAddr,
    path::PathBuf,
    sync::atomic::{AtomicUsize, Ordering},
};
use uuid::Uuid;

const ADMIT: &str = include_str!("../../../../crates/adapters/redis/src/scripts/admit.lua");

/// Microseconds of a window.
const WINDOW: u64 = 60_000_000;
const LIMIT: u32 = 1_000_000;

#[derive(clap::Args)]
pub(crate) struct GatedRoute {
    /// Where to listen.
    #[arg(long)]
    listen: SocketAddr,
    /// A file with the JSON to answer with.
    #[arg(long)]
    sample: PathBuf,
    /// Where Redis is.
    #[arg(long)]
    redis: String,
    /// Users that take turns, each with a window and a session.
    #[arg(long, default_value_t = 48)]
    users: usize,
}

struct Gate {
    connection: MultiplexedConnection,
    hash: String,
    /// The window's key and the session's.
    users: Vec<[String; 2]>,
    next: AtomicUsize,
}

impl GatedRoute {
    pub(crate) fn serve(&self) -> Outcome<()> {
        end_with_parent();
        rt::System::new().block_on(self.answer())
    }

    async fn answer(&self) -> Outcome<()> {
        let answer: web::Data<Value> = web::Data::new(serde_json::from_slice(&fs::read(&self.sample)?)?);
        let mut connection = Client::open(self.redis.as_str())?.get_multiplexed_async_connection().await?;
        let hash = Script::new(ADMIT).get_hash().to_owned();
        cmd("SCRIPT").arg("LOAD").arg(ADMIT).exec_async(&mut connection).await?;
        // As long as the real keys are.
        let user = |_| [format!("rl:pu:{}", Uuid::now_v7().simple()), format!("revoked:{}", Uuid::now_v7())];
        let users = (0..self.users.max(1)).map(user).collect();
        let gate = web::Data::new(Gate { connection, hash, users, next: AtomicUsize::new(0) });
        let app = move || {
            App::new()
                .app_data(answer.clone())
                .app_data(gate.clone())
                .route(crate::http::PATH, web::get().to(counted_price))
                .route("/livez", web::get().to(HttpResponse::Ok))
        };
        Ok(HttpServer::new(app).workers(WORKERS).bind(self.listen)?.run().await?)
    }
}

impl Gate {
    async fn admit(&self) -> actix_web::Result<Vec<i64>> {
        let [window, session] = &self.users[self.next.fetch_add(1, Ordering::Relaxed) % self.users.len()];
        let mut command = cmd("EVALSHA");
        command.arg(&self.hash).arg(2).arg(window).arg(session).arg(LIMIT).arg(WINDOW);
        command.query_async(&mut self.connection.clone()).await.map_err(ErrorServiceUnavailable)
    }
}

async fn counted_price(gate: web::Data<Gate>, answer: web::Data<Value>) -> actix_web::Result<web::Json<web::Data<Value>>> {
    gate.admit().await?;
    Ok(price(answer).await)
}
