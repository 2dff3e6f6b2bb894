//! Keys for one purpose each, made of the secrets that every node has.

use coinlink_credentials::{BoxKey, pepper_id};
use coinlink_domain::assistant::VisitorKey;
use hkdf::Hkdf;
use secrecy::ExposeSecret as _;
use sha2::Sha256;

use super::identity::box_keys;
use crate::{config::Settings, serve::StartError};

/// Tells this key from others derived of the same secret.
const VISITORS: &[u8] = b"coinlink visitor sessions v1";
/// And these, which are stored.
const PEPPER_PRINT: &[u8] = b"coinlink print of PASSWORD_PEPPER v1";
const BOX_KEY_PRINT: &[u8] = b"coinlink print of TOTP_ENCRYPTION_KEY v1";

/// What tells visitors' sessions that were given out from others, on all nodes and over restarts.
pub fn visitor_key(settings: &Settings) -> VisitorKey {
    VisitorKey::new(derived_key(settings, VISITORS))
}

/// What the pepper is known by. It leads to no other key, and not back.
pub fn print_of_pepper(settings: &Settings) -> [u8; 32] {
    derived_key(settings, PEPPER_PRINT)
}

/// What stored passwords say of it.
pub fn id_of_pepper(settings: &Settings) -> Result<String, StartError> {
    Ok(pepper_id(&settings.auth.password_pepper.clone().unwrap_or_default())?)
}

/// What the key that encrypts stored secrets is known by, and those before it.
pub fn prints_of_box_keys(settings: &Settings) -> Result<([u8; 32], Vec<[u8; 32]>), StartError> {
    let (newest, earlier) = box_keys(settings)?;
    let print = |key: &BoxKey| expanded(key.as_slice(), BOX_KEY_PRINT);
    Ok((print(&newest), earlier.iter().map(print).collect()))
}

/// Of the pepper.
pub(super) fn derived_key(settings: &Settings, purpose: &[u8]) -> [u8; 32] {
    let pepper = settings.auth.password_pepper.as_ref().map_or("", |pepper| pepper.expose_secret());
    expanded(pepper.as_bytes(), purpose)
}

/// HKDF-SHA-256.
fn expanded(secret: &[u8], purpose: &[u8]) -> [u8; 32] {
    let mut key = [0; 32];
    // 32 bytes are one block of the hash: no length that could be refused.
    let _ = Hkdf::<Sha256>::new(None, secret).expand(purpose, &mut key);
    key
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Mode, Sources, load};

    fn settings(pepper: &str, key: &str, previous: &str) -> Settings {
        let variables = [
            ("CONFIG_DIR", "no-such-folder"),
            ("PASSWORD_PEPPER", pepper),
            ("TOTP_ENCRYPTION_KEY", key),
            ("TOTP_ENCRYPTION_KEY_PREVIOUS", previous),
        ];
        let variables = variables.map(|(name, text)| (name.to_owned(), text.to_owned())).into();
        load(&Sources { mode: Mode::Dev, variables, flags: vec![] }).settings
    }

    #[test]
    fn a_secret_is_known_by_what_is_neither_it_nor_another_key_of_it_however_it_is_written() {
        const HEX: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
        const BASE64: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
        let (one, other) = (settings(HEX, HEX, ""), settings(BASE64, BASE64, HEX));
        assert_ne!(print_of_pepper(&one), print_of_pepper(&other), "a pepper is its text");
        let ((hex, none), (base64, earlier)) = (prints_of_box_keys(&one).unwrap(), prints_of_box_keys(&other).unwrap());
        assert_eq!((hex, none.len(), &earlier[..]), (base64, 0, &[hex][..]), "a key is its bytes");
        let bytes = BoxKey::new(std::array::from_fn(|at| u8::try_from(at).unwrap()));
        assert_ne!(hex, *bytes);
        assert_ne!(hex, print_of_pepper(&one), "each has a purpose of its own");
        let keys = [derived_key(&one, VISITORS), derived_key(&one, b"coinlink audit checkpoint v1")];
        assert!(!keys.contains(&print_of_pepper(&one)));
    }
}
