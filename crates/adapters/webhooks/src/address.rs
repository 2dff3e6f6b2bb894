//! Which addresses are taken.

use std::{net::IpAddr, str::FromStr};

use coinlink_domain::notifications::is_public;
use coinlink_ports::notifications::{WebhookAddress, WebhookRefused};
use ipnet::IpNet;
use url::{Host, Url};

/// No address is longer.
const LONGEST: usize = 2_048;
/// Ports in the public internet.
const PORTS: [u16; 2] = [443, 8443];

/// Networks beside this server that webhooks may lead into nevertheless, over `http` and on any port too: for tests and for work on
/// a receiver. None, on a server.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AllowedNetworks(Vec<IpNet>);

/// One of them is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no network such as 127.0.0.0/8")]
pub struct NoNetwork(String);

impl FromStr for AllowedNetworks {
    type Err = NoNetwork;

    /// Networks with commas between them.
    fn from_str(text: &str) -> Result<Self, NoNetwork> {
        let named = text.split(',').map(str::trim).filter(|text| !text.is_empty());
        let networks = named.map(|text| text.parse().map_err(|_| NoNetwork(text.to_owned())));
        networks.collect::<Result<_, _>>().map(Self)
    }
}

impl From<Vec<IpNet>> for AllowedNetworks {
    fn from(networks: Vec<IpNet>) -> Self {
        Self(networks)
    }
}

impl AllowedNetworks {
    /// Whether none is.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn contains(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(&address))
    }

    /// Whether something may be sent there.
    pub(crate) fn may_reach(&self, address: IpAddr, way: Way) -> bool {
        self.contains(address) || (way == Way::Public && is_public(address))
    }
}

/// What kind of address it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// `https` on a port that is used for this.
    Public,
    /// Anything else: into the allowed networks only.
    Allowed,
}

/// An address that was checked as far as it can be without looking its name up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Checked {
    pub(crate) url: Url,
    pub(crate) way: Way,
}

/// Reads an address as browsers do: whatever notation an IP address is written in, it is the one it is.
pub(crate) fn check(text: &str, allowed: &AllowedNetworks) -> Result<Checked, WebhookRefused> {
    let printable = text.len() <= LONGEST && text.bytes().all(|b| b.is_ascii_graphic());
    let url = Some(text).filter(|_| printable).and_then(|text| Url::parse(text).ok()).ok_or(WebhookRefused::Unreadable)?;
    let is_https = match url.scheme() {
        "https" => true,
        "http" if !allowed.is_empty() => false,
        _ => return Err(WebhookRefused::Scheme),
    };
    if !url.username().is_empty() || url.password().is_some() {
        return Err(WebhookRefused::Credentials);
    }
    if url.fragment().is_some() {
        return Err(WebhookRefused::Fragment);
    }
    let usual = url.port_or_known_default().is_some_and(|port| PORTS.contains(&port));
    if is_https && !usual && allowed.is_empty() {
        return Err(WebhookRefused::Port);
    }
    let way = if is_https && usual { Way::Public } else { Way::Allowed };
    let reachable = match url.host() {
        Some(Host::Ipv4(address)) => allowed.may_reach(address.into(), way),
        Some(Host::Ipv6(address)) => allowed.may_reach(address.into(), way),
        Some(Host::Domain(name)) => !allowed.is_empty() || is_public_name(name),
        None => false,
    };
    let is_short = url.as_str().len() <= LONGEST;
    if !reachable || !is_short {
        return Err(if way == Way::Allowed && is_short { WebhookRefused::NotAllowed } else { WebhookRefused::Host });
    }
    Ok(Checked { url, way })
}

/// Not a name that only this server's network knows. What it stands for is looked up when it is called.
fn is_public_name(name: &str) -> bool {
    const OWN: [&str; 9] = ["localhost", "local", "localdomain", "internal", "intranet", "lan", "home", "corp", "arpa"];
    let last = name.rsplit('.').next().unwrap_or_default();
    name.contains('.') && !last.is_empty() && !OWN.contains(&last) && !last.bytes().all(|b| b.is_ascii_digit())
}

pub(crate) fn address(Checked { url, .. }: Checked) -> Result<WebhookAddress, WebhookRefused> {
    let host = url.host_str().ok_or(WebhookRefused::Host)?.to_owned();
    Ok(WebhookAddress { url: url.into(), host })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn refused(text: &str) -> Option<WebhookRefused> {
        check(text, &AllowedNetworks::default()).err()
    }

    #[test]
    fn addresses_beside_this_server_are_refused_in_every_notation() {
        let hosts = [
            "127.0.0.1",
            "127.1",
            "2130706433",
            "0x7f000001",
            "0x7f.1",
            "0177.0.0.1",
            "017700000001",
            "10.0.0.1",
            "0xa000001",
            "169.254.169.254",
            "2852039166",
            "0xa9fea9fe",
            "0251.0376.0251.0376",
            "192.168.1.1",
            "100.64.0.1",
            "0.0.0.0",
            "0",
            "224.0.0.1",
            "[::]",
            "[::1]",
            "[::ffff:127.0.0.1]",
            "[::ffff:7f00:1]",
            "[64:ff9b::7f00:1]",
            "[2002:7f00:1::]",
            "[2001:0:7f00:1::]",
            "[fe80::1]",
            "[fc00::1]",
            "[fd00:ec2::254]",
            "127.0.0.1.",
            "localhost",
            "LOCALHOST",
            "a.localhost",
            "printer.local",
            "metadata.google.internal",
            "redis",
            "%6cocalhost",
            "127。0。0。1",
        ];
        for host in hosts {
            let url = format!("https://{host}/in");
            assert!(
                matches!(refused(&url), Some(WebhookRefused::Host | WebhookRefused::Unreadable)),
                "{url}: {:?}",
                refused(&url)
            );
        }
    }

    #[test]
    fn of_addresses_only_plain_ones_over_https_are_taken() {
        let of = |text: &str| refused(text).unwrap();
        assert_eq!(of("http://hooks.example.org/"), WebhookRefused::Scheme);
        assert_eq!(of("ftp://hooks.example.org/"), WebhookRefused::Scheme);
        assert_eq!(of("file:///etc/passwd"), WebhookRefused::Scheme);
        assert_eq!(of("https://u@hooks.example.org/"), WebhookRefused::Credentials);
        assert_eq!(of("https://:p@hooks.example.org/"), WebhookRefused::Credentials);
        assert_eq!(of("https://hooks.example.org/#a"), WebhookRefused::Fragment);
        assert_eq!(of("https://hooks.example.org:22/"), WebhookRefused::Port);
        assert_eq!(of("https://hooks.example.org:6379/"), WebhookRefused::Port);
        for text in ["", "hooks.example.org", "https://", "https:// a.b/", "https://a.b/\n", "https://[::1"] {
            assert_eq!(of(text), WebhookRefused::Unreadable, "{text}");
        }
        assert_eq!(of(&format!("https://hooks.example.org/{}", "a".repeat(2_048))), WebhookRefused::Unreadable);
        for text in
            ["https://hooks.example.org/in?k=1", "https://HOOKS.example.org:8443", "https://8.8.8.8/", "https://[2606:4700::1]/"]
        {
            assert_eq!(refused(text), None, "{text}");
        }
    }

    #[test]
    fn networks_that_are_allowed_are_reached_over_http_and_on_any_port_and_others_are_not() {
        let allowed: AllowedNetworks = "127.0.0.0/8, ::1/128".parse().unwrap();
        let way = |text: &str| check(text, &allowed).map(|checked| checked.way);
        assert_eq!(way("http://127.0.0.1:8080/"), Ok(Way::Allowed));
        assert_eq!(way("https://[::1]:8080/"), Ok(Way::Allowed));
        assert_eq!(way("https://hooks.example.org/"), Ok(Way::Public));
        assert_eq!(way("https://169.254.169.254/"), Err(WebhookRefused::Host));
        for text in ["http://10.0.0.1/", "http://8.8.8.8/", "https://8.8.8.8:22/"] {
            assert_eq!(way(text), Err(WebhookRefused::NotAllowed), "{text}");
        }
        assert!("127.0.0.1/33".parse::<AllowedNetworks>().is_err());
        assert!("".parse::<AllowedNetworks>().unwrap().is_empty());
    }

    proptest! {
        #[test]
        fn whatever_is_sent_is_read_or_refused(text in "(https?://)?\\PC{0,60}") {
            let _ = check(&text, &AllowedNetworks::default());
        }

        /// Whoever reads the address again, as the client does, reads the same.
        #[test]
        fn what_is_taken_is_taken_again_as_it_is_kept(host in "[a-zA-Z0-9.:%\\[\\]@-]{1,30}", path in "[!-~]{0,20}") {
            let none = AllowedNetworks::default();
            let taken = |text: &str| check(text, &none).and_then(address);
            if let Ok(address) = taken(&format!("https://{host}/{path}")) {
                prop_assert_eq!(taken(&address.url), Ok(address));
            }
        }

        #[test]
        fn no_notation_of_an_address_beside_this_server_is_taken(bits: u32, form in 0..5) {
            let address = std::net::Ipv4Addr::from_bits(bits);
            let [a, b, c, d] = address.octets();
            let host = match form {
                0 => address.to_string(),
                1 => bits.to_string(),
                2 => format!("{bits:#x}"),
                3 => format!("0{a:o}.{b:#x}.{c}.{d}"),
                _ => format!("{a}.{}", bits & 0x00ff_ffff),
            };
            prop_assert_eq!(refused(&format!("https://{host}/")).is_none(), is_public(address.into()));
        }
    }
}
