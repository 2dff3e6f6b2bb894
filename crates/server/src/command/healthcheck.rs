//! Asks a running server whether it works: what a container's health check runs, where there is no other program that could.

use std::{
    io::{self, Read as _, Write as _},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, TcpStream, ToSocketAddrs as _},
    time::{Duration, Instant},
};

use url::Url;

use crate::config::Settings;

/// The answer has to be there by then.
pub const WITHIN: Duration = Duration::from_secs(3);
/// More than the status line of any answer.
const LINE: usize = 256;

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
    #[error("{url} answers {status}")]
    Status {
        /// Who was asked.
        url: Url,
        /// What it said.
        status: u16,
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
    let line = first_line(url, host, port, Instant::now() + within).map_err(|source| match source.kind() {
        // The first is what the system calls a read that took too long.
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => Unhealthy::Late { url: url.clone(), within },
        _ => Unhealthy::NoAnswer { url: url.clone(), source },
    })?;
    match status_of(&line) {
        Some(200) => Ok(()),
        Some(status) => Err(Unhealthy::Status { url: url.clone(), status }),
        None => Err(Unhealthy::NotHttp(url.clone())),
    }
}

fn first_line(url: &Url, host: &str, port: u16, until: Instant) -> io::Result<Vec<u8>> {
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
    let mut line = Vec::with_capacity(LINE);
    while line.len() < LINE && !line.contains(&b'\n') {
        let mut some = [0; LINE];
        // Each read may take what is left of the whole: one that drips does not get more.
        stream.set_read_timeout(Some(left()?))?;
        match stream.read(&mut some)? {
            0 => break,
            count => line.extend_from_slice(&some[..count]),
        }
    }
    Ok(line)
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
            prop_assert_eq!(status_of(format!("HTTP/1.1 {status} Any\r\n").as_bytes()), Some(status));
        }
    }
}
