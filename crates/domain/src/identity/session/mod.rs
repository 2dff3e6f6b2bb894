//! Sessions and the rotation of their refresh tokens.
//!
//! A session is one refresh token family. Its tokens are numbered: the newest generation is the one that is valid, its
//! immediate parent is answered once more within a short grace (the answer may have been lost on its way), and anything
//! older shows that two hold the family, which ends it. RFC 9700, 4.14.2.

use std::net::IpAddr;

use sha2::{Digest as _, Sha256};
use time::{Duration, OffsetDateTime};

use super::{SessionId, UserId};

/// How long sessions live and how their tokens rotate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionPolicy {
    /// A session that is not refreshed for so long ends.
    pub idle: Duration,
    /// A session ends so long after its sign-in, however busy.
    pub absolute: Duration,
    /// How long after a rotation the parent is answered with its successor again. Fixed: a replay does not prolong it.
    pub grace: Duration,
    /// How often it is.
    pub max_replays: u32,
    /// How long a client that named its request (`Idempotency-Key`) gets the same answer again.
    pub retry: Duration,
    /// Sessions an account may have; a further sign-in ends the one used least recently.
    pub max_sessions: usize,
    /// How long a second factor that was shown does for sensitive acts.
    pub factor_fresh: Duration,
}

impl Default for SessionPolicy {
    fn default() -> Self {
        Self {
            idle: Duration::days(7),
            absolute: Duration::days(30),
            grace: Duration::seconds(10),
            max_replays: 5,
            retry: Duration::minutes(5),
            max_sessions: 20,
            factor_fresh: Duration::minutes(5),
        }
    }
}

/// Clocks of nodes may differ by so much where it is judged how old an access token is.
pub const LEEWAY: Duration = Duration::seconds(60);

/// A random key of 256 bits that proves a family's tokens, so that neither the server's keys alone nor a copy of the
/// database alone make one.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct FamilyKey(pub [u8; 32]);

impl std::fmt::Debug for FamilyKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("FamilyKey(…)")
    }
}

/// The SHA-256 of the name a client gave its request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryKey(pub [u8; 32]);

impl RetryKey {
    /// The longest name, in characters.
    pub const MAX_LEN: usize = 255;

    /// Of a name of 1 to 255 visible ASCII characters; `None` for any other.
    #[must_use]
    pub fn of(name: &str) -> Option<Self> {
        let fits = (1..=Self::MAX_LEN).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_graphic());
        fits.then(|| Self(Sha256::digest(name).into()))
    }
}

/// Where a session was last seen; for its owner to recognise it, never to judge it by.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ClientInfo {
    /// The client's address (IPv6: its /64).
    pub ip: Option<IpAddr>,
    /// What the client calls itself, cut to 400 characters.
    pub user_agent: Option<String>,
}

impl ClientInfo {
    /// The longest name of a client that is kept, in characters.
    pub const MAX_USER_AGENT: usize = 400;

    /// Cuts what is too long and drops control characters.
    #[must_use]
    pub fn new(ip: Option<IpAddr>, user_agent: Option<&str>) -> Self {
        let kept = |text: &str| text.chars().filter(|c| !c.is_control()).take(Self::MAX_USER_AGENT).collect::<String>();
        Self { ip, user_agent: user_agent.map(kept).filter(|text| !text.is_empty()) }
    }

    /// What it seems to be, for people: browser and system where their usual marks are found. Whoever
    /// writes the text decides which are, and nothing else of it is told.
    #[must_use]
    pub fn device(&self) -> String {
        // The first mark that is found counts: others claim to be Safari or Chrome too.
        const BROWSERS: [(&str, &str); 6] = [
            ("Edg/", "Edge"),
            ("OPR/", "Opera"),
            ("Firefox/", "Firefox"),
            ("FxiOS/", "Firefox"),
            ("Chrome/", "Chrome"),
            ("Safari/", "Safari"),
        ];
        const SYSTEMS: [(&str, &str); 6] = [
            ("Android", "Android"),
            ("iPhone", "iPhone"),
            ("iPad", "iPad"),
            ("Windows", "Windows"),
            ("Mac OS X", "macOS"),
            ("Linux", "Linux"),
        ];
        const UNKNOWN: &str = "unknown device";
        let Some(text) = self.user_agent.as_deref() else { return UNKNOWN.to_owned() };
        let found = |marks: &[(&str, &'static str)]| marks.iter().find(|(mark, _)| text.contains(mark)).map(|(_, name)| *name);
        match (found(&BROWSERS), found(&SYSTEMS)) {
            (Some(browser), Some(system)) => format!("{browser} on {system}"),
            (Some(name), None) | (None, Some(name)) => name.to_owned(),
            // Not a word of what it says: this is read in our letters.
            (None, None) => UNKNOWN.to_owned(),
        }
    }
}

/// One sign-in and what followed from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Its id, and its family's.
    pub id: SessionId,
    /// Whose it is.
    pub user: UserId,
    /// Proves its refresh tokens.
    pub family_key: FamilyKey,
    /// The newest generation of tokens; the sign-in's is 1.
    pub generation: u32,
    /// Whether the newest tokens are known to have arrived: the access token of this generation was used.
    pub confirmed: bool,
    /// How often the newest rotation was answered again.
    pub replays: u32,
    /// How the client named the request that made the newest generation.
    pub retry_key: Option<RetryKey>,
    /// When it was signed in.
    pub created_at: OffsetDateTime,
    /// When the newest generation was made.
    pub rotated_at: OffsetDateTime,
    /// Where it was last refreshed from.
    pub client: ClientInfo,
    /// When its user last showed a second factor in it.
    pub second_factor_at: Option<OffsetDateTime>,
    /// That it is over.
    pub ended: Option<Ending>,
}

/// That a session is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ending {
    /// Since when.
    pub at: OffsetDateTime,
    /// Why.
    pub reason: EndReason,
}

/// Why a session is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndReason {
    /// Its user signed out.
    SignedOut,
    /// Its user signed out everywhere, or removed it from the list.
    Removed,
    /// The password was changed elsewhere.
    PasswordChanged,
    /// A refresh token was used twice: somebody has a copy.
    TokenReused,
    /// Its user has more sessions than allowed, and this was used least recently.
    Evicted,
    /// An administrator, or a change of what the account may do.
    Administered,
    /// A second factor was set up or removed elsewhere.
    SecondFactorChanged,
    /// The account's address was changed, or the change was taken back.
    EmailChanged,
    /// Somebody showed that the address is theirs, and this session is not known to be.
    Reclaimed,
}

impl EndReason {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::SignedOut,
        Self::Removed,
        Self::PasswordChanged,
        Self::TokenReused,
        Self::Evicted,
        Self::Administered,
        Self::SecondFactorChanged,
        Self::EmailChanged,
        Self::Reclaimed,
    ];

    /// As stored and told.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::SignedOut => "signed_out",
            Self::Removed => "removed",
            Self::PasswordChanged => "password_changed",
            Self::TokenReused => "token_reused",
            Self::Evicted => "evicted",
            Self::Administered => "administered",
            Self::SecondFactorChanged => "second_factor_changed",
            Self::EmailChanged => "email_changed",
            Self::Reclaimed => "reclaimed",
        }
    }

    /// The reason of this [`EndReason::name`].
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.name() == name)
    }
}

/// What presenting a refresh token led to; all of it must be stored, [`Presented::Reused`] too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Presented {
    /// The session has a new generation.
    Rotated,
    /// The newest generation is given out once more.
    Replayed,
    /// The session is over: two hold its tokens.
    Reused,
}

/// A refresh token leads nowhere, and nothing follows from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RefreshRefusal {
    /// The session is over already.
    #[error("the session is over")]
    Ended(EndReason),
    /// The session was left idle, or has reached its age.
    #[error("the session has expired")]
    Expired,
    /// The rotation was answered often enough; the session goes on.
    #[error("this refresh token was presented too often at once")]
    TooManyReplays,
    /// A generation that was never made.
    #[error("the token is of no generation of this session")]
    UnknownGeneration,
}

impl Session {
    /// The session of a sign-in.
    #[must_use]
    pub fn start(id: SessionId, user: UserId, family_key: FamilyKey, client: ClientInfo, now: OffsetDateTime) -> Self {
        Self {
            id,
            user,
            family_key,
            generation: 1,
            confirmed: false,
            replays: 0,
            retry_key: None,
            created_at: now,
            rotated_at: now,
            client,
            second_factor_at: None,
            ended: None,
        }
    }

    /// Whether a second factor was shown in it within the last [`SessionPolicy::factor_fresh`].
    #[must_use]
    pub fn has_fresh_factor(&self, now: OffsetDateTime, policy: &SessionPolicy) -> bool {
        self.second_factor_at.is_some_and(|at| now < at + policy.factor_fresh)
    }

    /// From when on it is over if nothing happens.
    #[must_use]
    pub fn expires_at(&self, policy: &SessionPolicy) -> OffsetDateTime {
        (self.rotated_at + policy.idle).min(self.created_at + policy.absolute)
    }

    /// Whether it goes on.
    #[must_use]
    pub fn is_live(&self, now: OffsetDateTime, policy: &SessionPolicy) -> bool {
        self.ended.is_none() && now < self.expires_at(policy)
    }

    /// Presents the refresh token of `generation`, in a request its client named `retry_key`.
    pub fn present(
        &mut self,
        generation: u32,
        retry_key: Option<RetryKey>,
        now: OffsetDateTime,
        policy: &SessionPolicy,
    ) -> Result<Presented, RefreshRefusal> {
        if let Some(ending) = self.ended {
            return Err(RefreshRefusal::Ended(ending.reason));
        }
        if now >= self.expires_at(policy) {
            return Err(RefreshRefusal::Expired);
        }
        if generation == self.generation {
            self.generation = self.generation.saturating_add(1);
            self.rotated_at = now;
            self.retry_key = retry_key;
            self.confirmed = false;
            self.replays = 0;
            return Ok(Presented::Rotated);
        }
        if generation == 0 || generation > self.generation {
            return Err(RefreshRefusal::UnknownGeneration);
        }
        if generation + 1 == self.generation {
            if retry_key.is_some() && retry_key == self.retry_key && now < self.rotated_at + policy.retry {
                return Ok(Presented::Replayed);
            }
            if !self.confirmed && now < self.rotated_at + policy.grace {
                if self.replays >= policy.max_replays {
                    return Err(RefreshRefusal::TooManyReplays);
                }
                self.replays += 1;
                return Ok(Presented::Replayed);
            }
        }
        self.end(EndReason::TokenReused, now);
        Ok(Presented::Reused)
    }

    /// Notes that an access token of `generation` was used: the answer that brought it arrived. Whether that was news.
    pub fn confirm(&mut self, generation: u32) -> bool {
        let news = generation == self.generation && !self.confirmed;
        self.confirmed |= news;
        news
    }

    /// Ends it. Whether it was not over before; the first reason stays.
    pub fn end(&mut self, reason: EndReason, now: OffsetDateTime) -> bool {
        let was_live = self.ended.is_none();
        self.ended.get_or_insert(Ending { at: now, reason });
        was_live
    }
}

/// Which of an account's live sessions make room for one more: those refreshed least recently.
#[must_use]
pub fn to_evict(mut live: Vec<Session>, policy: &SessionPolicy) -> Vec<Session> {
    live.sort_by_key(|session| (session.rotated_at, session.id));
    let room = policy.max_sessions.max(1) - 1;
    live.truncate(live.len().saturating_sub(room));
    live
}

#[cfg(test)]
mod tests;
