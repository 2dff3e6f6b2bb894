use super::*;
use crate::operations::{LogMonth, Retirement, RetirementKey, Stretch};
use proptest::prelude::*;
use time::{Duration, OffsetDateTime, macros::datetime};

const NOW: OffsetDateTime = datetime!(2026-01-01 0:00 UTC);

fn key() -> CheckpointKey {
    CheckpointKey::new([7; 32])
}

/// A chain of `length` entries, and a checkpoint of each.
fn chain(length: u128) -> (Vec<(Seal, Kept)>, Vec<Checkpoint>) {
    let mut head = Head::EMPTY;
    let made = (1..=length).map(|n| {
        let entry =
            AuditEntry::new(Uuid::from_u128(n), NOW + Duration::seconds(i64::try_from(n).unwrap()), "auth.sign_in", "user");
        let seal = head.seal(&entry, NOW);
        ((seal.clone(), Kept::Entry(entry)), key().sign(seal.head(), NOW))
    });
    made.unzip()
}

fn findings(seals: &[(Seal, Kept)], checkpoints: &[Checkpoint], exported: Option<Checkpoint>) -> Vec<Finding> {
    let mut inspection = ChainInspection::new(key(), exported);
    let mut from = i64::MIN;
    for page in seals.chunks(3) {
        let to = page.last().unwrap().0.seq;
        let of_page: Vec<_> =
            checkpoints.iter().filter(|checkpoint| checkpoint.seq > from && checkpoint.seq <= to).copied().collect();
        inspection.page(page, &of_page);
        from = to;
    }
    let beyond: Vec<_> = checkpoints.iter().filter(|checkpoint| checkpoint.seq > from).copied().collect();
    let Inspected { seals: seen, findings, .. } = inspection.finish(&beyond);
    assert_eq!(seen, seals.len() as u64);
    assert_eq!(findings.count, findings.listed.len() as u64);
    findings.listed
}

/// Swaps what two seals hold, and leaves their numbers where they are.
fn swap(seals: &mut [(Seal, Kept)], one: usize, other: usize) {
    seals.swap(one, other);
    for place in [one, other] {
        seals[place].0.seq = i64::try_from(place).unwrap() + 1;
    }
}

#[test]
fn an_untouched_chain_of_any_length_is_sound() {
    for length in [0, 1, 2, 3, 4, 10] {
        let (seals, checkpoints) = chain(length);
        assert_eq!(findings(&seals, &checkpoints, checkpoints.last().copied()), []);
    }
}

#[test]
fn an_edited_an_unreadable_and_a_deleted_entry_are_told_apart() {
    let (mut seals, checkpoints) = chain(10);
    if let Kept::Entry(entry) = &mut seals[1].1 {
        entry.user_agent = Some(String::new());
    }
    seals[4].1 = Kept::Unreadable;
    seals[9].1 = Kept::Missing;
    let id = Uuid::from_u128;
    let expected = [
        Finding::EntryEdited { seq: 2, id: id(2) },
        Finding::EntryEdited { seq: 5, id: id(5) },
        Finding::EntryMissing { seq: 10, id: id(10) },
    ];
    assert_eq!(findings(&seals, &checkpoints, None), expected);
}

#[test]
fn missing_seals_are_told_as_a_gap_even_the_first_ones() {
    let (mut seals, checkpoints) = chain(10);
    seals.drain(4..6);
    seals.remove(0);
    let expected = [Finding::SealsMissing { from: 1, to: 1 }, Finding::SealsMissing { from: 5, to: 6 }];
    assert_eq!(findings(&seals, &checkpoints, None), expected);
}

#[test]
fn a_seal_whose_hash_was_adapted_to_an_edited_entry_breaks_the_chain_there_and_nowhere_else() {
    let (mut seals, checkpoints) = chain(10);
    let mut forged = AuditEntry::new(Uuid::from_u128(4), NOW, "auth.sign_out", "user");
    forged.at += Duration::seconds(4);
    seals[3].0.entry_hash = entry_hash(&forged);
    seals[3].1 = Kept::Entry(forged);
    assert_eq!(findings(&seals, &checkpoints, None), [Finding::ChainBroken { seq: 4 }]);
}

#[test]
fn a_chain_that_was_made_anew_contradicts_what_was_signed() {
    let (seals, checkpoints) = chain(5);
    let mut head = Head::EMPTY;
    let rewritten: Vec<_> = seals
        .into_iter()
        .filter_map(|(_, kept)| match kept {
            Kept::Entry(mut entry) => {
                entry.user = Some(Uuid::nil());
                Some((head.seal(&entry, NOW), Kept::Entry(entry)))
            }
            _ => None,
        })
        .collect();
    let all = [Finding::CheckpointsMissing { from: 1, to: 5 }];
    assert_eq!(findings(&rewritten, &[], None), all, "more cannot be told without a checkpoint");
    let contradicted = |seq, origin| Finding::CheckpointContradicted { seq, origin };
    assert_eq!(findings(&rewritten, &checkpoints[1..2], None), [contradicted(2, Origin::Stored)]);
    let resigned = [key().sign(rewritten[4].0.head(), NOW)];
    assert_eq!(findings(&rewritten, &resigned, Some(checkpoints[4])), [contradicted(5, Origin::Exported)]);
}

#[test]
fn a_checkpoint_of_another_key_is_forged_and_says_nothing_else() {
    let (seals, checkpoints) = chain(3);
    let other = CheckpointKey::new([8; 32]).sign(Head { seq: 9, chain_hash: [0; 32] }, NOW);
    let forged = |seq, origin| Finding::CheckpointForged { seq, origin };
    let unsigned = Finding::CheckpointsMissing { from: 1, to: 3 };
    assert_eq!(findings(&seals, &[other], Some(other)), [forged(9, Origin::Exported), forged(9, Origin::Stored), unsigned]);
    let edited = Checkpoint { at: NOW + Duration::SECOND, ..checkpoints[1] };
    assert_eq!(findings(&seals, &[checkpoints[0], edited], None), [forged(2, Origin::Stored)]);
}

#[test]
fn a_tail_that_was_cut_off_and_a_whole_chain_are_missed_by_checkpoints_of_either_origin() {
    let (seals, checkpoints) = chain(10);
    let cut = |origin| Finding::TailCut { last: 7, signed: 10, origin };
    assert_eq!(findings(&seals[..7], &checkpoints, None), [cut(Origin::Stored)]);
    assert_eq!(findings(&seals[..7], &checkpoints[..7], Some(checkpoints[9])), [cut(Origin::Exported)]);
    let deleted = |origin| Finding::ChainDeleted { signed: 10, origin };
    assert_eq!(findings(&[], &checkpoints, None), [deleted(Origin::Stored)]);
    assert_eq!(findings(&[], &[], Some(checkpoints[9])), [deleted(Origin::Exported)]);
}

#[test]
fn a_tail_that_is_longer_than_ever_goes_unsigned_lost_its_checkpoints() {
    let (seals, checkpoints) = chain(2_000);
    assert_eq!(findings(&seals, &checkpoints[..1_001], None), []);
    assert_eq!(findings(&seals, &checkpoints[..1_000], None), [Finding::CheckpointsMissing { from: 1_001, to: 2_000 }]);
    assert_eq!(findings(&seals[..3], &[], None), [Finding::CheckpointsMissing { from: 1, to: 3 }]);
}

#[test]
fn a_seal_before_the_first_is_out_of_place() {
    let (mut seals, checkpoints) = chain(3);
    let mut stray = seals[0].clone();
    stray.0.seq = -1;
    seals.insert(0, stray);
    assert_eq!(findings(&seals, &checkpoints, None), [Finding::SealOutOfPlace { seq: -1 }]);
}

#[test]
fn more_than_can_be_listed_is_counted() {
    let (mut seals, checkpoints) = chain(1_500);
    for (_, kept) in &mut seals {
        *kept = Kept::Missing;
    }
    let mut inspection = ChainInspection::new(key(), None);
    inspection.page(&seals, &checkpoints);
    let findings = inspection.finish(&[]).findings;
    assert_eq!((findings.count, findings.listed.len()), (1_500, 1_000));
}

fn retirement_key() -> RetirementKey {
    RetirementKey::new([9; 32])
}

/// Of the seals `first` to `last` of this chain.
fn retirement(seals: &[(Seal, Kept)], first: i64, last: usize) -> Retirement {
    let last = &seals[last - 1].0;
    let stretch = Stretch { first, last: last.seq, chain_hash: last.chain_hash };
    retirement_key().sign(LogMonth::of(NOW), stretch, NOW)
}

/// How many went, and what is found.
fn retired(seals: &[(Seal, Kept)], checkpoints: &[Checkpoint], retirements: &[Retirement]) -> (u64, Vec<Finding>) {
    let mut inspection = ChainInspection::new(key(), None);
    assert!(inspection.knows(Retired::of(retirements, &retirement_key())));
    inspection.page(seals, checkpoints);
    let inspected = inspection.finish(&[]);
    (inspected.retired, inspected.findings.listed)
}

#[test]
fn entries_that_went_with_a_retirement_are_no_finding_and_all_others_are() {
    let (mut seals, checkpoints) = chain(10);
    let told = retirement(&seals, 2, 4);
    for at in [1, 2, 3, 6] {
        seals[at].1 = Kept::Missing;
    }
    let missing = Finding::EntryMissing { seq: 7, id: Uuid::from_u128(7) };
    assert_eq!(retired(&seals, &checkpoints, &[told]), (3, vec![missing]));
}

#[test]
fn an_entry_that_is_there_though_it_was_retired_is_told_whatever_it_holds() {
    let (mut seals, checkpoints) = chain(4);
    let told = retirement(&seals, 1, 3);
    seals[0].1 = Kept::Missing;
    seals[1].1 = Kept::Unreadable;
    let returned = |n: i64| Finding::EntryReturned { seq: n, id: Uuid::from_u128(n.unsigned_abs().into()) };
    assert_eq!(retired(&seals, &checkpoints, &[told]), (1, vec![returned(2), returned(3)]));
}

#[test]
fn a_forged_retirement_is_told_and_covers_nothing() {
    let (mut seals, checkpoints) = chain(3);
    let told = retirement(&seals, 1, 1);
    let forged = Retirement { seals: Stretch { first: 1, ..retirement(&seals, 2, 2).seals }, ..told };
    seals[0].1 = Kept::Missing;
    let expected = vec![Finding::EntryMissing { seq: 1, id: Uuid::from_u128(1) }, Finding::RetirementForged { from: 1, to: 2 }];
    assert_eq!(retired(&seals, &checkpoints, &[forged]), (0, expected));
}

#[test]
fn a_retirement_of_another_chain_or_of_more_than_there_is_is_told() {
    let (mut seals, checkpoints) = chain(5);
    let (others, of_both) = (retirement(&chain(5).0, 1, 2), retirement(&seals, 1, 4));
    let elsewhere = RetirementKey::sign(&retirement_key(), others.month, Stretch { chain_hash: [0; 32], ..others.seals }, NOW);
    seals.truncate(3);
    for (_, kept) in &mut seals {
        *kept = Kept::Missing;
    }
    let contradicted = |seq| Finding::RetirementContradicted { seq };
    assert_eq!(retired(&seals, &checkpoints[..3], &[elsewhere, of_both]), (3, vec![contradicted(2), contradicted(4)]));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn two_seals_that_changed_places_are_the_only_ones_told(one in 0..12_usize, other in 0..12_usize) {
        prop_assume!(one != other);
        let place = |at: usize| i64::try_from(at).unwrap() + 1;
        let (mut seals, checkpoints) = chain(12);
        let untouched: Vec<_> = checkpoints.into_iter().filter(|at| ![place(one), place(other)].contains(&at.seq)).collect();
        swap(&mut seals, one, other);
        let mut found = findings(&seals, &untouched, None);
        found.sort();
        let mut expected = [
            Finding::SealReordered { seq: place(other), made_at: place(one) },
            Finding::SealReordered { seq: place(one), made_at: place(other) },
        ];
        expected.sort();
        prop_assert_eq!(found, expected);
    }
}
