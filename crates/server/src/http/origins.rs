//! Whose pages may call from a browser: one rule for requests, cookies and sockets.

use std::{
    fmt,
    net::{Ipv4Addr, Ipv6Addr},
    sync::Arc,
};

use url::{Host, Url};

/// The origins whose pages are let in. `Host` has no say in it: a name that leads here is anybody's to make, and their page's origin
/// would be the same.
#[derive(Debug, Clone)]
pub struct Origins {
    exact: Arc<[String]>,
    of_this_machine: bool,
}

impl Origins {
    /// Exactly these.
    pub fn exactly(exact: impl Into<Arc<[String]>>) -> Self {
        Self { exact: exact.into(), of_this_machine: false }
    }

    /// These, and where `of_this_machine` is set pages of this machine, whatever their port; for development.
    pub fn new(exact: impl Into<Arc<[String]>>, of_this_machine: bool) -> Self {
        Self { of_this_machine, ..Self::exactly(exact) }
    }

    /// Whether a page of this origin is let in.
    pub fn know(&self, origin: &str) -> bool {
        self.exact.iter().any(|exact| exact == origin) || (self.of_this_machine && is_of_this_machine(origin))
    }
}

impl fmt::Display for Origins {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.exact.join(", "))?;
        if self.of_this_machine {
            f.write_str(", and any port of localhost, 127.0.0.1 and [::1]")?;
        }
        Ok(())
    }
}

fn is_of_this_machine(origin: &str) -> bool {
    let Ok(url) = Url::parse(origin) else { return false };
    let is_loopback = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address == Ipv4Addr::LOCALHOST,
        Some(Host::Ipv6(address)) => address == Ipv6Addr::LOCALHOST,
        None => false,
    };
    // As browsers write it, and nothing around it.
    is_loopback && url.origin().is_tuple() && url.origin().ascii_serialization() == origin
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn origins(of_this_machine: bool) -> Origins {
        Origins::new(["https://app.example".to_owned()], of_this_machine)
    }

    #[test]
    fn in_development_pages_of_this_machine_are_let_in_on_any_port() {
        let known = |origin| origins(true).know(origin);
        for origin in
            ["http://localhost:5173", "https://localhost", "http://127.0.0.1:1", "http://[::1]:3000", "https://app.example"]
        {
            assert!(known(origin), "{origin}");
        }
        for origin in [
            "http://localhost.evil.example",
            "http://localhost:5173/",
            "http://localhost:80",
            "http://me@localhost:5173",
            "http://127.0.0.2:1",
            "http://127.1:1",
            "http://10.0.0.1",
            "file://localhost",
            "coinlink://localhost",
            "null",
        ] {
            assert!(!known(origin), "{origin}");
        }
        assert!(!origins(false).know("http://localhost:5173"), "elsewhere origins are exact");
    }

    #[test]
    fn they_are_told_as_whoever_runs_a_page_needs_them() {
        assert_eq!(origins(false).to_string(), "https://app.example");
        assert_eq!(origins(true).to_string(), "https://app.example, and any port of localhost, 127.0.0.1 and [::1]");
    }

    proptest! {
        #[test]
        fn no_origin_panics(origin in ".{0,60}") {
            let known = is_of_this_machine(&origin);
            prop_assert!(!known || origin.starts_with("http"));
        }
    }
}
