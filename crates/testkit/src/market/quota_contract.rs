//! What every [`QuotaLedger`] must do.
#![expect(clippy::unwrap_used, reason = "a contract suite is test code")]

use std::{collections::HashMap, sync::Arc};

use coinlink_domain::{
    market::Source,
    shared::quota::{QuotaPolicy, QuotaUse, QuotaVerdict},
};
use coinlink_ports::market::QuotaLedger;
use time::{Duration, OffsetDateTime, UtcOffset, macros::datetime};

use super::NOON;

/// A ledger in which nothing has been spent.
type Ledger = Arc<dyn QuotaLedger>;

async fn spend(ledger: &Ledger, policy: QuotaPolicy, now: OffsetDateTime) -> QuotaVerdict {
    ledger.spend(Source::CoinGecko, policy, now).await.unwrap()
}

pub async fn a_budget_is_never_overrun_by_callers_at_once(ledger: Ledger) {
    let policy = QuotaPolicy { per_minute: None, per_month: Some(100) };
    let callers: Vec<_> = (0..20)
        .map(|_| {
            let ledger = ledger.clone();
            tokio::spawn(async move {
                let mut allowed = 0;
                for _ in 0..10 {
                    allowed += u32::from(spend(&ledger, policy, NOON).await != QuotaVerdict::Exhausted);
                }
                allowed
            })
        })
        .collect();
    let mut allowed = 0;
    for caller in callers {
        allowed += caller.await.unwrap();
    }
    assert_eq!(allowed, 100);
}

pub async fn a_month_is_stretched_from_ninety_percent_on(ledger: Ledger) {
    let policy = QuotaPolicy { per_minute: None, per_month: Some(10) };
    let mut verdicts = Vec::new();
    for _ in 0..11 {
        verdicts.push(spend(&ledger, policy, NOON).await);
    }
    assert_eq!(verdicts[..9], [QuotaVerdict::Allow; 9]);
    assert_eq!(verdicts[9..], [QuotaVerdict::Stretch, QuotaVerdict::Exhausted]);
}

pub async fn a_minute_and_a_month_begin_anew_in_utc(ledger: Ledger) {
    let policy = QuotaPolicy { per_minute: Some(1), per_month: Some(2) };
    let new_year = datetime!(2027-01-01 0:00 UTC);
    let second = |second| new_year + Duration::seconds(second);
    let kathmandu = UtcOffset::from_hms(5, 45, 0).unwrap();
    assert_eq!(spend(&ledger, policy, second(-61)).await, QuotaVerdict::Allow);
    assert_eq!(spend(&ledger, policy, second(-60).to_offset(kathmandu)).await, QuotaVerdict::Allow);
    assert_eq!(spend(&ledger, policy, second(-1)).await, QuotaVerdict::Exhausted, "the minute and the month");
    assert_eq!(spend(&ledger, policy, second(0)).await, QuotaVerdict::Allow, "a new month");
    assert_eq!(spend(&ledger, policy, second(59)).await, QuotaVerdict::Exhausted, "the minute");
}

pub async fn a_refused_call_is_not_counted(ledger: Ledger) {
    let policy = QuotaPolicy { per_minute: Some(2), per_month: Some(4) };
    for minute in 0..2 {
        let now = NOON + Duration::minutes(minute);
        for call in 0..6 {
            assert_eq!(spend(&ledger, policy, now).await == QuotaVerdict::Exhausted, call >= 2, "call {call} of minute {minute}");
        }
    }
    let now = NOON + Duration::minutes(2);
    for _ in 0..3 {
        assert_eq!(spend(&ledger, policy, now).await, QuotaVerdict::Exhausted);
    }
    let raised = QuotaPolicy { per_month: Some(5), ..policy };
    assert_ne!(spend(&ledger, raised, now).await, QuotaVerdict::Exhausted, "the plan has one more, and none was lost");
    assert_eq!(spend(&ledger, raised, now).await, QuotaVerdict::Exhausted);
}

pub async fn unmetered_calls_are_allowed_and_counted(ledger: Ledger) {
    for _ in 0..5 {
        assert_eq!(spend(&ledger, QuotaPolicy::default(), NOON).await, QuotaVerdict::Allow);
    }
    let metered = QuotaPolicy { per_minute: Some(5), per_month: None };
    assert_eq!(spend(&ledger, metered, NOON).await, QuotaVerdict::Exhausted);
}

pub async fn each_source_has_its_own_budget(ledger: Ledger) {
    let policy = QuotaPolicy { per_minute: Some(1), per_month: None };
    for source in Source::ALL {
        assert_eq!(ledger.spend(source, policy, NOON).await.unwrap(), QuotaVerdict::Allow);
        assert_eq!(ledger.spend(source, policy, NOON).await.unwrap(), QuotaVerdict::Exhausted);
    }
}

/// The same calls to the pure rule and to the ledger.
pub async fn every_answer_is_the_one_the_rule_gives(ledger: Ledger) {
    let policy = QuotaPolicy { per_minute: Some(7), per_month: Some(120) };
    let mut used: HashMap<Source, HashMap<(bool, i64), u32>> = HashMap::new();
    let mut now = datetime!(2026-01-31 23:40 UTC);
    let mut roll: u64 = 42;
    for _ in 0..400 {
        roll = roll.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        now += Duration::seconds(i64::try_from((roll >> 33) % 12).unwrap());
        let source = if roll >> 63 == 0 { Source::CoinGecko } else { Source::Kraken };
        let minute = (true, now.unix_timestamp() / 60);
        let month = (false, i64::from(now.year()) * 12 + i64::from(u8::from(now.month())));
        let used = used.entry(source).or_default();
        let of = |period| used.get(&period).copied().unwrap_or(0);
        let expected = policy.judge(QuotaUse { minute: of(minute), month: of(month) });
        if expected != QuotaVerdict::Exhausted {
            *used.entry(minute).or_default() += 1;
            *used.entry(month).or_default() += 1;
        }
        assert_eq!(ledger.spend(source, policy, now).await.unwrap(), expected);
    }
}

/// Runs the suite on `$ledger`, an expression that is an `Arc` of a new ledger each time.
#[macro_export]
macro_rules! quota_ledger_contract {
    ($($case:ident),+ $(,)? => $ledger:expr) => {
        $(#[tokio::test]
        async fn $case() {
            $crate::market::quota_contract::$case($ledger).await;
        })+
    };
    ($ledger:expr) => {
        $crate::quota_ledger_contract!(
            a_budget_is_never_overrun_by_callers_at_once,
            a_month_is_stretched_from_ninety_percent_on,
            a_minute_and_a_month_begin_anew_in_utc,
            a_refused_call_is_not_counted,
            unmetered_calls_are_allowed_and_counted,
            each_source_has_its_own_budget,
            every_answer_is_the_one_the_rule_gives,
            => $ledger
        );
    };
}
