//! Ticks to many sockets of the real binary beside a bare actix-ws fan-out of the same bytes, in turns.

mod report;

use crate::{
    Outcome,
    load::{Measured, Sockets, Stalled, first_tick},
    server::{Busy, Server},
    table,
};
use std::{path::PathBuf, thread, time::Duration};

#[derive(clap::Args)]
pub(crate) struct Plan {
    /// The binary to measure.
    #[arg(long, default_value = "target/release/coinlink")]
    binary: PathBuf,
    /// Sockets that read.
    #[arg(long, default_value_t = 10_000)]
    clients: usize,
    /// Further sockets that never read: their effect on the others is measured as well.
    #[arg(long, default_value_t = 0)]
    stalled: usize,
    /// Lines in the ticker; 29 make a frame of about 4 KB.
    #[arg(long, default_value_t = 29)]
    items: usize,
    /// Time between two ticks.
    #[arg(long, default_value_t = 1000)]
    interval_ms: u64,
    /// Ticks measured a turn.
    #[arg(long, default_value_t = 10)]
    frames: usize,
    /// How often each server has its turn.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Seconds that sockets which never read have for filling their buffers before the others are measured.
    #[arg(long, default_value_t = 15)]
    stall_secs: u64,
    /// Fail when a goal is missed.
    #[arg(long)]
    check: bool,
}

/// One server's turn.
struct Turn {
    measured: Measured,
    /// Memory in use before the sockets were opened, and while they are open.
    resident_kib: (u64, u64),
    /// Processor time that the server used while measuring.
    server_seconds: f64,
    /// Cores kept busy by neither the server nor the load client: with much of it the figures mean little.
    others: f64,
}

impl Plan {
    pub(crate) fn run(&self) -> Outcome<()> {
        let room = (2 * (self.clients + self.stalled)).max(1000).to_string();
        let coinlink = Server::coinlink(
            &self.binary,
            &[
                ("TICKER_INTERVAL_MS", self.interval_ms.to_string()),
                ("TICKER_SIZE", self.items.to_string()),
                ("WS_MAX_CONNECTIONS", room.clone()),
                ("WS_HANDSHAKE_BURST", room),
            ],
        )?;
        let frame = first_tick(coinlink.address())?;
        let interval = ["--interval-ms".to_owned(), self.interval_ms.to_string()];
        let baseline = Server::baseline("baseline-ws", frame.as_bytes(), &interval)?;
        table::say(&format!(
            "{} sockets, frames of {} bytes every {} ms, {} turns of {} frames each",
            self.clients,
            frame.len(),
            self.interval_ms,
            self.rounds,
            self.frames
        ))?;
        let (mut ours, mut bare) = (Vec::new(), Vec::new());
        for round in 1..=self.rounds {
            ours.push(self.turn(&coinlink, "coinlink", round, 0)?);
            bare.push(self.turn(&baseline, "bare actix-ws", round, 0)?);
        }
        drop(baseline);
        let mut stalled = Vec::new();
        for round in 1..=if self.stalled > 0 { self.rounds } else { 0 } {
            let without = self.turn(&coinlink, "all read", round, 0)?;
            let with = self.turn(&coinlink, "some stalled", round, self.stalled)?;
            stalled.push((without, with));
        }
        report::print(self, frame.len(), &ours, &bare, &stalled)
    }

    fn turn(&self, server: &Server, name: &str, round: usize, stalled: usize) -> Outcome<Turn> {
        let before = server.resident_kib()?;
        let never_read = Stalled::open(server.address(), stalled)?;
        let mut sockets = Sockets::open(server.address(), self.clients).map_err(|error| format!("{error}\n{}", server.log()))?;
        let interval = Duration::from_millis(self.interval_ms);
        sockets.settle(if stalled > 0 { Duration::from_secs(self.stall_secs) } else { interval * 3 })?;
        let begin = Busy::now(server)?;
        let most = interval * u32::try_from(self.frames)? * 2 + Duration::from_secs(5);
        let measured = sockets.measure(self.frames, most)?;
        let busy = begin.until_now(server)?;
        let resident_kib = (before, server.resident_kib()?);
        let others = busy.others / measured.elapsed.as_secs_f64();
        let turn = Turn { measured, resident_kib, server_seconds: busy.server, others };
        table::say(&report::line(name, round, &turn))?;
        drop((sockets, never_read));
        // The next turn is not to pay for closing these.
        thread::sleep(interval * 2);
        Ok(turn)
    }
}
