//! Server frames (RFC 6455, section 5.2): unmasked, so one encoding serves every client.

use actix_http::ws::{CloseCode, CloseReason, OpCode, Parser};
use bytes::{Bytes, BytesMut};

fn whole(payload: &[u8], opcode: OpCode) -> Bytes {
    let mut frame = BytesMut::with_capacity(payload.len() + 10);
    Parser::write_message(&mut frame, payload, opcode, true, false);
    frame.freeze()
}

/// A text frame.
pub fn text(payload: &[u8]) -> Bytes {
    whole(payload, OpCode::Text)
}

/// A ping without payload.
pub fn ping() -> Bytes {
    whole(&[], OpCode::Ping)
}

/// The answer to a ping of that payload.
pub fn pong(payload: &[u8]) -> Bytes {
    whole(payload, OpCode::Pong)
}

/// A close frame; the reason is cut at 123 bytes by the protocol.
pub fn close(code: u16, reason: &str) -> Bytes {
    let mut frame = BytesMut::with_capacity(reason.len() + 4);
    let reason = CloseReason { code: CloseCode::from(code), description: Some(reason.to_owned()) };
    Parser::write_close(&mut frame, Some(reason), false);
    frame.freeze()
}
