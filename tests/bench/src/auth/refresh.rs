//! Refreshes per second: each client exchanges its own session's token for the next, again and again.

use crate::{
    Outcome,
    accounts::{Holder, text},
    load::{Client, in_parallel, latencies, post},
    server::Server,
};
use hdrhistogram::Histogram;
use serde_json::json;
use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};
use uuid::Uuid;

const PATH: &str = "/api/v2/auth/token/refresh";

/// What the turns came to.
pub(super) struct Refreshes {
    /// A second, in each turn.
    pub(super) rates: Vec<f64>,
    /// Microseconds from request to answer, in all turns.
    pub(super) latencies: Histogram<u64>,
}

impl Refreshes {
    pub(super) fn measure(server: &Server, holders: &[Holder], turns: usize, seconds: u64) -> Outcome<Self> {
        let mut tokens: Vec<String> = holders.iter().map(|holder| holder.refresh.clone()).collect();
        let mut measured = Self { rates: Vec::new(), latencies: latencies() };
        for _ in 0..turns {
            let span = Duration::from_secs(seconds);
            let done = in_parallel(tokens.len(), |index| rotate(server.address(), index, tokens[index].clone(), span))
                .map_err(|error| format!("{error}\n{}", server.log()))?;
            let count: u64 = done.iter().map(|(_, latencies)| latencies.len()).sum();
            measured.rates.push(crate::table::figure(count) / span.as_secs_f64());
            for (index, (token, latencies)) in done.into_iter().enumerate() {
                tokens[index] = token;
                measured.latencies.add(&latencies)?;
            }
        }
        Ok(measured)
    }
}

/// Refreshes one session for so long. Gives its newest token.
fn rotate(address: SocketAddr, index: usize, mut token: String, span: Duration) -> Outcome<(String, Histogram<u64>)> {
    let (mut client, mut latencies, end) = (Client::open(address, index)?, latencies(), Instant::now() + span);
    while Instant::now() < end {
        let name = Uuid::now_v7().to_string();
        let request = post(address, PATH, &[("idempotency-key", &name)], &json!({"refresh_token": token}));
        let asked = Instant::now();
        let answer = client.ask(&request)?.expect(200)?;
        latencies.saturating_record(u64::try_from(asked.elapsed().as_micros())?);
        token = text(&answer.body, "/refresh_token")?;
    }
    Ok((token, latencies))
}
