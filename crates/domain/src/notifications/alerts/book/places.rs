//! Where a rule waits.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    ops::Bound,
};

use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use super::window::PriceWindow;
use crate::{
    market::{Percent, Price},
    notifications::alerts::{AlertCondition, AlertRule, AlertRuleId, Arming},
};

const FIRST: AlertRuleId = AlertRuleId(Uuid::nil());
const LAST: AlertRuleId = AlertRuleId(Uuid::max());

type ByPrice = BTreeSet<(Price, AlertRuleId)>;
type ByMove = BTreeSet<(Percent, AlertRuleId)>;

/// Where a rule waits, and what for.
#[derive(Debug, Clone, Copy)]
enum Place {
    /// For a price above.
    Above(Price),
    /// For a price below.
    Below(Price),
    /// For a price at or below, to be armed.
    BackDown(Price),
    /// For a price at or above, to be armed.
    BackUp(Price),
    /// For a moment.
    Resting,
    /// For a move within the last so much.
    Sliding(Duration, Percent),
    /// For a move since then.
    Anchored(OffsetDateTime, Percent),
}

/// The rules of one asset, each in one place.
#[derive(Debug, Default)]
pub(super) struct Places {
    of: HashMap<AlertRuleId, (Place, Option<OffsetDateTime>)>,
    above: ByPrice,
    below: ByPrice,
    back_down: ByPrice,
    back_up: ByPrice,
    sliding: BTreeMap<Duration, ByMove>,
    anchored: BTreeMap<OffsetDateTime, ByMove>,
    /// The same moves: no window holds a larger move than a longer one, so that this says where to stop.
    moves: ByMove,
    /// When some change their place by time alone.
    due: BTreeSet<(OffsetDateTime, AlertRuleId)>,
}

/// Where a rule waits at `now`, and when it changes its place by itself.
fn place(rule: &AlertRule, now: Option<OffsetDateTime>) -> (Place, Option<OffsetDateTime>) {
    let is_over = |until: OffsetDateTime| now.is_some_and(|now| until <= now);
    if let Some(until) = rule.rests_until().filter(|until| !is_over(*until)) {
        return (Place::Resting, Some(until));
    }
    let armed = rule.arming == Arming::Armed;
    let back = |at: Price| rule.arms_at().unwrap_or(at);
    let place = match rule.condition {
        AlertCondition::Above(at) | AlertCondition::CrossesAbove(at) if armed => Place::Above(at),
        AlertCondition::Below(at) | AlertCondition::CrossesBelow(at) if armed => Place::Below(at),
        AlertCondition::Above(at) | AlertCondition::CrossesAbove(at) => Place::BackDown(back(at)),
        AlertCondition::Below(at) | AlertCondition::CrossesBelow(at) => Place::BackUp(back(at)),
        AlertCondition::PercentMove { by, within } => {
            let slides_from = rule.since.checked_add(within).unwrap_or(rule.since);
            if is_over(slides_from) {
                Place::Sliding(within, by)
            } else {
                return (Place::Anchored(rule.since, by), Some(slides_from));
            }
        }
    };
    (place, None)
}

impl Places {
    /// Takes a rule that has no place. Before the first `now` is known nothing is over yet.
    pub(super) fn put(&mut self, rule: &AlertRule, now: Option<OffsetDateTime>) {
        let (id, (place, due)) = (rule.id, place(rule, now));
        match place {
            Place::Above(at) => drop(self.above.insert((at, id))),
            Place::Below(at) => drop(self.below.insert((at, id))),
            Place::BackDown(at) => drop(self.back_down.insert((at, id))),
            Place::BackUp(at) => drop(self.back_up.insert((at, id))),
            Place::Resting => {}
            Place::Sliding(within, by) => {
                self.sliding.entry(within).or_default().insert((by, id));
                self.moves.insert((by, id));
            }
            Place::Anchored(since, by) => {
                self.anchored.entry(since).or_default().insert((by, id));
                self.moves.insert((by, id));
            }
        }
        self.due.extend(due.map(|due| (due, id)));
        self.of.insert(id, (place, due));
    }

    pub(super) fn remove(&mut self, id: AlertRuleId) {
        let Some((place, due)) = self.of.remove(&id) else { return };
        match place {
            Place::Above(at) => drop(self.above.remove(&(at, id))),
            Place::Below(at) => drop(self.below.remove(&(at, id))),
            Place::BackDown(at) => drop(self.back_down.remove(&(at, id))),
            Place::BackUp(at) => drop(self.back_up.remove(&(at, id))),
            Place::Resting => {}
            Place::Sliding(within, by) => {
                take(&mut self.sliding, &within, (by, id));
                self.moves.remove(&(by, id));
            }
            Place::Anchored(since, by) => {
                take(&mut self.anchored, &since, (by, id));
                self.moves.remove(&(by, id));
            }
        }
        if let Some(due) = due {
            self.due.remove(&(due, id));
        }
    }

    /// Those that change their place by time alone, up to `now`.
    pub(super) fn due(&self, now: OffsetDateTime) -> Vec<AlertRuleId> {
        self.due.range(..=(now, LAST)).map(|(_, id)| *id).collect()
    }

    /// Those whose threshold is behind `price`.
    pub(super) fn beyond(&self, price: Price) -> impl Iterator<Item = AlertRuleId> + '_ {
        let above = self.above.range(..(price, FIRST));
        let below = self.below.range((Bound::Excluded((price, LAST)), Bound::Unbounded));
        above.chain(below).map(|(_, id)| *id)
    }

    /// Those that `price` arms.
    pub(super) fn back(&self, price: Price) -> impl Iterator<Item = AlertRuleId> + '_ {
        let down = self.back_down.range((price, FIRST)..);
        let up = self.back_up.range(..=(price, LAST));
        down.chain(up).map(|(_, id)| *id)
    }

    /// Those whose move is there at `price`, each with the price it is measured from.
    pub(super) fn moved(&self, window: &PriceWindow, now: OffsetDateTime, price: Price) -> Vec<(AlertRuleId, Price)> {
        let Some((least, _)) = self.moves.first() else { return Vec::new() };
        let mut moved = Vec::new();
        let sliding = self.sliding.iter().rev().map(|(within, rules)| (PriceWindow::start(now, *within), rules));
        let anchored = self.anchored.iter().map(|(since, rules)| (*since, rules));
        // Both from the longest time to the shortest: where one holds too small a move for everybody, so does the rest.
        gather(&mut moved, sliding, *least, |start| largest_move(window, start, price));
        gather(&mut moved, anchored, *least, |start| largest_move(window, start, price));
        moved
    }
}

fn take<K: Ord>(groups: &mut BTreeMap<K, ByMove>, key: &K, rule: (Percent, AlertRuleId)) {
    if let Some(rules) = groups.get_mut(key) {
        rules.remove(&rule);
        if rules.is_empty() {
            groups.remove(key);
        }
    }
}

fn gather<'a>(
    moved: &mut Vec<(AlertRuleId, Price)>,
    groups: impl Iterator<Item = (OffsetDateTime, &'a ByMove)>,
    least: Percent,
    largest_since: impl Fn(OffsetDateTime) -> Option<(Percent, Price)>,
) {
    for (start, rules) in groups {
        let Some((largest, from)) = largest_since(start).filter(|(largest, _)| *largest >= least) else { return };
        moved.extend(rules.range(..=(largest, LAST)).map(|(_, id)| (*id, from)));
    }
}

/// How far `price` is from the lowest or the highest price since `start`, whichever is farther, and that price.
fn largest_move(window: &PriceWindow, start: OffsetDateTime, price: Price) -> Option<(Percent, Price)> {
    let (low, high) = window.since(start)?;
    let far = |from: Price| price.distance_from(from).map(|far| (Percent::new(far), from));
    match (far(low), far(high)) {
        (Some(up), Some(down)) => Some(if down.0 > up.0 { down } else { up }),
        (up, down) => up.or(down),
    }
}
