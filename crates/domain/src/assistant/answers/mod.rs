//! Answers, composed from facts: every figure in them is one of ours, with its age and source.

mod convert;
mod market;
mod money;
mod past;
mod prices;
mod reply;
mod talk;

use super::{Facts, Intent, Question};

pub use reply::Reply;

/// Answers `question` from `facts` alone. The text is plain and never empty.
#[must_use]
pub fn answer(question: &Question, facts: &Facts) -> Reply {
    let mut reply = of_now(question, facts);
    let is_of_now = matches!(
        question.intent,
        Intent::Size
            | Intent::Summary
            | Intent::Dominance
            | Intent::Gainers
            | Intent::Losers
            | Intent::Movers
            | Intent::Mood
            | Intent::Trending
            | Intent::Compare
    );
    if is_of_now && question.is_of_another_time() {
        reply.add("I know this as it is now, not of the time you name.");
    }
    reply
}

fn of_now(question: &Question, facts: &Facts) -> Reply {
    match question.intent {
        Intent::Price => prices::prices(question, facts),
        Intent::Then => past::then(question, facts),
        Intent::Change => prices::changes(question, facts),
        Intent::Range => prices::ranges(question, facts),
        Intent::Size => prices::sizes(question, facts),
        Intent::Summary => market::summary(facts),
        Intent::Dominance => market::dominance(question, facts),
        Intent::Gainers | Intent::Losers | Intent::Movers => market::movers(question, facts),
        Intent::News => market::news(question, facts),
        Intent::Mood => market::mood(facts),
        Intent::Trending => market::trending(facts),
        Intent::Compare => market::compare(question, facts),
        Intent::Convert => convert::convert(question, facts),
        Intent::Alerts => talk::alerts(question, facts),
        Intent::ManageAlerts => talk::manage_alerts(question, facts),
        Intent::Advice => talk::advice(question, facts),
        Intent::Forecast => talk::forecast(question, facts),
        Intent::Origin => market::origins(question, facts),
        Intent::Help => talk::help(),
        Intent::Greeting => talk::greeting(facts),
        Intent::Thanks => talk::thanks(),
        Intent::Unknown if !question.assets.is_empty() || question.unknown_asset.is_some() => prices::prices(question, facts),
        Intent::Unknown => talk::unknown(),
    }
}
