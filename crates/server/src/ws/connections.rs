//! Who is here: the open sockets of a node, whose they are, and what they listen to.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use coinlink_domain::shared::user_id::UserId;

use super::Channel;

/// Sockets of one user on one node: a few tabs of four each.
pub const MOST_OF_A_USER: usize = 20;

/// How many sockets are open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ConnectionCounts {
    /// All of them.
    pub total: usize,
    /// Those of signed-in users.
    pub authenticated: usize,
    /// The others.
    pub anonymous: usize,
    /// Users with one at least.
    pub users: usize,
    /// Channels somebody joined.
    pub channels: usize,
}

#[derive(Debug, Default)]
struct Counts {
    total: AtomicUsize,
    channels: [AtomicUsize; Channel::ALL.len()],
    users: Mutex<HashMap<UserId, usize>>,
}

/// The open sockets of this node.
#[derive(Debug, Clone, Default)]
pub struct Connections(Arc<Counts>);

impl Connections {
    /// How many are open now.
    pub fn counts(&self) -> ConnectionCounts {
        let total = self.0.total.load(Ordering::Relaxed);
        let (users, authenticated) = {
            let users = self.users();
            (users.len(), users.values().sum())
        };
        let channels = self.0.channels.iter().filter(|listeners| listeners.load(Ordering::Relaxed) > 0).count();
        ConnectionCounts { total, authenticated, anonymous: total.saturating_sub(authenticated), users, channels }
    }

    /// Takes a place; `None` when `most` are taken.
    pub(super) fn take_place(&self, most: usize) -> Option<Place> {
        let place = Place(self.clone());
        (self.0.total.fetch_add(1, Ordering::Relaxed) < most).then_some(place)
    }

    /// Takes a seat of `user`; `None` when all are taken.
    pub(super) fn take_seat(&self, user: UserId) -> Option<Seat> {
        let mut users = self.users();
        let taken = users.entry(user).or_default();
        if *taken >= MOST_OF_A_USER {
            return None;
        }
        *taken += 1;
        drop(users);
        Some(Seat { connections: self.clone(), user })
    }

    pub(super) fn joined(&self, channel: Channel) {
        self.0.channels[channel as usize].fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn left(&self, channel: Channel) {
        self.0.channels[channel as usize].fetch_sub(1, Ordering::Relaxed);
    }

    fn users(&self) -> MutexGuard<'_, HashMap<UserId, usize>> {
        // Held for a few lines that neither wait nor fail.
        self.0.users.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One open socket or event stream: dropped, it is no longer counted.
#[derive(Debug)]
pub struct Place(Connections);

impl Place {
    pub(super) const fn connections(&self) -> &Connections {
        &self.0
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.0.total.fetch_sub(1, Ordering::Relaxed);
    }
}

/// One socket of a signed-in user: dropped, it is no longer counted.
#[derive(Debug)]
pub(super) struct Seat {
    connections: Connections,
    user: UserId,
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut users = self.connections.users();
        if let Some(taken) = users.get_mut(&self.user) {
            *taken -= 1;
            if *taken == 0 {
                users.remove(&self.user);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn sockets_are_counted_by_user_and_a_user_has_twenty() {
        let connections = Connections::default();
        let (ada, bob) = (UserId(Uuid::from_u128(1)), UserId(Uuid::from_u128(2)));
        let _places: Vec<_> = (0..30).map(|_| connections.take_place(100).unwrap()).collect();
        let mut seats: Vec<_> = (0..MOST_OF_A_USER).map(|_| connections.take_seat(ada).unwrap()).collect();
        assert!(connections.take_seat(ada).is_none());
        let other = connections.take_seat(bob).unwrap();
        let counts = connections.counts();
        assert_eq!((counts.total, counts.authenticated, counts.anonymous, counts.users), (30, 21, 9, 2));
        drop(other);
        seats.pop();
        assert!(connections.take_seat(ada).is_some(), "a seat that is given up is free");
        drop(seats);
        assert_eq!(connections.counts().users, 0);
    }

    #[test]
    fn a_channel_counts_while_somebody_listens() {
        let connections = Connections::default();
        connections.joined(Channel::General);
        connections.joined(Channel::General);
        connections.joined(Channel::MarketNews);
        connections.left(Channel::General);
        assert_eq!(connections.counts().channels, 2);
        connections.left(Channel::General);
        assert_eq!(connections.counts().channels, 1);
    }
}
