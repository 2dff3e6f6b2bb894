//! Sockets of a production deployment for minutes: how many stay, and whether everybody gets every tick.

use crate::{
    Outcome,
    deployment::Deployment,
    load::Sockets,
    server::Busy,
    table::{self, Goal, Limit, figure},
};
use std::{path::PathBuf, time::Duration};

/// Of the sockets, in percent.
const LEAST_KEPT: f64 = 95.0;
/// The promise: from a provider's answer to the last socket, milliseconds.
const MOST_LAG: f64 = 250.0;

#[derive(clap::Args)]
pub(crate) struct Plan {
    /// The binary to measure.
    #[arg(long, default_value = "target/release/coinlink")]
    binary: PathBuf,
    /// Sockets.
    #[arg(long, default_value_t = 100)]
    clients: usize,
    /// How long they are held.
    #[arg(long, default_value_t = 300)]
    seconds: u64,
    /// Time between two ticks.
    #[arg(long, default_value_t = 5000)]
    interval_ms: u64,
    /// Fail when a goal is missed.
    #[arg(long)]
    check: bool,
}

impl Plan {
    pub(crate) fn run(&self) -> Outcome<()> {
        let room = (2 * self.clients).max(1000).to_string();
        let settings = [
            ("TICKER_INTERVAL_MS", self.interval_ms.to_string()),
            ("WS_MAX_CONNECTIONS", room.clone()),
            // They all come from one address, at once.
            ("WS_HANDSHAKE_BURST", room),
        ];
        let deployment = Deployment::with(&self.binary, &settings)?;
        let server = &deployment.server;
        let mut sockets = Sockets::open(server.address(), self.clients).map_err(|error| format!("{error}\n{}", server.log()))?;
        let interval = Duration::from_millis(self.interval_ms);
        sockets.settle(interval * 2)?;
        let frames = usize::try_from(u128::from(self.seconds) * 1000 / interval.as_millis().max(1))?;
        let begin = Busy::now(server)?;
        let measured = sockets.measure(frames, Duration::from_secs(self.seconds) + interval * 2)?;
        let busy = begin.until_now(server)?;
        let closed: u64 = measured.closed.values().sum();
        let clients = figure(self.clients as u64);
        let (kept, expected) = (clients - figure(closed), figure(frames as u64) * clients);
        let last = measured.last_reads.iter().copied().max().unwrap_or(0);
        let seconds = measured.elapsed.as_secs_f64();
        let milliseconds = |quantile| figure(measured.latencies.value_at_quantile(quantile)) / 1000.0;
        table::print(
            &[
                "sockets",
                "seconds",
                "ticks",
                "closed",
                "frames missed",
                "p50 ms",
                "p95 ms",
                "slowest ms",
                "MiB",
                "server CPU %",
                "others CPU %",
            ],
            &[vec![
                self.clients.to_string(),
                format!("{seconds:.0}"),
                measured.last_reads.len().to_string(),
                format!("{:?}", measured.closed),
                measured.missed.to_string(),
                format!("{:.1}", milliseconds(0.5)),
                format!("{:.1}", milliseconds(0.95)),
                format!("{:.1}", figure(last) / 1000.0),
                format!("{:.1}", figure(server.resident_kib()?) / 1024.0),
                format!("{:.1}", busy.server * 100.0 / seconds),
                format!("{:.1}", busy.others * 100.0 / seconds),
            ]],
        )?;
        let goals = [
            Goal { what: "sockets kept, percent".to_owned(), value: kept * 100.0 / clients, limit: Limit::AtLeast(LEAST_KEPT) },
            Goal {
                what: "frames delivered, percent".to_owned(),
                value: (expected - figure(measured.missed)) * 100.0 / expected.max(1.0),
                limit: Limit::AtLeast(100.0),
            },
            Goal {
                what: "p95 from publication to socket, ms".to_owned(),
                value: milliseconds(0.95),
                limit: Limit::AtMost(MOST_LAG),
            },
        ];
        table::judge(&goals, self.check)
    }
}
