//! Why the server closes a socket. Never with 1000: the front end takes that for a farewell and stays away.

use serde::Serialize;

use crate::wire;

/// A close by the server. `docs/socket-protocol.md` has the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Close {
    /// 1001: this node goes away; another one, or its successor, takes over. The reason says when to come back.
    Draining {
        /// How long to wait, spread over the clients so that they do not come back at once.
        retry_after_ms: u32,
    },
    /// 1002: the bytes are no WebSocket frames.
    Protocol,
    /// 1003: binary messages mean nothing here.
    Binary,
    /// 1007: a text message is not UTF-8.
    NotUtf8,
    /// 1009: a frame or message over 4 KiB.
    TooLarge,
    /// 4001: it does not read: a write made no progress for 5 s.
    TooSlow,
    /// 4002: neither a pong nor anything else for 45 s.
    Unresponsive,
    /// 4003: it kept sending long after being told that it sends too much.
    TooManyMessages,
    /// 4004: it tried one token or ticket after the other that is no good.
    NotAuthenticated,
}

#[derive(Serialize)]
struct Reason {
    #[serde(rename = "reason")]
    why: &'static str,
    retry: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after_ms: Option<u32>,
}

impl Close {
    /// The close code.
    pub const fn code(self) -> u16 {
        match self {
            Self::Draining { .. } => 1001,
            Self::Protocol => 1002,
            Self::Binary => 1003,
            Self::NotUtf8 => 1007,
            Self::TooLarge => 1009,
            Self::TooSlow => 4001,
            Self::Unresponsive => 4002,
            Self::TooManyMessages => 4003,
            Self::NotAuthenticated => 4004,
        }
    }

    const fn reason(self) -> Reason {
        let (why, retry, retry_after_ms) = match self {
            Self::Draining { retry_after_ms } => ("draining", "backoff", Some(retry_after_ms)),
            Self::Protocol => ("protocol_error", "no", None),
            Self::Binary => ("text_only", "no", None),
            Self::NotUtf8 => ("not_utf8", "no", None),
            Self::TooLarge => ("message_too_large", "no", None),
            Self::TooSlow => ("too_slow", "backoff", None),
            Self::Unresponsive => ("unresponsive", "now", None),
            Self::TooManyMessages => ("too_many_messages", "backoff", Some(60_000)),
            Self::NotAuthenticated => ("not_authenticated", "no", None),
        };
        Reason { why, retry, retry_after_ms }
    }

    /// The close frame; its reason is a JSON object.
    pub fn frame(self) -> bytes::Bytes {
        let reason = wire::json(&self.reason());
        super::frame::close(self.code(), &String::from_utf8_lossy(&reason))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_fits_a_close_frame_and_no_code_is_the_farewell() {
        for close in [
            Close::Draining { retry_after_ms: u32::MAX },
            Close::Protocol,
            Close::Binary,
            Close::NotUtf8,
            Close::TooLarge,
            Close::TooSlow,
            Close::Unresponsive,
            Close::TooManyMessages,
            Close::NotAuthenticated,
        ] {
            assert!(wire::json(&close.reason()).len() <= 123);
            assert_ne!(close.code(), 1000);
        }
    }
}
