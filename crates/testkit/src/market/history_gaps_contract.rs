//! What every [`HistoryGaps`] must do. Run by the fake and by the SQL store on each database.
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use coinlink_domain::market::{
    Source, Symbol,
    candles::{Interval, Span},
};
use coinlink_ports::market::HistoryGaps;
use time::{Duration, OffsetDateTime};

use super::NOON;

fn hours(from: i64, to: i64) -> Span {
    Span { from: NOON + Duration::hours(from), to: NOON + Duration::hours(to) }
}

async fn noted(gaps: &dyn HistoryGaps, since: OffsetDateTime) -> Vec<Span> {
    gaps.noted(&Symbol::btc(), Interval::Hour, Source::Kraken, since).await.unwrap()
}

async fn note(gaps: &dyn HistoryGaps, spans: &[Span], at: OffsetDateTime) {
    gaps.note(&Symbol::btc(), Interval::Hour, Source::Kraken, spans, at).await.unwrap();
}

pub async fn nothing_is_noted_at_first(gaps: &dyn HistoryGaps) {
    assert_eq!(noted(gaps, NOON).await, []);
    note(gaps, &[], NOON).await;
    assert_eq!(noted(gaps, NOON).await, []);
}

pub async fn what_was_noted_is_told_oldest_first_for_its_asset_interval_and_source(gaps: &dyn HistoryGaps) {
    note(gaps, &[hours(5, 7), hours(-9, -3)], NOON).await;
    let eth = Symbol::try_new("ETH").unwrap();
    gaps.note(&eth, Interval::Hour, Source::Kraken, &[hours(1, 2)], NOON).await.unwrap();
    gaps.note(&Symbol::btc(), Interval::Day, Source::Kraken, &[hours(1, 2)], NOON).await.unwrap();
    gaps.note(&Symbol::btc(), Interval::Hour, Source::Coinbase, &[hours(1, 2)], NOON).await.unwrap();
    assert_eq!(noted(gaps, NOON).await, [hours(-9, -3), hours(5, 7)]);
}

pub async fn of_one_start_the_last_word_counts(gaps: &dyn HistoryGaps) {
    note(gaps, &[hours(0, 1)], NOON).await;
    note(gaps, &[hours(0, 4)], NOON + Duration::HOUR).await;
    assert_eq!(noted(gaps, NOON).await, [hours(0, 4)]);
    assert_eq!(noted(gaps, NOON + Duration::HOUR).await, [hours(0, 4)]);
}

pub async fn what_was_noted_long_ago_counts_no_more_and_can_be_forgotten(gaps: &dyn HistoryGaps) {
    note(gaps, &[hours(0, 1)], NOON).await;
    note(gaps, &[hours(2, 3)], NOON + Duration::DAY).await;
    assert_eq!(noted(gaps, NOON + Duration::SECOND).await, [hours(2, 3)]);
    assert_eq!(gaps.forget(NOON + Duration::DAY).await.unwrap(), 1);
    assert_eq!(noted(gaps, NOON).await, [hours(2, 3)]);
}

/// More than one statement carries.
pub async fn thousands_are_noted_at_once(gaps: &dyn HistoryGaps) {
    let spans: Vec<_> = (0..12_000).map(|n| hours(n * 2, n * 2 + 1)).collect();
    note(gaps, &spans, NOON).await;
    note(gaps, &spans, NOON).await;
    assert_eq!(noted(gaps, NOON).await, spans);
}

/// Makes a test of each behaviour; `$gaps` answers something that derefs to a fresh [`HistoryGaps`].
#[macro_export]
macro_rules! history_gaps_contract {
    ($gaps:expr) => {
        $crate::history_gaps_contract!(@each $gaps;
            nothing_is_noted_at_first,
            what_was_noted_is_told_oldest_first_for_its_asset_interval_and_source,
            of_one_start_the_last_word_counts,
            what_was_noted_long_ago_counts_no_more_and_can_be_forgotten,
            thousands_are_noted_at_once,
        );
    };
    (@each $gaps:expr; $($name:ident),+ $(,)?) => {
        $(
            #[tokio::test]
            async fn $name() {
                let gaps = $gaps;
                $crate::market::history_gaps_contract::$name(&*gaps).await;
            }
        )+
    };
}
