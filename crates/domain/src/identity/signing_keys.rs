//! Which of several keys signs a token, which are shown to others, and how one takes over from another.

use time::{Duration, OffsetDateTime};

/// When a key signs, and until when what it signed is believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyPeriod {
    /// It signs what is issued from then on, until another one does.
    pub signs_from: OffsetDateTime,
    /// Nothing it signed is good from then on. `None` until another key is to follow.
    pub retires_at: Option<OffsetDateTime>,
}

impl KeyPeriod {
    /// Of a key that signs from `signs_from` on, for as long as no other one follows.
    #[must_use]
    pub const fn from(signs_from: OffsetDateTime) -> Self {
        Self { signs_from, retires_at: None }
    }

    /// Whether nothing it signed is good any more.
    #[must_use]
    pub fn is_retired(&self, now: OffsetDateTime) -> bool {
        self.retires_at.is_some_and(|at| at <= now)
    }

    fn is_believed_until(&self, moment: OffsetDateTime) -> bool {
        self.retires_at.is_none_or(|at| at >= moment)
    }
}

/// Where a key is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyState {
    /// Others can know it; it signs nothing yet.
    Published,
    /// It signs.
    Signing,
    /// Another one signs; what it signed is still good.
    Retiring,
    /// What it signed has expired.
    Retired,
    /// It was taken away: what it signed is not good, although its time is not over.
    Revoked,
}

impl KeyState {
    /// One word.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Published => "published",
            Self::Signing => "signing",
            Self::Retiring => "retiring",
            Self::Retired => "retired",
            Self::Revoked => "revoked",
        }
    }
}

/// How one key takes over from another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RotationPolicy {
    /// A new key is shown for so long before it signs: longer than others keep their copy of the keys.
    pub publish: Duration,
    /// An old one is believed for so long after it signed last: as long as a token lives, and the leeway for clocks.
    pub overlap: Duration,
}

/// The key, among `keys` in the order they were made, that signs what is issued at `issued_at` and expires at `expires_at`. It is the same
/// whenever it is asked for, as long as the keys stay: what was signed once can be signed again.
///
/// That is the last one to have begun by then of which the signature is believed to the end; where there is none, the first to begin.
#[must_use]
pub fn signs(keys: &[KeyPeriod], issued_at: OffsetDateTime, expires_at: OffsetDateTime) -> Option<usize> {
    let good = || keys.iter().enumerate().filter(|(_, key)| key.is_believed_until(expires_at));
    let begun = good().filter(|(_, key)| key.signs_from <= issued_at).max_by_key(|(_, key)| key.signs_from);
    begun.or_else(|| good().min_by_key(|(_, key)| key.signs_from)).map(|(index, _)| index)
}

/// Whether any of them signs what is issued at `issued_at` because its time has come, and not for want of another.
#[must_use]
pub fn has_begun(keys: &[KeyPeriod], issued_at: OffsetDateTime) -> bool {
    keys.iter().any(|key| key.signs_from <= issued_at)
}

/// Whether one of them will always sign: of those that are rotated the newest one retires only after another has come.
#[must_use]
pub fn lasts(keys: &[KeyPeriod]) -> bool {
    keys.iter().any(|key| key.retires_at.is_none())
}

/// Where each key is in its life, in the same order. None of them was taken away.
#[must_use]
pub fn states(keys: &[KeyPeriod], now: OffsetDateTime) -> Vec<KeyState> {
    let signing = signs(keys, now, now);
    let state = |(index, key): (usize, &KeyPeriod)| match key {
        key if key.is_retired(now) => KeyState::Retired,
        key if key.signs_from > now => KeyState::Published,
        _ if signing == Some(index) => KeyState::Signing,
        _ => KeyState::Retiring,
    };
    keys.iter().enumerate().map(state).collect()
}

/// When a key signs that is made at `now` and shown for `publish` before: tokens are issued in whole seconds.
#[must_use]
pub fn begins(now: OffsetDateTime, publish: Duration) -> OffsetDateTime {
    whole(now + publish + Duration::SECOND - Duration::NANOSECOND)
}

/// Adds a key that was made at `now`, shown from now on, and says when the one before it retires.
pub fn rotate(keys: &mut Vec<KeyPeriod>, now: OffsetDateTime, policy: RotationPolicy) {
    let signs_from = begins(now, policy.publish);
    let next = keys.iter().filter(|key| key.signs_from > signs_from).map(|key| key.signs_from).min();
    let retires = signs_from + policy.overlap;
    if let Some(before) = keys.iter_mut().filter(|key| key.signs_from <= signs_from).max_by_key(|key| key.signs_from) {
        // It may have been told already, when a later one was to follow it.
        before.retires_at = Some(before.retires_at.map_or(retires, |told| told.max(retires)));
    }
    keys.push(KeyPeriod { signs_from, retires_at: next.map(|next| next + policy.overlap) });
}

/// What became of the other keys when one was taken away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Withdrawn {
    /// They go on as they were.
    Others,
    /// It was the one that signs: the one at this place does so from now on.
    Succeeded(usize),
    /// There is none left that could sign: a new one is needed, which signs at once.
    NeedsKey,
}

/// Takes the key at `index` away at once: whatever it signed is not believed any more.
pub fn withdraw(keys: &mut Vec<KeyPeriod>, index: usize, now: OffsetDateTime) -> Withdrawn {
    let state = states(keys, now)[index];
    let gone = keys.remove(index);
    match state {
        _ if keys.is_empty() => Withdrawn::NeedsKey,
        KeyState::Signing => {
            let next = (0..keys.len()).filter(|at| keys[*at].signs_from > now).min_by_key(|at| keys[*at].signs_from);
            let Some(next) = next else { return Withdrawn::NeedsKey };
            keys[next].signs_from = whole(now);
            Withdrawn::Succeeded(next)
        }
        KeyState::Published => {
            // The one before it signs for as long as it would have.
            let before = keys.iter_mut().filter(|key| key.signs_from <= gone.signs_from).max_by_key(|key| key.signs_from);
            if let Some(before) = before {
                before.retires_at = gone.retires_at;
            }
            Withdrawn::Others
        }
        KeyState::Retiring | KeyState::Retired | KeyState::Revoked => Withdrawn::Others,
    }
}

/// The second `at` is in: when what is issued then says it was.
#[must_use]
pub fn whole(at: OffsetDateTime) -> OffsetDateTime {
    at.replace_nanosecond(0).unwrap_or(at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use KeyState::{Published, Retired, Retiring, Signing};
    use proptest::prelude::*;
    use time::macros::datetime;

    const NOON: OffsetDateTime = datetime!(2026-01-01 12:00 UTC);
    const TTL: Duration = Duration::minutes(15);
    const POLICY: RotationPolicy = RotationPolicy { publish: Duration::minutes(10), overlap: Duration::minutes(16) };

    fn rotated() -> Vec<KeyPeriod> {
        let mut keys = vec![KeyPeriod::from(NOON - Duration::days(1))];
        rotate(&mut keys, NOON, POLICY);
        keys
    }

    #[test]
    fn a_new_key_is_shown_before_it_signs_and_the_old_one_is_believed_until_its_last_token_has_expired() {
        let keys = rotated();
        let at = |minutes| states(&keys, NOON + Duration::minutes(minutes));
        assert_eq!(at(0), [Signing, Published]);
        assert_eq!(states(&keys, NOON + POLICY.publish - Duration::NANOSECOND), [Signing, Published]);
        assert_eq!(at(10), [Retiring, Signing]);
        assert_eq!(states(&keys, NOON + Duration::minutes(26) - Duration::NANOSECOND), [Retiring, Signing]);
        assert_eq!(at(26), [Retired, Signing]);
    }

    #[test]
    fn the_same_token_is_signed_by_the_same_key_before_and_after_a_rotation() {
        let (mut keys, issued) = (rotated(), NOON + POLICY.publish - Duration::SECOND);
        assert_eq!(signs(&keys[..1], issued, issued + TTL), Some(0));
        assert_eq!(signs(&keys, issued, issued + TTL), Some(0));
        assert_eq!(signs(&keys, issued + Duration::SECOND, issued + TTL), Some(1));
        rotate(&mut keys, NOON + Duration::hours(1), POLICY);
        assert_eq!(signs(&keys, issued, issued + TTL), Some(0));
        assert_eq!(signs(&[], NOON, NOON), None);
        let before_all = keys[0].signs_from - Duration::DAY;
        assert_eq!(signs(&keys, before_all, before_all + TTL), Some(0), "the first one signs what is older than all");
    }

    #[test]
    fn a_key_that_must_sign_at_once_goes_before_one_that_waits() {
        let mut keys = rotated();
        rotate(&mut keys, NOON + Duration::MINUTE, RotationPolicy { publish: Duration::ZERO, ..POLICY });
        assert_eq!(states(&keys, NOON + Duration::minutes(2)), [Retiring, Published, Signing]);
        assert_eq!(states(&keys, NOON + Duration::minutes(10)), [Retiring, Signing, Retiring]);
        assert_eq!(states(&keys, NOON + Duration::minutes(26)), [Retired, Signing, Retired]);
    }

    #[test]
    fn without_a_key_that_signs_the_next_one_does_and_else_a_new_one_is_needed() {
        let mut keys = rotated();
        assert_eq!(withdraw(&mut keys, 0, NOON + Duration::MILLISECOND), Withdrawn::Succeeded(0));
        assert_eq!(keys, [KeyPeriod::from(NOON)]);
        assert_eq!(withdraw(&mut keys, 0, NOON), Withdrawn::NeedsKey);
        assert!(keys.is_empty());
    }

    #[test]
    fn a_first_key_that_waits_is_shown_and_signs_only_for_want_of_another() {
        let mut keys = vec![KeyPeriod::from(NOON)];
        let before = NOON - Duration::SECOND;
        assert_eq!((states(&keys, before), has_begun(&keys, before)), (vec![Published], false));
        assert_eq!((states(&keys, NOON), has_begun(&keys, NOON)), (vec![Signing], true));
        assert_eq!(signs(&keys, before, before + TTL), Some(0));
        assert_eq!(withdraw(&mut keys, 0, before), Withdrawn::NeedsKey);
    }

    #[test]
    fn without_the_one_that_waits_the_one_before_it_goes_on() {
        let mut keys = rotated();
        rotate(&mut keys, NOON + Duration::MINUTE, POLICY);
        assert_eq!(withdraw(&mut keys, 1, NOON + Duration::MINUTE), Withdrawn::Others);
        assert_eq!(keys[0].retires_at, Some(NOON + Duration::minutes(27)), "the third follows at 12:11");
        assert_eq!(withdraw(&mut keys, 1, NOON + Duration::MINUTE), Withdrawn::Others);
        assert_eq!(keys, [KeyPeriod::from(NOON - Duration::DAY)]);
    }

    #[test]
    fn an_old_one_that_is_taken_away_changes_nothing() {
        let mut keys = rotated();
        let later = NOON + Duration::minutes(11);
        assert_eq!(withdraw(&mut keys, 0, later), Withdrawn::Others);
        assert_eq!(states(&keys, later), [Signing]);
        assert_eq!(signs(&keys, NOON, NOON + TTL), Some(0), "what the old one would sign again is signed by the new one");
    }

    proptest! {
        #[test]
        fn whatever_is_rotated_and_withdrawn_one_key_signs_and_its_tokens_are_believed_to_their_end(
            steps in prop::collection::vec((0_u32..2_000, 0_u32..900, any::<Option<prop::sample::Index>>()), 1..12),
        ) {
            let mut keys = vec![KeyPeriod::from(NOON)];
            let mut now = NOON;
            let mut issued = Vec::new();
            for (wait, publish, withdrawn) in steps {
                now += Duration::seconds(wait.into());
                match withdrawn {
                    Some(index) => {
                        let index = index.index(keys.len());
                        if withdraw(&mut keys, index, now) == Withdrawn::NeedsKey {
                            keys.push(KeyPeriod::from(now));
                        }
                        issued.clear();
                    }
                    None => rotate(&mut keys, now, RotationPolicy { publish: Duration::seconds(publish.into()), ..POLICY }),
                }
                prop_assert!(lasts(&keys), "{:?}", &keys);
                prop_assert_eq!(states(&keys, now).iter().filter(|state| **state == Signing).count(), 1);
                for (at, key) in &issued {
                    prop_assert_eq!(signs(&keys, *at, *at + TTL), Some(*key), "issued at {} by {:?}", at, &keys);
                }
                let signing = signs(&keys, now, now + TTL);
                prop_assert!(signing.is_some_and(|key| !keys[key].is_retired(now + TTL)));
                issued.push((now, signing.unwrap()));
            }
        }
    }
}
