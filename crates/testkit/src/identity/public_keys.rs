use coinlink_ports::identity::{PublicKey, PublicKeyMaterial, PublicKeys};

/// Keys that are always these.
pub struct FixedPublicKeys(pub Vec<PublicKey>);

impl FixedPublicKeys {
    /// One of each kind, which nobody could sign with.
    #[must_use]
    pub fn of_each_kind() -> Self {
        let key = |digit: &str, material| PublicKey { id: digit.repeat(32), material };
        Self(vec![
            key("e", PublicKeyMaterial::Ed25519 { x: vec![7; 32] }),
            key("a", PublicKeyMaterial::Rsa { n: vec![0xC7; 256], e: vec![1, 0, 1] }),
        ])
    }
}

impl PublicKeys for FixedPublicKeys {
    fn known(&self) -> Vec<PublicKey> {
        self.0.clone()
    }
}
