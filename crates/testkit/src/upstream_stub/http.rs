//! Just enough HTTP/1.1 to misbehave on purpose, which a full server does not let us do.

use tokio::io::{AsyncRead, AsyncReadExt};

/// One request as it came.
#[derive(Debug, Clone, Default)]
pub struct Recorded {
    pub method: String,
    /// Without the query.
    pub path: String,
    pub query: Vec<(String, String)>,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
}

impl Recorded {
    pub fn query(&self, name: &str) -> Option<&str> {
        find(&self.query, name)
    }

    /// `name` in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        find(&self.headers, name)
    }
}

fn find<'a>(pairs: &'a [(String, String)], name: &str) -> Option<&'a str> {
    pairs.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
}

/// The next request's head, or `None` when the connection ended or sent no HTTP. Bodies are not expected.
pub(super) async fn read_request(stream: &mut (impl AsyncRead + Unpin)) -> Option<Recorded> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        if head.len() > 16 * 1024 {
            return None;
        }
        head.push(stream.read_u8().await.ok()?);
    }
    let head = String::from_utf8(head).ok()?;
    let mut lines = head.split("\r\n");
    let mut first = lines.next()?.split(' ');
    let (method, target) = (first.next()?.to_owned(), first.next()?);
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let pair = |pair: &str| pair.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned()));
    let header = |line: &str| line.split_once(':').map(|(name, value)| (name.to_lowercase(), value.trim().to_owned()));
    Some(Recorded {
        method,
        path: path.to_owned(),
        query: query.split('&').filter_map(pair).collect(),
        headers: lines.filter_map(header).collect(),
    })
}

/// A whole answer; `announced` is the body length it claims.
pub(super) fn answer(status: u16, content_type: &str, headers: &[(String, String)], body: &str, announced: usize) -> String {
    let mut head = format!("HTTP/1.1 {status} Stub\r\ncontent-type: {content_type}\r\ncontent-length: {announced}\r\n");
    for (name, value) in headers {
        head.extend([name, ": ", value, "\r\n"]);
    }
    head + "\r\n" + body
}
