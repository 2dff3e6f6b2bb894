//! Keeps the book as the rules are stored, and tells it what prices were before it was made.

use coinlink_domain::{
    market::{
        Symbol, Tick,
        candles::{Interval, Span},
    },
    notifications::alerts::{AlertBook, AlertRuleId},
};
use coinlink_ports::{
    notifications::{AlertNews, ReadRule, UnreadableRule},
    shared::StoreError,
};
use time::{Duration, OffsetDateTime};

use super::evaluate_alerts::{EvaluatorParts, Led};

/// Rules in one read.
const PAGE: u32 = 2_000;
/// Clocks of nodes differ, and what is stored is seen some time after it was stamped: so much is read twice.
const OVERLAP: Duration = Duration::minutes(1);

impl Led {
    /// A rule is so now.
    fn put(&mut self, read: ReadRule) {
        match read {
            Ok(rule) => {
                self.unreadable.remove(&rule.id);
                self.book.put(rule);
            }
            Err(UnreadableRule { id, why }) => {
                self.book.remove(id);
                self.unreadable.insert(id, why);
            }
        }
    }

    fn remove(&mut self, id: AlertRuleId) {
        self.unreadable.remove(&id);
        self.book.remove(id);
    }
}

/// Which rule was read, or could not be.
fn id_of(read: &ReadRule) -> AlertRuleId {
    read.as_ref().map_or_else(|unreadable| unreadable.id, |rule| rule.id)
}

/// Every active rule.
pub(super) async fn load(parts: &EvaluatorParts, led: &mut Led) -> Result<(), StoreError> {
    let mut after = None;
    loop {
        let page = parts.reads.active_rules(after, PAGE).await?;
        let Some(last) = page.last().map(id_of) else { return Ok(()) };
        after = Some(last);
        for rule in page {
            led.put(rule);
        }
    }
}

/// What users changed since the last look.
pub(super) async fn follow(parts: &EvaluatorParts, led: &mut Led) -> Result<(), StoreError> {
    let now = parts.clock.now();
    let since = led.news_until.checked_sub(OVERLAP).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    let mut after = None;
    loop {
        let page = parts.reads.news(since, after, PAGE).await?;
        let is_last = page.len() < PAGE as usize;
        after = page.last().map(AlertNews::id);
        for news in page {
            match news {
                AlertNews::Changed(rule) => led.put(Ok(rule)),
                AlertNews::Deleted(id) => led.remove(id),
                AlertNews::Unreadable(rule) => led.put(Err(rule)),
            }
        }
        if is_last {
            led.news_until = now;
            return Ok(());
        }
    }
}

/// Rules that are not stored as the book has them.
pub(super) async fn reload(parts: &EvaluatorParts, led: &mut Led, ids: &[AlertRuleId]) -> Result<(), StoreError> {
    let stored = if ids.is_empty() { Vec::new() } else { parts.reads.rules(ids).await? };
    for id in ids {
        if !stored.iter().any(|rule| id_of(rule) == *id) {
            led.remove(*id);
        }
    }
    for rule in stored {
        led.put(rule);
    }
    Ok(())
}

/// Prices from before, for those who wait for a move: minutes, then the newest ticks. Without them moves count from now on.
pub(super) async fn recall(parts: &EvaluatorParts, book: &mut AlertBook, ticks: &[&Tick], now: OffsetDateTime) {
    let ticks_from = ticks.first().map_or(now, |tick| tick.timestamp);
    for (symbol, since) in book.waits_for_moves(now) {
        if let Err(error) = recall_minutes(parts, book, &symbol, since, ticks_from).await {
            tracing::warn!(%error, %symbol, "prices from before could not be read: moves count from now on");
        }
        for tick in ticks.iter().filter(|tick| tick.timestamp >= since) {
            if let Some(item) = tick.item(symbol.as_str()).filter(|item| !item.stale) {
                book.recall(&symbol, tick.timestamp, item.quote.price, item.quote.price);
            }
        }
    }
}

async fn recall_minutes(
    parts: &EvaluatorParts,
    book: &mut AlertBook,
    symbol: &Symbol,
    since: OffsetDateTime,
    until: OffsetDateTime,
) -> Result<(), StoreError> {
    if since >= until {
        return Ok(());
    }
    let span = Span { from: since, to: until };
    for record in parts.candles.read_all(std::slice::from_ref(symbol), Interval::Minute, span, until).await? {
        let candle = record.candle;
        book.recall(symbol, candle.open_at, candle.low, candle.high);
    }
    Ok(())
}
