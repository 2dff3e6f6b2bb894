//! Sign-ins per second beside bcrypt alone, in turns; and what a burst of sign-ins does to the server's other users.

mod crowd;
mod report;

use crate::{
    Outcome,
    accounts::{self, Holder, PASSWORD},
    deployment::Deployment,
    load::{Client, in_parallel, latencies},
    table,
};
use crowd::Crowd;
use hdrhistogram::Histogram;
use std::{
    hint::black_box,
    net::SocketAddr,
    path::PathBuf,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
    time::{Duration, Instant},
};

const COST: u32 = 12;
/// Computations on each core a turn.
const HASHES: u32 = 4;
/// As long as what the server gives bcrypt.
const INPUT: [u8; 44] = [b'a'; 44];
/// Sign-ins before a turn's measured time, so that it begins and ends with as many under way.
const WARM_UP: Duration = Duration::from_secs(2);

#[derive(clap::Args)]
pub(crate) struct Plan {
    /// The binary to measure.
    #[arg(long, default_value = "target/release/coinlink")]
    binary: PathBuf,
    /// Clients that sign in at once.
    #[arg(long, default_value_t = 8)]
    clients: usize,
    /// Accounts they sign in to in turn.
    #[arg(long, default_value_t = 64)]
    accounts: usize,
    /// How often sign-ins and bcrypt alone have their turn.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Measured seconds of sign-ins a turn.
    #[arg(long, default_value_t = 15)]
    seconds: u64,
    /// Sign-ins of a burst, all at one moment.
    #[arg(long, default_value_t = 500)]
    logins: usize,
    /// Bursts, one after the other.
    #[arg(long, default_value_t = 3)]
    bursts: usize,
    /// Connections that ask for the price meanwhile.
    #[arg(long, default_value_t = 2)]
    askers: usize,
    /// Milliseconds between two requests of one of them. A request that is late for an answer still outstanding counts from
    /// when it was due, or a server that stands still for a second would seem slow once. 0: again as soon as answered.
    #[arg(long, default_value_t = 5)]
    every_ms: u64,
    /// Fail when a goal is missed.
    #[arg(long)]
    check: bool,
}

/// One turn of sign-ins, after one of bcrypt.
struct Turn {
    per_second: f64,
    latencies: Histogram<u64>,
    /// Seconds of one computation with nothing beside it, and with one on each core.
    alone: f64,
    on_all_cores: f64,
}

impl Plan {
    pub(crate) fn run(&self) -> Outcome<()> {
        let cores = thread::available_parallelism()?.get();
        let deployment = Deployment::start(&self.binary)?;
        let holders = accounts::open(deployment.server.address(), "user", self.accounts.max(1))?;
        table::say(&format!(
            "sign-ins with bcrypt at cost {COST} on {cores} cores: {} clients, {} accounts, {} turns of {} s",
            self.clients,
            holders.len(),
            self.rounds,
            self.seconds
        ))?;
        let (people, mut turns) = (AtomicUsize::new(1), Vec::new());
        for number in 1..=self.rounds {
            let turn = self.turn(&deployment, &holders, cores, &people)?;
            table::say(&report::line(number, &turn))?;
            turns.push(turn);
        }
        let quiet = Crowd::gather(self, &deployment.server, &holders, 0, &people)?;
        let mut crowds = Vec::new();
        for number in 1..=self.bursts {
            let crowd = Crowd::gather(self, &deployment.server, &holders, self.logins, &people)?;
            table::say(&report::crowd_line(number, &crowd)?)?;
            crowds.push(crowd);
        }
        report::print(self, cores, &turns, &quiet, &crowds)
    }

    fn turn(&self, deployment: &Deployment, holders: &[Holder], cores: usize, people: &AtomicUsize) -> Outcome<Turn> {
        let (alone, on_all_cores) = (bcrypt_seconds(1)?, bcrypt_seconds(cores)?);
        let begin = Instant::now() + WARM_UP;
        let span = Duration::from_secs(self.seconds);
        let address = deployment.server.address();
        let work = |index| sign_ins(address, index, holders, people, begin..begin + span);
        let mut all = latencies();
        for one in in_parallel(self.clients, work).map_err(|error| format!("{error}\n{}", deployment.server.log()))? {
            all.add(one)?;
        }
        Ok(Turn { per_second: table::figure(all.len()) / span.as_secs_f64(), latencies: all, alone, on_all_cores })
    }
}

/// Seconds that one computation takes while `threads` of them run at a time.
fn bcrypt_seconds(threads: usize) -> Outcome<f64> {
    let begin = Instant::now();
    in_parallel(threads, |_| {
        for _ in 0..HASHES {
            black_box(bcrypt::non_truncating_hash_with_salt(black_box(&INPUT), COST, [7; 16])?);
        }
        Ok(())
    })?;
    Ok(begin.elapsed().as_secs_f64() / f64::from(HASHES))
}

/// Signs in again and again, each time from another place. Gives the times of those that ended during `counted`.
fn sign_ins(
    address: SocketAddr,
    index: usize,
    holders: &[Holder],
    people: &AtomicUsize,
    counted: std::ops::Range<Instant>,
) -> Outcome<Histogram<u64>> {
    let (mut client, mut latencies) = (Client::open(address, index)?, latencies());
    loop {
        let person = people.fetch_add(1, Ordering::Relaxed);
        let email = &holders[person % holders.len()].email;
        let asked = Instant::now();
        client.ask(&accounts::sign_in(address, email, PASSWORD, &accounts::elsewhere(person)))?.expect(200)?;
        let answered = Instant::now();
        if counted.contains(&answered) {
            latencies.saturating_record(u64::try_from((answered - asked).as_micros())?);
        }
        if answered >= counted.end {
            return Ok(latencies);
        }
    }
}
