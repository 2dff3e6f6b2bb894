//! The server's WebSocket frames, read in place.

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Frame<'a> {
    Text(&'a [u8]),
    Ping(&'a [u8]),
    /// The close code; 1005 where there is none.
    Close(u16),
    Other,
}

/// Bytes that no server sends.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct NotAFrame;

/// The first frame of `bytes` and its length; `None` while some of it is missing.
pub(crate) fn next(bytes: &[u8]) -> Result<Option<(Frame<'_>, usize)>, NotAFrame> {
    let [first, second, rest @ ..] = bytes else { return Ok(None) };
    if second & 0x80 != 0 || first & 0x70 != 0 {
        return Err(NotAFrame);
    }
    let (length, header) = match second {
        126 => match rest.first_chunk::<2>() {
            Some(length) => (usize::from(u16::from_be_bytes(*length)), 4),
            None => return Ok(None),
        },
        127 => match rest.first_chunk::<8>() {
            Some(length) => (usize::try_from(u64::from_be_bytes(*length)).map_err(|_| NotAFrame)?, 10),
            None => return Ok(None),
        },
        short => (usize::from(*short), 2),
    };
    let end = length.checked_add(header).ok_or(NotAFrame)?;
    let Some(payload) = bytes.get(header..end) else { return Ok(None) };
    let frame = match first & 0x0f {
        1 => Frame::Text(payload),
        8 => Frame::Close(payload.first_chunk().map_or(1005, |code| u16::from_be_bytes(*code))),
        9 => Frame::Ping(payload),
        _ => Frame::Other,
    };
    Ok(Some((frame, end)))
}

/// Hands the frames of `bytes`, which follow on `partial`, to `each`, and keeps the beginning of the next one.
pub(crate) fn feed(partial: &mut Vec<u8>, bytes: &[u8], mut each: impl FnMut(Frame<'_>)) -> Result<(), NotAFrame> {
    let mut joined = std::mem::take(partial);
    let mut rest = if joined.is_empty() {
        bytes
    } else {
        joined.extend_from_slice(bytes);
        &joined
    };
    while let Some((frame, length)) = next(rest)? {
        each(frame);
        rest = &rest[length..];
    }
    partial.extend_from_slice(rest);
    Ok(())
}

/// The answer to a ping. A client masks what it sends; with a mask of zeros that changes nothing.
pub(crate) fn pong(payload: &[u8]) -> Vec<u8> {
    let length = u8::try_from(payload.len()).unwrap_or(0).min(125);
    [&[0x8a, 0x80 | length, 0, 0, 0, 0], &payload[..usize::from(length)]].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn text(payload: &[u8]) -> Vec<u8> {
        let length = payload.len();
        let header = match u16::try_from(length) {
            Ok(short) if short < 126 => vec![0x81, u8::try_from(short).unwrap()],
            Ok(medium) => [&[0x81, 126][..], &medium.to_be_bytes()].concat(),
            Err(_) => [&[0x81, 127][..], &(length as u64).to_be_bytes()].concat(),
        };
        [&header, payload].concat()
    }

    #[test]
    fn each_kind_of_frame_is_told_apart() {
        assert_eq!(next(&text(b"hi")), Ok(Some((Frame::Text(b"hi"), 4))));
        assert_eq!(next(&[0x89, 1, 7]), Ok(Some((Frame::Ping(&[7]), 3))));
        assert_eq!(next(&[0x88, 2, 0x0f, 0xa1]), Ok(Some((Frame::Close(4001), 4))));
        assert_eq!(next(&[0x88, 0]), Ok(Some((Frame::Close(1005), 2))));
        assert_eq!(next(&[0x81, 0x80, 0, 0, 0, 0]), Err(NotAFrame));
        assert_eq!(next(&[0x81, 127, 0, 0, 0, 0, 0, 1, 0]), Ok(None));
    }

    #[test]
    fn a_pong_is_masked_and_echoes() {
        assert_eq!(pong(b"ab"), [0x8a, 0x82, 0, 0, 0, 0, b'a', b'b']);
    }

    proptest! {
        #[test]
        fn frames_come_out_whole_however_the_bytes_were_cut(sizes in prop::collection::vec(0_usize..70_000, 1..5), cut in 1_usize..9_000) {
            let bytes: Vec<u8> = sizes.iter().flat_map(|&size| text(&vec![b'x'; size])).collect();
            let (mut partial, mut seen) = (Vec::new(), Vec::new());
            for piece in bytes.chunks(cut) {
                feed(&mut partial, piece, |frame| if let Frame::Text(payload) = frame { seen.push(payload.len()) }).unwrap();
            }
            prop_assert_eq!(seen, sizes);
            prop_assert!(partial.is_empty());
        }

        #[test]
        fn no_bytes_panic_it(pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..300), 0..5)) {
            let mut partial = Vec::new();
            for piece in pieces {
                let _ = feed(&mut partial, &piece, |_| ());
            }
        }
    }
}
