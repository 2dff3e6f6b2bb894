//! `GET /api/bitcoin/price` of the real binary beside a bare actix JSON route, in turns.

use crate::{
    Outcome,
    load::{Answered, closed_loop, exchange, get, latencies},
    server::{Busy, Server},
    table::{self, Goal, Limit, figure, median},
};
use std::{
    path::PathBuf,
    thread,
    time::{Duration, Instant},
};

/// What is asked for.
pub(crate) const PATH: &str = "/api/bitcoin/price";

/// Of the requests that a bare route answers, ours answers at least this part.
const LEAST_RATIO: f64 = 0.6;

/// The first price is there within this.
const FIRST_PRICE: Duration = Duration::from_secs(10);

#[derive(clap::Args)]
pub(crate) struct Plan {
    /// The binary to measure.
    #[arg(long, default_value = "target/release/coinlink")]
    binary: PathBuf,
    /// Connections that ask at once.
    #[arg(long, default_value_t = 48)]
    connections: usize,
    /// How often each server has its turn.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Measured seconds a turn; one more before it is not measured.
    #[arg(long, default_value_t = 5)]
    seconds: u64,
    /// Fail when a goal is missed.
    #[arg(long)]
    check: bool,
}

struct Turn {
    answered: Answered,
    /// Processor time, warm-up included.
    busy: Busy,
    seconds: f64,
}

impl Plan {
    pub(crate) fn run(&self) -> Outcome<()> {
        // Requests are counted by address; the load client has enough of them that no limit is reached.
        let limits = ["RATE_LIMIT_PRICE", "RATE_LIMIT_ANONYMOUS"].map(|name| (name, "1000000".to_owned()));
        let coinlink = Server::coinlink(&self.binary, &limits)?;
        let body = first_price(&coinlink)?;
        let baseline = Server::baseline("baseline-http", &body, &[])?;
        let same = exchange(baseline.address(), PATH)?.len();
        table::say(&format!(
            "GET {PATH}: {} bytes of JSON ({same} from the bare route), {} connections, {} turns of {} s each",
            body.len(),
            self.connections,
            self.rounds,
            self.seconds
        ))?;
        let (mut ours, mut bare) = (Vec::new(), Vec::new());
        for _ in 0..self.rounds {
            ours.push(self.turn(&coinlink)?);
            bare.push(self.turn(&baseline)?);
        }
        let heads = ["server", "req/s", "p50 µs", "p99 µs", "server CPU µs/req", "client CPU %", "others CPU %"];
        table::print(&heads, &[row("coinlink", &ours)?, row("bare actix", &bare)?])?;
        let processor = processor_per_request(&bare) / processor_per_request(&ours);
        table::say(&format!("\nprocessor time of the bare route ÷ ours, per request: {processor:.2}"))?;
        let what = "requests per second, ours ÷ bare".to_owned();
        let goal = Goal { what, value: rate(&ours) / rate(&bare), limit: Limit::AtLeast(LEAST_RATIO) };
        table::judge(&[goal], self.check)
    }

    fn turn(&self, server: &Server) -> Outcome<Turn> {
        let begin = Busy::now(server)?;
        let warm_up = Duration::from_secs(1);
        let requests = vec![get(server.address(), PATH, &[]); self.connections];
        let answered = closed_loop(server.address(), &requests, warm_up, Duration::from_secs(self.seconds))
            .map_err(|error| format!("{error}\n{}", server.log()))?;
        let seconds = (answered.elapsed + warm_up).as_secs_f64();
        Ok(Turn { busy: begin.until_now(server)?, seconds, answered })
    }
}

/// The body of the first price that `server` answers with.
pub(crate) fn first_price(server: &Server) -> Outcome<Vec<u8>> {
    let deadline = Instant::now() + FIRST_PRICE;
    loop {
        match exchange(server.address(), PATH) {
            Ok(body) => return Ok(body),
            Err(error) if Instant::now() > deadline => return Err(error),
            Err(_) => thread::sleep(Duration::from_millis(100)),
        }
    }
}

fn rate(turns: &[Turn]) -> f64 {
    median(turns.iter().map(|turn| figure(turn.answered.requests) / turn.answered.elapsed.as_secs_f64()))
}

fn processor_per_request(turns: &[Turn]) -> f64 {
    // The warm-up is as busy as what follows.
    let share = |turn: &Turn| turn.answered.elapsed.as_secs_f64() / turn.seconds;
    median(turns.iter().map(|turn| turn.busy.server * share(turn) * 1e6 / figure(turn.answered.requests)))
}

fn row(name: &str, turns: &[Turn]) -> Outcome<Vec<String>> {
    let mut all = latencies();
    for turn in turns {
        all.add(&turn.answered.latencies)?;
    }
    let of_a_core = |part: fn(&Busy) -> f64| median(turns.iter().map(|turn| part(&turn.busy) * 100.0 / turn.seconds));
    Ok(vec![
        name.to_owned(),
        format!("{:.0}", rate(turns)),
        all.value_at_quantile(0.5).to_string(),
        all.value_at_quantile(0.99).to_string(),
        format!("{:.1}", processor_per_request(turns)),
        format!("{:.0}", of_a_core(|busy| busy.client)),
        format!("{:.0}", of_a_core(|busy| busy.others)),
    ])
}
