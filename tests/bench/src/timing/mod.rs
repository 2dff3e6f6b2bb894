//! Whether the time or the bytes of a failed sign-in tell why it failed: an address that nobody has, a wrong password, or an
//! account that is being guessed at and delayed.

mod delayed;
mod shape;
mod statistics;

use crate::{
    Outcome,
    accounts::{self, Holder, PASSWORD},
    deployment::Deployment,
    load::{Client, in_parallel},
    table::{self, Goal, Limit, figure, median},
};
use delayed::Delayed;
use shape::{Shape, was_counted_with_all};
use statistics::{auc, deviation, shuffled};
use std::{
    collections::HashMap,
    net::SocketAddr,
    path::PathBuf,
    sync::atomic::{AtomicUsize, Ordering},
    time::Instant,
};

/// A class is told from another when this is far from ½.
const LEAST_AUC: f64 = 0.45;
const MOST_AUC: f64 = 0.55;

/// Wrong guesses of one account, fewer than its 20 free ones.
const GUESSES: usize = 12;

const WRONG: &str = "Correct-horse-9-bakery";

#[derive(clap::Args)]
pub(crate) struct Plan {
    /// The binary to measure.
    #[arg(long, default_value = "target/release/coinlink")]
    binary: PathBuf,
    /// Sign-ins in all, a third of each class.
    #[arg(long, default_value_t = 1_500)]
    samples: usize,
    /// Clients that try at once.
    #[arg(long, default_value_t = 2)]
    clients: usize,
    /// Fail when a goal is missed.
    #[arg(long)]
    check: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    Unknown,
    WrongPassword,
    /// With the right password: answered all the same, it proves that the delay goes on.
    Delayed,
}

impl Class {
    const ALL: [Self; 3] = [Self::Unknown, Self::WrongPassword, Self::Delayed];

    const fn name(self) -> &'static str {
        match self {
            Self::Unknown => "unknown address",
            Self::WrongPassword => "wrong password",
            Self::Delayed => "delayed account, right password",
        }
    }
}

/// What one client, or all of them, measured.
#[derive(Default)]
struct Samples {
    /// Microseconds, by class.
    times: [Vec<u64>; 3],
    /// How often each class was answered in each way.
    shapes: HashMap<Shape, [usize; 3]>,
    /// Answered while Redis was late.
    left_out: usize,
}

impl Samples {
    fn add(&mut self, class: Class, us: u64, shape: Shape) {
        self.times[class as usize].push(us);
        self.shapes.entry(shape).or_default()[class as usize] += 1;
    }

    fn merge(&mut self, other: Self) {
        for (mine, others) in self.times.iter_mut().zip(other.times) {
            mine.extend(others);
        }
        self.left_out += other.left_out;
        for (shape, counts) in other.shapes {
            let mine = self.shapes.entry(shape).or_default();
            mine.iter_mut().zip(counts).for_each(|(mine, count)| *mine += count);
        }
    }
}

impl Plan {
    pub(crate) fn run(&self) -> Outcome<()> {
        let deployment = Deployment::start(&self.binary)?;
        let address = deployment.server.address();
        let each = self.samples.div_ceil(3 * self.clients);
        let holders = accounts::open(address, "user", (each * self.clients).div_ceil(GUESSES))?;
        table::say(&format!("{} sign-ins of each of {} classes, {} clients", each * self.clients, 3, self.clients))?;
        let people = AtomicUsize::new(1);
        let begin = Instant::now();
        let work = |index| Tries { address, index, holders: &holders, people: &people }.measure(each);
        let mut all = Samples::default();
        for samples in in_parallel(self.clients, work).map_err(|error| format!("{error}\n{}", deployment.server.log()))? {
            all.merge(samples);
        }
        table::say(&format!("measured in {:.0} s", begin.elapsed().as_secs_f64()))?;
        report(&all, self.check)
    }
}

/// One client's tries.
struct Tries<'a> {
    address: SocketAddr,
    index: usize,
    holders: &'a [Holder],
    /// Each try comes from an address of its own, so that none is delayed for where it comes from.
    people: &'a AtomicUsize,
}

impl Tries<'_> {
    fn measure(&self, each: usize) -> Outcome<Samples> {
        let mut client = Client::open(self.address, self.index)?;
        let mut delayed = Delayed::begin(self, &mut client)?;
        let (mut samples, mut seed) = (Samples::default(), 0x9e37_79b9_7f4a_7c15_u64.wrapping_add(self.index as u64));
        for number in 0..each {
            for class in shuffled(Class::ALL, &mut seed) {
                let overall = self.index * each + number;
                let (email, password) = match class {
                    Class::Unknown => (format!("nobody{overall}@example.org"), PASSWORD),
                    Class::WrongPassword => (self.holders[overall % self.holders.len()].email.clone(), WRONG),
                    Class::Delayed => (delayed.account(self, &mut client)?.to_owned(), PASSWORD),
                };
                match self.attempt(&mut client, &email, password)? {
                    (us, Some(shape)) => samples.add(class, us, shape),
                    (_, None) => samples.left_out += 1,
                }
            }
        }
        Ok(samples)
    }

    /// A sign-in that must fail: how long it took, and how it was answered unless the node counted alone.
    fn attempt(&self, client: &mut Client, email: &str, password: &str) -> Outcome<(u64, Option<Shape>)> {
        let from = accounts::elsewhere(self.people.fetch_add(1, Ordering::Relaxed));
        let request = accounts::sign_in(self.address, email, password, &from);
        let asked = Instant::now();
        let answer = client.ask(&request)?;
        let us = u64::try_from(asked.elapsed().as_micros())?;
        let answer = answer.expect(401)?;
        Ok((us, was_counted_with_all(&answer).then(|| Shape::of(&answer))))
    }
}

fn report(all: &Samples, check: bool) -> Outcome<()> {
    let middle = |us: &[u64]| median(us.iter().map(|&us| figure(us) / 1000.0));
    let rows = Class::ALL.map(|class| {
        let times = &all.times[class as usize];
        vec![class.name().to_owned(), times.len().to_string(), format!("{:.2}", middle(times))]
    });
    table::print(&["class", "samples", "median ms"], &rows)?;
    table::say(&format!("\n{} answers left out, because Redis did not answer in time and limits were lower", all.left_out))?;
    let fewest = all.times.iter().map(Vec::len).min().unwrap_or(0);
    table::say(&format!(
        "by chance alone the AUC of equal classes lies within ½ ± {:.3} in 19 of 20 runs",
        1.96 * deviation(fewest)
    ))?;
    let mut goals = Vec::new();
    for (one, other) in
        [(Class::Unknown, Class::WrongPassword), (Class::Unknown, Class::Delayed), (Class::WrongPassword, Class::Delayed)]
    {
        let value = auc(&all.times[one as usize], &all.times[other as usize]);
        let what = format!("AUC, {} against {}", one.name(), other.name());
        goals.push(Goal { what: what.clone(), value, limit: Limit::AtLeast(LEAST_AUC) });
        goals.push(Goal { what, value, limit: Limit::AtMost(MOST_AUC) });
    }
    let what = "different answers, but for ids, the date and what is left of limits".to_owned();
    goals.push(Goal { what, value: figure(all.shapes.len() as u64), limit: Limit::AtMost(1.0) });
    if all.shapes.len() > 1 {
        for (shape, counts) in &all.shapes {
            table::say(&format!("\nunknown, wrong password, delayed: {counts:?} times\n{shape}"))?;
        }
    }
    table::judge(&goals, check)
}
