//! Which sockets of one thread are whose.

use std::{cell::RefCell, collections::HashMap, rc::Rc};

use coinlink_domain::shared::user_id::UserId;

use super::connection::Connection;

#[derive(Default)]
pub(super) struct Rooms(RefCell<HashMap<UserId, Vec<Rc<Connection>>>>);

impl Rooms {
    pub(super) fn enter(&self, user: UserId, connection: Rc<Connection>) {
        self.0.borrow_mut().entry(user).or_default().push(connection);
    }

    pub(super) fn leave(&self, user: UserId, connection: &Connection) {
        let mut rooms = self.0.borrow_mut();
        if let Some(there) = rooms.get_mut(&user) {
            there.retain(|one| !std::ptr::eq(&raw const **one, connection));
            if there.is_empty() {
                rooms.remove(&user);
            }
        }
    }

    /// The sockets of `user`, at most those of one user on one node.
    pub(super) fn of(&self, user: UserId) -> Vec<Rc<Connection>> {
        self.0.borrow().get(&user).cloned().unwrap_or_default()
    }
}
