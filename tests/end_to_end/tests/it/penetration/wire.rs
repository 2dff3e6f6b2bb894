//! Requests as bytes.

use std::{
    io::{Read as _, Write as _},
    net::{Shutdown, SocketAddr, TcpStream},
    time::Duration,
};

const PATIENCE: Duration = Duration::from_secs(20);

/// A request that ends the connection; what it is answered with tells that the server took it for a request.
pub(super) const LAST: &[u8] = b"GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";

/// Everything the server said until it hung up.
pub(super) fn exchange(address: SocketAddr, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    // A server that hangs up amid a request makes the rest fail: what it said before counts.
    let _ = stream.write_all(bytes);
    let _ = stream.shutdown(Shutdown::Write);
    let mut said = Vec::new();
    let mut chunk = vec![0; 65536];
    while let Ok(count @ 1..) = stream.read(&mut chunk) {
        said.extend_from_slice(&chunk[..count]);
    }
    String::from_utf8_lossy(&said).into_owned()
}

/// The statuses of all answers in it.
pub(super) fn statuses(said: &str) -> Vec<u16> {
    let after = said.split("HTTP/1.1 ").skip(1).chain(said.split("HTTP/1.0 ").skip(1));
    after.filter_map(|rest| rest.get(..3)?.parse().ok()).collect()
}

/// A header of the first answer; empty where it is not there.
pub(super) fn header<'a>(said: &'a str, name: &str) -> &'a str {
    let head = said.split("\r\n\r\n").next().unwrap_or_default();
    let named =
        |line: &'a str| line.split_once(": ").filter(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value);
    head.lines().find_map(named).unwrap_or_default()
}
