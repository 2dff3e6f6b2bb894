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
