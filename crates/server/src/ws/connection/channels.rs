//! What clients of the first backend ask for: channels, and answers of the assistant.

use std::{rc::Rc, sync::Arc};

use bytes::Bytes;
use serde_json::json;

use super::{Connection, Context};
use crate::{
    wire::Said,
    ws::{Asked, Channel, NoAnswer},
};

impl Connection {
    pub(in crate::ws) fn listens_to(&self, channel: Channel) -> bool {
        self.channels.get() & channel.bit() != 0
    }

    /// Offers what is pushed to a channel, where it was joined.
    pub(in crate::ws) fn push(&self, channel: Channel, frame: &Bytes, context: &Context) {
        if self.listens_to(channel) {
            self.offer(frame, context);
        }
    }

    /// Offers what everybody is shown.
    pub(in crate::ws) fn show_all(&self, frame: &Bytes, context: &Context) {
        self.offer(frame, context);
    }

    fn enter(&self, channel: Channel) {
        if !self.listens_to(channel) {
            self.channels.set(self.channels.get() | channel.bit());
            self.place.connections().joined(channel);
        }
    }

    fn quit(&self, channel: Channel) {
        if self.listens_to(channel) {
            self.channels.set(self.channels.get() & !channel.bit());
            self.place.connections().left(channel);
        }
    }

    pub(super) fn quit_all(&self) {
        for channel in Channel::ALL {
            self.quit(channel);
        }
    }

    pub(super) fn join(&self, channel: Channel, context: &Context) {
        self.enter(channel);
        self.say(Said::ChannelJoined, &json!({ "channel": channel.name() }), context);
        match channel {
            Channel::General => {}
            Channel::BitcoinPrices => self.show_bitcoin(context),
            Channel::MarketNews => {
                for frame in context.feeds.current_news().iter() {
                    self.push(channel, frame, context);
                }
            }
        }
    }

    pub(super) fn leave(&self, channel: Channel, context: &Context) {
        self.quit(channel);
        self.say(Said::ChannelLeft, &json!({ "channel": channel.name() }), context);
    }

    pub(super) fn subscribe_bitcoin(&self, context: &Context) {
        self.enter(Channel::BitcoinPrices);
        self.show_bitcoin(context);
    }

    pub(super) fn unsubscribe_bitcoin(&self, context: &Context) {
        self.quit(Channel::BitcoinPrices);
        self.say(Said::BitcoinUnsubscribed, &json!({ "status": "unsubscribed" }), context);
    }

    /// Nothing while no price was ever known: the first one comes with its tick.
    fn show_bitcoin(&self, context: &Context) {
        if let Some(frame) = &context.broadcaster.current().bitcoin_frame {
            self.push(Channel::BitcoinPrices, frame, context);
        }
    }

    /// Asks the assistant beside the hub: what it answers goes to this socket alone.
    pub(super) fn chat(self: &Rc<Self>, text: String, channel: Channel, context: &Arc<Context>) {
        if self.chatting.replace(true) {
            return self.refuse("rate_limited", "one question after the other: the last one is not answered yet", context);
        }
        let user = self.user();
        let asked = Asked { text: text.clone(), user, from: self.from, connection: self.id };
        let (this, context) = (Rc::downgrade(self), Arc::clone(context));
        actix_rt::spawn(async move {
            let answer = match context.thinking.try_acquire() {
                Ok(_one_of_few) => context.assistant.answer(asked).await,
                Err(_) => {
                    Err(NoAnswer { code: "rate_limited", message: "too many questions at the moment; ask again".to_owned() })
                }
            };
            let Some(this) = this.upgrade() else { return };
            this.chatting.set(false);
            if this.end.get().is_some() {
                return;
            }
            match answer {
                Ok(answer) => {
                    let data = json!({
                        "channel": channel.name(),
                        "user_message": text,
                        "bot_response": &*answer,
                        "user_id": user.map(|user| user.0),
                        "authenticated": user.is_some(),
                    });
                    this.say(Said::ChatResponse, &data, &context);
                }
                Err(NoAnswer { code, message }) => this.refuse(code, &message, &context),
            }
        });
    }
}
