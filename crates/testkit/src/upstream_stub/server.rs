use std::net::SocketAddr;

use tokio::{
    io::{AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    task::{JoinHandle, JoinSet},
};

use super::{
    Mode, Provider, Shared, State, alternative_me, candles, coinbase, coingecko, http, kraken, lock, newsapi, overview, socket,
};

const JSON: &str = "application/json; charset=utf-8";
const PAGE: &str = "<!DOCTYPE html>\n<html lang=\"en-US\"><head><title>Attention Required! | Cloudflare</title></head>\
    <body><h1>Sorry, you have been blocked</h1><p>error code: 1020</p></body></html>";

/// The listening task; every connection lives in it and ends with it.
pub(super) struct Running {
    accepting: JoinHandle<()>,
}

impl Running {
    /// Returns when the port is free and every connection closed.
    pub(super) async fn stop(mut self) {
        self.accepting.abort();
        // An aborted task answers with its cancellation, by when all it owned is dropped.
        let _ = (&mut self.accepting).await;
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

pub(super) async fn start(address: SocketAddr, state: Shared) -> (SocketAddr, Running) {
    let listener =
        TcpListener::bind(address).await.unwrap_or_else(|error| panic!("the stub cannot listen on {address}: {error}"));
    let address = listener.local_addr().unwrap_or(address);
    let accepting = tokio::spawn(async move {
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                accepted = listener.accept() => if let Ok((stream, _)) = accepted {
                    connections.spawn(serve(stream, state.clone()));
                },
                Some(_) = connections.join_next() => {}
            }
        }
    });
    (address, Running { accepting })
}

async fn serve(stream: TcpStream, state: Shared) {
    let mut stream = BufReader::new(stream);
    while let Some(request) = http::read_request(&mut stream).await {
        if request.path.starts_with("/coinbase-ws") {
            return socket::serve(stream.into_inner(), &request, state).await;
        }
        let provider = provider_of(&request.path);
        let (mode, good) = {
            let mut state = lock(&state);
            state.requests.push((provider, request.clone()));
            match provider {
                Some(provider) => (state.modes[provider.index()].clone(), good(&state, provider, &request)),
                None => (Mode::Ok, (404, "{}".to_owned())),
            }
        };
        let Some((bytes, close)) = respond(mode, good) else {
            return std::future::pending().await;
        };
        if stream.write_all(bytes.as_bytes()).await.is_err() || close {
            return;
        }
    }
}

fn provider_of(path: &str) -> Option<Provider> {
    let prefixes = [
        ("/coingecko/api/v3/global", Provider::Overview),
        ("/coingecko/api/v3/search/trending", Provider::Overview),
        ("/coingecko/", Provider::CoinGecko),
        ("/coinbase/", Provider::Coinbase),
        ("/kraken/", Provider::Kraken),
        ("/binance/", Provider::Binance),
        ("/newsapi/", Provider::NewsApi),
        ("/alternative_me/", Provider::AlternativeMe),
    ];
    prefixes.into_iter().find(|(prefix, _)| path.starts_with(prefix)).map(|(_, provider)| provider)
}

fn good(state: &State, provider: Provider, request: &http::Recorded) -> (u16, String) {
    match provider {
        Provider::CoinGecko => coingecko::answer(state, request),
        Provider::Coinbase => coinbase::answer(state, request),
        Provider::Kraken => kraken::answer(state, request),
        Provider::Binance => candles::binance(state, request),
        Provider::Overview => overview::answer(request),
        Provider::NewsApi => newsapi::answer(request),
        Provider::AlternativeMe => alternative_me::answer(request),
    }
}

/// The bytes to send and whether to close after them; `None` is silence.
fn respond(mode: Mode, (status, body): (u16, String)) -> Option<(String, bool)> {
    let whole = |status, content_type, headers: &[_], body: &str| http::answer(status, content_type, headers, body, body.len());
    let half = &body[..body.floor_char_boundary(body.len() / 2)];
    Some(match mode {
        Mode::Ok => (whole(status, JSON, &[], &body), false),
        Mode::Status(status, body, headers) => (whole(status, JSON, &headers, &body), false),
        Mode::Hang => return None,
        Mode::Garbage => (whole(200, JSON, &[], "\u{0}\u{1}garbage}{][,,"), false),
        Mode::TruncatedJson => (whole(200, JSON, &[], half), false),
        Mode::BrokenOff => (http::answer(200, JSON, &[], half, body.len()), true),
        Mode::Html403 => (whole(403, "text/html; charset=UTF-8", &[], PAGE), false),
        Mode::Html200 => (whole(200, "text/html; charset=UTF-8", &[], PAGE), false),
    })
}
