use coinlink_domain::identity::{SessionId, UserId};
use coinlink_ports::identity::{AccessGrant, AccessRefusal, AccessToken, AccessTokens, SigningError};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use secrecy::SecretString;
use time::{Duration, OffsetDateTime};
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::{CredentialsError, keys};

mod claims;
mod profile;

use claims::{Claims, canonical_uuid, moment};

/// The `typ` of RFC 9068: an access token, and nothing else that is signed with the same key.
const TYPE: &str = "at+jwt";
/// A token that claims more was not made here.
const LONGEST_LIFE: i64 = 24 * 60 * 60;
const MAX_LEEWAY: Duration = Duration::minutes(5);

/// How access tokens are signed and whom they are for.
#[derive(Clone)]
pub struct JwtSettings {
    /// Signs and verifies them: at least 32 bytes. Whoever has it can make any token.
    pub secret: SecretString,
    /// Who makes them (`iss`).
    pub issuer: String,
    /// Whom they are for (`aud`).
    pub audience: String,
    /// By how much clocks may differ.
    pub leeway: Duration,
}

/// Access tokens: JWT, HS256, `typ` `at+jwt` (RFC 7519, RFC 9068), held to one exact profile (RFC 8725).
///
/// What the profile allows is decided here, before and after jsonwebtoken checks signature, issuer and audience: that library
/// accepts unknown header fields, `crit` among them, any `typ`, and arrays of audiences, and it asks the system's clock.
pub struct JwtAccessTokens {
    issuer: String,
    audience: String,
    leeway: i64,
    signing: EncodingKey,
    verifying: DecodingKey,
    validation: Validation,
    id_key: Zeroizing<[u8; 32]>,
}

impl JwtAccessTokens {
    /// Refuses a short secret, an empty name, and a leeway beyond five minutes.
    pub fn new(settings: &JwtSettings) -> Result<Self, CredentialsError> {
        let JwtSettings { secret, issuer, audience, leeway } = settings;
        let key = keys::checked(secret)?;
        if issuer.is_empty() || audience.is_empty() {
            return Err(CredentialsError::Nameless);
        }
        if leeway.is_negative() || *leeway > MAX_LEEWAY {
            return Err(CredentialsError::Leeway);
        }
        let mut validation = Validation::new(Algorithm::HS256);
        validation.set_issuer(&[issuer]);
        validation.set_audience(&[audience]);
        validation.set_required_spec_claims(&["iss", "aud", "sub", "exp", "nbf"]);
        // Compared below, with the caller's clock.
        validation.validate_exp = false;
        validation.validate_nbf = false;
        validation.leeway = 0;
        Ok(Self {
            issuer: issuer.clone(),
            audience: audience.clone(),
            leeway: leeway.whole_seconds(),
            signing: EncodingKey::from_secret(key),
            verifying: DecodingKey::from_secret(key),
            validation,
            id_key: keys::derive(secret, "coinlink access jti")?,
        })
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

    fn read(&self, presented: &str) -> Option<(AccessGrant, i64)> {
        profile::check(presented)?;
        let claims = jsonwebtoken::decode::<Claims>(presented, &self.verifying, &self.validation).ok()?.claims;
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
        let header = Header { typ: Some(TYPE.into()), ..Header::new(Algorithm::HS256) };
        let token = jsonwebtoken::encode(&header, &claims, &self.signing).map_err(|error| SigningError(error.to_string()))?;
        Ok(AccessToken(token))
    }

    fn verify(&self, presented: &str, now: OffsetDateTime) -> Result<AccessGrant, AccessRefusal> {
        let (grant, from) = self.read(presented).ok_or(AccessRefusal::Invalid)?;
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
