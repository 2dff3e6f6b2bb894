use coinlink_domain::identity::UserId;
use coinlink_ports::identity::{DeviceTokens, SigningError};
use secrecy::SecretString;
use uuid::Uuid;

use crate::{CredentialsError, sealed::Sealer};

/// Device tokens: account and device, encrypted.
pub struct PasetoDeviceTokens(Sealer);

impl PasetoDeviceTokens {
    /// Encrypts with a key derived from `secret`, which has at least 32 bytes.
    pub fn new(secret: &SecretString) -> Result<Self, CredentialsError> {
        Sealer::new(secret, "device").map(Self)
    }
}

impl DeviceTokens for PasetoDeviceTokens {
    fn mint(&self, user: UserId, device: Uuid) -> Result<String, SigningError> {
        self.0.seal(&format!("{user}:{device}"))
    }

    fn open(&self, presented: &str) -> Option<(UserId, Uuid)> {
        let payload = self.0.open(presented)?;
        let (user, device) = payload.split_once(':')?;
        Some((UserId(Uuid::try_parse(user).ok()?), Uuid::try_parse(device).ok()?))
    }
}
