//! Answers that are no figures.

use super::{
    money::{percent, price},
    prices::{OLD, line, origin},
    reply::Reply,
};
use crate::{
    assistant::{Alerts, Facts, Question, facts::AlertLine},
    market::Symbol,
    notifications::alerts::AlertCondition,
};

/// What can be asked, in the order in which it is told.
const EXAMPLES: &str = "You can ask me, for instance:
What is the price of Bitcoin?
How did ETH change today?
What is the range of SOL?
What is the market cap of XRP?
Compare BTC and ETH
How much is 2.5 ETH in USD?
Top gainers
Market summary
Latest news
Fear and greed
What is trending?
Which alerts do I have?
Where does your data come from?";

pub(super) fn help() -> Reply {
    Reply::of(format!("I answer from prices, news and figures of the crypto market, each with its age and source.\n{EXAMPLES}"))
}

pub(super) fn greeting(facts: &Facts) -> Reply {
    let mut reply = Reply::of("Hello. Ask me about a price, the market, the news or your alerts.");
    if let Some(item) = facts.item(&Symbol::btc()) {
        reply.add(&line(facts, item));
        reply.is_of(item.quote.as_of);
    }
    reply
}

pub(super) fn thanks() -> Reply {
    Reply::of("You are welcome. Ask again whenever you like.")
}

pub(super) fn unknown() -> Reply {
    Reply::of(format!(
        "I did not understand that, or it is nothing I know of. I answer questions about the crypto market.\n{EXAMPLES}"
    ))
}

/// Lines of the assets that are named, under a sentence that says what is not answered.
fn instead(sentence: &str, question: &Question, facts: &Facts) -> Reply {
    let mut reply = Reply::of(sentence);
    for item in question.assets.iter().filter_map(|symbol| facts.item(symbol)) {
        reply.add(&line(facts, item));
        reply.is_of(item.quote.as_of);
    }
    reply
}

pub(super) fn advice(question: &Question, facts: &Facts) -> Reply {
    instead("I cannot tell you what to do: I give no investment advice. I can tell you the figures.", question, facts)
}

pub(super) fn forecast(question: &Question, facts: &Facts) -> Reply {
    instead("Nobody knows what a price will be, and I do not guess. What I know is how it is now.", question, facts)
}

/// Where alerts are set, changed and deleted.
const MANAGE: &str = "I cannot set, change or delete alerts here. Signed in, you set one with POST /api/v2/user/alerts (symbol, target_price, condition), \
change it with PUT /api/v2/notifications/alerts/{id} and delete it with DELETE /api/v2/user/alerts/{id}. I can tell you which ones you have.";

pub(super) fn manage_alerts(question: &Question, facts: &Facts) -> Reply {
    instead(MANAGE, question, facts)
}

pub(super) fn alerts(question: &Question, facts: &Facts) -> Reply {
    let rules = match &facts.alerts {
        Alerts::SignedOut => return Reply::of("Alerts need an account: sign in, and I can tell you about yours."),
        Alerts::Unknown => return Reply::of("I cannot read your alerts right now. Please ask again in a moment."),
        Alerts::Known(rules) => rules,
    };
    let chosen: Vec<&AlertLine> =
        rules.iter().filter(|rule| question.assets.is_empty() || question.assets.contains(&rule.symbol)).collect();
    if chosen.is_empty() {
        let of: Vec<&str> = question.assets.iter().map(Symbol::as_str).collect();
        return Reply::of(if of.is_empty() {
            "You have no alerts.".to_owned()
        } else {
            format!("You have no alerts for {}.", of.join(", "))
        });
    }
    let shown = 20;
    let mut reply = Reply::of(match chosen.len() {
        1 => "You have 1 alert:".to_owned(),
        many => format!("You have {many} alerts:"),
    });
    for rule in chosen.iter().take(shown) {
        reply.add(&told(rule, facts));
        if let Some(item) = facts.item(&rule.symbol) {
            reply.is_of(item.quote.as_of);
        }
    }
    if chosen.len() > shown {
        reply.add(&format!("and {} more.", chosen.len() - shown));
    }
    reply
}

fn told(rule: &AlertLine, facts: &Facts) -> String {
    let waits = match &rule.condition {
        AlertCondition::Above(at) => format!("above {}", price(*at)),
        AlertCondition::Below(at) => format!("below {}", price(*at)),
        AlertCondition::CrossesAbove(at) => format!("rises through {}", price(*at)),
        AlertCondition::CrossesBelow(at) => format!("falls through {}", price(*at)),
        AlertCondition::PercentMove { by, within } => {
            format!("moves by {} within {} min", percent(*by).trim_start_matches('+'), within.whole_minutes())
        }
    };
    let off = if rule.active { "" } else { " (switched off)" };
    let now = facts.item(&rule.symbol).map_or_else(String::new, |item| {
        let old = if facts.is_old(item) { format!(" {OLD}") } else { String::new() };
        format!(", now {}, {}.{old}", price(item.quote.price), origin(facts, item))
    });
    format!("{} {waits}{off}{now}", rule.symbol)
}
