//! Listening: addresses, servers and what connections may cost.

use std::{
    io,
    net::{TcpListener, ToSocketAddrs as _},
    rc::Rc,
    sync::Arc,
    time::Duration as StdDuration,
};

use actix_http::{Extensions, HttpService, KeepAlive};
use actix_server::Server;
use actix_service::{ServiceFactoryExt as _, map_config};
use actix_web::{dev::AppConfig, web::Data};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use socket2::{Domain, Protocol, Socket, Type};
use tokio::sync::watch;

use crate::{
    config::Settings,
    http::{self, HttpParts},
    serve::StartError,
    telemetry::Metrics,
    timed_stream::{Patience, TimedStream, timed},
    turns::{PIECE, Turn, in_turn},
    ws::{Context, Upgrade},
};

/// Open files besides sockets: requests, stores, logs.
const OTHER_FILES: u64 = 512;
/// Handshakes that may wait to be accepted: a whole front end reconnects at once.
const BACKLOG: i32 = 4096;
/// A request's head must be there by then.
const HEAD_WITHIN: StdDuration = StdDuration::from_secs(10);
/// What the system keeps of an answer that a reader takes slowly. It says that there is room when a third of it is free: with more, a
/// slow reader seems to take nothing for minutes.
const SEND_BUFFER: usize = 32 * 1024;
/// Idle connections are kept this long.
const KEEP_ALIVE: StdDuration = StdDuration::from_secs(75);

/// A node that is asked to end takes connections for so long: whoever sends requests has to hear first that it goes.
pub(crate) const LISTENS_ON_FOR: StdDuration = StdDuration::from_secs(1);
/// Connections that are idle by then end: those that came last have had time to ask for something.
const IDLE_END_AFTER: StdDuration = StdDuration::from_millis(1_500);
/// A scrape that is under way gets as many seconds.
const SCRAPE_ENDS_WITHIN_SECS: u64 = 1;

/// A socket is an open file: takes as many as the system allows, and says when that is too few.
pub(crate) fn raise_open_files(sockets: usize) {
    let limit = getrlimit(Resource::Nofile);
    // Refused, the limit stays as it was, and is told of below.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit });
    let files = getrlimit(Resource::Nofile).current;
    if files.is_some_and(|files| files < sockets as u64 + OTHER_FILES) {
        tracing::warn!(files, sockets, "fewer open files are allowed than WS_MAX_CONNECTIONS needs: raise `ulimit -n`");
    }
}

/// Takes the address of a setting.
pub(crate) fn listen(setting: &'static str, host: &str, port: u16) -> Result<TcpListener, StartError> {
    let refuse = |source| StartError::Listen { setting, address: format!("{host}:{port}"), source };
    let address = (host, port).to_socket_addrs().map_err(refuse)?.next();
    let address = address.ok_or_else(|| refuse(io::Error::new(io::ErrorKind::AddrNotAvailable, "the host has no address")))?;
    let listener = || {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
        socket.set_reuse_address(true)?;
        // Connections that are accepted have it from here.
        socket.set_send_buffer_size(SEND_BUFFER)?;
        socket.bind(&address.into())?;
        socket.listen(BACKLOG)?;
        Ok(TcpListener::from(socket))
    };
    listener().map_err(refuse)
}

fn builder(settings: Option<&Settings>) -> actix_server::ServerBuilder {
    let builder = Server::build().disable_signals().backlog(BACKLOG.unsigned_abs());
    let Some(settings) = settings else { return builder.workers(1).shutdown_timeout(SCRAPE_ENDS_WITHIN_SECS) };
    let builder = builder.shutdown_timeout(settings.server.shutdown_drain_secs);
    if settings.server.workers > 0 { builder.workers(settings.server.workers) } else { builder }
}

/// All that this node listens on: everything, and `/metrics` where it has a port of its own.
pub(crate) fn servers(
    settings: &Settings,
    listener: TcpListener,
    parts: HttpParts,
    context: &Arc<Context>,
    metrics: &Metrics,
) -> Result<Vec<Server>, StartError> {
    tracing::info!(origins = %parts.origins, "pages of these origins may call");
    let mut servers = vec![listen_for_all(settings, listener, parts, Arc::clone(context))?];
    if let Some(address) = settings.metrics.addr.filter(|_| settings.metrics.enabled) {
        let listener = listen("METRICS_ADDR", &address.ip().to_string(), address.port())?;
        servers.push(listen_for_metrics(metrics, listener, context)?);
    }
    Ok(servers)
}

/// Idle connections end with the node; only running requests are waited for.
async fn end_of_idleness(mut draining: watch::Receiver<bool>) {
    drop(draining.wait_for(|draining| *draining).await);
    tokio::time::sleep(IDLE_END_AFTER).await;
}

/// What requests know of the connection they come by.
fn take_turns(stream: &TimedStream, data: &mut Extensions) {
    data.insert::<Rc<Turn>>(Rc::clone(stream.turn()));
}

/// The server of everything but, where it has a port of its own, `/metrics`.
fn listen_for_all(settings: &Settings, listener: TcpListener, parts: HttpParts, context: Arc<Context>) -> io::Result<Server> {
    let patience = Patience::around(HEAD_WITHIN, parts.request_timeout, KEEP_ALIVE);
    let server = builder(Some(settings)).listen("coinlink", listener, move || {
        let parts = parts.clone();
        let draining = context.draining.clone();
        let http = HttpService::build()
            .keep_alive(KeepAlive::Timeout(KEEP_ALIVE))
            .client_request_timeout(HEAD_WITHIN)
            .h1_write_buffer_size(PIECE)
            .on_connect_ext(take_turns)
            .graceful_shutdown_signal(move || end_of_idleness(draining.clone()))
            .upgrade(Upgrade::new(Arc::clone(&context)))
            .h1(in_turn(map_config(http::app(&parts).app_data(Data::from(Arc::clone(&context))), |()| AppConfig::default())));
        timed(patience).and_then(http)
    })?;
    Ok(server.run())
}

/// The server of `/metrics` alone.
fn listen_for_metrics(metrics: &Metrics, listener: TcpListener, context: &Context) -> io::Result<Server> {
    let (metrics, draining) = (metrics.clone(), context.draining.clone());
    let server = builder(None).listen("metrics", listener, move || {
        let draining = draining.clone();
        let http = HttpService::build()
            .keep_alive(KeepAlive::Timeout(KEEP_ALIVE))
            .client_request_timeout(HEAD_WITHIN)
            .h1_write_buffer_size(PIECE)
            .on_connect_ext(take_turns)
            .graceful_shutdown_signal(move || end_of_idleness(draining.clone()))
            .h1(in_turn(map_config(http::metrics_app(&metrics), |()| AppConfig::default())));
        timed(Patience::around(HEAD_WITHIN, http::SCRAPE_WITHIN, KEEP_ALIVE)).and_then(http)
    })?;
    Ok(server.run())
}
