use coinlink_domain::{identity::SessionId, shared::hex};
use coinlink_ports::identity::CsrfTokens;
use secrecy::SecretString;
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use crate::{CredentialsError, keys};

/// CSRF tokens: HMAC-SHA-256 of the session's id, 64 hex digits.
pub struct HmacCsrfTokens {
    key: Zeroizing<[u8; 32]>,
}

impl HmacCsrfTokens {
    /// With a key derived from `secret`, which has at least 32 bytes.
    pub fn new(secret: &SecretString) -> Result<Self, CredentialsError> {
        Ok(Self { key: keys::derive(secret, "coinlink csrf token")? })
    }
}

impl CsrfTokens for HmacCsrfTokens {
    fn mint(&self, session: SessionId) -> String {
        hex::lower(&keys::hmac(self.key.as_slice(), &[session.0.as_bytes()]))
    }

    fn belongs(&self, presented: &str, session: SessionId) -> bool {
        self.mint(session).as_bytes().ct_eq(presented.as_bytes()).into()
    }
}
