//! `GET /api/bitcoin/price` with an access token: signed in, counted, and asked whether the session goes on. Beside a bare route
//! that makes the same call to Redis and nothing else, and beside that route without Redis, in turns. And refreshes.

mod refresh;
mod report;

use crate::{
    Outcome,
    accounts::{self, Holder},
    deployment::Deployment,
    http::{PATH, first_price},
    load::{Answered, closed_loop, exchange, get},
    server::{Busy, Server, processor_seconds_of},
    table,
};
use refresh::Refreshes;
use std::{path::PathBuf, time::Duration};

const WARM_UP: Duration = Duration::from_secs(1);

#[derive(clap::Args)]
pub(crate) struct Plan {
    /// The binary to measure.
    #[arg(long, default_value = "target/release/coinlink")]
    binary: PathBuf,
    /// Connections that ask at once.
    #[arg(long, default_value_t = 48)]
    connections: usize,
    /// Accounts; connections use their tokens in turn.
    #[arg(long, default_value_t = 48)]
    users: usize,
    /// How often each server has its turn.
    #[arg(long, default_value_t = 7)]
    rounds: usize,
    /// Measured seconds a turn; one more before it is not measured.
    #[arg(long, default_value_t = 3)]
    seconds: u64,
    /// Sessions that are refreshed at once, each by a client of its own.
    #[arg(long, default_value_t = 8)]
    refreshers: usize,
    /// Fail when a goal is missed.
    #[arg(long)]
    check: bool,
}

/// One server's turn.
struct Turn {
    answered: Answered,
    /// Processor time, warm-up included.
    busy: Busy,
    redis_seconds: f64,
    /// Scripts that Redis ran.
    scripts: u64,
}

/// One turn of each: the real binary, the bare route with the call to Redis, and without.
struct Round {
    ours: Turn,
    gated: Turn,
    bare: Turn,
}

impl Plan {
    pub(crate) fn run(&self) -> Outcome<()> {
        let deployment = Deployment::start(&self.binary)?;
        let address = deployment.server.address();
        let holders = accounts::open(address, "user", self.users.max(self.refreshers).max(1))?;
        let body = first_price(&deployment.server)?;
        let redis = ["--redis".to_owned(), deployment.redis.url(), "--users".to_owned(), holders.len().to_string()];
        let gated = Server::baseline("baseline-gate", &body, &redis)?;
        let bare = Server::baseline("baseline-http", &body, &[])?;
        exchange(gated.address(), PATH)?;
        table::say(&format!(
            "GET {PATH} with an access token: {} bytes of JSON, {} connections of {} users, {} turns of {} s each",
            body.len(),
            self.connections,
            holders.len(),
            self.rounds,
            self.seconds
        ))?;
        let mut rounds = Vec::new();
        for number in 1..=self.rounds {
            let round = Round {
                ours: self.turn(&deployment, &deployment.server, &holders)?,
                gated: self.turn(&deployment, &gated, &holders)?,
                bare: self.turn(&deployment, &bare, &holders)?,
            };
            table::say(&report::line(number, &round))?;
            rounds.push(round);
        }
        drop((gated, bare));
        let refreshes = Refreshes::measure(&deployment.server, &holders[..self.refreshers], self.rounds, self.seconds)?;
        report::print(self, &rounds, &refreshes)
    }

    fn turn(&self, deployment: &Deployment, server: &Server, holders: &[Holder]) -> Outcome<Turn> {
        deployment.forget_requests();
        let request = |holder: &Holder| get(server.address(), PATH, &[("authorization", &holder.authorization())]);
        let requests: Vec<_> = holders.iter().cycle().take(self.connections).map(request).collect();
        let redis = || processor_seconds_of(deployment.redis.pid());
        let (begin, redis_begin, scripts_begin) = (Busy::now(server)?, redis()?, deployment.scripts_run());
        let answered = closed_loop(server.address(), &requests, WARM_UP, Duration::from_secs(self.seconds))
            .map_err(|error| format!("{error}\n{}", server.log()))?;
        let (busy, redis_seconds) = (begin.until_now(server)?, redis()? - redis_begin);
        Ok(Turn { answered, busy, redis_seconds, scripts: deployment.scripts_run() - scripts_begin })
    }
}
