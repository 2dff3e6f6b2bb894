use coinlink_application::operations::Unsealed;
use coinlink_domain::{
    operations::{Finding, LogMonth, Origin, Retirement, Stretch},
    shared::audit::AuditEntry,
};
use coinlink_ports::operations::LogPlace;
use coinlink_testkit::operations::{FIRST, an_entry};
use time::Duration;
use uuid::Uuid;

use crate::support::{Audit, retirement_key};

async fn findings(audit: &Audit) -> Vec<Finding> {
    audit.verified(None).await.findings.listed
}

#[tokio::test]
async fn an_empty_log_is_sound() {
    let report = Audit::new().verified(None).await;
    assert_eq!((report.seals, report.findings.count, report.unsealed, report.checkpoint), (0, 0, Unsealed::default(), None));
}

#[tokio::test]
async fn a_log_of_several_pages_is_sound_and_its_newest_checkpoint_is_told() {
    let audit = Audit::new();
    audit.record(0..7_000);
    audit.sealed().await;
    let report = audit.verified(None).await;
    let newest = audit.chain.with(|records| records.checkpoints.last().copied());
    assert_eq!((report.seals, report.findings.count, report.checkpoint), (7_000, 0, newest));
    assert_eq!(audit.verified(newest).await.findings.count, 0);
}

#[tokio::test]
async fn entries_that_wait_for_a_seal_for_more_than_a_minute_are_a_warning() {
    let audit = Audit::new();
    audit.record([3_539, 3_540, 3_541, 9]);
    let report = audit.verified(None).await;
    assert_eq!(report.findings.count, 0);
    assert_eq!(report.unsealed, Unsealed { count: 2, oldest: Some(an_entry(9).at) });
}

#[tokio::test]
async fn each_tampering_is_told_and_no_checkpoint_is_offered_then() {
    let audit = Audit::new();
    audit.record(0..3_000);
    audit.sealed().await;
    let sound = audit.chain.with(|records| records.clone());
    let id = |n: u32| an_entry(n).id;
    let place = |n: u32| LogPlace { at: an_entry(n).at, id: id(n) };
    let restored = || audit.chain.with(|records| *records = sound.clone());

    audit.chain.with(|records| records.log.insert(place(1), Some(an_entry(1).by(Uuid::nil()))));
    assert_eq!(findings(&audit).await, [Finding::EntryEdited { seq: 2, id: id(1) }]);
    assert_eq!(audit.verified(None).await.checkpoint, None);

    restored();
    audit.chain.with(|records| records.log.remove(&place(2_999)));
    assert_eq!(findings(&audit).await, [Finding::EntryMissing { seq: 3_000, id: id(2_999) }]);

    restored();
    audit.chain.with(|records| records.log.retain(|at, _| at.at < FIRST + Duration::seconds(2_000)));
    audit.chain.with(|records| records.seals.retain(|seq, _| *seq <= 2_000));
    let signed = sound.checkpoints.last().unwrap().seq;
    assert_eq!(findings(&audit).await, [Finding::TailCut { last: 2_000, signed, origin: Origin::Stored }]);

    restored();
    audit.chain.with(|records| (records.log.clear(), records.seals.clear()));
    assert_eq!(findings(&audit).await, [Finding::ChainDeleted { signed, origin: Origin::Stored }]);
    audit.chain.with(|records| records.checkpoints.clear());
    assert_eq!(findings(&audit).await, [], "nothing is left that could tell");
    let exported = audit.verified(sound.checkpoints.last().copied()).await.findings.listed;
    assert_eq!(exported, [Finding::ChainDeleted { signed, origin: Origin::Exported }]);

    restored();
    audit.chain.record(&AuditEntry { at: FIRST - Duration::SECOND, ..an_entry(5) });
    assert_eq!(findings(&audit).await, [Finding::ForeignRow { id: id(5) }]);
}

/// The entries of the seals `first` to `last` as retired, and where the last of them is.
fn retired(audit: &Audit, first: u32, last: u32) -> (Retirement, LogPlace) {
    let chain_hash = audit.chain.with(|records| records.seals[&i64::from(last)].chain_hash);
    let seals = Stretch { first: first.into(), last: last.into(), chain_hash };
    let end = an_entry(last - 1);
    (retirement_key().sign(LogMonth::of(FIRST), seals, FIRST), LogPlace { at: end.at, id: end.id })
}

#[tokio::test]
async fn what_was_retired_is_counted_and_what_is_there_nonetheless_is_told() {
    let audit = Audit::new();
    audit.record(0..30);
    audit.sealed().await;
    let (retirement, last) = retired(&audit, 1, 20);
    audit.chain.with(|records| (records.retirements.push(retirement), records.log.retain(|place, _| *place >= last)));
    assert_eq!(findings(&audit).await, [Finding::EntryReturned { seq: 20, id: last.id }]);
    audit.chain.with(|records| records.log.remove(&last));
    let report = audit.verified(None).await;
    assert_eq!((report.seals, report.retired, report.findings.count), (30, 20, 0));
    assert!(report.checkpoint.is_some());
    audit.chain.with(|records| records.retirements.clear());
    assert_eq!(audit.verified(None).await.findings.count, 20);
}

/// One before anything is read, one between what was retired and the entries, one after these: those were read while they were
/// there, and then it is told that they went.
#[tokio::test]
async fn what_is_retired_while_it_is_read_is_neither_missed_nor_taken_for_put_back() {
    let audit = Audit::new();
    audit.record(0..5_500);
    audit.sealed().await;
    let meanwhile = [(1, 100), (101, 200), (201, 5_200)].map(|(first, last)| retired(&audit, first, last));
    audit.chain.with(|records| records.retired_meanwhile = meanwhile.into());
    let report = audit.verified(None).await;
    assert_eq!((report.seals, report.retired, report.findings.listed), (5_500, 5_200, vec![]));
}
