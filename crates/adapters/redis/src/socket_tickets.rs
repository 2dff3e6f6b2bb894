use std::borrow::Cow;

use async_trait::async_trait;
use coinlink_domain::identity::{SecretDigest, SessionId, SocketTicket, UserId};
use coinlink_ports::{identity::SocketTickets, shared::BusError};
use deadpool_redis::redis::cmd;
use serde::{Deserialize, Serialize};
use time::{Duration, OffsetDateTime, UtcOffset, serde::rfc3339};
use uuid::Uuid;

use crate::link::RedisLink;

/// Tickets that every node takes: keys that lapse, each taken with GETDEL.
pub struct RedisSocketTickets {
    link: RedisLink,
}

impl RedisSocketTickets {
    /// The tickets behind `link`.
    pub fn new(link: RedisLink) -> Self {
        Self { link }
    }
}

#[derive(Serialize, Deserialize)]
struct Kept<'a> {
    user: Cow<'a, str>,
    session: Cow<'a, str>,
    #[serde(with = "rfc3339")]
    until: OffsetDateTime,
    #[serde(borrow)]
    origin: Option<Cow<'a, str>>,
}

fn write(ticket: &SocketTicket) -> Result<String, BusError> {
    let SocketTicket { user, session, until, origin } = ticket;
    let until = until.to_offset(UtcOffset::UTC);
    let id = |id: Uuid| id.simple().to_string().into();
    let kept = Kept { user: id(user.0), session: id(session.0), until, origin: origin.as_deref().map(Into::into) };
    serde_json::to_string(&kept).map_err(|error| BusError(format!("a ticket cannot be written: {error}")))
}

fn read(text: &str) -> Result<SocketTicket, BusError> {
    // Its text is not told: it may hold anything.
    let not_a_ticket = || BusError("a ticket that cannot be read".to_owned());
    let Kept { user, session, until, origin } = serde_json::from_str(text).map_err(|_| not_a_ticket())?;
    let id = |text: &str| Uuid::try_parse(text).map_err(|_| not_a_ticket());
    Ok(SocketTicket { user: UserId(id(&user)?), session: SessionId(id(&session)?), until, origin: origin.map(Into::into) })
}

#[async_trait]
impl SocketTickets for RedisSocketTickets {
    async fn put(&self, digest: SecretDigest, ticket: &SocketTicket, keep: Duration) -> Result<(), BusError> {
        let keep = i64::try_from(keep.whole_milliseconds()).unwrap_or(i64::MAX).clamp(1, i64::MAX / 2);
        let (key, text) = (self.link.keys().socket_ticket(digest), write(ticket)?);
        let mut put = cmd("SET");
        put.arg(key).arg(text).arg("PX").arg(keep);
        self.link.run("SET", |mut connection| async move { put.exec_async(&mut connection).await }).await
    }

    async fn take(&self, digest: SecretDigest) -> Result<Option<SocketTicket>, BusError> {
        let mut take = cmd("GETDEL");
        take.arg(self.link.keys().socket_ticket(digest));
        let taken: Option<String> =
            self.link.run("GETDEL", |mut connection| async move { take.query_async(&mut connection).await }).await?;
        taken.as_deref().map(read).transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use time::macros::datetime;

    proptest! {
        #[test]
        fn a_ticket_is_read_as_it_was_written(ids: [u128; 2], seconds in 0_i64..4_000_000_000, origin in prop::option::of(".{0,60}")) {
            let until = datetime!(1970-01-01 0:00 UTC) + Duration::seconds(seconds);
            let [user, session] = ids.map(Uuid::from_u128);
            let ticket = SocketTicket { user: UserId(user), session: SessionId(session), until, origin };
            prop_assert_eq!(read(&write(&ticket).unwrap()).unwrap(), ticket);
        }

        #[test]
        fn no_text_panics(text in ".{0,200}") {
            let _ = read(&text);
        }
    }
}
