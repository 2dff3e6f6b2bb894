//! Client frames to messages, in bounded memory.

use actix_http::ws::{Codec, Frame, Item, ProtocolError};
use bytes::{Bytes, BytesMut};
use tokio_util::codec::Decoder as _;

use super::Close;

/// What a client sent.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Received {
    Text(Bytes),
    Ping(Bytes),
    Pong,
    Close(Option<u16>),
}

/// Frames and fragments not yet whole. Holds no memory of messages that were read.
pub(super) struct Decoder {
    codec: Codec,
    buffer: BytesMut,
    fragments: Option<BytesMut>,
    parts: usize,
    limit: usize,
    /// Frames were taken out of the buffer, whose memory is as large as with them.
    taken: bool,
}

/// Fragments of one message: empty ones cost the sender nothing.
const MOST_PARTS: usize = 64;

/// The payload length a frame declares, as soon as its header says so (RFC 6455, section 5.2).
fn declared(buffer: &[u8]) -> Option<u64> {
    match *buffer.get(1)? & 0x7F {
        126 => Some(u16::from_be_bytes(buffer.get(2..4)?.try_into().ok()?).into()),
        127 => Some(u64::from_be_bytes(buffer.get(2..10)?.try_into().ok()?)),
        short => Some(short.into()),
    }
}

impl Decoder {
    pub(super) fn new(limit: usize) -> Self {
        Self { codec: Codec::new().max_size(limit), buffer: BytesMut::new(), fragments: None, parts: 0, limit, taken: false }
    }

    pub(super) fn feed(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// The next whole message; `None` when more bytes are needed. An error ends the connection. A frame that declares
    /// more than the limit is refused by its header, before its payload is kept.
    pub(super) fn next(&mut self) -> Result<Option<Received>, Close> {
        loop {
            if declared(&self.buffer).is_some_and(|length| length > self.limit as u64) {
                return Err(Close::TooLarge);
            }
            let frame = self.codec.decode(&mut self.buffer).map_err(|error| match error {
                ProtocolError::Overflow => Close::TooLarge,
                _ => Close::Protocol,
            })?;
            let Some(frame) = frame else {
                if std::mem::take(&mut self.taken) {
                    self.buffer = BytesMut::from(&self.buffer[..]);
                }
                return Ok(None);
            };
            self.taken = true;
            match frame {
                Frame::Text(text) => return Ok(Some(Received::Text(text))),
                Frame::Ping(payload) => return Ok(Some(Received::Ping(payload))),
                Frame::Pong(_) => return Ok(Some(Received::Pong)),
                Frame::Close(reason) => return Ok(Some(Received::Close(reason.map(|reason| reason.code.into())))),
                Frame::Binary(_) | Frame::Continuation(Item::FirstBinary(_)) => return Err(Close::Binary),
                Frame::Continuation(Item::FirstText(part)) => {
                    self.parts = 1;
                    self.fragments = Some(BytesMut::from(&part[..]));
                }
                Frame::Continuation(Item::Continue(part)) => self.append(&part)?,
                Frame::Continuation(Item::Last(part)) => {
                    self.append(&part)?;
                    return Ok(self.fragments.take().map(|whole| Received::Text(whole.freeze())));
                }
            }
        }
    }

    fn append(&mut self, part: &[u8]) -> Result<(), Close> {
        let fragments = self.fragments.get_or_insert_default();
        self.parts += 1;
        if fragments.len() + part.len() > self.limit || self.parts > MOST_PARTS {
            return Err(Close::TooLarge);
        }
        fragments.extend_from_slice(part);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_http::ws::{OpCode, Parser};
    use proptest::prelude::*;

    const LIMIT: usize = 4096;

    fn client(payload: &[u8], opcode: OpCode, fin: bool) -> Vec<u8> {
        let mut frame = BytesMut::new();
        Parser::write_message(&mut frame, payload, opcode, fin, true);
        frame.to_vec()
    }

    fn all(decoder: &mut Decoder) -> Result<Vec<Received>, Close> {
        std::iter::from_fn(|| decoder.next().transpose()).collect()
    }

    #[test]
    fn a_frame_that_declares_four_hundred_megabytes_is_refused_by_its_header() {
        let mut decoder = Decoder::new(LIMIT);
        decoder.feed(&[0x81, 0xFF]);
        assert_eq!(decoder.next(), Ok(None));
        decoder.feed(&400_000_000_u64.to_be_bytes());
        assert_eq!(decoder.next(), Err(Close::TooLarge));
    }

    #[test]
    fn the_largest_message_passes_and_one_byte_more_does_not() {
        for (size, expected) in [(LIMIT, Ok(1)), (LIMIT + 1, Err(Close::TooLarge))] {
            let mut decoder = Decoder::new(LIMIT);
            decoder.feed(&client(&vec![b'a'; size], OpCode::Text, true));
            assert_eq!(all(&mut decoder).map(|messages| messages.len()), expected);
        }
    }

    #[test]
    fn fragments_are_one_message_and_their_sum_is_bounded() {
        let mut decoder = Decoder::new(LIMIT);
        decoder.feed(&client(b"{\"type\":", OpCode::Text, false));
        decoder.feed(&client(b"", OpCode::Ping, true));
        decoder.feed(&client(b"\"ping\"}", OpCode::Continue, true));
        let text = Received::Text(Bytes::from_static(b"{\"type\":\"ping\"}"));
        assert_eq!(all(&mut decoder), Ok(vec![Received::Ping(Bytes::new()), text]));

        decoder.feed(&client(&[b'a'; 3000], OpCode::Text, false));
        decoder.feed(&client(&[b'a'; 3000], OpCode::Continue, true));
        assert_eq!(all(&mut decoder), Err(Close::TooLarge));
    }

    #[test]
    fn a_message_of_endless_empty_fragments_is_refused() {
        let mut decoder = Decoder::new(LIMIT);
        decoder.feed(&client(b"", OpCode::Text, false));
        for _ in 0..70 {
            decoder.feed(&client(b"", OpCode::Continue, false));
        }
        assert_eq!(all(&mut decoder), Err(Close::TooLarge));
    }

    #[test]
    fn what_came_before_a_half_frame_is_not_kept_with_it() {
        let mut decoder = Decoder::new(LIMIT);
        let mut early = client(&[b'x'; 125], OpCode::Pong, true).repeat(900);
        early.extend(&client(b"hello", OpCode::Text, true)[..8]);
        decoder.feed(&early);
        assert_eq!(all(&mut decoder).unwrap().len(), 900);
        assert_eq!(decoder.buffer.len(), 8);
        assert!(!decoder.buffer.try_reclaim(1024), "its memory is as large as all of it");
    }

    #[test]
    fn an_unmasked_frame_and_reserved_bits_are_protocol_errors() {
        for bytes in [&[0x81, 0x01, b'a'][..], &[0xF1, 0x80, 0, 0, 0, 0][..]] {
            let mut decoder = Decoder::new(LIMIT);
            decoder.feed(bytes);
            assert_eq!(decoder.next(), Err(Close::Protocol), "{bytes:?}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_panic_it_and_what_it_keeps_is_bounded(chunks in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..600), 0..40)) {
            let mut decoder = Decoder::new(LIMIT);
            for chunk in chunks {
                decoder.feed(&chunk);
                if all(&mut decoder).is_err() {
                    break;
                }
                prop_assert!(decoder.buffer.len() <= LIMIT + 14 + chunk.len());
            }
        }

        #[test]
        fn however_the_bytes_are_cut_the_message_is_the_same(payload in "[a-z]{0,300}", cut in 1_usize..40) {
            let mut decoder = Decoder::new(LIMIT);
            let mut received = Vec::new();
            for chunk in client(payload.as_bytes(), OpCode::Text, true).chunks(cut) {
                decoder.feed(chunk);
                received.extend(all(&mut decoder).unwrap());
            }
            prop_assert_eq!(received, vec![Received::Text(Bytes::from(payload))]);
        }
    }
}
