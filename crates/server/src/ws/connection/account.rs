//! Whose a socket is: shown in band, for as long as the access token behind it and its session go on.

use std::{cell::Cell, rc::Rc, sync::Arc};

use coinlink_application::identity::{SocketHolder, SocketRefusal};
use serde_json::json;
use time::Duration;

use super::{Connection, Context};
use crate::{
    wire::{self, Said},
    ws::{
        Close, MOST_OF_A_USER, Private,
        connections::Seat,
        inbound::{Secret, Shown},
    },
};

/// How long before the end clients are told of it.
const TOLD_BEFORE: Duration = Duration::seconds(60);
/// Tries without success, after which the socket is closed.
const MOST_FAILED: u8 = 5;

pub(super) struct Account {
    holder: SocketHolder,
    /// Whether the client was told that it ends soon.
    told: Cell<bool>,
    seat: Seat,
}

impl Connection {
    pub(super) fn holder(&self) -> Option<SocketHolder> {
        self.account.borrow().as_ref().map(|account| account.holder)
    }

    /// Presents the ticket that came with the handshake.
    pub(super) fn present_ticket(self: &Rc<Self>, context: &Arc<Context>) {
        let ticket = self.ticket.take();
        if let Some(ticket) = ticket {
            self.authenticate(Shown::Ticket(Secret(ticket)), context);
        }
    }

    /// Finds out beside the hub whose the socket is; the next message waits for that.
    pub(super) fn authenticate(self: &Rc<Self>, shown: Shown, context: &Arc<Context>) {
        if self.asking.replace(true) {
            return;
        }
        let (this, context) = (Rc::downgrade(self), Arc::clone(context));
        let origin = self.origin.clone();
        actix_rt::spawn(async move {
            let access = &context.access;
            let found = match &shown {
                Shown::Nothing => Ok(None),
                Shown::Token(token) => access.by_token(&token.0).await.map(Some),
                Shown::Ticket(ticket) => access.by_ticket(&ticket.0, origin.as_deref()).await.map(Some),
            };
            let Some(this) = this.upgrade() else { return };
            this.asking.set(false);
            if this.end.get().is_none() {
                this.found(found, &context);
                this.understand(&context);
            }
            this.wake.notify_one();
        });
    }

    fn found(self: &Rc<Self>, found: Result<Option<SocketHolder>, SocketRefusal>, context: &Context) {
        match found {
            Ok(Some(holder)) => self.belong_to(holder, context),
            Ok(None) => self.fail("missing_token", "send a token or a ticket", context),
            Err(SocketRefusal::Invalid) => self.fail("invalid_token", "the token or ticket is no good: get a new one", context),
            Err(SocketRefusal::Revoked) => self.fail("invalid_token", "the session was ended: sign in again", context),
            Err(SocketRefusal::Unavailable) => {
                self.refuse("auth_failed", "nobody can say at the moment whether this is good; try again", context);
            }
        }
    }

    fn fail(&self, code: &str, message: &str, context: &Context) {
        self.failed.set(self.failed.get().saturating_add(1));
        self.refuse(code, message, context);
        if self.failed.get() >= MOST_FAILED {
            self.close(Close::NotAuthenticated, context);
        }
    }

    /// A place among the sockets of the holder's user; `None` where that one has too many.
    fn take_seat(self: &Rc<Self>, holder: &SocketHolder, context: &Context) -> Option<Seat> {
        self.become_nobodys(context);
        let seat = self.place.connections().take_seat(holder.user)?;
        self.rooms.enter(holder.user, Rc::clone(self));
        context.figures.open.dec();
        context.figures.open_of_users.inc();
        Some(seat)
    }

    fn belong_to(self: &Rc<Self>, holder: SocketHolder, context: &Context) {
        let again = self.account.borrow_mut().take_if(|account| account.holder.user == holder.user);
        let seat = again.map(|account| account.seat).or_else(|| self.take_seat(&holder, context));
        let Some(seat) = seat else {
            let message = format!("a user may have {MOST_OF_A_USER} sockets on one node");
            return self.refuse("auth_failed", &message, context);
        };
        self.failed.set(0);
        self.account.replace(Some(Box::new(Account { holder, told: Cell::new(false), seat })));
        let data = json!({
            "user_id": holder.user.0,
            "status": "authenticated",
            "expires_at": wire::rfc3339(holder.until),
        });
        self.say(Said::Authenticated, &data, context);
    }

    /// From now on it is an anonymous socket. `true` when it was somebody's.
    fn become_nobodys(&self, context: &Context) -> bool {
        let Some(account) = self.account.take() else { return false };
        self.rooms.leave(account.holder.user, self);
        context.figures.open_of_users.dec();
        context.figures.open.inc();
        true
    }

    /// Nobody's any more, and in no channel: the socket ends.
    pub(super) fn leave_all(&self, context: &Context) {
        self.become_nobodys(context);
        self.quit_all();
    }

    /// Tells the user something, unless the session is known to be over.
    pub(in crate::ws) fn tell(&self, private: &Private, context: &Context) {
        let Some(holder) = self.holder().filter(|holder| holder.user == private.user) else { return };
        if self.end.get().is_some() || !self.goes_on(&holder, context) {
            return;
        }
        for frame in &private.frames {
            self.send(frame.clone(), context);
        }
    }

    /// What the hub looks after once a second: whether the socket is still its user's.
    pub(super) fn tend_account(&self, context: &Context) {
        let (holder, soon) = {
            let account = self.account.borrow();
            let Some(account) = &*account else { return };
            let soon = account.holder.until - context.clock.now() <= TOLD_BEFORE && !account.told.get();
            if soon {
                account.told.set(true);
            }
            (account.holder, soon)
        };
        if self.goes_on(&holder, context) && soon {
            let left = (holder.until - context.clock.now()).max(Duration::ZERO);
            let data = json!({ "expires_at": wire::rfc3339(holder.until), "expires_in_ms": wire::millis(left) });
            self.say(Said::AuthExpiring, &data, context);
        }
    }

    /// Whether it does; where it does not, the socket goes on as nobody's, and is told.
    pub(super) fn goes_on(&self, holder: &SocketHolder, context: &Context) -> bool {
        let reason = if context.access.is_over(holder.session) {
            "session_ended"
        } else if holder.until <= context.clock.now() {
            "expired"
        } else {
            return true;
        };
        self.become_nobodys(context);
        self.say(Said::AuthEnded, &json!({ "reason": reason, "authenticated": false }), context);
        false
    }
}
