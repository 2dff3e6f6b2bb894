//! Long answers that are handed to their connection a piece at a time: while nobody takes one, its connection holds no copy of the whole.

use std::{
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll},
};

use actix_web::{
    body::{BodySize, MessageBody},
    http::header::ContentEncoding,
};
use bytes::Bytes;

const PIECE: usize = 16 * 1024;

/// A body that is all there and goes out as it is.
pub(super) struct Pieces(Bytes);

impl MessageBody for Pieces {
    type Error = Infallible;

    fn size(&self) -> BodySize {
        BodySize::Sized(self.0.len() as u64)
    }

    fn poll_next(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Bytes, Infallible>>> {
        let rest = &mut self.get_mut().0;
        let piece = rest.split_to(rest.len().min(PIECE));
        Poll::Ready((!piece.is_empty()).then_some(Ok(piece)))
    }
}

/// The body in pieces where it is long; otherwise the body.
pub(super) fn in_pieces<B: MessageBody>(coding: ContentEncoding, body: B) -> Result<Pieces, B> {
    let is_long = matches!(body.size(), BodySize::Sized(length) if length > PIECE as u64);
    if coding == ContentEncoding::Identity && is_long { body.try_into_bytes().map(Pieces) } else { Err(body) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::body::{BoxBody, to_bytes};
    use std::future::poll_fn;

    fn text(length: usize) -> Bytes {
        (0..length).map(|n| b'a' + (n % 26) as u8).collect()
    }

    #[tokio::test]
    async fn a_long_answer_goes_out_in_pieces_and_is_the_same() {
        let whole = text(PIECE * 3 + 1);
        let pieces = in_pieces(ContentEncoding::Identity, BoxBody::new(whole.clone())).unwrap_or_else(|_| panic!("it is long"));
        assert_eq!(pieces.size(), BodySize::Sized(whole.len() as u64));
        let mut body = Box::pin(BoxBody::new(pieces));
        let mut given = Vec::new();
        while let Some(piece) = poll_fn(|cx| body.as_mut().poll_next(cx)).await {
            let piece = piece.unwrap();
            assert!(piece.len() <= PIECE);
            given.extend(piece);
        }
        assert_eq!(given, whole);
    }

    #[tokio::test]
    async fn what_is_short_or_will_be_packed_stays_as_it_was() {
        for (coding, length) in [(ContentEncoding::Identity, PIECE), (ContentEncoding::Gzip, PIECE * 2)] {
            let body = in_pieces(coding, BoxBody::new(text(length))).err().unwrap();
            assert_eq!(to_bytes(body).await.unwrap(), text(length));
        }
    }
}
