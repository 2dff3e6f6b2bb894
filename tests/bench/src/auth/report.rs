//! What the turns came to, in figures and against the goal.

use super::{Plan, Round, Turn, WARM_UP, refresh::Refreshes};
use crate::{
    Outcome,
    load::latencies,
    table::{self, Goal, Limit, figure, median, spread},
};

/// Of the requests that the bare route with the same call to Redis answers, ours answers at least this part.
const LEAST_RATIO: f64 = 0.7;

fn rate(turn: &Turn) -> f64 {
    figure(turn.answered.requests) / turn.answered.elapsed.as_secs_f64()
}

fn seconds(turn: &Turn) -> f64 {
    (turn.answered.elapsed + WARM_UP).as_secs_f64()
}

fn server_us(turn: &Turn) -> f64 {
    turn.busy.server * 1e6 / figure(turn.answered.in_all)
}

/// One round as a line of progress.
pub(super) fn line(number: usize, Round { ours, gated, bare }: &Round) -> String {
    // Redis is one of the others, and wanted.
    let others = |turn: &Turn| (turn.busy.others - turn.redis_seconds) * 100.0 / seconds(turn);
    format!(
        "turn {number}: coinlink {:.0}, bare with Redis {:.0}, bare {:.0} requests/s; ours ÷ bare with Redis {:.2}; \
         other programs {:.0}, {:.0}, {:.0} % of a core",
        rate(ours),
        rate(gated),
        rate(bare),
        rate(ours) / rate(gated),
        others(ours),
        others(gated),
        others(bare)
    )
}

fn row(name: &str, rounds: &[Round], turn: fn(&Round) -> &Turn) -> Outcome<Vec<String>> {
    let turns = || rounds.iter().map(turn);
    let mut all = latencies();
    for turn in turns() {
        all.add(&turn.answered.latencies)?;
    }
    let middle = |of: fn(&Turn) -> f64| median(turns().map(of));
    Ok(vec![
        name.to_owned(),
        format!("{:.0}", middle(rate)),
        all.value_at_quantile(0.5).to_string(),
        all.value_at_quantile(0.99).to_string(),
        format!("{:.1}", middle(server_us)),
        format!("{:.1}", middle(|turn| turn.redis_seconds * 1e6 / figure(turn.answered.in_all))),
        format!("{:.2}", middle(|turn| figure(turn.scripts) / figure(turn.answered.in_all))),
        format!("{:.0}", middle(|turn| turn.busy.client * 100.0 / seconds(turn))),
    ])
}

/// Prints the figures, their ratios within each round, and whether the goal was met.
pub(super) fn print(plan: &Plan, rounds: &[Round], refreshes: &Refreshes) -> Outcome<()> {
    let heads = ["server", "req/s", "p50 µs", "p99 µs", "server CPU µs/req", "Redis CPU µs/req", "scripts/req", "client CPU %"];
    let rows = [
        row("coinlink", rounds, |round| &round.ours)?,
        row("bare actix, same call to Redis", rounds, |round| &round.gated)?,
        row("bare actix, no Redis", rounds, |round| &round.bare)?,
    ];
    table::print(&heads, &rows)?;
    let ratios = |of: fn(&Round) -> f64| spread(rounds.iter().map(of));
    let to_gated = ratios(|round| rate(&round.ours) / rate(&round.gated));
    table::say(&format!(
        "\nof the turns: the median; of the ratios within each turn: median (least to most)\n\
         requests per second, ours ÷ bare with the same call to Redis: {to_gated}\n\
         requests per second, ours ÷ bare without Redis: {}\n\
         server's processor time per request, bare with Redis ÷ ours: {}",
        ratios(|round| rate(&round.ours) / rate(&round.bare)),
        ratios(|round| server_us(&round.gated) / server_us(&round.ours)),
    ))?;
    table::say(&format!(
        "refreshes per second, {} sessions at once: {}; p50 {:.1} ms, p99 {:.1} ms",
        plan.refreshers,
        spread(refreshes.rates.iter().copied()),
        figure(refreshes.latencies.value_at_quantile(0.5)) / 1000.0,
        figure(refreshes.latencies.value_at_quantile(0.99)) / 1000.0,
    ))?;
    let what = "requests per second, ours ÷ bare with the same call to Redis".to_owned();
    table::judge(&[Goal { what, value: to_gated.middle, limit: Limit::AtLeast(LEAST_RATIO) }], plan.check)
}
