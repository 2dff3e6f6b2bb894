//! What every [`AuditChain`] must do. Run by the fake and by the SQL store on each database.
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use async_trait::async_trait;
use coinlink_domain::{
    operations::{Checkpoint, CheckpointKey, Head, Kept, Seal},
    shared::audit::{AuditEntry, AuditStatus},
};
use coinlink_ports::operations::{Appended, AuditChain, ChainEnd, LogPlace};
use time::{Duration, OffsetDateTime, macros::datetime};
use uuid::Uuid;

use super::MemoryAuditChain;

/// A log with its chain, both empty at first.
#[async_trait]
pub trait AuditedLog: Send + Sync {
    /// Its chain.
    fn chain(&self) -> &dyn AuditChain;

    /// Adds an entry to the log.
    async fn record(&self, entry: &AuditEntry);
}

#[async_trait]
impl AuditedLog for MemoryAuditChain {
    fn chain(&self) -> &dyn AuditChain {
        self
    }

    async fn record(&self, entry: &AuditEntry) {
        Self::record(self, entry);
    }
}

/// When the first of [`an_entry`] was made.
pub const FIRST: OffsetDateTime = datetime!(2026-11-21 12:00:00.000001 UTC);

/// Entry number `n`, made `n` seconds after [`FIRST`]; its id sorts the other way round.
pub fn an_entry(n: u32) -> AuditEntry {
    let id = Uuid::from_u128(u128::from(u32::MAX - n) << 96 | 7);
    AuditEntry::new(id, FIRST + Duration::seconds(n.into()), "auth.sign_in", "session").on(n.to_string())
}

fn place(entry: &AuditEntry) -> LogPlace {
    LogPlace { at: entry.at, id: entry.id }
}

async fn recorded(log: &dyn AuditedLog, numbers: impl IntoIterator<Item = u32>) -> Vec<AuditEntry> {
    let entries: Vec<_> = numbers.into_iter().map(an_entry).collect();
    for entry in &entries {
        log.record(entry).await;
    }
    entries
}

fn sealed(head: &mut Head, entries: &[AuditEntry]) -> Vec<Seal> {
    let now = FIRST + Duration::hours(1);
    entries.iter().map(|entry| head.seal(entry, now)).collect()
}

fn signed(head: Head, minute: i64) -> Checkpoint {
    CheckpointKey::new([7; 32]).sign(head, FIRST + Duration::minutes(minute))
}

pub async fn a_new_chain_has_no_end(log: &dyn AuditedLog) {
    let chain = log.chain();
    chain.prepare().await.unwrap();
    chain.prepare().await.unwrap();
    assert_eq!(chain.end().await.unwrap(), ChainEnd::default());
    assert_eq!(chain.seals(None, 10).await.unwrap(), []);
    assert_eq!(chain.checkpoints(None, i64::MAX).await.unwrap(), []);
    assert_eq!(chain.unsealed(None, 10).await.unwrap(), coinlink_ports::operations::UnsealedPage::default());
}

/// The least and the most a row can hold.
pub async fn an_entry_comes_back_as_it_was(log: &dyn AuditedLog) {
    let full = an_entry(1)
        .by(Uuid::max())
        .on("")
        .from("2001:db8:1:2::".parse().ok(), Some("Ünïcode \"quoted\" \\ 'x'; -- 🚀\u{1}\n"))
        .detail("", "")
        .detail("ключ", "{\"a\":\"b\"}")
        .ended(AuditStatus::Denied);
    let mapped = an_entry(2).from("::ffff:203.0.113.7".parse().ok(), Some("")).ended(AuditStatus::Failure);
    let bare = AuditEntry::new(Uuid::nil(), OffsetDateTime::UNIX_EPOCH, "", "");
    for entry in [&full, &mapped, &bare] {
        log.record(entry).await;
    }
    assert_eq!(log.chain().unsealed(None, 10).await.unwrap().entries, [bare, full, mapped]);
}

pub async fn the_log_is_read_by_time_then_id_a_stretch_at_a_time(log: &dyn AuditedLog) {
    recorded(log, [3, 1, 2]).await;
    let twin = AuditEntry { id: Uuid::max(), ..an_entry(2) };
    log.record(&twin).await;
    let expected = [an_entry(1), an_entry(2), twin, an_entry(3)];
    let first = log.chain().unsealed(None, 3).await.unwrap();
    assert_eq!((first.entries.as_slice(), first.next), (&expected[..3], Some(place(&expected[2]))));
    let second = log.chain().unsealed(first.next, 3).await.unwrap();
    assert_eq!((second.entries.as_slice(), second.next), (&expected[3..], None));
    let from_a_time = LogPlace { at: an_entry(2).at, id: Uuid::nil() };
    assert_eq!(log.chain().unsealed(Some(from_a_time), 10).await.unwrap().entries, expected[1..]);
}

pub async fn what_is_sealed_is_not_unsealed_any_more_and_comes_with_its_seal(log: &dyn AuditedLog) {
    let entries = recorded(log, 1..=4).await;
    let mut head = Head::EMPTY;
    let seals = sealed(&mut head, &entries[1..3]);
    assert_eq!(log.chain().append(Head::EMPTY, &seals, None).await.unwrap(), Appended::Done);
    let left = log.chain().unsealed(None, 3).await.unwrap();
    assert_eq!(
        (left.entries.as_slice(), left.next),
        (&entries[..1], Some(place(&entries[2]))),
        "a stretch counts sealed ones too"
    );
    let kept: Vec<_> = seals.iter().cloned().zip(entries[1..3].iter().cloned().map(Kept::Entry)).collect();
    assert_eq!(log.chain().seals(None, 10).await.unwrap(), kept);
    assert_eq!(log.chain().seals(None, 1).await.unwrap(), kept[..1]);
    assert_eq!(log.chain().seals(Some(1), 10).await.unwrap(), kept[1..]);
    let end = ChainEnd { seal: Some(seals[1].clone()), checkpoint: None, newest_entry: Some(entries[2].at) };
    assert_eq!(log.chain().end().await.unwrap(), end);
}

/// One that commits late has an older time than what was sealed before it.
pub async fn a_late_entry_is_sealed_after_newer_ones(log: &dyn AuditedLog) {
    let mut entries = recorded(log, [5]).await;
    let mut head = Head::EMPTY;
    let mut seals = sealed(&mut head, &entries);
    log.chain().append(Head::EMPTY, &seals, None).await.unwrap();
    let (before, late) = (head, recorded(log, [2]).await);
    let of_late = sealed(&mut head, &late);
    assert_eq!(log.chain().append(before, &of_late, None).await.unwrap(), Appended::Done);
    entries.extend(late);
    seals.extend(of_late);
    let kept: Vec<_> = seals.into_iter().zip(entries.into_iter().map(Kept::Entry)).collect();
    assert_eq!(log.chain().seals(None, 10).await.unwrap(), kept);
    assert_eq!(log.chain().end().await.unwrap().newest_entry, Some(an_entry(5).at));
}

pub async fn who_does_not_know_the_end_of_the_chain_appends_nothing(log: &dyn AuditedLog) {
    let entries = recorded(log, 1..=2).await;
    let mut head = Head::EMPTY;
    let seals = sealed(&mut head, &entries[..1]);
    log.chain().append(Head::EMPTY, &seals, None).await.unwrap();
    let late = sealed(&mut Head::EMPTY.clone(), &entries[1..]);
    let wrong = Head { chain_hash: [1; 32], ..head };
    for end in [Head::EMPTY, wrong] {
        let appended = log.chain().append(end, &late, Some(&signed(head, 1))).await.unwrap();
        assert_eq!(appended, Appended::Overtaken);
    }
    assert_eq!(log.chain().seals(None, 10).await.unwrap().len(), 1);
    assert_eq!(log.chain().checkpoints(None, i64::MAX).await.unwrap(), []);
}

pub async fn of_two_who_append_at_once_one_does(log: &dyn AuditedLog) {
    let entries = recorded(log, 1..=20).await;
    let mut head = Head::EMPTY;
    for entry in &entries {
        let (before, seals) = (head, sealed(&mut head, std::slice::from_ref(entry)));
        let append = || log.chain().append(before, &seals, None);
        let (one, other) = tokio::join!(append(), append());
        let done = [one.unwrap(), other.unwrap()].into_iter().filter(|appended| *appended == Appended::Done).count();
        assert_eq!(done, 1);
    }
    assert_eq!(log.chain().seals(None, 100).await.unwrap().len(), 20);
}

pub async fn checkpoints_come_in_the_order_of_their_seals(log: &dyn AuditedLog) {
    let entries = recorded(log, 1..=3).await;
    let mut head = Head::EMPTY;
    let mut signatures = vec![];
    for entry in &entries {
        let before = head;
        let seals = sealed(&mut head, std::slice::from_ref(entry));
        signatures.push(signed(head, head.seq));
        log.chain().append(before, &seals, signatures.last()).await.unwrap();
    }
    let again = signed(head, 9);
    for _ in 0..2 {
        assert_eq!(log.chain().append(head, &[], Some(&again)).await.unwrap(), Appended::Done);
    }
    signatures.push(again);
    assert_eq!(log.chain().checkpoints(None, i64::MAX).await.unwrap(), signatures);
    assert_eq!(log.chain().checkpoints(Some(1), 2).await.unwrap(), signatures[1..2]);
    assert_eq!(log.chain().end().await.unwrap().checkpoint, Some(again));
}

/// Above what one statement can carry on either database, when it is written carelessly.
pub async fn thousands_are_sealed_at_once_and_read_in_one_page(log: &dyn AuditedLog) {
    let entries = recorded(log, 0..3_000).await;
    let mut head = Head::EMPTY;
    let seals = sealed(&mut head, &entries);
    log.chain().append(Head::EMPTY, &seals, None).await.unwrap();
    let kept = log.chain().seals(None, 5_000).await.unwrap();
    assert!(kept.len() == 3_000 && kept.iter().all(|(_, kept)| matches!(kept, Kept::Entry(_))));
    assert_eq!(log.chain().unsealed(None, 5_000).await.unwrap().entries, []);
}

#[macro_export]
macro_rules! audit_chain_contract {
    ($($case:ident),+ $(,)? => $log:expr) => {
        $(#[tokio::test]
        async fn $case() {
            let log = $log;
            $crate::operations::audit_chain_contract::$case(&log).await;
        })+
    };
    ($log:expr) => {
        $crate::audit_chain_contract!(
            a_new_chain_has_no_end,
            an_entry_comes_back_as_it_was,
            the_log_is_read_by_time_then_id_a_stretch_at_a_time,
            what_is_sealed_is_not_unsealed_any_more_and_comes_with_its_seal,
            a_late_entry_is_sealed_after_newer_ones,
            who_does_not_know_the_end_of_the_chain_appends_nothing,
            of_two_who_append_at_once_one_does,
            checkpoints_come_in_the_order_of_their_seals,
            thousands_are_sealed_at_once_and_read_in_one_page,
            => $log
        );
    };
}
