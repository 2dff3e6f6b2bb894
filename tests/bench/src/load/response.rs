//! An HTTP/1.1 response's status and length, as far as a load client must know them.

use memchr::{memchr, memmem};

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Response<'a> {
    pub(crate) status: u16,
    pub(crate) body: &'a [u8],
    /// Head and body.
    pub(crate) length: usize,
}

/// The response that `bytes` begins with; `None` while some of it is missing. Only bodies with a Content-Length are known.
pub(crate) fn parse(bytes: &[u8]) -> Result<Option<Response<'_>>, &'static str> {
    let Some(head) = memmem::find(bytes, b"\r\n\r\n") else { return Ok(None) };
    let status = bytes.get(9..12).and_then(number).ok_or("no status")?;
    let status = u16::try_from(status).map_err(|_| "no status")?;
    let body = head + 4;
    let length = body.checked_add(content_length(&bytes[..head]).ok_or("no Content-Length")?).ok_or("too long")?;
    Ok(bytes.get(body..length).map(|body| Response { status, body, length }))
}

fn content_length(head: &[u8]) -> Option<usize> {
    const NAME: &[u8] = b"content-length:";
    let mut rest = head;
    while let Some(end) = memchr(b'\n', rest) {
        rest = &rest[end + 1..];
        if rest.len() > NAME.len() && rest[..NAME.len()].eq_ignore_ascii_case(NAME) {
            let value = &rest[NAME.len()..];
            return number(value[..memchr(b'\r', value).unwrap_or(value.len())].trim_ascii());
        }
    }
    None
}

fn number(digits: &[u8]) -> Option<usize> {
    std::str::from_utf8(digits).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_response_is_known_once_all_of_it_is_there() {
        let bytes = b"HTTP/1.1 404 Not Found\r\ndate: x\r\nContent-Length: 3\r\n\r\nabcHTTP";
        assert_eq!(parse(bytes), Ok(Some(Response { status: 404, body: b"abc", length: bytes.len() - 4 })));
        for missing in 5..bytes.len() - 1 {
            assert_eq!(parse(&bytes[..bytes.len() - missing]), Ok(None));
        }
        assert_eq!(parse(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"), Err("no Content-Length"));
    }

    proptest! {
        #[test]
        fn no_bytes_panic_it(bytes in prop::collection::vec(any::<u8>(), 0..300), length in ".{0,30}") {
            let _ = parse(&bytes);
            let _ = parse(format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n").as_bytes());
        }
    }
}
