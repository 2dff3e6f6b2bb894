use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use coinlink_domain::identity::{SecretDigest, SocketTicket};
use coinlink_ports::{
    identity::SocketTickets,
    shared::{BusError, Clock},
};
use time::Duration;

use crate::lock;

/// Tickets kept at once. At the limit of requests a signed-in user has, hundreds of users ask for nothing else.
const MOST: usize = 100_000;

/// Tickets in this process; a restart forgets them. Time is monotonic.
pub struct EmbeddedSocketTickets {
    clock: Arc<dyn Clock>,
    kept: Mutex<HashMap<[u8; 32], (SocketTicket, Duration)>>,
}

impl EmbeddedSocketTickets {
    /// None yet.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, kept: Mutex::default() }
    }
}

#[async_trait]
impl SocketTickets for EmbeddedSocketTickets {
    async fn put(&self, digest: SecretDigest, ticket: &SocketTicket, keep: Duration) -> Result<(), BusError> {
        let now = self.clock.monotonic();
        let mut kept = lock(&self.kept);
        if kept.len() >= MOST {
            kept.retain(|_, (_, until)| *until > now);
        }
        if kept.len() >= MOST {
            return Err(BusError(format!("{MOST} tickets for sockets wait already")));
        }
        kept.insert(digest.0, (ticket.clone(), now + keep));
        Ok(())
    }

    async fn take(&self, digest: SecretDigest) -> Result<Option<SocketTicket>, BusError> {
        let now = self.clock.monotonic();
        let taken = lock(&self.kept).remove(&digest.0);
        Ok(taken.and_then(|(ticket, until)| (until > now).then_some(ticket)))
    }
}
