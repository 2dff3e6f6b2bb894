//! What one socket sees of the ticker.

use std::{collections::BTreeSet, sync::Arc};

use coinlink_domain::market::{Resumption, Symbol, TickId};
use serde_json::json;

use super::{Connection, Context, Subscription};
use crate::wire::Said;

impl Connection {
    pub(super) fn subscribe(&self, symbols: Option<BTreeSet<Symbol>>, delta: bool, interval_ms: u32, context: &Context) {
        let names: Option<Vec<&str>> = symbols.as_ref().map(|symbols| symbols.iter().map(Symbol::as_str).collect());
        let mode = if delta { "delta" } else { "full" };
        self.say(Said::Subscribed, &json!({ "symbols": names, "mode": mode, "interval_ms": interval_ms }), context);
        self.view(Some(Subscription { symbols: symbols.map(Arc::new), delta, interval_ms }), context);
    }

    pub(super) fn unsubscribe(&self, context: &Context) {
        self.say(Said::Unsubscribed, &json!({ "symbols": null, "mode": "full", "interval_ms": 0 }), context);
        self.view(None, context);
    }

    /// Changes the view and shows it at once.
    fn view(&self, subscription: Option<Subscription>, context: &Context) {
        self.subscription.replace(subscription);
        self.show_again(context);
    }

    fn show_again(&self, context: &Context) {
        self.last_tick.replace(None);
        self.last.set((TickId { epoch: 0, seq: 0 }, u64::MAX));
        self.shown_at.set(0);
        self.show_current(context);
    }

    /// Each frame asked for counts as a message, so that few bytes in cannot bring many out without end.
    fn may_be_sent(&self, frames: usize, context: &Context) -> bool {
        let mut messages = self.messages.borrow_mut();
        (1..frames).all(|_| messages.take(context.steady(), context.limits.messages).is_ok())
    }

    pub(super) fn resume(&self, last: TickId, context: &Context) {
        match context.broadcaster.resume(last) {
            Resumption::Recovered(missed) if self.may_be_sent(missed.len(), context) => {
                self.say(Said::Resumed, &json!({ "recovered": true, "missed": missed.len() }), context);
                for tick in &missed {
                    let frame = match &*self.subscription.borrow() {
                        None => context.broadcaster.frame_of(tick),
                        Some(view) => view.frame_of(tick),
                    };
                    self.send(frame, context);
                }
                if let Some(newest) = missed.last() {
                    // The next delta builds on what was sent last.
                    self.last.set((newest.id, 0));
                    self.shown_at.set(context.millis());
                    if self.subscription.borrow().as_ref().is_some_and(|view| view.delta) {
                        self.last_tick.replace(Some(Arc::clone(newest)));
                    }
                }
            }
            Resumption::Recovered(_) | Resumption::Lost(_) => {
                self.say(Said::Resumed, &json!({ "recovered": false, "missed": null }), context);
                self.show_again(context);
            }
        }
    }
}
