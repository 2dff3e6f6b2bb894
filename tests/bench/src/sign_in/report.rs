//! What the turns and the bursts came to, in figures and against the goals.

use super::{COST, Plan, Turn, crowd::Crowd};
use crate::{
    Outcome,
    load::{Reply, latencies},
    table::{self, Goal, Limit, figure, spread},
};
use hdrhistogram::Histogram;
use std::collections::BTreeMap;

/// Of the passwords that the cores could hash if they did nothing else, so many are signed in.
const LEAST_RATIO: f64 = 0.9;
/// Why a sign-in may be refused in a burst.
const BUSY: &str = "hashing_busy";
const MOST_PRICE_MS: f64 = 50.0;
const MOST_REFUSAL_MS: f64 = 100.0;
/// After the last burst, of the memory after the first.
const MOST_GROWTH: f64 = 1.1;

fn ms(histogram: &Histogram<u64>, quantile: f64) -> f64 {
    figure(histogram.value_at_quantile(quantile)) / 1000.0
}

fn times<'a>(replies: impl IntoIterator<Item = &'a Reply>) -> Outcome<Histogram<u64>> {
    let mut times = latencies();
    for reply in replies {
        times.saturating_record(u64::try_from(reply.took.as_micros())?);
    }
    Ok(times)
}

/// How many were refused with which code.
fn reasons(replies: &[Reply]) -> String {
    let mut counts = BTreeMap::<_, u64>::new();
    for reply in replies {
        *counts.entry(&reply.code).or_default() += 1;
    }
    counts.iter().map(|(code, count)| format!("{count} {code}")).collect::<Vec<_>>().join(", ")
}

pub(super) fn line(number: usize, turn: &Turn) -> String {
    format!(
        "turn {number}: one bcrypt {:.1} ms ({:.1} ms with one on each core); {:.2} sign-ins per second, p50 {:.0} p99 {:.0} ms",
        turn.alone * 1000.0,
        turn.on_all_cores * 1000.0,
        turn.per_second,
        ms(&turn.latencies, 0.5),
        ms(&turn.latencies, 0.99)
    )
}

pub(super) fn crowd_line(number: usize, crowd: &Crowd) -> Outcome<String> {
    let refused = times(&crowd.refused_at_once)?;
    Ok(format!(
        "burst {number}: {} signed in, {} refused at once ({}; p50 {:.1} p99 {:.1} most {:.1} ms), {} after waiting; \
         {} prices p50 {:.1} p99 {:.1} most {:.1} ms; memory {:.1} to {:.1} MiB",
        crowd.signed_in.len(),
        refused.len(),
        reasons(&crowd.refused_at_once),
        ms(&refused, 0.5),
        ms(&refused, 0.99),
        ms(&refused, 1.0),
        crowd.refused_after_waiting.len(),
        crowd.prices.len(),
        ms(&crowd.prices, 0.5),
        ms(&crowd.prices, 0.99),
        ms(&crowd.prices, 1.0),
        figure(crowd.resident_kib.0) / 1024.0,
        figure(crowd.resident_kib.1) / 1024.0,
    ))
}

/// Prints the figures and whether the goals were met.
pub(super) fn print(plan: &Plan, cores: usize, turns: &[Turn], quiet: &Crowd, crowds: &[Crowd]) -> Outcome<()> {
    let cores = figure(cores as u64);
    let of = |value: fn(&Turn) -> f64| spread(turns.iter().map(value));
    let ratio = spread(turns.iter().map(|turn| turn.per_second * turn.alone / cores));
    table::say(&format!(
        "\nmedian (least to most) of the turns\n\
         one bcrypt at cost {COST}, ms: {}; with one on each core: {}\n\
         sign-ins per second: {}\n\
         ÷ (cores ÷ time of one bcrypt): {ratio}; ÷ what the cores hash at once: {}",
        of(|turn| turn.alone * 1000.0),
        of(|turn| turn.on_all_cores * 1000.0),
        of(|turn| turn.per_second),
        spread(turns.iter().map(|turn| turn.per_second * turn.on_all_cores / cores)),
    ))?;
    let mut goals = vec![Goal {
        what: "sign-ins per second ÷ (cores ÷ time of one bcrypt)".to_owned(),
        value: ratio.middle,
        limit: Limit::AtLeast(LEAST_RATIO),
    }];
    let other_reasons = crowds.iter().flat_map(|crowd| &crowd.refused_at_once).filter(|reply| reply.code != BUSY).count();
    if let (Some(first), Some(last)) = (crowds.first(), crowds.last()) {
        let mut prices = latencies();
        for crowd in crowds {
            prices.add(&crowd.prices)?;
        }
        let all = |replies: fn(&Crowd) -> &Vec<Reply>| crowds.iter().flat_map(replies);
        let refused = times(all(|crowd| &crowd.refused_at_once))?;
        let refusals = || all(|crowd| &crowd.refused_at_once).chain(all(|crowd| &crowd.refused_after_waiting));
        let silent = refusals().filter(|reply| !reply.has_retry_after).count();
        let memory = figure(last.resident_kib.1) / figure(first.resident_kib.1);
        table::say(&format!(
            "\n{} bursts of {} sign-ins while {} connections ask for the price (p50 and p99 without a burst: {:.1} and {:.1} ms)",
            crowds.len(),
            plan.logins,
            plan.askers,
            ms(&quiet.prices, 0.5),
            ms(&quiet.prices, 0.99)
        ))?;
        let goal = |what: &str, value, most| Goal { what: what.to_owned(), value, limit: Limit::AtMost(most) };
        goals.extend([
            goal("p99 of the price during a burst, ms", ms(&prices, 0.99), MOST_PRICE_MS),
            goal("p99 of sign-ins refused at once, ms", ms(&refused, 0.99), MOST_REFUSAL_MS),
            goal("refusals for another reason than the queue of passwords", figure(other_reasons as u64), 0.0),
            goal("refusals without Retry-After", figure(silent as u64), 0.0),
            goal("memory after the last burst ÷ after the first", memory, MOST_GROWTH),
        ]);
    }
    table::judge(&goals, plan.check)
}
