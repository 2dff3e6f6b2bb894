use std::{ops::RangeInclusive, str::FromStr as _};

use bcrypt::HashParts;

/// What is kept of a password, taken apart as far as is needed to compute it again.
pub(super) struct Kept {
    pub(super) cost: u32,
    pub(super) salt: [u8; 16],
    /// All of it, as it is kept.
    pub(super) hash: String,
}

impl Kept {
    /// Of a hash in our own notation and with one of these costs. Takes microseconds, whatever cost is claimed.
    pub(super) fn read(hash: &str, costs: &RangeInclusive<u32>) -> Option<Self> {
        let parts = HashParts::from_str(hash).ok().filter(|_| hash.starts_with("$2b$"))?;
        let (cost, salt) = (parts.get_cost(), parts.get_salt_raw());
        costs.contains(&cost).then(|| Self { cost, salt, hash: hash.to_owned() })
    }

    /// Something to compute for nobody, as long as a real one.
    pub(super) fn nothing(cost: u32) -> Self {
        Self { cost, salt: *b"nobody has this.", hash: "-".repeat(60) }
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;

    const OF_COST: &str = "$2b$12$L6Bc/AlTQHyd9liGgGEZyOFLPHNgyxeEPfgYfBCVxJ7JIlwxyVU3u";

    #[test]
    fn cost_and_salt_are_read_and_the_rest_is_kept() {
        let kept = Kept::read(OF_COST, &(10..=15)).unwrap();
        assert_eq!((kept.cost, kept.hash.as_str()), (12, OF_COST));
        assert!(Kept::nothing(12).hash.len() == OF_COST.len());
    }

    #[test]
    fn a_cost_of_31_is_refused_in_under_a_millisecond() {
        let endless = OF_COST.replace("$12$", "$31$");
        let begun = Instant::now();
        assert!((0..100).all(|_| Kept::read(&endless, &(10..=15)).is_none()));
        assert!(begun.elapsed() < Duration::from_millis(100), "{:?}", begun.elapsed());
    }
}
