//! Wallets and challenges as rows, and back.

use coinlink_domain::identity::{
    AddressKind, Network, SecretDigest, SessionId, UserId, Wallet, WalletAddress, WalletChallenge, WalletId, WalletPurpose,
};
use coinlink_ports::shared::StoreError;
use sea_orm::ActiveValue::Set;

use crate::{
    entities::{wallet_challenges, wallets},
    errors::corrupt,
    exact::Moment,
};

pub(super) fn wallet_row(wallet: &Wallet) -> wallets::ActiveModel {
    wallets::ActiveModel {
        id: Set(wallet.id.0),
        user_id: Set(wallet.user.0),
        network: Set(wallet.address.network().name().to_owned()),
        address: Set(wallet.address.as_str().to_owned()),
        kind: Set(wallet.address.kind().name().to_owned()),
        created_at: Set(Moment(wallet.created_at)),
        last_used_at: Set(wallet.last_used_at.map(Moment)),
    }
}

pub(super) fn wallet(row: wallets::Model) -> Result<Wallet, StoreError> {
    Ok(Wallet {
        id: WalletId(row.id),
        user: UserId(row.user_id),
        address: address(row.address, &row.network, &row.kind)?,
        created_at: row.created_at.0,
        last_used_at: row.last_used_at.map(|Moment(at)| at),
    })
}

pub(super) fn challenge_row(challenge: &WalletChallenge) -> wallet_challenges::ActiveModel {
    let asked = match challenge.purpose {
        WalletPurpose::SignIn => None,
        WalletPurpose::Link(user, session) => Some((user.0, session.0)),
    };
    wallet_challenges::ActiveModel {
        id: Set(challenge.id),
        digest: Set(challenge.digest.0.to_vec()),
        network: Set(challenge.address.network().name().to_owned()),
        address: Set(challenge.address.as_str().to_owned()),
        kind: Set(challenge.address.kind().name().to_owned()),
        domain: Set(challenge.domain.clone()),
        uri: Set(challenge.uri.clone()),
        nonce: Set(challenge.nonce.to_vec()),
        issued_at: Set(Moment(challenge.issued_at)),
        expires_at: Set(Moment(challenge.expires_at)),
        user_id: Set(asked.map(|(user, _)| user)),
        session_id: Set(asked.map(|(_, session)| session)),
    }
}

pub(super) fn challenge(row: wallet_challenges::Model) -> Result<WalletChallenge, StoreError> {
    let purpose = match (row.user_id, row.session_id) {
        (None, None) => WalletPurpose::SignIn,
        (Some(user), Some(session)) => WalletPurpose::Link(UserId(user), SessionId(session)),
        _ => return Err(StoreError::Corrupt { what: "wallet_challenges.session_id", source: None }),
    };
    Ok(WalletChallenge {
        id: row.id,
        digest: SecretDigest(row.digest.as_slice().try_into().map_err(|e| corrupt("wallet_challenges.digest", e))?),
        address: address(row.address, &row.network, &row.kind)?,
        domain: row.domain,
        uri: row.uri,
        nonce: row.nonce.as_slice().try_into().map_err(|e| corrupt("wallet_challenges.nonce", e))?,
        issued_at: row.issued_at.0,
        expires_at: row.expires_at.0,
        purpose,
    })
}

/// It was checked before it was stored.
fn address(text: String, network: &str, kind: &str) -> Result<WalletAddress, StoreError> {
    let network = Network::from_name(network).ok_or(StoreError::Corrupt { what: "wallets.network", source: None })?;
    let kind = AddressKind::from_name(kind).ok_or(StoreError::Corrupt { what: "wallets.kind", source: None })?;
    Ok(WalletAddress::checked(text, network, kind))
}
