//! What tells entries that were dropped because their time was over from entries that somebody took away.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    str::FromStr,
};

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use time::{Date, Duration, Month, OffsetDateTime, UtcOffset};
use zeroize::Zeroizing;

use super::{Hash, Head, Seal, seal::link};

/// A month of the log, in UTC. As text: `2025-01`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LogMonth(Date);

impl LogMonth {
    /// The one in which `at` is.
    #[must_use]
    pub fn of(at: OffsetDateTime) -> Self {
        Self::starting_in(at.to_offset(UtcOffset::UTC).date())
    }

    /// Its first moment.
    #[must_use]
    pub const fn start(self) -> OffsetDateTime {
        self.0.midnight().assume_utc()
    }

    /// The one after it.
    #[must_use]
    pub fn next(self) -> Self {
        Self::starting_in(self.0.saturating_add(Duration::days(31)))
    }

    /// The one of this name a year earlier.
    #[must_use]
    pub fn a_year_earlier(self) -> Self {
        Self(self.0.replace_year(self.0.year() - 1).unwrap_or(self.0))
    }

    fn starting_in(day: Date) -> Self {
        Self(day.replace_day(1).unwrap_or(day))
    }
}

impl fmt::Display for LogMonth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.0.year(), u8::from(self.0.month()))
    }
}

/// It is no month.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a month is YYYY-MM, as 2025-01")]
pub struct MalformedMonth;

impl FromStr for LogMonth {
    type Err = MalformedMonth;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit()).then(|| part.parse::<u16>().ok()).flatten();
        let (year, month) =
            text.split_once('-').filter(|(year, month)| (year.len(), month.len()) == (4, 2)).ok_or(MalformedMonth)?;
        let (year, month) = digits(year).zip(digits(month)).ok_or(MalformedMonth)?;
        let month = u8::try_from(month).ok().and_then(|month| Month::try_from(month).ok()).ok_or(MalformedMonth)?;
        Date::from_calendar_date(year.into(), month, 1).map(Self).map_err(|_| MalformedMonth)
    }
}

/// Seals one after the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stretch {
    /// The number of the first.
    pub first: i64,
    /// The number of the last.
    pub last: i64,
    /// The [`Seal::chain_hash`] of the last: what is said of them is said of no other chain.
    pub chain_hash: Hash,
}

impl Stretch {
    /// How many seals.
    #[must_use]
    pub const fn count(&self) -> u64 {
        (self.last - self.first).unsigned_abs() + 1
    }
}

/// Seals whose entries are to go, in as few stretches as there are: by their numbers, the [`Seal::entry_hash`] and the [`Seal::chain_hash`].
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Stretches(BTreeMap<i64, (Hash, Hash)>);

impl Stretches {
    /// One more; one that is there already changes nothing.
    pub fn add(&mut self, seal: &Seal) {
        self.0.entry(seal.seq).or_insert((seal.entry_hash, seal.chain_hash));
    }

    /// All of them, in order.
    pub fn iter(&self) -> impl Iterator<Item = Stretch> {
        let mut seals = self.0.iter().peekable();
        std::iter::from_fn(move || {
            let (&first, &(_, hash)) = seals.next()?;
            let (mut last, mut chain_hash) = (first, hash);
            while let Some((&next, &(_, hash))) = seals.next_if(|(next, _)| last.checked_add(1) == Some(**next)) {
                (last, chain_hash) = (next, hash);
            }
            Some(Stretch { first, last, chain_hash })
        })
    }

    /// How many seals.
    #[must_use]
    pub fn seals(&self) -> u64 {
        self.0.len() as u64
    }

    /// The numbers of the seals right before each stretch.
    #[must_use]
    pub fn before(&self) -> Vec<i64> {
        self.iter().filter_map(|stretch| stretch.first.checked_sub(1)).filter(|before| *before > 0).collect()
    }

    /// The first seal that does not follow from the one before it; `before` has the [`Seal::chain_hash`] of those of [`Self::before`].
    /// Where there is none, an entry that is not the one of the chain shows in the last hash of its stretch, which is signed.
    #[must_use]
    pub fn unlinked(&self, before: &BTreeMap<i64, Hash>) -> Option<i64> {
        let mut last: Option<(i64, Hash)> = None;
        for (&seq, (entry_hash, chain_hash)) in &self.0 {
            let previous = match last {
                Some((last, hash)) if last.checked_add(1) == Some(seq) => Some(hash),
                _ if seq == 1 => Some(Head::EMPTY.chain_hash),
                _ => seq.checked_sub(1).and_then(|number| before.get(&number).copied()),
            };
            if previous.is_none_or(|previous| link(&previous, seq, entry_hash) != *chain_hash) {
                return Some(seq);
            }
            last = Some((seq, *chain_hash));
        }
        None
    }
}

/// A signed statement that the entries of these seals were dropped with their month, because its time was over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retirement {
    /// The month they were of.
    pub month: LogMonth,
    /// Their seals.
    pub seals: Stretch,
    /// When it was signed, to the microsecond.
    pub at: OffsetDateTime,
    /// HMAC-SHA-256 over the others.
    pub mac: Hash,
}

/// What signs retirements: who can write to the database does not have it.
#[derive(Clone)]
pub struct RetirementKey(Zeroizing<[u8; 32]>);

impl RetirementKey {
    /// 256 bits that nothing else is signed with.
    #[must_use]
    pub fn new(key: [u8; 32]) -> Self {
        Self(Zeroizing::new(key))
    }

    /// States at `now` that the entries of `seals` go with `month`.
    #[must_use]
    pub fn sign(&self, month: LogMonth, seals: Stretch, now: OffsetDateTime) -> Retirement {
        let at = now.replace_microsecond(now.microsecond()).unwrap_or(now);
        let unsigned = Retirement { month, seals, at, mac: [0; 32] };
        let mac = self.mac(&unsigned).map_or([0; 32], |mac| mac.finalize().into_bytes().into());
        Retirement { mac, ..unsigned }
    }

    /// Whether this key signed it.
    #[must_use]
    pub fn signed(&self, retirement: &Retirement) -> bool {
        self.mac(retirement).is_some_and(|mac| mac.verify_slice(&retirement.mac).is_ok())
    }

    /// HMAC takes a key of any length, so there always is one.
    fn mac(&self, Retirement { month, seals, at, .. }: &Retirement) -> Option<Hmac<Sha256>> {
        let micros = at.unix_timestamp_nanos().div_euclid(1_000);
        let mac = Hmac::<Sha256>::new_from_slice(self.0.as_slice()).ok()?;
        let mac = mac.chain_update(month.start().unix_timestamp().to_be_bytes()).chain_update(micros.to_be_bytes());
        let mac = mac.chain_update(seals.first.to_be_bytes()).chain_update(seals.last.to_be_bytes());
        Some(mac.chain_update(seals.chain_hash))
    }
}

impl fmt::Debug for RetirementKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RetirementKey")
    }
}

/// Which seals' entries are gone for good, by retirements that are genuine; and which retirements are not.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Retired {
    /// The last seal by the first; none touches another.
    gone: BTreeMap<i64, i64>,
    ends: BTreeSet<(i64, Hash)>,
    forged: Vec<(i64, i64)>,
}

impl Retired {
    /// What `retirements` say that `key` signed.
    #[must_use]
    pub fn of(retirements: &[Retirement], key: &RetirementKey) -> Self {
        let (genuine, forged): (Vec<&Retirement>, Vec<&Retirement>) =
            retirements.iter().partition(|retirement| key.signed(retirement) && retirement.seals.first <= retirement.seals.last);
        let mut stretches: Vec<(i64, i64)> = genuine.iter().map(|it| (it.seals.first, it.seals.last)).collect();
        stretches.sort_unstable();
        let mut gone: BTreeMap<i64, i64> = BTreeMap::new();
        for (first, last) in stretches {
            match gone.last_entry() {
                Some(mut before) if *before.get() >= first => {
                    let last = last.max(*before.get());
                    before.insert(last);
                }
                _ => {
                    gone.insert(first, last);
                }
            }
        }
        let ends = genuine.iter().map(|it| (it.seals.last, it.seals.chain_hash)).collect();
        Self { gone, ends, forged: forged.iter().map(|it| (it.seals.first, it.seals.last)).collect() }
    }

    /// Whether the entry of seal `seq` went.
    #[must_use]
    pub fn covers(&self, seq: i64) -> bool {
        self.gone.range(..=seq).next_back().is_some_and(|(_, last)| *last >= seq)
    }

    /// Those that are not signed: their first and last seal.
    pub(super) fn forged(&self) -> &[(i64, i64)] {
        &self.forged
    }

    /// Whether one was signed of another chain than the one in which `seal` is.
    pub(super) fn contradicts(&self, seal: &Seal) -> bool {
        self.ends.range((seal.seq, [0; 32])..=(seal.seq, [u8::MAX; 32])).any(|(_, hash)| *hash != seal.chain_hash)
    }

    /// The last seals that those speak of which go beyond a chain that ends at `seq`.
    pub(super) fn beyond(&self, seq: i64) -> impl Iterator<Item = i64> {
        self.ends.iter().map(|(last, _)| *last).filter(move |last| *last > seq)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shared::audit::AuditEntry;
    use proptest::prelude::*;
    use time::macros::datetime;
    use uuid::Uuid;

    const NOW: OffsetDateTime = datetime!(2026-01-31 23:59:59.999999 UTC);

    fn month(text: &str) -> LogMonth {
        text.parse().unwrap()
    }

    fn seal(seq: i64) -> Seal {
        let mut head = Head { seq: seq - 1, ..Head::EMPTY };
        head.seal(&AuditEntry::new(Uuid::nil(), NOW, "auth.sign_in", "session"), NOW)
    }

    fn stretch(first: i64, last: i64) -> Stretch {
        Stretch { first, last, chain_hash: seal(last).chain_hash }
    }

    fn retired(stretches: &[(i64, i64)]) -> Retired {
        let key = RetirementKey::new([7; 32]);
        let signed: Vec<_> = stretches.iter().map(|it| key.sign(month("2025-01"), stretch(it.0, it.1), NOW)).collect();
        Retired::of(&signed, &key)
    }

    #[test]
    fn a_month_begins_in_utc_and_ends_where_the_next_one_begins() {
        assert_eq!(LogMonth::of(datetime!(2026-01-01 1:00 +2)), month("2025-12"));
        assert_eq!(month("2025-12").start(), datetime!(2025-12-01 0:00 UTC));
        assert_eq!(month("2025-12").next(), month("2026-01"));
        assert_eq!((month("2024-02").next(), month("2024-02").a_year_earlier()), (month("2024-03"), month("2023-02")));
        assert!(month("2024-12") < month("2025-01"));
    }

    #[test]
    fn what_is_no_month_is_refused() {
        for wrong in
            ["", "2025", "2025-1", "2025-13", "2025-00", "25-01", "2025-01-01", "2025_01", "+025-01", "2025-+1", "é25-01"]
        {
            assert_eq!(wrong.parse::<LogMonth>(), Err(MalformedMonth), "{wrong}");
        }
    }

    #[test]
    fn only_its_own_key_signed_it_and_nothing_in_it_can_be_changed() {
        let key = RetirementKey::new([7; 32]);
        let signed = key.sign(month("2025-01"), stretch(3, 9), NOW);
        assert!(key.signed(&signed));
        assert!(!RetirementKey::new([8; 32]).signed(&signed));
        let other = |seals| Retirement { seals, ..signed };
        for forged in [
            Retirement { month: month("2025-02"), ..signed },
            other(Stretch { first: 2, ..signed.seals }),
            other(Stretch { last: 10, ..signed.seals }),
            other(Stretch { chain_hash: [0; 32], ..signed.seals }),
            Retirement { at: NOW + Duration::MICROSECOND, ..signed },
            Retirement { mac: [0; 32], ..signed },
        ] {
            assert!(!key.signed(&forged), "{forged:?}");
        }
        assert_eq!(format!("{key:?}"), "RetirementKey");
    }

    #[test]
    fn a_retirement_covers_its_seals_and_a_forged_one_none() {
        let key = RetirementKey::new([7; 32]);
        let forged = RetirementKey::new([8; 32]).sign(month("2025-01"), stretch(20, 30), NOW);
        let genuine = key.sign(month("2025-01"), stretch(3, 9), NOW);
        let retired = Retired::of(&[forged, genuine], &key);
        let covered: Vec<i64> = (0..40).filter(|seq| retired.covers(*seq)).collect();
        assert_eq!(covered, (3..=9).collect::<Vec<_>>());
        assert_eq!(retired.forged(), [(20, 30)]);
        assert!(retired.contradicts(&Seal { chain_hash: [0; 32], ..seal(9) }) && !retired.contradicts(&seal(9)));
        assert_eq!(retired.beyond(8).collect::<Vec<_>>(), [9]);
        assert_eq!(retired.beyond(9).count(), 0);
    }

    fn chain() -> Vec<Seal> {
        let mut head = Head::EMPTY;
        let entry = |n| AuditEntry::new(Uuid::from_u128(n), NOW, "auth.sign_in", "session");
        (0..9).map(|n| head.seal(&entry(n), NOW)).collect()
    }

    #[test]
    fn a_seal_that_was_made_to_fit_another_entry_does_not_follow() {
        let chain = chain();
        let picked = |changed: Option<i64>| {
            let mut stretches = Stretches::default();
            for seal in chain.iter().filter(|seal| [1, 2, 5, 6, 9].contains(&seal.seq)) {
                let entry_hash = if changed == Some(seal.seq) { [9; 32] } else { seal.entry_hash };
                stretches.add(&Seal { entry_hash, ..seal.clone() });
            }
            stretches
        };
        let hashes = chain.iter().map(|seal| (seal.seq, seal.chain_hash));
        let before: BTreeMap<i64, Hash> = hashes.filter(|(seq, _)| [4, 8].contains(seq)).collect();
        assert_eq!(picked(None).before(), [4, 8]);
        assert_eq!(picked(None).unlinked(&before), None);
        for seq in [1, 2, 5, 6, 9] {
            assert_eq!(picked(Some(seq)).unlinked(&before), Some(seq));
        }
        let of_another = BTreeMap::from([(4, [7; 32]), (8, before[&8])]);
        assert_eq!(picked(None).unlinked(&of_another), Some(5));
        assert_eq!(picked(None).unlinked(&BTreeMap::new()), Some(5), "there is none before it");
    }

    proptest! {
        #[test]
        fn any_text_is_a_month_or_refused(text in ".{0,10}|[0-9]{3,5}-[0-9]{1,3}") {
            if let Ok(month) = text.parse::<LogMonth>() {
                prop_assert_eq!(month.to_string(), text);
                prop_assert!(month.a_year_earlier() <= month && month <= month.next());
            }
        }

        #[test]
        fn stretches_are_the_seals_that_were_added_in_whatever_order(seqs in prop::collection::vec(1..60_i64, 0..60)) {
            let mut stretches = Stretches::default();
            for seq in &seqs {
                stretches.add(&seal(*seq));
            }
            let wanted: BTreeSet<i64> = seqs.into_iter().collect();
            let all: Vec<Stretch> = stretches.iter().collect();
            let got: Vec<i64> = all.iter().flat_map(|it| it.first..=it.last).collect();
            prop_assert_eq!(got, wanted.iter().copied().collect::<Vec<_>>());
            prop_assert_eq!(stretches.seals(), wanted.len() as u64);
            prop_assert!(all.iter().all(|it| it.chain_hash == seal(it.last).chain_hash));
            prop_assert!(all.windows(2).all(|pair| pair[0].last + 1 < pair[1].first), "as few as there are");
        }

        #[test]
        fn stretches_that_touch_or_overlap_cover_what_each_does(stretches in prop::collection::vec((1..40_i64, 0..8_i64), 0..8)) {
            let stretches: Vec<_> = stretches.into_iter().map(|(first, more)| (first, first + more)).collect();
            let retired = retired(&stretches);
            for seq in 0..60 {
                prop_assert_eq!(retired.covers(seq), stretches.iter().any(|it| it.0 <= seq && seq <= it.1), "{}", seq);
            }
        }
    }
}
