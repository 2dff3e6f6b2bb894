use std::{collections::BTreeSet, sync::Arc};

use proptest::prelude::*;
use rust_decimal::Decimal;
use time::{Duration, macros::datetime};
use uuid::Uuid;

use super::*;
use crate::{
    market::{Percent, Quote, Source, TickId, TickItem},
    notifications::alerts::{AlertChange, AlertCondition, Arming},
    shared::user_id::UserId,
};

const NOON: OffsetDateTime = datetime!(2026-11-21 12:00 UTC);

fn usd(units: i64, places: u32) -> Price {
    Price::try_new(Decimal::new(units, places)).unwrap()
}

fn hundred() -> Price {
    usd(100, 0)
}

fn id(n: u32) -> AlertRuleId {
    AlertRuleId(Uuid::from_u128(u128::from(n)))
}

fn rule(n: u32, condition: AlertCondition, at: OffsetDateTime) -> AlertRule {
    AlertRule::new((id(n), UserId(Uuid::from_u128(7))), Symbol::btc(), condition, at, None)
}

/// The tick `seconds` after noon.
fn tick(seconds: i64, price: Price) -> Tick {
    let at = NOON + Duration::seconds(seconds);
    let quote = Quote::bare(Symbol::btc(), price, Source::Kraken, at);
    Tick {
        id: TickId { epoch: 1, seq: u64::try_from(seconds).unwrap() + 1 },
        timestamp: at,
        source: Some(Source::Kraken),
        as_of: Some(at),
        stale: false,
        held: None,
        items: Arc::new([TickItem { quote, stale: false }]),
    }
}

/// Puts what was decided, as an evaluator does once it is stored.
fn settle(book: &mut AlertBook, tick: &Tick, decided: Decided) {
    for firing in decided.fired {
        book.put(firing.rule.fired(tick.id, tick.timestamp));
    }
    for rule in decided.armed {
        book.put(rule.armed());
    }
}

/// At which of `prices`, given in hundredths and five seconds apart, the rule fires.
fn firings(condition: AlertCondition, every: i64, prices: &[i64]) -> Vec<usize> {
    let mut book = AlertBook::default();
    book.put(rule(1, condition, NOON));
    let mut fired = Vec::new();
    for (n, price) in prices.iter().enumerate() {
        let tick = tick(i64::try_from(n).unwrap() * every, usd(*price, 2));
        let decided = book.decide(&tick);
        fired.extend(decided.fired.iter().map(|_| n));
        settle(&mut book, &tick, decided);
    }
    fired
}

#[test]
fn above_and_below_fire_at_the_first_price_beyond_and_what_crosses_needs_one_to_come_from() {
    assert_eq!(firings(AlertCondition::Above(hundred()), 5, &[10_100, 10_200]), [0]);
    assert_eq!(firings(AlertCondition::Below(hundred()), 5, &[9900]), [0]);
    assert_eq!(firings(AlertCondition::CrossesAbove(hundred()), 5, &[10_100, 10_200, 10_000, 10_001]), [3]);
    assert_eq!(firings(AlertCondition::CrossesBelow(hundred()), 5, &[9900, 10_000, 9999]), [2]);
    assert_eq!(firings(AlertCondition::Above(hundred()), 5, &[10_000]), [0; 0], "at the threshold is not above it");
}

#[test]
fn a_gap_over_the_threshold_fires() {
    assert_eq!(firings(AlertCondition::CrossesAbove(hundred()), 5, &[2000, 90_000]), [1]);
    assert_eq!(firings(AlertCondition::CrossesBelow(hundred()), 5, &[90_000, 2000]), [1]);
}

#[test]
fn a_flapping_price_sends_one() {
    let flapping: Vec<i64> = (0..60_u32).map(|n| if n.is_multiple_of(2) { 9990 } else { 10_010 }).collect();
    assert_eq!(firings(AlertCondition::CrossesAbove(hundred()), 60, &flapping), [1], "an hour of it, never half a percent back");
    let wide: Vec<i64> = (0..60_u32).map(|n| if n.is_multiple_of(2) { 9900 } else { 10_100 }).collect();
    assert_eq!(firings(AlertCondition::Above(hundred()), 5, &wide), [1], "five minutes of it, half a percent back each time");
}

#[test]
fn a_rule_fires_again_once_it_rested_and_the_price_was_half_a_percent_back() {
    let again = |back, rest| firings(AlertCondition::Above(hundred()), rest, &[10_100, back, 10_100]);
    assert_eq!(again(9950, 300), [0, 2]);
    assert_eq!(again(9951, 300), [0]);
    assert_eq!(again(9950, 299), [0], "the price was back while the rule rested");
    assert_eq!(firings(AlertCondition::Above(hundred()), 299, &[10_100, 9950, 9950, 10_100]), [0, 3]);
    assert_eq!(firings(AlertCondition::Below(hundred()), 300, &[9900, 10_050, 9900]), [0, 2]);
}

#[test]
fn a_stale_tick_or_line_neither_fires_nor_arms_nor_moves_a_window() {
    let by = Percent::new(Decimal::TEN);
    let mut book = AlertBook::default();
    book.put(rule(1, AlertCondition::Above(hundred()), NOON));
    book.put(rule(2, AlertCondition::CrossesBelow(hundred()), NOON));
    book.put(rule(3, AlertCondition::PercentMove { by, within: Duration::HOUR }, NOON));
    let stale_tick = Tick { stale: true, ..tick(5, usd(150, 0)) };
    let stale_line = tick(10, usd(150, 0));
    let items = stale_line.items.iter().map(|item| TickItem { stale: true, ..item.clone() }).collect();
    let stale_line = Tick { items, ..stale_line };
    for stale in [stale_tick, stale_line] {
        assert!(book.decide(&stale).is_empty());
    }
    assert!(book.decide(&tick(15, usd(90, 0))).is_empty(), "had 150 counted, two would fire");
}

#[test]
fn a_move_counts_within_its_window_and_from_the_price_that_it_fired_at() {
    let by = |percent| AlertCondition::PercentMove { by: Percent::new(percent), within: Duration::minutes(10) };
    let five = by(Decimal::from(5));
    assert_eq!(firings(five, 60, &[10_000, 10_499, 10_500, 10_501]), [2]);
    assert_eq!(firings(five, 60, &[10_000, 9500]), [1], "down as well");
    let slow: Vec<i64> = (0..30).map(|n| 10_000 + n * 40).collect();
    assert_eq!(firings(five, 60, &slow), [0; 0], "less than 5 % in any ten minutes");
    let steep: Vec<i64> = (0..20).map(|n| 10_000 + n * 100).collect();
    assert_eq!(firings(five, 60, &steep), [5, 11, 17], "and 5 % more each time");
}

#[test]
fn a_rule_does_not_hear_of_prices_from_before_it_was_made_or_changed() {
    let mut book = AlertBook::default();
    let made = rule(1, AlertCondition::Above(hundred()), NOON + Duration::seconds(5));
    book.put(made.clone());
    assert!(book.decide(&tick(4, usd(101, 0))).is_empty());
    let change = AlertChange { condition: Some(AlertCondition::Above(usd(50, 0))), is_active: None };
    book.put(made.changed(change, NOON + Duration::seconds(9), None));
    assert!(book.decide(&tick(8, usd(101, 0))).is_empty());
    assert_eq!(book.decide(&tick(9, usd(51, 0))).fired.len(), 1);
}

#[test]
fn what_is_older_than_what_is_known_changes_nothing_and_what_is_inactive_goes() {
    let made = rule(1, AlertCondition::Above(hundred()), NOON);
    let off = made.changed(AlertChange { is_active: Some(false), condition: None }, NOON, None);
    let on = off.changed(AlertChange { is_active: Some(true), condition: None }, NOON, None);
    let mut book = AlertBook::default();
    book.put(on.clone());
    book.put(made);
    assert_eq!(book.rule(id(1)), Some(&on));
    book.put(off.changed(AlertChange { is_active: Some(false), condition: None }, NOON, None));
    assert_eq!(book.len(), 1, "as old as what is known");
    book.put(on.changed(AlertChange { is_active: Some(false), condition: None }, NOON, None));
    assert!(book.is_empty());
}

#[test]
fn a_price_that_is_known_when_a_rule_is_made_is_the_first_it_has_seen() {
    let known = |condition, price| {
        AlertRule::new((id(1), UserId(Uuid::nil())), Symbol::btc(), condition, NOON, Some(usd(price, 0))).arming
    };
    assert_eq!(known(AlertCondition::CrossesAbove(hundred()), 99), Arming::Armed);
    assert_eq!(known(AlertCondition::CrossesAbove(hundred()), 101), Arming::Unseen);
    assert_eq!(known(AlertCondition::CrossesBelow(hundred()), 101), Arming::Armed);
    assert_eq!(known(AlertCondition::CrossesBelow(hundred()), 99), Arming::Unseen);
}

/// The same rules without any order: each is asked by itself, and every price is kept.
#[derive(Default)]
struct Naive {
    rules: Vec<AlertRule>,
    prices: Vec<(OffsetDateTime, Price)>,
}

impl Naive {
    fn decide(&mut self, at: OffsetDateTime, price: Price) -> (BTreeSet<AlertRuleId>, BTreeSet<AlertRuleId>) {
        self.prices.push((at, price));
        let (mut fired, mut armed) = (BTreeSet::new(), BTreeSet::new());
        for rule in &self.rules {
            let rests = rule.arming == Arming::Spent && at - rule.since < Duration::minutes(5);
            if rule.since > at || rests || !rule.is_active {
                continue;
            }
            let spent = rule.arming == Arming::Spent;
            let back = |sign: i64| if spent { Decimal::new(1_000 + 5 * sign, 3) } else { Decimal::ONE };
            let (is_true, is_back) = match rule.condition {
                AlertCondition::Above(t) | AlertCondition::CrossesAbove(t) => (price > t, price.usd() <= t.usd() * back(-1)),
                AlertCondition::Below(t) | AlertCondition::CrossesBelow(t) => (price < t, price.usd() >= t.usd() * back(1)),
                AlertCondition::PercentMove { by, within } => {
                    let start = (at - within).max(rule.since);
                    let far = |from: Price| price.change_since(from).unwrap().value().abs() >= by.value();
                    if self.prices.iter().any(|(at, from)| *at >= start && far(*from)) {
                        fired.insert(rule.id);
                    }
                    continue;
                }
            };
            if rule.arming == Arming::Armed && is_true {
                fired.insert(rule.id);
            } else if rule.arming != Arming::Armed && is_back {
                armed.insert(rule.id);
            }
        }
        (fired, armed)
    }

    fn put(&mut self, rule: AlertRule) {
        self.rules.retain(|known| known.id != rule.id);
        self.rules.push(rule);
    }
}

#[derive(Debug, Clone)]
enum Act {
    Add(u8, u32, u32),
    Change(u8, u32, u32),
    Switch(u8),
    Remove(u8),
    Price(u16, i64),
}

fn condition(kind: u32, target: u32) -> AlertCondition {
    let at = usd(9_000 + i64::from(target % 2_000), 2);
    match kind % 6 {
        0 => AlertCondition::Above(at),
        1 => AlertCondition::Below(at),
        2 => AlertCondition::CrossesAbove(at),
        3 => AlertCondition::CrossesBelow(at),
        _ => AlertCondition::PercentMove {
            by: Percent::new(Decimal::new(i64::from(target % 70) + 1, 1)),
            within: Duration::seconds(60 + i64::from(target % 13) * 100),
        },
    }
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let act = prop_oneof![
        2 => (any::<u8>(), any::<u32>(), any::<u32>()).prop_map(|(n, kind, target)| Act::Add(n % 40, kind, target)),
        1 => (any::<u8>(), any::<u32>(), any::<u32>()).prop_map(|(n, kind, target)| Act::Change(n % 40, kind, target)),
        1 => any::<u8>().prop_map(|n| Act::Switch(n % 40)),
        1 => any::<u8>().prop_map(|n| Act::Remove(n % 40)),
        8 => (1_u16..200, 8_900_i64..11_100).prop_map(|(wait, price)| Act::Price(wait, price)),
    ];
    proptest::collection::vec(act, 1..150)
}

proptest! {
    #[test]
    fn the_book_decides_what_asking_every_rule_by_itself_decides(acts in acts()) {
        let (mut book, mut naive, mut now) = (AlertBook::default(), Naive::default(), 0_i64);
        for act in acts {
            // Between two ticks.
            let at = NOON + Duration::seconds(now) + Duration::milliseconds(500);
            let known = |naive: &Naive, n: u8| naive.rules.iter().find(|rule| rule.id == id(n.into())).cloned();
            match act {
                Act::Add(n, kind, target) => {
                    if known(&naive, n).is_none() {
                        let made = rule(n.into(), condition(kind, target), at);
                        book.put(made.clone());
                        naive.put(made);
                    }
                }
                Act::Change(..) | Act::Switch(_) => {
                    let (n, change) = match act {
                        Act::Change(n, kind, target) => {
                            (n, AlertChange { condition: Some(condition(kind, target)), is_active: None })
                        }
                        Act::Switch(n) => {
                            let is_active = known(&naive, n).map(|rule| !rule.is_active);
                            (n, AlertChange { condition: None, is_active })
                        }
                        _ => continue,
                    };
                    if let Some(rule) = known(&naive, n) {
                        let changed = rule.changed(change, at, None);
                        book.put(changed.clone());
                        naive.put(changed);
                    }
                }
                Act::Remove(n) => {
                    book.remove(id(n.into()));
                    naive.rules.retain(|rule| rule.id != id(n.into()));
                }
                Act::Price(wait, price) => {
                    now += i64::from(wait);
                    let tick = tick(now, usd(price, 2));
                    let decided = book.decide(&tick);
                    prop_assert_eq!(&book.decide(&tick), &decided, "deciding changes nothing");
                    let (fired, armed) = naive.decide(tick.timestamp, usd(price, 2));
                    prop_assert_eq!(decided.fired.iter().map(|firing| firing.rule.id).collect::<BTreeSet<_>>(), fired);
                    prop_assert_eq!(decided.armed.iter().map(|rule| rule.id).collect::<BTreeSet<_>>(), armed);
                    for firing in &decided.fired {
                        naive.put(firing.rule.fired(tick.id, tick.timestamp));
                    }
                    for rule in &decided.armed {
                        naive.put(rule.armed());
                    }
                    settle(&mut book, &tick, decided);
                }
            }
        }
    }
}
