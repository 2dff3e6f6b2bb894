//! The shapes of requests and answers about wallets.

use coinlink_application::identity::WalletAsked;
use coinlink_domain::identity::Wallet;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::super::requests::PasswordField;
use crate::wire::rfc3339;

/// What a signature is asked for.
#[derive(Deserialize, ToSchema, Clone, Copy, PartialEq, Eq, Default)]
#[serde(rename_all = "snake_case")]
pub(in crate::http) enum AskedFor {
    /// To sign in to the account the address is linked to.
    #[default]
    SignIn,
    /// To link the address to your account; takes an access token.
    Link,
}

/// Which wallet is to sign.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"address": "bc1q9vza2e8x573nczrlzms0wvx3gsqjx7vavgkx0l"}))]
pub(in crate::http) struct AskWalletBody {
    /// Its address: P2PKH, P2SH-P2WPKH, P2WPKH or P2TR.
    #[schema(max_length = 100)]
    pub address: String,
    /// What for; to sign in, where it is left out.
    #[serde(default)]
    pub purpose: AskedFor,
}

/// What the wallet is to sign.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct WalletAskedBody {
    /// Send it back with the signature; good once.
    #[schema(pattern = "^[0-9a-f]{96}$")]
    pub challenge: String,
    /// The exact text to be signed, to the byte.
    pub message: String,
    /// From when on a signature is good for nothing, RFC 3339.
    #[schema(format = DateTime)]
    pub expires_at: String,
}

impl From<WalletAsked> for WalletAskedBody {
    fn from(asked: WalletAsked) -> Self {
        Self { challenge: asked.secret.to_text(), message: asked.message, expires_at: rfc3339(asked.expires_at) }
    }
}

/// What the wallet signed.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "challenge": "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
    "signature": "AkcwRAIgZRfIY3p7/DoVTty6YZbWS71bc5Vct9p9Fia83eRmw2QCICK/ENGfwLtptFluMGs2KsqoNSk89pO7F29zJLUx9a/sASECx/EgAxlkQpQ9hYjgGu6EBCPMVPwVIVJqO4XCsMvViHI="
}))]
pub(in crate::http) struct VerifyWalletBody {
    /// From `/api/v2/auth/wallet/challenge`.
    #[schema(max_length = 96)]
    pub challenge: String,
    /// The signature on its message, as the wallet gives it out: BIP-137 or BIP-322 simple, in base64.
    #[schema(max_length = 1024)]
    pub signature: String,
    /// What this device got when you last signed in on it; browsers send it as a cookie. Without effect when it is none of ours.
    #[serde(default)]
    pub device_token: Option<String>,
    /// Whether the tokens are to be in cookies, for pages whose scripts hold none; asked from an allowed origin alone.
    #[serde(default)]
    pub cookies: bool,
}

/// What the wallet signed, and the password once more.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "challenge": "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
    "signature": "AkcwRAIgZRfIY3p7/DoVTty6YZbWS71bc5Vct9p9Fia83eRmw2QCICK/ENGfwLtptFluMGs2KsqoNSk89pO7F29zJLUx9a/sASECx/EgAxlkQpQ9hYjgGu6EBCPMVPwVIVJqO4XCsMvViHI=",
    "password": "Correct-horse-9-battery"
}))]
pub(in crate::http) struct LinkWalletBody {
    /// From `/api/v2/auth/wallet/challenge`, asked for in this session with the purpose `link`.
    #[schema(max_length = 96)]
    pub challenge: String,
    /// The signature on its message, as the wallet gives it out: BIP-137 or BIP-322 simple, in base64.
    #[schema(max_length = 1024)]
    pub signature: String,
    /// Your password.
    #[schema(value_type = String, format = Password, min_length = 1, max_length = 512)]
    pub password: PasswordField,
}

/// The kinds of addresses, for the document.
#[derive(ToSchema)]
#[schema(rename_all = "lowercase")]
#[expect(dead_code, reason = "answers hold the kind's own name")]
enum KindName {
    P2pkh,
    #[schema(rename = "p2sh-p2wpkh")]
    P2shP2wpkh,
    P2wpkh,
    P2tr,
}

/// The networks, for the document.
#[derive(ToSchema)]
#[schema(rename_all = "lowercase")]
#[expect(dead_code, reason = "answers hold the network's own name")]
enum NetworkName {
    Mainnet,
    Testnet,
    Signet,
    Regtest,
}

/// A wallet that signs in to your account.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct WalletBody {
    /// Its id.
    pub id: Uuid,
    /// Its address.
    pub address: String,
    /// On which chain.
    #[schema(value_type = NetworkName)]
    pub network: &'static str,
    /// Of which kind.
    #[schema(value_type = KindName)]
    pub kind: &'static str,
    /// When it was linked, RFC 3339.
    #[schema(format = DateTime)]
    pub created_at: String,
    /// When somebody last signed in with it, RFC 3339.
    #[schema(format = DateTime)]
    pub last_used_at: Option<String>,
}

impl From<&Wallet> for WalletBody {
    fn from(wallet: &Wallet) -> Self {
        Self {
            id: wallet.id.0,
            address: wallet.address.as_str().to_owned(),
            network: wallet.address.network().name(),
            kind: wallet.address.kind().name(),
            created_at: rfc3339(wallet.created_at),
            last_used_at: wallet.last_used_at.map(rfc3339),
        }
    }
}
