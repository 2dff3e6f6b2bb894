//! A collector of traces that keeps nothing of what it is sent, and says how much that was.

use super::{WORKERS, end_with_parent};
use crate::Outcome;
use actix_web::{App, HttpResponse, HttpServer, rt, web};
use std::{
    fs,
    net::SocketAddr,
    path::PathBuf,
    sync::atomic::{AtomicU64, Ordering},
};

/// More than a node sends at once.
const LARGEST: usize = 64 << 20;

/// Where it says how many bytes it has been sent.
pub(crate) const TAKEN: &str = "/taken";

#[derive(clap::Args)]
pub(crate) struct Collector {
    /// Where to listen.
    #[arg(long)]
    listen: SocketAddr,
    /// A file with what to answer: an empty message of protobuf is no bytes.
    #[arg(long)]
    sample: PathBuf,
}

struct State {
    answer: Vec<u8>,
    taken: AtomicU64,
}

impl Collector {
    pub(crate) fn serve(&self) -> Outcome<()> {
        end_with_parent();
        let state = web::Data::new(State { answer: fs::read(&self.sample)?, taken: AtomicU64::new(0) });
        let app = move || {
            App::new()
                .app_data(state.clone())
                .app_data(web::PayloadConfig::new(LARGEST))
                .route("/v1/traces", web::post().to(take))
                .route(TAKEN, web::get().to(taken))
                .route("/livez", web::get().to(HttpResponse::Ok))
        };
        let server = HttpServer::new(app).workers(WORKERS).bind(self.listen)?;
        Ok(rt::System::new().block_on(server.run())?)
    }
}

async fn take(spans: web::Bytes, state: web::Data<State>) -> HttpResponse {
    state.taken.fetch_add(spans.len() as u64, Ordering::Relaxed);
    HttpResponse::Ok().content_type("application/x-protobuf").body(state.answer.clone())
}

async fn taken(state: web::Data<State>) -> String {
    state.taken.load(Ordering::Relaxed).to_string()
}
