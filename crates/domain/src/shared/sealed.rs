//! Secrets that have to be read again, and are therefore encrypted.

use std::fmt;

/// What is stored of one.
#[derive(Clone, PartialEq, Eq)]
pub struct Sealed {
    /// Which key it was encrypted with: 8 lower-case hexadecimal digits.
    pub key_id: String,
    /// Nonce, ciphertext and tag.
    pub bytes: Vec<u8>,
}

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sealed").field("key_id", &self.key_id).finish_non_exhaustive()
    }
}
