//! What a tick costs with many alert rules: the book, beside asking every rule by itself, on the same rules and prices.

use std::time::Instant;

use clap::Args;
use coinlink_domain::{
    market::{Percent, Price, Quote, Source, Symbol, Tick, TickId, TickItem},
    notifications::alerts::{AlertBook, AlertCondition, AlertRule, AlertRuleId, Arming, Firing},
    shared::user_id::UserId,
};
use hdrhistogram::Histogram;
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use crate::{
    Outcome,
    table::{self, Goal, Limit, figure, say},
};

/// Decides what ticks do to many rules.
#[derive(Args)]
pub(crate) struct Plan {
    /// Active rules.
    #[arg(long, default_value_t = 100_000)]
    rules: u32,
    /// Assets they are of.
    #[arg(long, default_value_t = 50)]
    symbols: u32,
    /// Ticks that are timed.
    #[arg(long, default_value_t = 500)]
    ticks: u32,
    /// Fail where a goal is missed.
    #[arg(long)]
    check: bool,
}

/// Numbers that are the same in every run (`SplitMix64`).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: u32) -> u32 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        u32::try_from((z ^ (z >> 31)) % u64::from(bound.max(1))).unwrap_or(0)
    }
}

/// Cents.
fn usd(cents: u32) -> Outcome<Price> {
    Ok(Price::try_new(format!("{}.{:02}", cents / 100, cents % 100).parse()?)?)
}

fn condition(numbers: &mut Numbers) -> Outcome<AlertCondition> {
    // Prices walk around 1000: some of these come true now and then, as with real users.
    let at = usd(70_000 + numbers.below(60_000))?;
    Ok(match numbers.below(5) {
        0 => AlertCondition::Above(at),
        1 => AlertCondition::Below(at),
        2 => AlertCondition::CrossesAbove(at),
        3 => AlertCondition::CrossesBelow(at),
        _ => AlertCondition::PercentMove {
            by: Percent::new(format!("{}.{}", 1 + numbers.below(20), numbers.below(10)).parse()?),
            within: Duration::seconds(i64::from(60 + numbers.below(86_000))),
        },
    })
}

/// Asks every rule by itself.
struct Naive {
    rules: Vec<AlertRule>,
    symbols: Vec<Symbol>,
    prices: Vec<Vec<(OffsetDateTime, Price)>>,
}

impl Naive {
    fn decide(&mut self, tick: &Tick) -> usize {
        for (n, symbol) in self.symbols.iter().enumerate() {
            if let Some(item) = tick.item(symbol.as_str())
                && let Some(prices) = self.prices.get_mut(n)
            {
                prices.push((tick.timestamp, item.quote.price));
            }
        }
        let mut fired = 0;
        for rule in &mut self.rules {
            let Some(item) = tick.item(rule.symbol.as_str()) else { continue };
            let price = item.quote.price;
            if rule.rests_until().is_some_and(|until| tick.timestamp < until) {
                continue;
            }
            let is_true = match rule.condition {
                AlertCondition::Above(at) | AlertCondition::CrossesAbove(at) => rule.arming == Arming::Armed && price > at,
                AlertCondition::Below(at) | AlertCondition::CrossesBelow(at) => rule.arming == Arming::Armed && price < at,
                AlertCondition::PercentMove { by, within } => {
                    let start = rule.since.max(tick.timestamp - within);
                    let of = self.symbols.iter().position(|symbol| *symbol == rule.symbol);
                    let window = of.and_then(|of| self.prices.get(of)).into_iter().flatten();
                    let far = |from: Price| price.distance_from(from).is_some_and(|far| far >= by.value());
                    window.into_iter().rev().take_while(|(at, _)| *at >= start).any(|(_, from)| far(*from))
                }
            };
            if is_true {
                fired += 1;
                *rule = rule.fired(tick.id, tick.timestamp);
            }
        }
        fired
    }
}

impl Plan {
    pub(crate) fn run(self) -> Outcome<()> {
        let mut numbers = Numbers(1);
        let began = OffsetDateTime::UNIX_EPOCH + Duration::days(20_000);
        let symbols = (0..self.symbols).map(|n| Symbol::try_new(&format!("S{n}"))).collect::<Result<Vec<_>, _>>()?;
        let mut rules = Vec::new();
        for n in 0..self.rules {
            let symbol = symbols.get(n as usize % symbols.len().max(1)).cloned().ok_or("no symbols")?;
            let ids = (AlertRuleId(Uuid::from_u128(n.into())), UserId(Uuid::from_u128(u128::from(n % 5_000))));
            rules.push(AlertRule::new(ids, symbol, condition(&mut numbers)?, began, Some(usd(100_000)?)));
        }
        let mut book = AlertBook::default();
        let loading = Instant::now();
        for rule in &rules {
            book.put(rule.clone());
        }
        say(&format!("{} rules of {} assets, put in {:?}", book.len(), symbols.len(), loading.elapsed()))?;
        let prices = vec![Vec::new(); symbols.len()];
        let mut naive = Naive { rules, symbols: symbols.clone(), prices };
        let mut walk = vec![100_000_u32; symbols.len()];
        let (mut ours, mut theirs) = (Histogram::<u64>::new(3)?, Histogram::<u64>::new(3)?);
        let (mut fired, mut naively) = (0, 0);
        for n in 0..self.ticks {
            let at = began + Duration::seconds(i64::from(n + 1) * 5);
            let mut items = Vec::new();
            for (symbol, cents) in symbols.iter().zip(&mut walk) {
                *cents = (*cents + numbers.below(801)).saturating_sub(400).max(1_000);
                let quote = Quote::bare(symbol.clone(), usd(*cents)?, Source::Simulated, at);
                items.push(TickItem { quote, stale: false });
            }
            let id = TickId { epoch: 1, seq: u64::from(n) + 1 };
            let tick = Tick { id, timestamp: at, source: None, as_of: Some(at), stale: false, held: None, items: items.into() };
            let one = Instant::now();
            let decided = book.decide(&tick);
            for Firing { rule, .. } in &decided.fired {
                book.put(rule.fired(tick.id, tick.timestamp));
            }
            for rule in &decided.armed {
                book.put(rule.armed());
            }
            ours.record(u64::try_from(one.elapsed().as_micros())?.max(1))?;
            fired += decided.fired.len();
            // The scan takes long and changes little from tick to tick: every tenth is enough.
            if n % 10 == 0 {
                let one = Instant::now();
                naively += naive.decide(&tick);
                theirs.record(u64::try_from(one.elapsed().as_micros())?.max(1))?;
            }
        }
        say(&format!("{fired} firings in {} ticks; the scan, on every tenth of them, {naively}", self.ticks))?;
        let millis = |histogram: &Histogram<u64>, q: f64| figure(histogram.value_at_quantile(q)) / 1_000.0;
        let row = |name: &str, of: &Histogram<u64>| {
            let cells = [0.5, 0.99, 1.0].map(|q| format!("{:.3}", millis(of, q)));
            std::iter::once(name.to_owned()).chain(cells).collect::<Vec<_>>()
        };
        table::print(
            &["evaluating a tick", "p50 ms", "p99 ms", "most ms"],
            &[row("the book", &ours), row("every rule by itself", &theirs)],
        )?;
        let goal = Goal { what: "p99 of the book, ms".to_owned(), value: millis(&ours, 0.99), limit: Limit::AtMost(50.0) };
        table::judge(&[goal], self.check)
    }
}
