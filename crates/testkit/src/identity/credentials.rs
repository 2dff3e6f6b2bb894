use std::{
    str::FromStr,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use async_trait::async_trait;
use coinlink_domain::identity::{FamilyKey, Password, Session, SessionId, StoredPassword, UserId};
use coinlink_ports::identity::{
    AccessGrant, AccessRefusal, AccessToken, AccessTokens, DeviceTokens, HashError, HashPlace, PasswordCheck, PasswordHasher,
    PresentedDevice, PresentedRefreshToken, RefreshTokens, SigningError,
};
use sha2::{Digest as _, Sha256};
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use crate::shared::lock;

const PEPPER: &str = "plain";

/// Keeps passwords as they are, at once, and counts how often it was asked. What it keeps is `$plain$<cost>$<password>`.
#[derive(Debug)]
pub struct PlainHasher {
    cost: u32,
    calls: AtomicUsize,
    busy: Mutex<Option<Duration>>,
}

impl Default for PlainHasher {
    fn default() -> Self {
        Self::of_cost(12)
    }
}

impl PlainHasher {
    /// To it, what was kept by one of another cost is outdated.
    pub fn of_cost(cost: u32) -> Self {
        Self { cost, calls: AtomicUsize::new(0), busy: Mutex::new(None) }
    }

    /// What it keeps of `password`, without a call.
    pub fn stored(&self, password: &str) -> StoredPassword {
        StoredPassword { pepper_id: PEPPER.into(), hash: format!("{}{password}", self.prefix()) }
    }

    /// Passwords made or checked; those it was too busy for are not among them.
    pub fn calls(&self) -> usize {
        self.calls.load(Ordering::Relaxed)
    }

    /// From now on it is too busy, and says to come back after `retry_after`.
    pub fn be_busy(&self, retry_after: Duration) {
        *lock(&self.busy) = Some(retry_after);
    }

    /// It is not busy any more.
    pub fn be_idle(&self) {
        *lock(&self.busy) = None;
    }

    fn prefix(&self) -> String {
        format!("$plain${}$", self.cost)
    }

    fn begin(&self) -> Result<(), HashError> {
        if let Some(retry_after) = *lock(&self.busy) {
            return Err(HashError::Busy { retry_after });
        }
        self.calls.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }
}

#[async_trait]
impl PasswordHasher for PlainHasher {
    fn place(&self) -> Result<HashPlace, HashError> {
        match *lock(&self.busy) {
            Some(retry_after) => Err(HashError::Busy { retry_after }),
            None => Ok(HashPlace::new(())),
        }
    }

    async fn hash(&self, password: &Password) -> Result<StoredPassword, HashError> {
        self.begin()?;
        Ok(self.stored(password.expose()))
    }

    async fn check(&self, password: &Password, stored: Option<&StoredPassword>) -> Result<PasswordCheck, HashError> {
        self.begin()?;
        let Some(stored) = stored else { return Ok(PasswordCheck { matches: false, outdated: false }) };
        let kept = stored.hash.strip_prefix("$plain$").and_then(|rest| rest.split_once('$')).map(|(_, password)| password);
        let known = stored.pepper_id == PEPPER;
        Ok(PasswordCheck {
            matches: known && kept == Some(password.expose()),
            outdated: !known || !stored.hash.starts_with(&self.prefix()),
        })
    }
}

/// Access tokens that anyone can read and make: `access:<user>:<session>:<generation>:<issued at>:<expires at>`, times in
/// seconds. Without leeway.
#[derive(Debug, Default)]
pub struct PlainAccessTokens;

impl AccessTokens for PlainAccessTokens {
    fn mint(&self, grant: &AccessGrant) -> Result<AccessToken, SigningError> {
        let AccessGrant { user, session, generation, issued_at, expires_at } = grant;
        let (issued_at, expires_at) = (issued_at.unix_timestamp(), expires_at.unix_timestamp());
        Ok(AccessToken(format!("access:{user}:{session}:{generation}:{issued_at}:{expires_at}")))
    }

    fn verify(&self, presented: &str, now: OffsetDateTime) -> Result<AccessGrant, AccessRefusal> {
        let grant = read_grant(presented).ok_or(AccessRefusal::Invalid)?;
        if now < grant.issued_at {
            return Err(AccessRefusal::NotYetValid);
        }
        if now >= grant.expires_at {
            return Err(AccessRefusal::Expired);
        }
        Ok(grant)
    }
}

fn read_grant(presented: &str) -> Option<AccessGrant> {
    let [user, session, generation, issued_at, expires_at] = fields(presented, "access:")?;
    let moment = |text: &str| OffsetDateTime::from_unix_timestamp(read(text)?).ok();
    Some(AccessGrant {
        user: UserId(read(user)?),
        session: SessionId(read(session)?),
        generation: read(generation)?,
        issued_at: moment(issued_at)?,
        expires_at: moment(expires_at)?,
    })
}

/// Refresh tokens that anyone can read: `refresh:<session>:<generation>:<proof>`. The proof is the first half of the family's
/// key, mixed with both.
#[derive(Debug, Default)]
pub struct PlainRefreshTokens;

impl PlainRefreshTokens {
    /// The token of `session` at another generation than its newest.
    pub fn of_generation(session: &Session, generation: u32) -> String {
        let proof = proof_of(session.id, generation, &session.family_key);
        format!("refresh:{}:{generation}:{}", session.id, Uuid::from_bytes(proof).simple())
    }
}

impl RefreshTokens for PlainRefreshTokens {
    fn seal(&self, session: &Session) -> Result<String, SigningError> {
        Ok(Self::of_generation(session, session.generation))
    }

    fn open(&self, presented: &str) -> Option<PresentedRefreshToken> {
        let [session, generation, proof] = fields(presented, "refresh:")?;
        let proof = read::<Uuid>(proof)?.into_bytes();
        Some(PresentedRefreshToken { session: SessionId(read(session)?), generation: read(generation)?, proof })
    }

    fn proves(&self, presented: &PresentedRefreshToken, family_key: &FamilyKey) -> bool {
        presented.proof == proof_of(presented.session, presented.generation, family_key)
    }
}

fn proof_of(session: SessionId, generation: u32, family_key: &FamilyKey) -> [u8; 16] {
    let [key, ..] = family_key.0.as_chunks::<16>().0 else { unreachable!("a family's key has two halves") };
    (u128::from_be_bytes(*key) ^ session.0.as_u128() ^ u128::from(generation)).to_be_bytes()
}

/// Device tokens that anyone can read and make: `device:<user>:<device>:<proof>`. The proof is the first half of the SHA-256 of
/// both and of the stored password.
#[derive(Debug, Default)]
pub struct PlainDeviceTokens;

impl DeviceTokens for PlainDeviceTokens {
    fn mint(&self, user: UserId, device: Uuid, password: &StoredPassword) -> Result<String, SigningError> {
        let proof = device_proof(user, device, password);
        Ok(format!("device:{user}:{device}:{}", Uuid::from_bytes(proof).simple()))
    }

    fn open(&self, presented: &str) -> Option<PresentedDevice> {
        let [user, device, proof] = fields(presented, "device:")?;
        let proof = read::<Uuid>(proof)?.into_bytes();
        Some(PresentedDevice { user: UserId(read(user)?), device: read(device)?, proof })
    }

    fn belongs(&self, presented: &PresentedDevice, password: &StoredPassword) -> bool {
        presented.proof == device_proof(presented.user, presented.device, password)
    }
}

fn device_proof(user: UserId, device: Uuid, password: &StoredPassword) -> [u8; 16] {
    let digest = Sha256::new().chain_update(user.0).chain_update(device).chain_update(&password.hash).finalize();
    let [proof, _] = *<[u8; 32]>::from(digest).as_chunks().0 else { unreachable!("32 bytes are twice 16") };
    proof
}

fn fields<'a, const N: usize>(presented: &'a str, prefix: &str) -> Option<[&'a str; N]> {
    presented.strip_prefix(prefix)?.split(':').collect::<Vec<_>>().try_into().ok()
}

fn read<T: FromStr>(text: &str) -> Option<T> {
    text.parse().ok()
}

#[cfg(test)]
mod tests {
    use coinlink_domain::identity::ClientInfo;
    use time::macros::datetime;

    use super::*;

    const NOON: OffsetDateTime = datetime!(2026-01-01 12:00 UTC);

    fn id(n: u128) -> Uuid {
        Uuid::from_u128(n)
    }

    #[tokio::test]
    async fn passwords_match_and_each_call_counts_but_not_while_it_is_busy() {
        let (hasher, password) = (PlainHasher::default(), Password::new("a$b".into()));
        let stored = hasher.hash(&password).await.unwrap();
        assert_eq!(stored, hasher.stored("a$b"));
        assert_eq!(hasher.check(&password, Some(&stored)).await, Ok(PasswordCheck { matches: true, outdated: false }));
        assert_eq!(hasher.check(&password, None).await, Ok(PasswordCheck { matches: false, outdated: false }));
        let older = PlainHasher::of_cost(10).stored("a$b");
        assert_eq!(hasher.check(&password, Some(&older)).await, Ok(PasswordCheck { matches: true, outdated: true }));
        hasher.be_busy(Duration::SECOND);
        assert_eq!(hasher.hash(&password).await, Err(HashError::Busy { retry_after: Duration::SECOND }));
        assert_eq!(hasher.calls(), 4);
        hasher.be_idle();
        assert!(hasher.hash(&password).await.is_ok());
    }

    #[test]
    fn access_tokens_say_what_they_grant_from_their_issue_until_their_end() {
        let grant = AccessGrant {
            user: UserId(id(1)),
            session: SessionId(id(2)),
            generation: 3,
            issued_at: NOON,
            expires_at: NOON + Duration::minutes(15),
        };
        let token = PlainAccessTokens.mint(&grant).unwrap().0;
        assert_eq!(PlainAccessTokens.verify(&token, NOON), Ok(grant));
        assert_eq!(PlainAccessTokens.verify(&token, NOON - Duration::SECOND), Err(AccessRefusal::NotYetValid));
        assert_eq!(PlainAccessTokens.verify(&token, NOON + Duration::minutes(15)), Err(AccessRefusal::Expired));
        assert_eq!(PlainAccessTokens.verify("access:1", NOON), Err(AccessRefusal::Invalid));
    }

    #[test]
    fn refresh_tokens_are_proven_by_their_own_family_only() {
        let mut session = Session::start(SessionId(id(2)), UserId(id(1)), FamilyKey([7; 32]), ClientInfo::default(), NOON);
        let first = PlainRefreshTokens.seal(&session).unwrap();
        session.generation = 2;
        assert_eq!(first, PlainRefreshTokens::of_generation(&session, 1));
        let opened = PlainRefreshTokens.open(&first).unwrap();
        assert_eq!((opened.session, opened.generation), (session.id, 1));
        assert!(PlainRefreshTokens.proves(&opened, &session.family_key));
        assert!(!PlainRefreshTokens.proves(&opened, &FamilyKey([8; 32])));
        assert!(!PlainRefreshTokens.proves(&PresentedRefreshToken { generation: 2, ..opened }, &session.family_key));
        let of_a_device = PlainDeviceTokens.mint(session.user, id(9), &PlainHasher::default().stored("a")).unwrap();
        assert!(PlainRefreshTokens.open(&of_a_device).is_none());
    }

    #[test]
    fn device_tokens_say_whose_they_are_and_end_with_the_password() {
        let (before, after) = (PlainHasher::default().stored("before"), PlainHasher::default().stored("after"));
        let token = PlainDeviceTokens.mint(UserId(id(1)), id(2), &before).unwrap();
        let opened = PlainDeviceTokens.open(&token).unwrap();
        assert_eq!((opened.user, opened.device), (UserId(id(1)), id(2)));
        assert!(PlainDeviceTokens.belongs(&opened, &before));
        assert!(!PlainDeviceTokens.belongs(&opened, &after));
        assert!(!PlainDeviceTokens.belongs(&PresentedDevice { user: UserId(id(3)), ..opened }, &before));
        assert!(!PlainDeviceTokens.belongs(&PresentedDevice { device: id(3), ..opened }, &before));
        for other in ["device:nobody".into(), format!("device:{}:{}", id(1), id(2)), format!("{token}:")] {
            assert_eq!(PlainDeviceTokens.open(&other), None, "{other}");
        }
    }
}
