use std::sync::atomic::{AtomicU64, Ordering};

use coinlink_ports::shared::Entropy;
use uuid::{Builder, Uuid};

/// Counts: each id and each key differs from all before, and every run of a test gets the same ones.
#[derive(Debug, Default)]
pub struct CountingEntropy(AtomicU64);

impl CountingEntropy {
    fn next(&self) -> u64 {
        self.0.fetch_add(1, Ordering::Relaxed) + 1
    }
}

impl Entropy for CountingEntropy {
    fn id(&self) -> Uuid {
        let count = self.next();
        let mut rest = [0; 10];
        rest[2..].copy_from_slice(&count.to_be_bytes());
        Builder::from_unix_timestamp_millis(count, &rest).into_uuid()
    }

    fn key(&self) -> [u8; 32] {
        let mut key = [0; 32];
        key[24..].copy_from_slice(&self.next().to_be_bytes());
        key
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_and_keys_differ_are_in_order_and_the_same_in_each_run() {
        let draw = || {
            let entropy = CountingEntropy::default();
            let ids: Vec<_> = (0..300).map(|_| entropy.id()).collect();
            let keys: Vec<_> = (0..300).map(|_| entropy.key()).collect();
            (ids, keys)
        };
        let (ids, keys) = draw();
        assert!(ids.is_sorted_by(|one, next| one < next) && ids.iter().all(|id| id.get_version_num() == 7));
        assert!(keys.is_sorted_by(|one, next| one < next));
        assert_eq!((ids, keys), draw());
    }
}
