//! What traces cost: `GET /api/bitcoin/price` with an access token on nodes that send none, a share of them, and all, in turns.

use crate::{
    Outcome,
    accounts::{self, Holder},
    baseline::collector::TAKEN,
    deployment::{Deployment, LIMITS, NO_LIMIT},
    http::PATH,
    load::{Answered, closed_loop, exchange, get, latencies},
    server::{Busy, Server},
    table::{self, Goal, Limit, Spread, figure, median, spread},
};
use std::{path::PathBuf, time::Duration};

const WARM_UP: Duration = Duration::from_secs(1);

/// Of the requests that a node without traces answers, one that sends a share of them answers at least this part.
const LEAST_RATIO: f64 = 0.9;

#[derive(clap::Args)]
pub(crate) struct Plan {
    /// The binary to measure.
    #[arg(long, default_value = "target/release/coinlink")]
    binary: PathBuf,
    /// Connections that ask at once, each with an account.
    #[arg(long, default_value_t = 48)]
    connections: usize,
    /// The share of traces that the second node sends.
    #[arg(long, default_value_t = 0.05)]
    share: f64,
    /// How often each node has its turn.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Measured seconds a turn; one more before it is not measured.
    #[arg(long, default_value_t = 3)]
    seconds: u64,
    /// Fail when a goal is missed.
    #[arg(long)]
    check: bool,
}

/// A deployment, what it sends, and its turns.
struct Node {
    name: String,
    deployment: Deployment,
    holders: Vec<Holder>,
    turns: Vec<Turn>,
}

struct Turn {
    answered: Answered,
    /// Processor time, warm-up included.
    busy: Busy,
}

impl Plan {
    pub(crate) fn run(&self) -> Outcome<()> {
        let collector = Server::baseline("baseline-collector", b"", &[])?;
        let endpoint = format!("http://{}", collector.address());
        let mut nodes = vec![self.node("no traces".to_owned(), &[])?];
        for (name, share) in [(format!("a share of {}", self.share), self.share), ("all".to_owned(), 1.0)] {
            let settings = [("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint.clone()), ("OTEL_TRACES_SAMPLER_ARG", share.to_string())];
            nodes.push(self.node(name, &settings)?);
        }
        table::say(&format!(
            "GET {PATH} with an access token, {} connections, {} turns of {} s each",
            self.connections, self.rounds, self.seconds
        ))?;
        let taken = || -> Outcome<u64> { Ok(String::from_utf8(exchange(collector.address(), TAKEN)?)?.parse()?) };
        for number in 1..=self.rounds {
            let mut said = Vec::new();
            for node in &mut nodes {
                let turn = self.turn(node)?;
                said.push(format!("{} {:.0}", node.name, turn.rate()));
                node.turns.push(turn);
            }
            table::say(&format!("turn {number}, requests/s: {}", said.join(", ")))?;
        }
        if taken()? == 0 {
            return Err("nothing was sent to the collector".into());
        }
        let rows: Vec<_> = nodes.iter().map(Node::row).collect::<Outcome<_>>()?;
        table::print(&["traces sent", "req/s", "p50 µs", "p99 µs", "server CPU µs/req"], &rows)?;
        let [none, share, all] = nodes.as_slice() else { return Err("three nodes were started".into()) };
        let (of_share, of_all) = (share.beside(none), all.beside(none));
        table::say(&format!(
            "\nrequests per second beside a node without traces, within each turn: median (least to most)\n\
             a share of {}: {of_share}\nall: {of_all}\nthe collector was sent {:.1} MiB",
            self.share,
            figure(taken()?) / f64::from(1 << 20)
        ))?;
        let what = "requests per second, with a share of traces ÷ without".to_owned();
        table::judge(&[Goal { what, value: of_share.middle, limit: Limit::AtLeast(LEAST_RATIO) }], self.check)
    }

    fn node(&self, name: String, traces: &[(&'static str, String)]) -> Outcome<Node> {
        let mut settings = LIMITS.map(|name| (name, NO_LIMIT.to_owned())).to_vec();
        settings.extend_from_slice(traces);
        let deployment = Deployment::with(&self.binary, &settings)?;
        let holders = accounts::open(deployment.server.address(), "user", self.connections)?;
        Ok(Node { name, deployment, holders, turns: Vec::new() })
    }

    fn turn(&self, node: &Node) -> Outcome<Turn> {
        node.deployment.forget_requests();
        let server = &node.deployment.server;
        let request = |holder: &Holder| get(server.address(), PATH, &[("authorization", &holder.authorization())]);
        let requests: Vec<_> = node.holders.iter().map(request).collect();
        let begin = Busy::now(server)?;
        let answered = closed_loop(server.address(), &requests, WARM_UP, Duration::from_secs(self.seconds))
            .map_err(|error| format!("{error}\n{}", server.log()))?;
        Ok(Turn { busy: begin.until_now(server)?, answered })
    }
}

impl Turn {
    fn rate(&self) -> f64 {
        figure(self.answered.requests) / self.answered.elapsed.as_secs_f64()
    }
}

impl Node {
    fn row(&self) -> Outcome<Vec<String>> {
        let mut all = latencies();
        for turn in &self.turns {
            all.add(&turn.answered.latencies)?;
        }
        let processor = |turn: &Turn| turn.busy.server * 1e6 / figure(turn.answered.in_all);
        Ok(vec![
            self.name.clone(),
            format!("{:.0}", median(self.turns.iter().map(Turn::rate))),
            all.value_at_quantile(0.5).to_string(),
            all.value_at_quantile(0.99).to_string(),
            format!("{:.1}", median(self.turns.iter().map(processor))),
        ])
    }

    /// Its requests per second beside those of `other` in the same turn.
    fn beside(&self, other: &Self) -> Spread {
        spread(self.turns.iter().zip(&other.turns).map(|(ours, theirs)| ours.rate() / theirs.rate()))
    }
}
