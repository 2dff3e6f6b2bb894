//! Listening: addresses, servers and what connections may cost.

use std::{
    io,
    net::{TcpListener, ToSocketAddrs as _},
    sync::Arc,
    time::Duration as StdDuration,
};

use actix_http::{HttpService, KeepAlive};
use actix_server::Server;
use actix_service::{ServiceFactoryExt as _, map_config};
use actix_web::{dev::AppConfig, web::Data};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use socket2::{Domain, Protocol, Socket, Type};

use crate::{
    config::Settings,
    http::{self, HttpParts},
    serve::StartError,
    telemetry::Metrics,
    timed_stream::{Patience, timed},
    ws::{Context, Upgrade},
};

/// Open files besides sockets: requests, stores, logs.
const OTHER_FILES: u64 = 512;
/// Handshakes that may wait to be accepted: a whole front end reconnects at once.
const BACKLOG: i32 = 4096;
/// A request's head must be there by then.
const HEAD_WITHIN: StdDuration = StdDuration::from_secs(10);
/// Idle connections are kept this long.
const KEEP_ALIVE: StdDuration = StdDuration::from_secs(75);

/// A node that is asked to end takes connections for so long: whoever sends requests has to hear first that it goes.
pub(crate) const LISTENS_ON_FOR: StdDuration = StdDuration::from_secs(1);
/// Connections that are idle by then end: those that came last have had time to ask for something.
const IDLE_END_AFTER: StdDuration = StdDuration::from_millis(1_500);

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

/// Takes an address.
pub(crate) fn listen(host: &str, port: u16) -> Result<TcpListener, StartError> {
    let refuse = |source| StartError::Listen { address: format!("{host}:{port}"), source };
    let address = (host, port).to_socket_addrs().map_err(refuse)?.next();
    let address = address.ok_or_else(|| refuse(io::Error::new(io::ErrorKind::AddrNotAvailable, "the host has no address")))?;
    let listener = || {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
        socket.set_reuse_address(true)?;
        socket.bind(&address.into())?;
        socket.listen(BACKLOG)?;
        Ok(TcpListener::from(socket))
    };
    listener().map_err(refuse)
}

fn builder(settings: Option<&Settings>) -> actix_server::ServerBuilder {
    let builder = Server::build().disable_signals().backlog(BACKLOG.unsigned_abs());
    let Some(settings) = settings else { return builder.workers(1) };
    let builder = builder.shutdown_timeout(settings.server.shutdown_drain_secs);
    if settings.server.workers > 0 { builder.workers(settings.server.workers) } else { builder }
}

/// All that this node listens on: everything, and `/metrics` where it has a port of its own.
pub(crate) fn servers(
    settings: &Settings,
    listener: TcpListener,
    parts: HttpParts,
    context: Arc<Context>,
    metrics: &Metrics,
) -> Result<Vec<Server>, StartError> {
    let mut servers = vec![listen_for_all(settings, listener, parts, context)?];
    if let Some(address) = settings.metrics.addr.filter(|_| settings.metrics.enabled) {
        servers.push(listen_for_metrics(metrics, listen(&address.ip().to_string(), address.port())?)?);
    }
    Ok(servers)
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
            // Idle connections end with the node; only running requests are waited for.
            .graceful_shutdown_signal(move || {
                let mut draining = draining.clone();
                async move {
                    drop(draining.wait_for(|draining| *draining).await);
                    tokio::time::sleep(IDLE_END_AFTER).await;
                }
            })
            .upgrade(Upgrade::new(Arc::clone(&context)))
            .h1(map_config(http::app(&parts).app_data(Data::from(Arc::clone(&context))), |()| AppConfig::default()));
        timed(patience).and_then(http)
    })?;
    Ok(server.run())
}

/// The server of `/metrics` alone.
fn listen_for_metrics(metrics: &Metrics, listener: TcpListener) -> io::Result<Server> {
    let metrics = metrics.clone();
    let server = builder(None).listen("metrics", listener, move || {
        let http = HttpService::build()
            .client_request_timeout(HEAD_WITHIN)
            .h1(map_config(http::metrics_app(&metrics), |()| AppConfig::default()));
        timed(Patience::around(HEAD_WITHIN, http::SCRAPE_WITHIN, KEEP_ALIVE)).and_then(http)
    })?;
    Ok(server.run())
}
