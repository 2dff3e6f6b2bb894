//! A bare actix-ws fan-out: a watch value, and one task a socket.

use super::{WORKERS, end_with_parent};
use crate::{Outcome, stamp::Template};
use actix_web::{App, Error, HttpRequest, HttpResponse, HttpServer, rt, web};
use actix_ws::Message;
use bytestring::ByteString;
use futures_util::StreamExt;
use std::{fs, net::SocketAddr, path::PathBuf, time::Duration};
use tokio::{sync::watch, time::interval};

#[derive(clap::Args)]
pub(crate) struct Fanout {
    /// Where to listen.
    #[arg(long)]
    listen: SocketAddr,
    /// A file with the frame to send; its `timestamp` is set each time.
    #[arg(long)]
    sample: PathBuf,
    /// Time between two frames.
    #[arg(long, default_value_t = 1000)]
    interval_ms: u64,
}

impl Fanout {
    pub(crate) fn serve(&self) -> Outcome<()> {
        end_with_parent();
        let template = Template::new(&fs::read_to_string(&self.sample)?).ok_or("the sample has no timestamp")?;
        rt::System::new().block_on(self.publish_to_all(template))
    }

    async fn publish_to_all(&self, template: Template) -> Outcome<()> {
        let (publisher, newest) = watch::channel(ByteString::from(template.stamped()));
        let newest = web::Data::new(newest);
        let app = move || {
            App::new()
                .app_data(newest.clone())
                .route("/ws", web::get().to(socket))
                .route("/livez", web::get().to(HttpResponse::Ok))
        };
        let server = HttpServer::new(app).workers(WORKERS).backlog(4096).bind(self.listen)?.run();
        let mut ticks = interval(Duration::from_millis(self.interval_ms));
        rt::spawn(async move {
            loop {
                ticks.tick().await;
                publisher.send_replace(template.stamped().into());
            }
        });
        Ok(server.await?)
    }
}

async fn socket(
    request: HttpRequest,
    body: web::Payload,
    newest: web::Data<watch::Receiver<ByteString>>,
) -> Result<HttpResponse, Error> {
    let (response, mut session, mut inbound) = actix_ws::handle(&request, body)?;
    let mut newest = watch::Receiver::clone(&newest);
    rt::spawn(async move {
        loop {
            tokio::select! {
                changed = newest.changed() => {
                    let frame = newest.borrow_and_update().clone();
                    if changed.is_err() || session.text(frame).await.is_err() {
                        break;
                    }
                }
                message = inbound.next() => match message {
                    Some(Ok(Message::Ping(payload))) => if session.pong(&payload).await.is_err() { break },
                    Some(Ok(Message::Close(_)) | Err(_)) | None => break,
                    Some(Ok(_)) => {}
                }
            }
        }
    });
    Ok(response)
}
