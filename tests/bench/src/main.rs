//! The project's benchmarks. Each measures the real release binary beside what it could at best be (a bare actix server that
//! sends the same bytes, bcrypt alone), in one run and in turns, so that what the machine does meanwhile happens to both.

mod accounts;
mod alerts;
mod auth;
mod baseline;
mod candles;
mod deployment;
mod endurance;
mod http;
mod load;
mod server;
mod sign_in;
mod stamp;
mod stand;
mod table;
mod timing;
mod traces;
mod ws;

use clap::{Parser, Subcommand};
use std::{fs, os::unix::process::CommandExt, process::Command};

/// What a benchmark or its parts can fail with: it is printed and ends the run.
type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

#[derive(Parser)]
#[command(about = "CoinLink's benchmarks, each beside a baseline in the same run")]
struct Arguments {
    #[command(subcommand)]
    benchmark: Benchmark,
}

#[derive(Subcommand)]
enum Benchmark {
    /// What a tick costs with 100,000 alert rules, beside asking every rule by itself.
    Alerts(alerts::Plan),
    /// Ticks to many sockets, beside a bare actix-ws fan-out.
    Ws(ws::Plan),
    /// GET /api/bitcoin/price, beside a bare actix JSON route.
    Http(http::Plan),
    /// The same with an access token on PostgreSQL and Redis, beside a bare route that makes the same call to Redis; and
    /// refreshes.
    Auth(auth::Plan),
    /// Sign-ins beside bcrypt alone, and what a burst of them does to others.
    SignIn(sign_in::Plan),
    /// Whether the time of a failed sign-in tells why it failed.
    Timing(timing::Plan),
    /// What traces cost: nodes that send none, a share and all, in turns.
    Traces(traces::Plan),
    /// Years of price history in a PostgreSQL of its own: a day of minutes and a year of days.
    Candles(candles::Plan),
    /// Many sockets for minutes: who is still there, and what everybody got.
    Sockets(endurance::Plan),
    /// Stands up a deployment with accounts for load from outside, until its standard input ends.
    Stand(stand::Plan),
    /// The bare actix-ws fan-out by itself.
    BaselineWs(baseline::ws::Fanout),
    /// The bare actix JSON route by itself.
    BaselineHttp(baseline::http::Route),
    /// The same route after the gate's call to Redis, by itself.
    BaselineGate(baseline::gate::GatedRoute),
    /// A collector of traces, by itself.
    BaselineCollector(baseline::collector::Collector),
}

fn main() -> Outcome<()> {
    raise_open_files()?;
    match Arguments::parse().benchmark {
        Benchmark::Alerts(plan) => plan.run(),
        Benchmark::Ws(plan) => plan.run(),
        Benchmark::Http(plan) => plan.run(),
        Benchmark::Auth(plan) => plan.run(),
        Benchmark::SignIn(plan) => plan.run(),
        Benchmark::Timing(plan) => plan.run(),
        Benchmark::Traces(plan) => plan.run(),
        Benchmark::Candles(plan) => plan.run(),
        Benchmark::Sockets(plan) => plan.run(),
        Benchmark::Stand(plan) => plan.run(),
        Benchmark::BaselineWs(fanout) => fanout.serve(),
        Benchmark::BaselineHttp(route) => route.serve(),
        Benchmark::BaselineGate(route) => route.serve(),
        Benchmark::BaselineCollector(collector) => collector.serve(),
    }
}

/// Starts this program again under the hard limit of open files where the soft one is lower; a socket each, on both sides,
/// needs them. The shell does it because the system call is out of reach of safe Rust.
fn raise_open_files() -> Outcome<()> {
    let limits = fs::read_to_string("/proc/self/limits")?;
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files")).unwrap_or_default();
    let mut limits = line.split_whitespace();
    let (soft, hard) = (limits.next(), limits.next());
    if soft == hard {
        return Ok(());
    }
    let again = Command::new("sh")
        .args(["-c", "ulimit -S -n \"$(ulimit -H -n)\" && exec \"$0\" \"$@\""])
        .arg(std::env::current_exe()?)
        .args(std::env::args_os().skip(1))
        .exec();
    Err(again.into())
}
