use coinlink_domain::{
    identity::{StoredPassword, UserId},
    shared::hex,
};
use coinlink_ports::identity::{DeviceTokens, PresentedDevice, SigningError};
use secrecy::SecretString;
use subtle::ConstantTimeEq as _;
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::{CredentialsError, keys, sealed::Sealer};

/// Device tokens: account, device and proof, encrypted.
///
/// The proof is made with what is stored of the account's password, whose salt is new each time. So a changed password ends the
/// tokens of all its devices, and nothing has to be kept of them.
pub struct PasetoDeviceTokens {
    sealer: Sealer,
    proof_key: Zeroizing<[u8; 32]>,
}

impl PasetoDeviceTokens {
    /// Encrypts and proves with keys derived from `secret`, which has at least 32 bytes.
    pub fn new(secret: &SecretString) -> Result<Self, CredentialsError> {
        Ok(Self { sealer: Sealer::new(secret, "device")?, proof_key: keys::derive(secret, "coinlink device proof")? })
    }

    /// The first half of the HMAC: 128 bits, as many as a guess must find.
    fn proof(&self, user: UserId, device: Uuid, password: &StoredPassword) -> [u8; 16] {
        let parts = [user.0.as_bytes(), device.as_bytes(), password.hash.as_bytes()];
        let [proof, _] = *keys::hmac(self.proof_key.as_slice(), &parts).as_chunks().0 else {
            unreachable!("32 bytes are twice 16")
        };
        proof
    }
}

impl DeviceTokens for PasetoDeviceTokens {
    fn mint(&self, user: UserId, device: Uuid, password: &StoredPassword) -> Result<String, SigningError> {
        self.sealer.seal(&format!("{user}:{device}:{}", hex::lower(&self.proof(user, device, password))))
    }

    fn open(&self, presented: &str) -> Option<PresentedDevice> {
        let payload = self.sealer.open(presented)?;
        let (user, rest) = payload.split_once(':')?;
        let (device, proof) = rest.split_once(':')?;
        Some(PresentedDevice {
            user: UserId(Uuid::try_parse(user).ok()?),
            device: Uuid::try_parse(device).ok()?,
            // 32 hex digits are a UUID's, whatever they stand for.
            proof: Uuid::try_parse(proof).ok()?.into_bytes(),
        })
    }

    fn belongs(&self, presented: &PresentedDevice, password: &StoredPassword) -> bool {
        self.proof(presented.user, presented.device, password).ct_eq(&presented.proof).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_of_before_there_were_proofs_opens_to_nothing() {
        let tokens = PasetoDeviceTokens::new(&"a secret of at least thirty-two bytes".into()).unwrap();
        let id = Uuid::from_u128(1);
        for payload in [format!("{id}:{id}"), format!("{id}:{id}:"), format!("{id}:{id}:00"), format!("{id}"), String::new()] {
            assert_eq!(tokens.open(&tokens.sealer.seal(&payload).unwrap()), None, "{payload}");
        }
        let with_a_proof = format!("{id}:{id}:{}", id.simple());
        assert!(tokens.open(&tokens.sealer.seal(&with_a_proof).unwrap()).is_some());
    }
}
