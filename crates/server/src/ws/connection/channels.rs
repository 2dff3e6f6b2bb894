//! What clients of the first backend ask for: channels.

use bytes::Bytes;
use serde_json::json;

use super::{Connection, Context};
use crate::{wire::Said, ws::Channel};

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
}
