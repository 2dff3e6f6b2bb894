use coinlink_application::operations::SealReport;
use coinlink_domain::{operations::Head, shared::audit::AuditEntry};
use coinlink_testkit::operations::{FIRST, an_entry};
use time::Duration;
use uuid::Uuid;

use crate::support::Audit;

#[tokio::test]
async fn everything_is_sealed_once_and_in_order_and_the_first_run_sweeps() {
    let audit = Audit::new();
    audit.record(0..2_500);
    let first = SealReport { sealed: 2_500, checkpoints: 2, swept: true, ..SealReport::default() };
    assert_eq!(audit.sealed().await, first, "signed at the first seal and a thousand later; less than that waits a minute");
    assert_eq!(audit.sealed().await, SealReport::default());
    let seals = audit.chain.with(|records| records.seals.clone());
    assert!(seals.keys().copied().eq(1..=2_500));
    assert!(seals.values().zip(0..).all(|(seal, n)| seal.audit_id == an_entry(n).id));
}

#[tokio::test]
async fn a_quiet_chain_is_signed_after_a_minute_and_then_not_again() {
    let audit = Audit::new();
    audit.record([1]);
    assert_eq!(audit.sealed().await.checkpoints, 1);
    audit.record([2]);
    assert_eq!(audit.sealed().await.checkpoints, 0);
    audit.clock.advance(Duration::minutes(1));
    let report = audit.sealed().await;
    assert_eq!((report.sealed, report.checkpoints), (0, 1));
    audit.clock.advance(Duration::minutes(1));
    assert_eq!(audit.sealed().await, SealReport::default());
    assert_eq!(audit.chain.with(|records| records.checkpoints.iter().map(|at| at.seq).collect::<Vec<_>>()), [1, 2]);
}

#[tokio::test]
async fn a_late_entry_is_sealed_at_once_within_a_minute_or_by_the_sweep_of_the_hour() {
    let audit = Audit::new();
    audit.record([1_000]);
    audit.sealed().await;
    audit.record([985, 984, 400, 399]);
    assert_eq!(audit.sealed().await.sealed, 1, "fifteen seconds before the newest sealed one, and not more");
    audit.clock.advance(Duration::seconds(59));
    assert_eq!(audit.sealed().await.sealed, 0);
    audit.clock.advance(Duration::SECOND);
    assert_eq!(audit.sealed().await.sealed, 2, "ten minutes before it, once a minute");
    audit.clock.advance(Duration::minutes(58));
    assert_eq!(audit.sealed().await.sealed, 0);
    audit.clock.advance(Duration::minutes(1));
    let report = audit.sealed().await;
    assert_eq!((report.sealed, report.swept), (1, true));
}

#[tokio::test]
async fn a_run_looks_at_the_last_seconds_only() {
    let audit = Audit::new();
    audit.record(0..3_000);
    audit.sealed().await;
    audit.chain.with(|records| records.searched = 0);
    audit.record([3_000]);
    audit.sealed().await;
    assert_eq!(audit.chain.with(|records| records.searched), 17);
}

/// 30 stretches of the log; as after a start, where a log is long and what is new must not wait for all of it.
#[tokio::test]
async fn what_is_new_is_sealed_before_the_log_is_swept_which_is_done_a_part_at_a_time_and_never_twice() {
    let audit = Audit::new();
    audit.clock.advance(Duration::hours(10));
    audit.record((0..29_500).filter(|n| *n != 7 && *n != 29_000));
    audit.sealed().await;
    audit.record([7, 29_000, 29_500]);
    let started = audit.another_node();
    let run = async || {
        audit.chain.with(|records| records.searched = 0);
        let done = started.execute().await;
        (done, audit.chain.with(|records| records.searched))
    };
    let (first, searched) = run().await;
    let expected = SealReport { sealed: 3, ..SealReport::default() };
    assert_eq!((first.unwrap(), searched), (expected, 602 + 10_000), "ten minutes, then ten stretches");
    let order = audit.chain.with(|records| records.seals.values().rev().take(3).map(|seal| seal.audit_id).collect::<Vec<_>>());
    assert_eq!(order, [7, 29_500, 29_000].map(|n| an_entry(n).id), "what is new is sealed first");
    audit.chain.with(|records| records.readable = Some(3));
    let (failed, searched) = run().await;
    assert!(failed.is_err());
    assert_eq!(searched, 16 + 2_000, "a store that fails in the midst of it");
    audit.chain.with(|records| records.readable = None);
    assert_eq!(run().await.1, 16 + 10_000);
    let (last, searched) = run().await;
    assert_eq!((last.unwrap().swept, searched), (true, 16 + 7_501), "goes on where it was");
    assert_eq!(run().await.1, 16, "until an hour later");
}

/// A node whose clock is a day ahead writes an entry; those of the others are sealed all the same.
#[tokio::test]
async fn an_entry_of_the_future_does_not_hide_those_of_the_present() {
    let audit = Audit::new();
    audit.chain.record(&AuditEntry { id: Uuid::max(), at: FIRST + Duration::days(1), ..an_entry(1) });
    audit.sealed().await;
    audit.record([3_590]);
    assert_eq!(audit.sealed().await.sealed, 1);
}

#[tokio::test]
async fn who_is_overtaken_leaves_the_rest_to_the_other_and_goes_on_in_the_next_run() {
    let audit = Audit::new();
    audit.record([1]);
    let other = audit.another_node();
    let (one, two) = tokio::join!(audit.seal.execute(), other.execute());
    assert_eq!(one.unwrap().sealed + two.unwrap().sealed, 1);
    audit.record([2]);
    other.execute().await.unwrap();
    audit.record([3]);
    assert_eq!(audit.sealed().await, SealReport { sealed: 1, ..SealReport::default() });
    assert_eq!(audit.chain.with(|records| records.seals.len()), 3);
}

#[tokio::test]
async fn rows_of_others_are_told_and_stop_nothing() {
    let audit = Audit::new();
    audit.record([1, 2]);
    let twin = AuditEntry { at: FIRST + Duration::seconds(5), ..an_entry(1) };
    audit.chain.record(&twin);
    audit.chain.with(|records| *records.log.values_mut().nth(1).unwrap() = None);
    let report = audit.sealed().await;
    assert_eq!((report.sealed, report.foreign), (1, 2));
}

#[tokio::test]
async fn room_for_the_coming_months_is_made_once_a_day_and_its_failure_stops_nothing() {
    let audit = Audit::new();
    audit.chain.with(|records| records.cannot_prepare = true);
    audit.record([1]);
    assert_eq!(audit.sealed().await.sealed, 1);
    audit.chain.with(|records| records.cannot_prepare = false);
    for hours in [0, 23, 1] {
        audit.clock.advance(Duration::hours(hours));
        audit.sealed().await;
    }
    assert_eq!(audit.chain.with(|records| records.prepared), 2);
}

#[tokio::test]
async fn a_chain_that_was_cut_or_made_anew_is_noticed_once_by_a_node_that_knew_it() {
    let audit = Audit::new();
    audit.record(1..=3);
    audit.sealed().await;
    let records = audit.chain.with(|records| {
        let whole = records.clone();
        records.seals.pop_last();
        records.log.pop_last();
        whole
    });
    assert!(audit.sealed().await.damaged && !audit.sealed().await.damaged);
    assert!(audit.another_node().execute().await.unwrap().damaged, "a checkpoint speaks of what is gone");
    audit.chain.with(|now| {
        *now = records;
        let mut head = Head::EMPTY;
        for seal in now.seals.values_mut() {
            *seal = head.seal(&AuditEntry { user: Some(Uuid::nil()), ..an_entry(1) }, FIRST);
        }
    });
    assert!(!audit.sealed().await.damaged, "longer than it was known to be: that is for the verification to tell");
    audit.chain.with(|now| now.seals.values_mut().for_each(|seal| seal.chain_hash = [0; 32]));
    assert!(audit.sealed().await.damaged);
}
