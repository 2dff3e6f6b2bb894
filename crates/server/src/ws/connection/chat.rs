//! Questions to the assistant, and its answers: to this socket alone, as long as it is whose it was when they were asked.

use std::{rc::Rc, sync::Arc};

use coinlink_application::identity::{SocketHolder, SocketRefusal};
use coinlink_domain::assistant::Message;
use serde_json::json;
use uuid::Uuid;

use super::{Connection, Context};
use crate::{
    wire::Said,
    ws::{Asked, Channel, NoAnswer},
};

impl Connection {
    /// Asks the assistant beside the hub.
    pub(super) fn chat(self: &Rc<Self>, message: Message, channel: Channel, context: &Arc<Context>) {
        if self.chatting.replace(true) {
            let message = "one question after the other: the last one is not answered yet";
            return self.refuse("rate_limited", message, context);
        }
        // The hub may not have looked since the session ended: then it is nobody who asks.
        let holder = self.holder().filter(|holder| self.goes_on(holder, context));
        if holder.is_none() {
            self.talked.set(true);
        }
        let asked = Asked {
            message: message.clone(),
            user: holder.map(|holder| holder.user),
            session: holder.map(|holder| holder.session),
            from: self.from,
            connection: self.id,
        };
        let (this, id, context) = (Rc::downgrade(self), self.id, Arc::clone(context));
        actix_rt::spawn(async move {
            let answer = match context.thinking.try_acquire() {
                Ok(_one_of_few) => context.assistant.answer(asked).await,
                Err(_) => Err(NoAnswer::new("rate_limited", "too many questions at the moment; ask again")),
            };
            let goes_on = match &holder {
                Some(holder) => context.access.confirm(holder).await,
                None => Ok(()),
            };
            let Some(this) = this.upgrade().filter(|this| this.end.get().is_none()) else {
                if holder.is_none() {
                    // It ended meanwhile, and left this for when the answer is there.
                    context.assistant.forget(id).await;
                }
                return;
            };
            this.chatting.set(false);
            match answer.and_then(|answer| this.may_hear(holder.as_ref(), goes_on, &context).map(|()| answer)) {
                Ok(answer) => {
                    let data = json!({
                        "channel": channel.name(),
                        "user_message": &**message.text(),
                        "bot_response": &*answer,
                        "user_id": holder.map(|holder| holder.user.0),
                        "authenticated": holder.is_some(),
                    });
                    this.say(Said::ChatResponse, &data, &context);
                }
                Err(NoAnswer { code, message, retry_after }) => this.refuse_until(code, &message, retry_after, &context),
            }
        });
    }

    /// Whether what was answered to `holder` may be said here: the socket is theirs, in the same session, and that goes on.
    fn may_hear(
        &self,
        holder: Option<&SocketHolder>,
        goes_on: Result<(), SocketRefusal>,
        context: &Context,
    ) -> Result<(), NoAnswer> {
        let Some(holder) = holder else { return Ok(()) };
        let now = self.holder().filter(|now| (now.user, now.session) == (holder.user, holder.session));
        if !now.is_some_and(|now| self.goes_on(&now, context)) {
            return Err(NoAnswer::new("session_ended", "the socket is not whose it was when this was asked; ask again"));
        }
        goes_on.map_err(|_| NoAnswer::new("auth_failed", "nobody can say at the moment whether the session goes on; ask again"))
    }

    /// The conversation that ends with the socket, where it had one as nobody's and no answer is under way: that one sees to it.
    pub(in crate::ws) fn left_behind(&self) -> Option<Uuid> {
        (self.talked.get() && !self.chatting.get()).then_some(self.id)
    }
}
