//! Asks a running server whether it works: what a container's health check runs, where there is no other program that could.

use std::{
    io::{self, Read as _, Write as _},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, TcpStream, ToSocketAddrs as _},
    time::{Duration, Instant},
};

use serde_json::Value;
use url::Url;

use crate::config::Settings;

/// The answer has to be there by then.
pub const WITHIN: Duration = Duration::from_secs(3);
/// More than the status line of any answer.
const LINE: usize = 256;
/// More than what any of ours says of why it is not ready.
const ANSWER: usize = 16 * 1024;
/// Told beside the others, and decide nothing.
const TOLD_ONLY: [&str; 2] = ["feed", "observability"];
/// What is shown of an answer is no longer than this.
const SHOWN: usize = 80;

/// The server does not work, or could not be asked.
#[derive(Debug, thiserror::Error)]
pub enum Unhealthy {
    /// It cannot be asked that way.
    #[error("{0} is no http:// URL of a host")]
    Url(Url),
    /// Nobody answered.
    #[error("no answer from {url}: {source}")]
    NoAnswer {
        /// Who was asked.
        url: Url,
        /// Why.
        source: io::Error,
    },
    /// Whoever listens says nothing.
    #[error("no answer from {url} within {} s", .within.as_secs_f32())]
    Late {
        /// Who was asked.
        url: Url,
        /// How long it was waited for.
        within: Duration,
    },
    /// Whoever answered speaks no HTTP.
    #[error("{0} does not answer in HTTP")]
    NotHttp(Url),
    /// It says no.
    #[error("{url} answers {status}{}{}", if .failing.is_empty() { "" } else { ": " }, .failing.join(", "))]
    Status {
        /// Who was asked.
        url: Url,
        /// What it said.
        status: u16,
        /// The checks that it says fail, and how.
        failing: Vec<String>,
    },
}

/// Where the server of these settings is asked from beside it: one that listens everywhere listens on the loopback too.
pub fn own_url(settings: &Settings, ready: bool) -> Option<Url> {
    let host = match settings.server.host.parse::<IpAddr>() {
        Ok(IpAddr::V4(Ipv4Addr::UNSPECIFIED)) => "127.0.0.1".to_owned(),
        Ok(IpAddr::V6(Ipv6Addr::UNSPECIFIED)) => "[::1]".to_owned(),
        Ok(IpAddr::V6(address)) => format!("[{address}]"),
        Ok(IpAddr::V4(_)) | Err(_) => settings.server.host.clone(),
    };
    let path = if ready { "readyz" } else { "livez" };
    Url::parse(&format!("http://{host}:{}/{path}", settings.server.port)).ok()
}

/// Whether `url` answers 200 in time.
pub fn ask(url: &Url, within: Duration) -> Result<(), Unhealthy> {
    let (Some(host), Some(port), "http") = (url.host_str(), url.port_or_known_default(), url.scheme()) else {
        return Err(Unhealthy::Url(url.clone()));
    };
    let answer = answer(url, host, port, Instant::now() + within).map_err(|source| match source.kind() {
        // The first is what the system calls a read that took too long.
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => Unhealthy::Late { url: url.clone(), within },
        _ => Unhealthy::NoAnswer { url: url.clone(), source },
    })?;
    match status_of(&answer) {
        Some(200) => Ok(()),
        Some(status) => Err(Unhealthy::Status { url: url.clone(), status, failing: failing(&answer).unwrap_or_default() }),
        None => Err(Unhealthy::NotHttp(url.clone())),
    }
}

/// The first line of a good answer, and of another one as much as comes in time: the line decides, and what follows says why.
fn answer(url: &Url, host: &str, port: u16, until: Instant) -> io::Result<Vec<u8>> {
    let left = || {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() { Err(io::ErrorKind::TimedOut.into()) } else { Ok::<_, io::Error>(left) }
    };
    // A name is looked up as the system does; an address in brackets is none.
    let name = host.trim_start_matches('[').trim_end_matches(']');
    let mut refused = io::Error::new(io::ErrorKind::NotFound, "the host has no address");
    let mut connection = None;
    for address in (name, port).to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, left()?) {
            Ok(stream) => {
                connection = Some(stream);
                break;
            }
            Err(error) => refused = error,
        }
    }
    let mut stream = connection.ok_or(refused)?;
    stream.set_write_timeout(Some(left()?))?;
    let request = format!(
        "GET {} HTTP/1.1\r\nHost: {host}:{port}\r\nUser-Agent: coinlink-healthcheck\r\nConnection: close\r\n\r\n",
        &url[url::Position::BeforePath..url::Position::AfterQuery]
    );
    stream.write_all(request.as_bytes())?;
    let mut answer = Vec::with_capacity(LINE);
    while !is_enough(&answer) {
        let mut some = [0; LINE];
        // Each read may take what is left of the whole: one that drips does not get more.
        let read = left().and_then(|left| stream.set_read_timeout(Some(left)).and_then(|()| stream.read(&mut some)));
        match read {
            Ok(0) => break,
            Ok(count) => answer.extend_from_slice(&some[..count]),
            Err(_) if has_line(&answer) => break,
            Err(error) => return Err(error),
        }
    }
    Ok(answer)
}

fn has_line(answer: &[u8]) -> bool {
    answer.len() >= LINE || answer.contains(&b'\n')
}

fn is_enough(answer: &[u8]) -> bool {
    let refused = || status_of(answer).is_some_and(|status| status != 200);
    has_line(answer) && (!refused() || answer.len() >= ANSWER || failing(answer).is_some())
}

/// What the body of an answer says of the checks that fail; `None` where it is not all there, or says nothing of that kind.
fn failing(answer: &[u8]) -> Option<Vec<String>> {
    let body = answer.windows(4).position(|four| four == b"\r\n\r\n").and_then(|end| answer.get(end + 4..))?;
    let body: Value = serde_json::from_slice(body).ok()?;
    let plain = |text: &str| text.len() <= SHOWN && text.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic());
    let told = body.get("checks")?.as_object()?.iter().filter_map(|(name, check)| {
        let (status, message) = (check.get("status")?.as_str()?, check.get("message")?.as_str()?);
        (status != "up" && !TOLD_ONLY.contains(&name.as_str()) && plain(name) && plain(message))
            .then(|| format!("{name} ({message})"))
    });
    Some(told.collect())
}

/// The status of an answer that begins so.
fn status_of(line: &[u8]) -> Option<u16> {
    let digits = line.strip_prefix(b"HTTP/1.1 ").or_else(|| line.strip_prefix(b"HTTP/1.0 "))?.get(..3)?;
    let ends = matches!(line.get(12), None | Some(b' ' | b'\r' | b'\n'));
    std::str::from_utf8(digits).ok().filter(|text| ends && text.bytes().all(|byte| byte.is_ascii_digit()))?.parse().ok()
}

#[cfg(test)]
mod tests {
    use std::{net::TcpListener, thread};

    use proptest::prelude::*;

    use super::*;
    use crate::config::{Mode, Sources, load};

    /// A server that says these bytes to the first who calls.
    fn says(answer: &'static [u8]) -> Url {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let url = Url::parse(&format!("http://{}/livez", listener.local_addr().unwrap())).unwrap();
        thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut head = [0; 1024];
            let _ = stream.read(&mut head);
            let _ = stream.write_all(answer);
        });
        url
    }

    #[test]
    fn only_a_200_is_healthy_and_everything_else_is_told_apart() {
        assert!(ask(&says(b"HTTP/1.1 200 OK\r\n\r\n"), WITHIN).is_ok());
        let told = |answer| ask(&says(answer), WITHIN).unwrap_err().to_string();
        assert!(told(b"HTTP/1.1 503 Service Unavailable\r\n\r\n").ends_with("/livez answers 503"));
        assert!(told(b"HTTP/1.1 204\r\n\r\n").ends_with("answers 204"));
        for stranger in [&b"220 mail.example.com ESMTP\r\n"[..], b"", b"HTTP/1.1 2000 \r\n", b"HTTP/2"] {
            assert!(told(stranger).ends_with("does not answer in HTTP"));
        }
    }

    #[test]
    fn what_fails_is_named_and_what_a_stranger_says_is_not_shown() {
        let told = |answer| ask(&says(answer), WITHIN).unwrap_err().to_string();
        let both = told(
            b"HTTP/1.1 503 Service Unavailable\r\nX: y\r\n\r\n{\"status\":\"unhealthy\",\"checks\":{\
              \"database\":{\"status\":\"down\",\"message\":\"cannot be used\"},\"feed\":{\"status\":\"down\",\"message\":\"none\"},\
              \"observability\":{\"status\":\"down\",\"message\":\"none\"},\
              \"redis\":{\"status\":\"down\",\"message\":\"no answer within 250 ms\"},\"websocket\":{\"status\":\"up\",\"message\":\"\"}}}",
        );
        assert!(both.ends_with("answers 503: database (cannot be used), redis (no answer within 250 ms)"), "{both}");
        for other in [
            &b"HTTP/1.1 503 \r\n\r\n<html>"[..],
            b"HTTP/1.1 503 \r\n\r\n{\"checks\":{\"a\":{\"status\":\"down\",\"message\":\"\\u001b[31m\"},\"b\":7}}",
            b"HTTP/1.1 503 \r\n\r\n{\"checks\":{\"a\":{\"status\":\"do",
        ] {
            assert!(told(other).ends_with("answers 503"), "{}", told(other));
        }
    }

    #[test]
    fn a_refusal_whose_reason_does_not_come_is_told_in_time() {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let url = Url::parse(&format!("http://{}/readyz", listener.local_addr().unwrap())).unwrap();
        let server = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            stream.write_all(b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 10\r\n\r\n").unwrap();
            let _ = stream.read_to_end(&mut Vec::new());
        });
        let started = Instant::now();
        let told = ask(&url, Duration::from_millis(100)).unwrap_err().to_string();
        assert!(told.ends_with("answers 503") && started.elapsed() < WITHIN, "{told}");
        server.join().unwrap();
    }

    #[test]
    fn who_does_not_answer_is_waited_for_no_longer_than_was_said() {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let url = Url::parse(&format!("http://{}/", listener.local_addr().unwrap())).unwrap();
        let started = Instant::now();
        let late = ask(&url, Duration::from_millis(50)).unwrap_err().to_string();
        assert_eq!(late, format!("no answer from {url} within 0.05 s"));
        assert!(started.elapsed() < WITHIN);
        drop(listener);
        assert!(ask(&url, WITHIN).unwrap_err().to_string().contains("refused"));
    }

    #[test]
    fn only_plain_http_is_asked() {
        for url in ["https://127.0.0.1/", "ws://127.0.0.1/", "file:///livez"] {
            assert!(matches!(ask(&Url::parse(url).unwrap(), WITHIN), Err(Unhealthy::Url(_))), "{url}");
        }
    }

    #[test]
    fn a_server_is_asked_where_it_listens_and_one_that_listens_everywhere_on_the_loopback() {
        let url = |host: &str, ready| {
            let variables = [("HOST", host), ("PORT", "9"), ("CONFIG_DIR", "no-such-folder")];
            let variables = variables.map(|(name, text)| (name.to_owned(), text.to_owned())).into();
            own_url(&load(&Sources { mode: Mode::Serve, variables, flags: vec![] }).settings, ready).unwrap().to_string()
        };
        assert_eq!(url("", false), "http://127.0.0.1:9/livez");
        assert_eq!(url("0.0.0.0", true), "http://127.0.0.1:9/readyz");
        assert_eq!(url("::", false), "http://[::1]:9/livez");
        assert_eq!(url("fd00::7", false), "http://[fd00::7]:9/livez");
        assert_eq!(url("10.1.2.3", false), "http://10.1.2.3:9/livez");
        assert_eq!(url("localhost", false), "http://localhost:9/livez");
    }

    proptest! {
        #[test]
        fn no_answer_panics_and_every_status_is_read(line in proptest::collection::vec(any::<u8>(), 0..64), status in 100_u16..1000) {
            let _ = status_of(&line);
            let _ = failing(&[b"HTTP/1.1 503 \r\n\r\n", &line[..]].concat());
            prop_assert_eq!(status_of(format!("HTTP/1.1 {status} Any\r\n").as_bytes()), Some(status));
        }
    }
}
