use coinlink_domain::identity::{ApiKey, ApiKeyId, ApiKeyName, ApiScope, ApiScopes, SecretDigest, UserId};
use coinlink_ports::identity::{ApiKeyCodec, ApiKeyText, PresentedApiKey};
use uuid::Uuid;

use super::NOON;

/// Keys that anyone can read: `key:<id>:<secret>`, the secret as 64 hexadecimal digits.
#[derive(Debug, Default)]
pub struct PlainApiKeys;

fn digest(secret: &str) -> SecretDigest {
    SecretDigest::of("plain", secret.as_bytes())
}

impl ApiKeyCodec for PlainApiKeys {
    fn mint(&self, id: ApiKeyId, secret: &[u8; 32]) -> (ApiKeyText, SecretDigest) {
        let [first, second] = secret.as_chunks::<16>().0 else { unreachable!("32 bytes are twice 16") };
        let secret = format!("{}{}", Uuid::from_bytes(*first).simple(), Uuid::from_bytes(*second).simple());
        (ApiKeyText(format!("key:{id}:{secret}")), digest(&secret))
    }

    fn open(&self, presented: &str) -> Option<PresentedApiKey> {
        let (id, secret) = presented.strip_prefix("key:")?.split_once(':')?;
        let is_secret = secret.len() == 64 && secret.bytes().all(|b| b.is_ascii_hexdigit());
        is_secret.then_some(PresentedApiKey { id: ApiKeyId(id.parse().ok()?), digest: digest(secret) })
    }

    fn proves(&self, presented: &PresentedApiKey, kept: &SecretDigest) -> bool {
        presented.digest == *kept
    }
}

/// A key of `user` with a new id, made at [`NOON`], good for reading prices from anywhere and for ever; nobody has its text.
///
/// # Panics
/// Never.
pub fn an_api_key(user: UserId) -> ApiKey {
    let id = ApiKeyId(Uuid::now_v7());
    let (Ok(name), Ok(scopes)) = (ApiKeyName::try_new("trading bot"), ApiScopes::try_new([ApiScope::MarketRead])) else {
        unreachable!("a name and a scope")
    };
    ApiKey {
        id,
        user,
        name,
        digest: digest(&id.to_string()),
        scopes,
        networks: vec![],
        created_at: NOON,
        expires_at: None,
        last_used_at: None,
        revoked_at: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_comes_back_as_it_was_made_and_proves_its_own_secret_only() {
        let id = ApiKeyId(Uuid::nil());
        let (text, kept) = PlainApiKeys.mint(id, &[7; 32]);
        let opened = PlainApiKeys.open(&text.0).unwrap();
        assert_eq!(opened.id, id);
        assert!(PlainApiKeys.proves(&opened, &kept));
        assert!(!PlainApiKeys.proves(&opened, &PlainApiKeys.mint(id, &[8; 32]).1));
        assert_eq!(PlainApiKeys.open("key:1:2"), None);
    }
}
