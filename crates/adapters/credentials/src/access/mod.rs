use std::sync::Arc;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use coinlink_domain::identity::{SessionId, UserId};
use coinlink_ports::identity::{AccessGrant, AccessRefusal, AccessToken, AccessTokens, PublicKey, PublicKeys, SigningError};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use secrecy::SecretString;
use time::{Duration, OffsetDateTime};
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::{CredentialsError, keys};

mod claims;
mod profile;
mod signing;

pub use signing::{KeyAlgorithm, KeyFolder, KeyFolderError, KeyListing, NewKey, SigningKeys};

use claims::{Claims, canonical_uuid, moment};
use profile::Signer;

/// The `typ` of RFC 9068: an access token, and nothing else that is signed with the same key.
const TYPE: &str = "at+jwt";
/// A token that claims more was not made here.
const LONGEST_LIFE: i64 = 24 * 60 * 60;
const MAX_LEEWAY: Duration = Duration::minutes(5);

/// How access tokens are signed and whom they are for.
#[derive(Clone)]
pub struct JwtSettings {
    /// At least 32 bytes. Without keys of its own it signs and verifies them, and whoever has it can make any token.
    pub secret: SecretString,
    /// Who makes them (`iss`).
    pub issuer: String,
    /// Whom they are for (`aud`).
    pub audience: String,
    /// By how much clocks may differ.
    pub leeway: Duration,
}

/// Access tokens: JWT, `typ` `at+jwt` (RFC 7519, RFC 9068), held to one exact profile (RFC 8725). Signed with a shared secret
/// (HS256), or with keys that have names (`EdDSA`, RS256): a name has one key, a key one algorithm, and no name means the secret.
///
/// What the profile allows is decided here, before and after jsonwebtoken checks signature, issuer and audience: that library
/// accepts unknown header fields, `crit` among them, any `typ`, and arrays of audiences, and it asks the system's clock.
pub struct JwtAccessTokens {
    issuer: String,
    audience: String,
    leeway: i64,
    /// Where it is believed.
    shared: Option<Shared>,
    keys: Option<Arc<SigningKeys>>,
    /// For the secret, `EdDSA` and RS256: one algorithm each.
    validations: [Validation; 3],
    id_key: Zeroizing<[u8; 32]>,
}

struct Shared {
    signing: EncodingKey,
    verifying: DecodingKey,
}

impl JwtAccessTokens {
    /// Signs with the secret. Refuses a short one, an empty name, and a leeway beyond five minutes.
    pub fn new(settings: &JwtSettings) -> Result<Self, CredentialsError> {
        let JwtSettings { secret, issuer, audience, leeway } = settings;
        let key = keys::checked(secret)?;
        if issuer.is_empty() || audience.is_empty() {
            return Err(CredentialsError::Nameless);
        }
        if leeway.is_negative() || *leeway > MAX_LEEWAY {
            return Err(CredentialsError::Leeway);
        }
        Ok(Self {
            issuer: issuer.clone(),
            audience: audience.clone(),
            leeway: leeway.whole_seconds(),
            shared: Some(Shared { signing: EncodingKey::from_secret(key), verifying: DecodingKey::from_secret(key) }),
            keys: None,
            validations: [Algorithm::HS256, Algorithm::EdDSA, Algorithm::RS256].map(|it| validation(it, issuer, audience)),
            id_key: keys::derive(secret, "coinlink access jti")?,
        })
    }

    /// Signs with `keys`. Where it `believes_secret`, what the secret signed is good, and it signs until the time of the first key has
    /// come: so that nodes can learn of the keys one after the other, while clients still hold such tokens.
    pub fn with_keys(settings: &JwtSettings, keys: Arc<SigningKeys>, believes_secret: bool) -> Result<Self, CredentialsError> {
        let tokens = Self::new(settings)?;
        let shared = tokens.shared.filter(|_| believes_secret);
        Ok(Self { shared, keys: Some(keys), ..tokens })
    }

    /// Computed, so that the same grant has the same token; another grant has another id.
    fn id_of(&self, grant: &AccessGrant) -> Uuid {
        let mac = keys::hmac(
            self.id_key.as_slice(),
            &[
                grant.user.0.as_bytes(),
                grant.session.0.as_bytes(),
                &grant.generation.to_be_bytes(),
                &grant.issued_at.unix_timestamp().to_be_bytes(),
                &grant.expires_at.unix_timestamp().to_be_bytes(),
            ],
        );
        let [half, _] = *mac.as_chunks().0 else { unreachable!("32 bytes are twice 16") };
        uuid::Builder::from_custom_bytes(half).into_uuid()
    }

    /// The claims, if whoever the token names signed them; and whether that key has retired. A key that was taken away is not there to
    /// check anything with: whatever names it has expired, so that clients refresh.
    fn signed(&self, presented: &str, now: OffsetDateTime) -> Result<(Claims, bool), AccessRefusal> {
        let [by_secret, by_ed, by_rsa] = &self.validations;
        let checked = |key: &DecodingKey, validation: &Validation| {
            jsonwebtoken::decode::<Claims>(presented, key, validation).map_err(|_| AccessRefusal::Invalid).map(|data| data.claims)
        };
        let (algorithm, kid) = match profile::check(presented).ok_or(AccessRefusal::Invalid)? {
            Signer::Secret => {
                let shared = self.shared.as_ref().ok_or(AccessRefusal::Invalid)?;
                return Ok((checked(&shared.verifying, by_secret)?, false));
            }
            Signer::Key(algorithm, kid) => (algorithm, kid),
        };
        let keys = self.keys.as_ref().ok_or(AccessRefusal::Invalid)?;
        let set = keys.current();
        let Some((key, retired)) = set.find(&kid, now) else {
            if set.is_revoked(&kid) {
                return Err(AccessRefusal::Expired);
            }
            keys.miss();
            return Err(AccessRefusal::Invalid);
        };
        if key.algorithm() != algorithm {
            return Err(AccessRefusal::Invalid);
        }
        let validation = if algorithm == KeyAlgorithm::EdDsa { by_ed } else { by_rsa };
        Ok((checked(&key.verifying, validation)?, retired))
    }

    /// What the claims say, if they are as ours are, and from when on.
    fn grant(&self, claims: &Claims) -> Option<(AccessGrant, i64)> {
        canonical_uuid(&claims.jti)?;
        if claims.iss != self.issuer || claims.aud != self.audience || claims.iat > claims.exp || claims.nbf > claims.exp {
            return None;
        }
        let grant = AccessGrant {
            user: UserId(canonical_uuid(&claims.sub)?),
            session: SessionId(canonical_uuid(&claims.sid)?),
            generation: claims.generation,
            issued_at: moment(claims.iat)?,
            expires_at: moment(claims.exp)?,
        };
        let from = moment(claims.nbf.max(claims.iat))?.unix_timestamp();
        (lifetime(&grant) <= LONGEST_LIFE).then_some((grant, from))
    }

    fn sign(&self, grant: &AccessGrant, claims: &Claims) -> Result<String, SigningError> {
        let failed = |error: jsonwebtoken::errors::Error| SigningError(error.to_string());
        let header = |algorithm| Header { typ: Some(TYPE.into()), ..Header::new(algorithm) };
        let set = self.keys.as_ref().map(|keys| keys.current());
        // Before the time of the first key the secret signs on, as nodes do that do not know the keys yet.
        if let Some(shared) = &self.shared
            && set.as_ref().is_none_or(|set| !set.has_begun(grant))
        {
            return jsonwebtoken::encode(&header(Algorithm::HS256), claims, &shared.signing).map_err(failed);
        }
        let key =
            set.as_ref().and_then(|set| set.signing(grant)).ok_or_else(|| SigningError("there is no key to sign with".into()))?;
        let header = Header { kid: Some(key.public.id.clone()), ..header(key.algorithm().jwt()) };
        // The library would read the key anew for each signature.
        let part = |json: serde_json::Result<Vec<u8>>| json.map(|json| URL_SAFE_NO_PAD.encode(json));
        let parts =
            part(serde_json::to_vec(&header)).and_then(|header| Ok(format!("{header}.{}", part(serde_json::to_vec(claims))?)));
        let message = parts.map_err(|error| SigningError(error.to_string()))?;
        let signature = key.sign(message.as_bytes())?;
        Ok(format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }
}

fn validation(algorithm: Algorithm, issuer: &str, audience: &str) -> Validation {
    let mut validation = Validation::new(algorithm);
    validation.set_issuer(&[issuer]);
    validation.set_audience(&[audience]);
    validation.set_required_spec_claims(&["iss", "aud", "sub", "exp", "nbf"]);
    // Compared below, with the caller's clock.
    validation.validate_exp = false;
    validation.validate_nbf = false;
    validation.leeway = 0;
    validation
}

fn lifetime(grant: &AccessGrant) -> i64 {
    grant.expires_at.unix_timestamp() - grant.issued_at.unix_timestamp()
}

impl AccessTokens for JwtAccessTokens {
    fn mint(&self, grant: &AccessGrant) -> Result<AccessToken, SigningError> {
        if !(1..=LONGEST_LIFE).contains(&lifetime(grant)) {
            return Err(SigningError("an access token lives for a second to a day".into()));
        }
        let seconds = |at: OffsetDateTime| u64::try_from(at.unix_timestamp()).map_err(|error| SigningError(error.to_string()));
        let issued_at = seconds(grant.issued_at)?;
        let claims = Claims {
            iss: self.issuer.clone(),
            aud: self.audience.clone(),
            sub: grant.user.to_string(),
            sid: grant.session.to_string(),
            generation: grant.generation,
            iat: issued_at,
            nbf: issued_at,
            exp: seconds(grant.expires_at)?,
            jti: self.id_of(grant).to_string(),
        };
        self.sign(grant, &claims).map(AccessToken)
    }

    fn verify(&self, presented: &str, now: OffsetDateTime) -> Result<AccessGrant, AccessRefusal> {
        let (claims, retired) = self.signed(presented, now)?;
        let (grant, from) = self.grant(&claims).ok_or(AccessRefusal::Invalid)?;
        // A key retires when the last token it signed has expired, and one that says otherwise is not of its time.
        if retired {
            return Err(AccessRefusal::Expired);
        }
        // Whole seconds on the left, so that the fraction of `now` never decides.
        let now = now.unix_timestamp();
        if grant.expires_at.unix_timestamp() + self.leeway <= now {
            return Err(AccessRefusal::Expired);
        }
        if from - self.leeway > now {
            return Err(AccessRefusal::NotYetValid);
        }
        Ok(grant)
    }
}

impl PublicKeys for JwtAccessTokens {
    fn known(&self) -> Vec<PublicKey> {
        self.keys.as_ref().map(|keys| keys.known()).unwrap_or_default()
    }
}
