use coinlink_domain::{
    identity::{FamilyKey, Session, SessionId},
    shared::hex,
};
use coinlink_ports::identity::{PresentedRefreshToken, RefreshTokens, SigningError};
use secrecy::SecretString;
use subtle::ConstantTimeEq as _;
use uuid::Uuid;

use crate::{CredentialsError, keys, sealed::Sealer};

/// Refresh tokens: session, generation and proof, encrypted.
///
/// The proof is made with the family's key, which only the session's row has. So the service's secret alone makes no token
/// that works, and neither does a copy of the database alone.
pub struct PasetoRefreshTokens(Sealer);

impl PasetoRefreshTokens {
    /// Encrypts with a key derived from `secret`, which has at least 32 bytes.
    pub fn new(secret: &SecretString) -> Result<Self, CredentialsError> {
        Sealer::new(secret, "refresh").map(Self)
    }
}

impl RefreshTokens for PasetoRefreshTokens {
    fn seal(&self, session: &Session) -> Result<String, SigningError> {
        let proof = proof(session.id, session.generation, &session.family_key);
        self.0.seal(&format!("{}:{}:{}", session.id, session.generation, hex::lower(&proof)))
    }

    fn open(&self, presented: &str) -> Option<PresentedRefreshToken> {
        let payload = self.0.open(presented)?;
        let (session, rest) = payload.split_once(':')?;
        let (generation, proof) = rest.split_once(':')?;
        Some(PresentedRefreshToken {
            session: SessionId(Uuid::try_parse(session).ok()?),
            generation: generation.parse().ok()?,
            // 32 hex digits are a UUID's, whatever they stand for.
            proof: Uuid::try_parse(proof).ok()?.into_bytes(),
        })
    }

    fn proves(&self, presented: &PresentedRefreshToken, family_key: &FamilyKey) -> bool {
        proof(presented.session, presented.generation, family_key).ct_eq(&presented.proof).into()
    }
}

/// The first half of the HMAC: 128 bits, as many as a guess must find.
fn proof(session: SessionId, generation: u32, family_key: &FamilyKey) -> [u8; 16] {
    let mac = keys::hmac(&family_key.0, &[session.0.as_bytes(), &generation.to_be_bytes()]);
    let [proof, _] = *mac.as_chunks().0 else { unreachable!("32 bytes are twice 16") };
    proof
}
