//! Many sign-ins at one moment, while a few connections of somebody signed in ask for the price.

use super::Plan;
use crate::{
    Outcome,
    accounts::{self, Holder, PASSWORD},
    http::PATH,
    load::{Client, Reply, burst, get, in_parallel, latencies},
    server::Server,
};
use hdrhistogram::Histogram;
use std::{
    sync::atomic::{AtomicUsize, Ordering},
    thread,
    time::{Duration, Instant},
};

/// The price is asked for so long before the sign-ins begin.
const BEFORE: Duration = Duration::from_secs(1);
/// And so long after.
const AFTER: Duration = Duration::from_secs(6);
/// No sign-in takes longer: what waits for a thread is refused before.
const ANSWERED_WITHIN: Duration = Duration::from_mins(1);
/// What was refused for the length of the queue, and not for having waited in it, was refused before this.
const AT_ONCE: Duration = Duration::from_millis(2_500);

/// What one burst came to.
pub(super) struct Crowd {
    /// Microseconds until the price was answered, from the moment at which the sign-ins began.
    pub(super) prices: Histogram<u64>,
    pub(super) signed_in: Vec<Reply>,
    pub(super) refused_at_once: Vec<Reply>,
    pub(super) refused_after_waiting: Vec<Reply>,
    /// Before, and some seconds after.
    pub(super) resident_kib: (u64, u64),
}

impl Crowd {
    pub(super) fn gather(plan: &Plan, server: &Server, holders: &[Holder], logins: usize, people: &AtomicUsize) -> Outcome<Self> {
        let before = server.resident_kib()?;
        let first = people.fetch_add(logins, Ordering::Relaxed);
        let login = |person: usize| {
            let email = &holders[person % holders.len()].email;
            accounts::sign_in(server.address(), email, PASSWORD, &accounts::elsewhere(person))
        };
        let requests: Vec<_> = (first..first + logins).map(login).collect();
        let begin = Instant::now() + BEFORE;
        let (prices, replies) = thread::scope(|scope| {
            let replies = scope.spawn(|| {
                thread::sleep(begin.saturating_duration_since(Instant::now()));
                burst(server.address(), &requests, ANSWERED_WITHIN).map_err(|error| error.to_string())
            });
            let prices = in_parallel(plan.askers, |index| prices(plan, server, index, &holders[index % holders.len()], begin));
            (prices, replies.join().unwrap_or_else(|_| Err("a client panicked".to_owned())))
        });
        let mut crowd = Self {
            prices: latencies(),
            signed_in: Vec::new(),
            refused_at_once: Vec::new(),
            refused_after_waiting: Vec::new(),
            resident_kib: (before, server.resident_kib()?),
        };
        for one in prices.map_err(|error| format!("{error}\n{}", server.log()))? {
            crowd.prices.add(one)?;
        }
        for reply in replies? {
            match reply.status {
                200 => crowd.signed_in.push(reply),
                503 if reply.took < AT_ONCE => crowd.refused_at_once.push(reply),
                503 => crowd.refused_after_waiting.push(reply),
                other => return Err(format!("a sign-in was answered {other}\n{}", server.log()).into()),
            }
        }
        Ok(crowd)
    }
}

fn prices(plan: &Plan, server: &Server, index: usize, holder: &Holder, begin: Instant) -> Outcome<Histogram<u64>> {
    let request = get(server.address(), PATH, &[("authorization", &holder.authorization())]);
    let (mut client, mut latencies) = (Client::open(server.address(), index)?, latencies());
    let (every, mut due) = (Duration::from_millis(plan.every_ms), Instant::now());
    while due <= begin + AFTER {
        thread::sleep(due.saturating_duration_since(Instant::now()));
        client.ask(&request)?.expect(200)?;
        let now = Instant::now();
        // What was due before and answered after was in the way of the first sign-ins.
        if now >= begin {
            latencies.saturating_record(u64::try_from((now - due).as_micros())?);
        }
        due = if every.is_zero() { now } else { due + every };
    }
    Ok(latencies)
}
