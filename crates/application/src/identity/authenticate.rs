use std::sync::Arc;

use coinlink_domain::identity::{LEEWAY, SessionId, SessionPolicy};
use coinlink_ports::{
    identity::{AccessGrant, AccessRefusal, AccessTokens, IdentityStore},
    shared::{Clock, Pause},
};
use futures_util::future::{Either, select};
use time::Duration;

use super::RevokedSessions;

/// Whether a session that a token names goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It does, as far as this node heard within the last moments.
    Good,
    /// It is over.
    Revoked,
    /// Nobody can be asked: neither what the nodes share nor the store has answered for a while.
    Unknown,
}

/// Finds out who presents an access token.
pub struct Authenticate {
    /// Reads tokens.
    pub tokens: Arc<dyn AccessTokens>,
    /// Where the arrival of new tokens is noted.
    pub store: Arc<dyn IdentityStore>,
    /// Sessions this node knows to be over.
    pub revoked: Arc<RevokedSessions>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// How waiting is done.
    pub pause: Arc<dyn Pause>,
    /// How long a rotation's grace lasts.
    pub policy: SessionPolicy,
}

/// A request waits no longer than this for a store that does not answer.
const CONFIRM_WITHIN: Duration = Duration::milliseconds(250);

impl Authenticate {
    /// What the token grants now. Does no I/O.
    pub fn verify(&self, bearer: &str) -> Result<AccessGrant, AccessRefusal> {
        self.tokens.verify(bearer, self.clock.now())
    }

    /// Whether the session goes on, given what the gate said of it, and whether the gate was this node's alone. Does no I/O.
    pub fn standing(&self, session: SessionId, revoked_by_gate: bool, gate_alone: bool) -> Standing {
        if revoked_by_gate || self.revoked.contains(session) {
            Standing::Revoked
        } else if gate_alone && !self.revoked.is_current(self.clock.monotonic()) {
            Standing::Unknown
        } else {
            Standing::Good
        }
    }

    /// Notes that the tokens of a rotation have arrived, which ends the grace for its parent. To be called before the request is
    /// carried out; asks the store only for a token made within the grace, so about once a rotation. A store that does not
    /// answer leaves the grace to its own end.
    pub async fn confirm(&self, grant: &AccessGrant) {
        // The sign-in's tokens have no parent.
        let first = grant.generation <= 1;
        // It may seem older here than it is: its maker's clock may be behind this one.
        let settled = grant.issued_at + self.policy.grace + LEEWAY < self.clock.now();
        if first || settled || self.revoked.was_used(grant.session, grant.generation) {
            return;
        }
        let noted = select(self.store.confirm(grant.session, grant.generation), self.pause.pause(CONFIRM_WITHIN)).await;
        match noted {
            Either::Left((Ok(()), _)) => self.revoked.note_use(grant.session, grant.generation),
            Either::Left((Err(error), _)) => tracing::warn!(%error, "the arrival of refreshed tokens could not be noted"),
            Either::Right(_) => {
                // The store may have it all the same, and the grace ends by itself: other requests are not held up again.
                self.revoked.note_use(grant.session, grant.generation);
                tracing::warn!("the arrival of refreshed tokens was not noted in time");
            }
        }
    }
}
