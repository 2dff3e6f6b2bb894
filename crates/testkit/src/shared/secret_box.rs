use coinlink_domain::shared::sealed::Sealed;
use coinlink_ports::shared::{SecretBox, SecretBoxError};

/// Encrypts nothing: what is sealed is its context and itself.
#[derive(Debug, Clone)]
pub struct PlainSecretBox {
    key: String,
    earlier: Vec<String>,
}

impl Default for PlainSecretBox {
    fn default() -> Self {
        Self { key: "00000001".to_owned(), earlier: Vec::new() }
    }
}

impl PlainSecretBox {
    /// The same with another key, that still reads what was sealed with this one.
    #[must_use]
    pub fn rotated(&self, key: &str) -> Self {
        Self { key: key.to_owned(), earlier: self.earlier.iter().chain([&self.key]).cloned().collect() }
    }
}

fn labelled(context: &str) -> Vec<u8> {
    [context.as_bytes(), &[0]].concat()
}

impl SecretBox for PlainSecretBox {
    fn seal(&self, context: &str, plain: &[u8]) -> Result<Sealed, SecretBoxError> {
        Ok(Sealed { key_id: self.key.clone(), bytes: [labelled(context), plain.to_vec()].concat() })
    }

    fn open(&self, context: &str, sealed: &Sealed) -> Result<Vec<u8>, SecretBoxError> {
        if sealed.key_id != self.key && !self.earlier.contains(&sealed.key_id) {
            return Err(SecretBoxError::UnknownKey(sealed.key_id.clone()));
        }
        sealed.bytes.strip_prefix(&labelled(context)[..]).map(<[u8]>::to_vec).ok_or(SecretBoxError::Forged)
    }

    fn newest_key(&self) -> &str {
        &self.key
    }
}
