//! A key as a row, and back.

use coinlink_domain::identity::{ApiKey, ApiKeyId, ApiKeyName, ApiScope, ApiScopes, IpRange, SecretDigest, UserId};
use coinlink_ports::shared::StoreError;
use sea_orm::ActiveValue::Set;

use crate::{
    entities::api_keys::{ActiveModel, Model},
    errors::corrupt,
    exact::Moment,
};

pub(super) fn row(key: &ApiKey) -> ActiveModel {
    let scopes: Vec<&str> = key.scopes.iter().map(ApiScope::name).collect();
    let networks: Vec<String> = key.networks.iter().map(ToString::to_string).collect();
    ActiveModel {
        id: Set(key.id.0),
        user_id: Set(key.user.0),
        name: Set(key.name.as_str().to_owned()),
        digest: Set(key.digest.0.to_vec()),
        scopes: Set(scopes.join(" ")),
        networks: Set(networks.join(" ")),
        created_at: Set(Moment(key.created_at)),
        expires_at: Set(key.expires_at.map(Moment)),
        last_used_at: Set(key.last_used_at.map(Moment)),
        revoked_at: Set(key.revoked_at.map(Moment)),
    }
}

pub(super) fn key(row: &Model) -> Result<ApiKey, StoreError> {
    let digest: [u8; 32] = row.digest.as_slice().try_into().map_err(|e| corrupt("api_keys.digest", e))?;
    let networks = row.networks.split_whitespace().map(IpRange::try_new).collect::<Result<_, _>>();
    Ok(ApiKey {
        id: ApiKeyId(row.id),
        user: UserId(row.user_id),
        name: ApiKeyName::try_new(&row.name).map_err(|e| corrupt("api_keys.name", e))?,
        digest: SecretDigest(digest),
        scopes: scopes(&row.scopes)?,
        networks: networks.map_err(|e| corrupt("api_keys.networks", e))?,
        created_at: row.created_at.0,
        expires_at: row.expires_at.map(|Moment(at)| at),
        last_used_at: row.last_used_at.map(|Moment(at)| at),
        revoked_at: row.revoked_at.map(|Moment(at)| at),
    })
}

/// A name that is not known is of a newer release: the key may do the rest of it.
fn scopes(names: &str) -> Result<ApiScopes, StoreError> {
    ApiScopes::try_new(names.split_whitespace().filter_map(ApiScope::from_name)).map_err(|e| corrupt("api_keys.scopes", e))
}
