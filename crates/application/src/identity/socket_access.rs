use std::sync::Arc;

use coinlink_domain::identity::{SessionId, SocketTicket, UserId};
use coinlink_ports::{
    identity::{AccessGrant, AccessRefusal, SocketTickets},
    shared::{Admission, BusError, Clock, Entropy, RequestGate},
};
use time::OffsetDateTime;

use super::{Authenticate, Standing};

/// Whose a socket is, and until when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SocketHolder {
    /// Whose.
    pub user: UserId,
    /// In which session: the socket is nobody's once that is over.
    pub session: SessionId,
    /// Until when, unless it is shown something newer.
    pub until: OffsetDateTime,
}

/// Why a socket stays nobody's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SocketRefusal {
    /// What was shown is none of ours, was used before, is over, or is another page's.
    #[error("the token or ticket is no good")]
    Invalid,
    /// The session is over.
    #[error("the session is over")]
    Revoked,
    /// Nobody can be asked at the moment.
    #[error("nobody can say whether the session goes on")]
    Unavailable,
}

/// Says whose a socket is, by what it shows in band: an access token, or a ticket that is good once.
pub struct SocketAccess {
    /// Reads tokens, and knows which sessions are over.
    pub authenticate: Arc<Authenticate>,
    /// Tickets that were given out.
    pub tickets: Arc<dyn SocketTickets>,
    /// What the nodes share.
    pub gate: Arc<dyn RequestGate>,
    /// Secrets.
    pub entropy: Arc<dyn Entropy>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
}

impl SocketAccess {
    /// Gives out a ticket to the holder of `grant`, for a page of `origin`.
    #[tracing::instrument(level = "debug", skip_all, name = "issue_socket_ticket")]
    pub async fn issue(&self, grant: &AccessGrant, origin: Option<&str>) -> Result<String, BusError> {
        let text = SocketTicket::text_of(&self.entropy.key());
        let AccessGrant { user, session, expires_at: until, .. } = *grant;
        let ticket = SocketTicket { user, session, until, origin: origin.map(str::to_owned) };
        if let Some(digest) = SocketTicket::digest_of(&text) {
            self.tickets.put(digest, &ticket, SocketTicket::GOOD_FOR).await?;
        }
        Ok(text)
    }

    /// Whose socket an access token makes it.
    #[tracing::instrument(level = "debug", skip_all, name = "socket_by_token")]
    pub async fn by_token(&self, token: &str) -> Result<SocketHolder, SocketRefusal> {
        let grant = self.authenticate.verify(token).map_err(|refusal| match refusal {
            AccessRefusal::Invalid | AccessRefusal::Expired | AccessRefusal::NotYetValid => SocketRefusal::Invalid,
        })?;
        let AccessGrant { user, session, expires_at: until, .. } = grant;
        // Requests are judged with leeway; a socket would be over the moment it began.
        if until <= self.clock.now() {
            return Err(SocketRefusal::Invalid);
        }
        self.goes_on(session).await?;
        self.authenticate.confirm(&grant).await;
        Ok(SocketHolder { user, session, until })
    }

    /// Whose socket a ticket makes it, where a page of `origin` opened it. Whatever comes of it, the ticket is used up.
    #[tracing::instrument(level = "debug", skip_all, name = "socket_by_ticket")]
    pub async fn by_ticket(&self, text: &str, origin: Option<&str>) -> Result<SocketHolder, SocketRefusal> {
        let digest = SocketTicket::digest_of(text).ok_or(SocketRefusal::Invalid)?;
        let taken = self.tickets.take(digest).await.map_err(|error| {
            tracing::warn!(%error, "a ticket for a socket could not be looked up");
            SocketRefusal::Unavailable
        })?;
        let now = self.clock.now();
        let ticket = taken.filter(|ticket| ticket.admits(origin, now)).ok_or(SocketRefusal::Invalid)?;
        self.goes_on(ticket.session).await?;
        Ok(SocketHolder { user: ticket.user, session: ticket.session, until: ticket.until })
    }

    /// Whether the holder's session goes on, asked of what the nodes share: another node may have ended it this moment. This node
    /// knows from then on that it is over.
    #[tracing::instrument(level = "debug", skip_all, name = "confirm_socket")]
    pub async fn confirm(&self, holder: &SocketHolder) -> Result<(), SocketRefusal> {
        let answer = self.goes_on(holder.session).await;
        if answer == Err(SocketRefusal::Revoked) {
            self.authenticate.revoked.add([holder.session]);
        }
        answer
    }

    /// Whether this node knows that the session is over. Does no I/O.
    pub fn is_over(&self, session: SessionId) -> bool {
        self.authenticate.revoked.contains(session)
    }

    async fn goes_on(&self, session: SessionId) -> Result<(), SocketRefusal> {
        let asked = self.gate.admit(&Admission { charges: Vec::new(), session: Some(session.0) }).await;
        let (revoked, alone) = asked.map_or((false, true), |admitted| (admitted.revoked, false));
        match self.authenticate.standing(session, revoked, alone) {
            Standing::Good => Ok(()),
            Standing::Revoked => Err(SocketRefusal::Revoked),
            Standing::Unknown => Err(SocketRefusal::Unavailable),
        }
    }
}
