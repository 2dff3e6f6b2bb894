//! What is not understood or not taken, and until when.

use serde_json::json;
use time::Duration;

use super::{Connection, Context};
use crate::{
    wire::{self, Said},
    ws::{Close, inbound::Misunderstood},
};

impl Connection {
    /// Whether one more message is within the limit; says so once when it is not, and closes when that changes nothing.
    pub(super) fn may_speak(&self, context: &Context) -> bool {
        let policy = context.limits.messages;
        let Err(wait) = self.messages.borrow_mut().take(context.steady(), policy) else {
            self.refused.set(0);
            return true;
        };
        self.refused.set(self.refused.get() + 1);
        if self.refused.get() == 1 {
            let message = format!("at most {} messages a minute; the next one in {} ms", policy.limit, wire::millis(wait));
            self.refuse_until("rate_limited", &message, Some(wait), context);
        } else if self.refused.get() > policy.limit {
            self.close(Close::TooManyMessages, context);
        }
        false
    }

    pub(super) fn object(&self, misunderstood: &Misunderstood, context: &Context) {
        self.refuse(misunderstood.code, &misunderstood.message, context);
    }

    pub(super) fn refuse(&self, code: &str, message: &str, context: &Context) {
        self.refuse_until(code, message, None, context);
    }

    /// The same, for so long.
    pub(super) fn refuse_until(&self, code: &str, message: &str, wait: Option<Duration>, context: &Context) {
        let mut data = json!({ "error_code": code, "error_message": message });
        if let Some(wait) = wait {
            data["retry_after_ms"] = wire::millis(wait).into();
        }
        self.say(Said::Error, &data, context);
    }
}
