//! As much of an HTTP client as waiting for a server needs.

use std::time::Duration;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

/// The status of a `GET` of `url` (`http://host:port/path`), or `None` where no answer came within a second.
pub(super) async fn status(url: &str) -> Option<u16> {
    timeout(Duration::from_secs(1), get(url)).await.ok().flatten()
}

async fn get(url: &str) -> Option<u16> {
    let rest = url.strip_prefix("http://").unwrap_or_else(|| panic!("{url} is not http://host:port/path"));
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let mut stream = TcpStream::connect(host).await.ok()?;
    let request = format!("GET /{path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.ok()?;
    let mut line = [0; 12];
    stream.read_exact(&mut line).await.ok()?;
    std::str::from_utf8(&line).ok()?.strip_prefix("HTTP/1.1 ")?.parse().ok()
}
