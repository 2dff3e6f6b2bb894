//! A bare actix route that serialises its answer each time.

use super::{WORKERS, end_with_parent};
use crate::Outcome;
use actix_web::{App, HttpResponse, HttpServer, rt, web};
use serde_json::Value;
use std::{fs, net::SocketAddr, path::PathBuf};

#[derive(clap::Args)]
pub(crate) struct Route {
    /// Where to listen.
    #[arg(long)]
    listen: SocketAddr,
    /// A file with the JSON to answer with.
    #[arg(long)]
    sample: PathBuf,
}

impl Route {
    pub(crate) fn serve(&self) -> Outcome<()> {
        end_with_parent();
        let answer: web::Data<Value> = web::Data::new(serde_json::from_slice(&fs::read(&self.sample)?)?);
        let app = move || {
            App::new()
                .app_data(answer.clone())
                .route(crate::http::PATH, web::get().to(price))
                .route("/livez", web::get().to(HttpResponse::Ok))
        };
        let server = HttpServer::new(app).workers(WORKERS).bind(self.listen)?;
        Ok(rt::System::new().block_on(server.run())?)
    }
}

pub(super) async fn price(answer: web::Data<Value>) -> web::Json<web::Data<Value>> {
    web::Json(answer)
}
