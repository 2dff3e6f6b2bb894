//! What the turns came to, in figures and against the goals.

use super::{Plan, Turn};
use crate::{
    Outcome,
    table::{self, Goal, Limit, figure, median},
};

/// The goals of the socket benchmark, set for two cores with the load client on the same machine.
const MOST_P95_RATIO: f64 = 0.7;
const MOST_P95_MS: f64 = 250.0;
const MOST_KIB_PER_SOCKET: f64 = 24.0;
const MOST_STALLED_RATIO: f64 = 1.1;

/// What product.md promises for the ticker: a tick every 5 s.
const TICKS_PER_MINUTE: f64 = 12.0;

fn ms(us: u64) -> f64 {
    figure(us) / 1000.0
}

fn quantile(turn: &Turn, quantile: f64) -> f64 {
    ms(turn.measured.latencies.value_at_quantile(quantile))
}

/// One turn as a line of progress.
pub(super) fn line(name: &str, round: usize, turn: &Turn) -> String {
    let closed: Vec<String> = turn.measured.closed.iter().map(|(code, count)| format!("{count} closed with {code}")).collect();
    format!(
        "turn {round}, {name}: p50 {:.1} p95 {:.1} p99 {:.1} ms, {} reads missed, other programs {:.0} % of a core {}",
        quantile(turn, 0.5),
        quantile(turn, 0.95),
        quantile(turn, 0.99),
        turn.measured.missed,
        turn.others * 100.0,
        closed.join(", ")
    )
}

/// The median of the turns': one turn that something else on the machine fell into does not count.
fn typical(turns: &[Turn], of: f64) -> f64 {
    median(turns.iter().map(|turn| quantile(turn, of)))
}

/// Of the first turn: memory once taken is kept for the next ones.
fn kib_per_socket(turns: &[Turn], clients: usize) -> f64 {
    turns.first().map_or(0.0, |turn| figure(turn.resident_kib.1.saturating_sub(turn.resident_kib.0)) / figure(clients as u64))
}

fn row(name: &str, plan: &Plan, turns: &[Turn]) -> Vec<String> {
    let last = median(turns.iter().flat_map(|turn| turn.measured.last_reads.iter().map(|&us| ms(us))));
    let bytes: f64 = turns.iter().map(|turn| figure(turn.measured.bytes)).sum();
    let minutes: f64 = turns.iter().map(|turn| turn.measured.elapsed.as_secs_f64() / 60.0).sum();
    let processor = turns.iter().map(|turn| turn.server_seconds * 1000.0 / figure(turn.measured.last_reads.len() as u64));
    vec![
        name.to_owned(),
        format!("{:.1}", typical(turns, 0.5)),
        format!("{:.1}", typical(turns, 0.95)),
        format!("{:.1}", typical(turns, 0.99)),
        format!("{last:.1}"),
        format!("{:.1}", kib_per_socket(turns, plan.clients)),
        format!("{:.0}", bytes / minutes / figure(plan.clients as u64)),
        format!("{:.0}", median(processor)),
        turns.iter().map(|turn| turn.measured.missed).sum::<u64>().to_string(),
    ]
}

/// Prints both servers' figures, their ratio, and which goals were met.
pub(super) fn print(plan: &Plan, frame: usize, ours: &[Turn], bare: &[Turn], stalled: &[(Turn, Turn)]) -> Outcome<()> {
    let heads =
        ["server", "p50 ms", "p95 ms", "p99 ms", "last ms", "KiB/socket", "bytes/client/min", "server CPU ms/tick", "missed"];
    table::print(&heads, &[row("coinlink", plan, ours), row("bare actix-ws", plan, bare)])?;
    table::say(&format!(
        "\nlatencies: from the frame's timestamp to a client's read; last: the last client's read, median over\n\
         ticks; all quantiles are the median of the turns'\n\
         at the default tick of 5 s: {:.0} bytes per client and minute",
        figure(frame as u64) * TICKS_PER_MINUTE
    ))?;
    let (our_p95, bare_p95) = (typical(ours, 0.95), typical(bare, 0.95));
    let goal = |what: &str, value, limit| Goal { what: what.to_owned(), value, limit };
    let mut goals = vec![
        goal("p95, ours ÷ bare", our_p95 / bare_p95, Limit::AtMost(MOST_P95_RATIO)),
        goal("p95, ms", our_p95, Limit::AtMost(MOST_P95_MS)),
        goal("KiB per socket", kib_per_socket(ours, plan.clients), Limit::AtMost(MOST_KIB_PER_SOCKET)),
    ];
    if !stalled.is_empty() {
        let median_p95 = |turns: &mut dyn Iterator<Item = &Turn>| median(turns.map(|turn| quantile(turn, 0.95)));
        let (without, with) =
            (median_p95(&mut stalled.iter().map(|pair| &pair.0)), median_p95(&mut stalled.iter().map(|pair| &pair.1)));
        let what = format!("the others' p95 with {} stalled ÷ without ({with:.1} ÷ {without:.1} ms)", plan.stalled);
        goals.push(goal(&what, with / without, Limit::AtMost(MOST_STALLED_RATIO)));
    }
    table::judge(&goals, plan.check)
}
