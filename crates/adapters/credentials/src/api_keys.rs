use std::fmt::Write as _;

use coinlink_domain::{
    identity::{ApiKeyId, SecretDigest},
    shared::hex,
};
use coinlink_ports::identity::{ApiKeyCodec, ApiKeyText, PresentedApiKey};
use subtle::ConstantTimeEq as _;
use uuid::Uuid;

/// Keys as `ck_<id>_<secret>_<crc>`: 32, 64 and 8 lower-case hexadecimal digits. The last part is the CRC-32 of all before it: who
/// mistypes a key, or cuts it off, is told so without anybody being asked, and scanners for leaked secrets find real keys only.
#[derive(Debug, Default, Clone, Copy)]
pub struct CheckedApiKeys;

const PREFIX: &str = "ck_";
/// Whatever a digest is kept of is kept for this purpose.
const PURPOSE: &str = "api key";
const LEN: usize = PREFIX.len() + 32 + 1 + 64 + 1 + 8;

impl ApiKeyCodec for CheckedApiKeys {
    fn mint(&self, id: ApiKeyId, secret: &[u8; 32]) -> (ApiKeyText, SecretDigest) {
        let mut text = String::with_capacity(LEN);
        // Writing to a string cannot fail.
        let _ = write!(text, "{PREFIX}{}_{}", id.0.simple(), hex::lower(secret));
        let crc = crc32fast::hash(text.as_bytes());
        let _ = write!(text, "_{crc:08x}");
        (ApiKeyText(text), SecretDigest::of(PURPOSE, secret))
    }

    fn open(&self, presented: &str) -> Option<PresentedApiKey> {
        let (checked, crc) = presented.rsplit_once('_')?;
        if presented.len() != LEN || !is_hex(crc, 8) || u32::from_str_radix(crc, 16).ok()? != crc32fast::hash(checked.as_bytes())
        {
            return None;
        }
        let (id, secret) = checked.strip_prefix(PREFIX)?.split_once('_')?;
        if !is_hex(id, 32) || !is_hex(secret, 64) {
            return None;
        }
        let mut bytes = [0; 32];
        for (byte, digits) in bytes.iter_mut().zip(secret.as_bytes().chunks_exact(2)) {
            *byte = u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
        }
        Some(PresentedApiKey { id: ApiKeyId(Uuid::try_parse(id).ok()?), digest: SecretDigest::of(PURPOSE, &bytes) })
    }

    fn proves(&self, presented: &PresentedApiKey, kept: &SecretDigest) -> bool {
        presented.digest.0.ct_eq(&kept.0).into()
    }
}

/// Capitals are refused: a key has one text.
fn is_hex(text: &str, len: usize) -> bool {
    text.len() == len && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn minted(id: u128, secret: [u8; 32]) -> (String, SecretDigest) {
        let (text, digest) = CheckedApiKeys.mint(ApiKeyId(Uuid::from_u128(id)), &secret);
        (text.0, digest)
    }

    #[test]
    fn a_key_looks_the_same_from_one_release_to_the_next() {
        let (text, _) = minted(0x0123_4567_89ab_cdef_0123_4567_89ab_cdef, [0x5a; 32]);
        let checked = format!("ck_0123456789abcdef0123456789abcdef_{}", "5a".repeat(32));
        // The CRC-32 of zlib, PNG and gzip.
        assert_eq!(text, format!("{checked}_{:08x}", crc32(checked.as_bytes())));
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
    }

    /// Bit by bit, to compare with.
    fn crc32(bytes: &[u8]) -> u32 {
        !bytes.iter().fold(u32::MAX, |crc, byte| {
            (0..8).fold(crc ^ u32::from(*byte), |crc, _| if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 })
        })
    }

    #[test]
    fn a_key_is_not_printed() {
        let (text, _) = CheckedApiKeys.mint(ApiKeyId(Uuid::nil()), &[0xab; 32]);
        assert!(!format!("{text:?}").contains("ab"));
        let opened = CheckedApiKeys.open(&text.0).unwrap();
        assert!(!format!("{opened:?}").contains("abab"));
    }

    #[test]
    fn what_has_a_right_crc_and_another_form_is_no_key() {
        let with_crc = |checked: String| format!("{checked}_{:08x}", crc32(checked.as_bytes()));
        let (id, secret) = ("0".repeat(32), "a".repeat(64));
        assert!(CheckedApiKeys.open(&with_crc(format!("ck_{id}_{secret}"))).is_some());
        for checked in [
            format!("ck_{id}_{}", secret.to_uppercase()),
            format!("ck_{}_{secret}", "A".repeat(32)),
            format!("cx_{id}_{secret}"),
            format!("ck_{id}0_{}", &secret[1..]),
            format!("ck_{id}{secret}a"),
            format!("ck_{}-_{secret}", &id[1..]),
            String::new(),
        ] {
            assert_eq!(CheckedApiKeys.open(&with_crc(checked.clone())), None, "{checked}");
        }
    }

    proptest! {
        #[test]
        fn a_key_comes_back_as_it_was_made_and_proves_its_own_secret_only(id: u128, secret: [u8; 32], other: [u8; 32]) {
            let (text, digest) = minted(id, secret);
            let opened = CheckedApiKeys.open(&text).unwrap();
            prop_assert_eq!(opened, PresentedApiKey { id: ApiKeyId(Uuid::from_u128(id)), digest });
            prop_assert!(CheckedApiKeys.proves(&opened, &digest));
            prop_assert_eq!(CheckedApiKeys.proves(&opened, &minted(id, other).1), secret == other);
        }

        #[test]
        fn one_changed_character_is_found_without_asking_anybody(id: u128, secret: [u8; 32], at in 0..LEN, to in "[ -~]") {
            let (text, _) = minted(id, secret);
            let mut changed = text.clone();
            changed.replace_range(at..=at, &to);
            prop_assert_eq!(CheckedApiKeys.open(&changed).is_some(), changed == text);
        }

        #[test]
        fn no_text_panics(text in prop_oneof![".{0,120}", "ck_[0-9a-f]{32}_[0-9a-f]{64}_[0-9a-f]{8}", "ck_[0-9a-fA-F_é]{80,110}"]) {
            let _ = CheckedApiKeys.open(&text);
        }

        #[test]
        fn each_key_has_one_text(body in "ck_[0-9a-f]{32}_[0-9a-f]{63}[0-9a-fA-F]", capitals: bool) {
            let crc = format!("{:08x}", crc32(body.as_bytes()));
            let crc = if capitals { crc.to_uppercase() } else { crc };
            let is_low = |text: &str| !text.bytes().any(|b| b.is_ascii_uppercase());
            let opened = CheckedApiKeys.open(&format!("{body}_{crc}"));
            prop_assert_eq!(opened.is_some(), is_low(&body) && is_low(&crc));
        }
    }
}
