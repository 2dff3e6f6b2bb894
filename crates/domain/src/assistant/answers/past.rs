//! Answers about prices at another time.

use std::fmt::Write as _;

use time::Duration;

use super::{
    money::{percent, price},
    prices::{OLD, each, origin},
    reply::{Reply, with_symbol},
    talk::forecast,
};
use crate::{
    assistant::{Facts, Moment, Question, facts::Then},
    market::{Symbol, TickItem},
};

/// Which time is meant cannot be told.
pub(super) fn unclear() -> Reply {
    Reply::of("I cannot tell which time you mean. Name a day such as 2024-01-31, or a time such as 3 days ago.")
}

/// Whether `moment` has not come yet.
pub(super) fn is_to_come(moment: Moment, facts: &Facts) -> bool {
    moment.span(facts.now).is_some_and(|(from, _)| from > facts.now)
}

/// What is known of `symbol` then.
pub(super) fn known<'a>(facts: &'a Facts, symbol: &Symbol) -> Option<&'a Then> {
    facts.then.iter().find(|then| then.symbol == *symbol)
}

pub(super) fn then(question: &Question, facts: &Facts) -> Reply {
    let Some(moment) = question.moment.filter(|moment| moment.span(facts.now).is_some()) else { return unclear() };
    if is_to_come(moment, facts) {
        return forecast(question, facts);
    }
    each(question, facts, |facts, item| told(facts, item, moment))
}

fn told(facts: &Facts, item: &TickItem, moment: Moment) -> String {
    let who = with_symbol(item);
    let now = format!("{}, {}", price(item.quote.price), origin(facts, item));
    let mut text = match known(facts, &item.quote.symbol) {
        None => {
            format!("I know no price of {who} of {}: my history does not hold it. Now it is at {now}.", moment.name(facts.now))
        }
        Some(then) => {
            let since = item.quote.price.change_since(then.price());
            let since = since.map(|change| format!(", {} since then", percent(change))).unwrap_or_default();
            format!("{} Now it is at {now}{since}.", history(&who, then, moment, facts))
        }
    };
    if facts.is_old(item) {
        let _ = write!(text, " {OLD}");
    }
    text
}

/// `Bitcoin (BTC) on 2024-01-31 (UTC): opened at …, closed at …, high …, low ….`
fn history(who: &str, then: &Then, moment: Moment, facts: &Facts) -> String {
    if then.is_moment() {
        let at = then.known_from;
        return format!("{who} at {} {:02}:{:02} UTC: {}.", at.date(), at.hour(), at.minute(), price(then.open));
    }
    let (asked_from, asked_to) = moment.span(facts.now).unwrap_or((then.from, then.to));
    let when = match moment {
        Moment::Ago(_) => format!("on {}", then.from.date()),
        _ if asked_to - asked_from > Duration::DAY => format!("in {}", moment.name(facts.now)),
        _ => format!("on {}", moment.name(facts.now)),
    };
    let last = if then.to > facts.now { "last" } else { "closed" };
    let mut text = format!(
        "{who} {when} (UTC): opened at {}, {last} at {}, high {}, low {}.",
        price(then.open),
        price(then.close),
        price(then.high),
        price(then.low)
    );
    let (begins, missing) = (then.known_from, then.known_from - asked_from);
    if begins > then.from || (asked_to > asked_from && missing > (asked_to - asked_from) / 20) {
        let _ = write!(text, " What I know of it begins {} {:02}:{:02} UTC.", begins.date(), begins.hour(), begins.minute());
    }
    text
}
