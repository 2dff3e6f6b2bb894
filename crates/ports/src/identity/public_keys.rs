/// What a public key is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PublicKeyMaterial {
    /// Ed25519, which signs by `EdDSA`.
    Ed25519 {
        /// The point, 32 bytes.
        x: Vec<u8>,
    },
    /// RSA, which signs by `RS256`.
    Rsa {
        /// The modulus, without zeros in front.
        n: Vec<u8>,
        /// The exponent, without zeros in front.
        e: Vec<u8>,
    },
}

/// What others check access tokens with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKey {
    /// The name tokens give it.
    pub id: String,
    /// The key.
    pub material: PublicKeyMaterial,
}

/// The keys of this service that others may know.
pub trait PublicKeys: Send + Sync {
    /// Every key whose signature may be met: those that sign, those that will, and those whose tokens are still good. None where
    /// tokens are signed with a shared secret. Does no I/O.
    fn known(&self) -> Vec<PublicKey>;
}
