//! Signing in with a Bitcoin wallet: what the wallet is asked to sign, and the addresses that open an account.

use std::fmt;

use time::{Duration, OffsetDateTime, UtcOffset};
use uuid::Uuid;

use super::{SecretDigest, SessionId, UserId};
use crate::shared::hex;

/// A chain. An address belongs to one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub enum Network {
    /// Where coins have a price.
    #[default]
    Mainnet,
    /// The public test chain.
    Testnet,
    /// The test chain whose blocks are signed; its addresses look like those of [`Network::Testnet`].
    Signet,
    /// A chain of one's own.
    Regtest,
}

impl Network {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Mainnet, Self::Testnet, Self::Signet, Self::Regtest];

    /// As set, stored and told.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Mainnet => "mainnet",
            Self::Testnet => "testnet",
            Self::Signet => "signet",
            Self::Regtest => "regtest",
        }
    }

    /// The network of this [`Network::name`].
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|network| network.name() == name)
    }
}

/// The kinds of addresses whose owners can be told by one signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AddressKind {
    /// Pay to a key's hash, `1…`.
    P2pkh,
    /// A [`AddressKind::P2wpkh`] in pay-to-script-hash, `3…`: nothing else is taken for such an address.
    P2shP2wpkh,
    /// Pay to a witness key's hash, `bc1q…`.
    P2wpkh,
    /// Taproot, by its key, `bc1p…`.
    P2tr,
}

impl AddressKind {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::P2pkh, Self::P2shP2wpkh, Self::P2wpkh, Self::P2tr];

    /// As stored and told.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::P2pkh => "p2pkh",
            Self::P2shP2wpkh => "p2sh-p2wpkh",
            Self::P2wpkh => "p2wpkh",
            Self::P2tr => "p2tr",
        }
    }

    /// The kind of this [`AddressKind::name`].
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// An address that was checked (checksum, network, kind), in the one spelling it has.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct WalletAddress {
    text: String,
    network: Network,
    kind: AddressKind,
}

impl WalletAddress {
    /// The longest text that is looked at, in bytes; addresses of these kinds have at most 64.
    pub const MAX_LEN: usize = 100;

    /// Made by who can check an address, and from what was stored of one.
    #[must_use]
    pub fn checked(text: String, network: Network, kind: AddressKind) -> Self {
        Self { text, network, kind }
    }

    /// The address as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// On which chain.
    #[must_use]
    pub const fn network(&self) -> Network {
        self.network
    }

    /// Of which kind.
    #[must_use]
    pub const fn kind(&self) -> AddressKind {
        self.kind
    }
}

impl fmt::Display for WalletAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// A linked wallet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct WalletId(pub Uuid);

impl fmt::Display for WalletId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// An address whose owner may sign in to an account. It belongs to one account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wallet {
    /// Its id.
    pub id: WalletId,
    /// Whose account it opens.
    pub user: UserId,
    /// The address.
    pub address: WalletAddress,
    /// When it was linked.
    pub created_at: OffsetDateTime,
    /// When somebody last signed in with it.
    pub last_used_at: Option<OffsetDateTime>,
}

impl Wallet {
    /// Wallets an account may have.
    pub const MOST: u64 = 25;
}

/// What a signature is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WalletPurpose {
    /// To sign in to whichever account the address is linked to.
    SignIn,
    /// To link the address to this account, in the session that asked.
    Link(UserId, SessionId),
}

/// Where wallets sign in: part of every message, so that a signature is good at one place only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WalletSite {
    /// The host, and the port where it is not the scheme's.
    pub domain: String,
    /// The URL of the whole server.
    pub uri: String,
    /// The chain whose addresses are taken.
    pub network: Network,
}

impl WalletSite {
    /// Of a server that is reached at `public_url`.
    #[must_use]
    pub fn of(public_url: &str, network: Network) -> Self {
        let after_scheme = public_url.split_once("://").map_or(public_url, |(_, rest)| rest);
        let authority = after_scheme.split(['/', '?', '#']).next().unwrap_or_default();
        let domain = authority.rsplit_once('@').map_or(authority, |(_, host)| host).to_ascii_lowercase();
        Self { domain, uri: public_url.to_owned(), network }
    }
}

/// What a wallet was asked to sign. The text is made from these values each time, so what is verified is what was stored and
/// never what a client sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WalletChallenge {
    /// Its id.
    pub id: Uuid,
    /// Of the secret that was given to who asked: nobody else can answer.
    pub digest: SecretDigest,
    /// Who is to sign.
    pub address: WalletAddress,
    /// [`WalletSite::domain`] when it was made.
    pub domain: String,
    /// [`WalletSite::uri`] when it was made.
    pub uri: String,
    /// Makes the message one that was never signed before.
    pub nonce: [u8; 16],
    /// When it was made, in whole seconds: more is not in the message.
    pub issued_at: OffsetDateTime,
    /// From when on it is good for nothing.
    pub expires_at: OffsetDateTime,
    /// What for.
    pub purpose: WalletPurpose,
}

/// A challenge is answered in vain, whatever the signature; for the audit log alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ChallengeRefusal {
    /// Its time is over.
    #[error("expired")]
    Expired,
    /// It was made for something else, or by somebody else.
    #[error("wrong_purpose")]
    Purpose,
    /// It was made at another place.
    #[error("wrong_domain")]
    Domain,
    /// It was made for another chain.
    #[error("wrong_network")]
    Network,
}

impl WalletChallenge {
    /// What the secret of one is called in its digest.
    pub const SECRET: &'static str = "wallet challenge";
    /// How long one is good for.
    pub const LIFETIME: Duration = Duration::minutes(5);

    /// One that is asked for now.
    #[must_use]
    pub fn new(
        (id, digest): (Uuid, SecretDigest),
        site: &WalletSite,
        address: WalletAddress,
        purpose: WalletPurpose,
        nonce: [u8; 16],
        now: OffsetDateTime,
    ) -> Self {
        let issued_at = now.replace_nanosecond(0).unwrap_or(now);
        let (domain, uri) = (site.domain.clone(), site.uri.clone());
        Self { id, digest, address, domain, uri, nonce, issued_at, expires_at: issued_at + Self::LIFETIME, purpose }
    }

    /// Whether an answer at `site` for `purpose` is looked at.
    pub fn admit(&self, site: &WalletSite, purpose: WalletPurpose, now: OffsetDateTime) -> Result<(), ChallengeRefusal> {
        if now >= self.expires_at || now < self.issued_at - Self::LIFETIME {
            return Err(ChallengeRefusal::Expired);
        }
        if self.purpose != purpose {
            return Err(ChallengeRefusal::Purpose);
        }
        if self.domain != site.domain || self.uri != site.uri {
            return Err(ChallengeRefusal::Domain);
        }
        if self.address.network() != site.network {
            return Err(ChallengeRefusal::Network);
        }
        Ok(())
    }

    /// The exact text to be signed: lines of ASCII with a line feed between, none at its end.
    #[must_use]
    pub fn message(&self) -> String {
        let (opening, what) = match self.purpose {
            WalletPurpose::SignIn => {
                ("wants you to sign in", "Sign in to the CoinLink account this address is linked to.".to_owned())
            }
            WalletPurpose::Link(user, _) => (
                "wants you to link a wallet",
                format!("Link this address to the CoinLink account {user}: whoever holds it can sign in there."),
            ),
        };
        let nonce = hex::lower(&self.nonce);
        format!(
            "{domain} {opening} with your Bitcoin address:\n{address}\n\n{what}\nThis is no transaction and costs nothing.\n\n\
             URI: {uri}\nNetwork: {network}\nNonce: {nonce}\nIssued At: {issued}\nExpires At: {expires}",
            domain = self.domain,
            address = self.address,
            uri = self.uri,
            network = self.address.network().name(),
            issued = seconds(self.issued_at),
            expires = seconds(self.expires_at),
        )
    }
}

/// RFC 3339 in UTC, to the second.
fn seconds(moment: OffsetDateTime) -> String {
    let at = moment.to_offset(UtcOffset::UTC);
    let (date, time) = (at.date(), at.time());
    format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z",
        date.year(),
        u8::from(date.month()),
        date.day(),
        time.hour(),
        time.minute(),
        time.second()
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    const NOW: OffsetDateTime = datetime!(2026-01-01 12:00:00.987654321 UTC);

    fn site() -> WalletSite {
        WalletSite::of("https://api.example.com", Network::Mainnet)
    }

    fn challenge(purpose: WalletPurpose) -> WalletChallenge {
        let address = WalletAddress::checked("bc1qexample".to_owned(), Network::Mainnet, AddressKind::P2wpkh);
        WalletChallenge::new((Uuid::nil(), SecretDigest([0; 32])), &site(), address, purpose, [0xab; 16], NOW)
    }

    #[test]
    fn the_message_is_this_text_to_the_byte() {
        assert_eq!(
            challenge(WalletPurpose::SignIn).message(),
            "api.example.com wants you to sign in with your Bitcoin address:\n\
             bc1qexample\n\
             \n\
             Sign in to the CoinLink account this address is linked to.\n\
             This is no transaction and costs nothing.\n\
             \n\
             URI: https://api.example.com\n\
             Network: mainnet\n\
             Nonce: abababababababababababababababab\n\
             Issued At: 2026-01-01T12:00:00Z\n\
             Expires At: 2026-01-01T12:05:00Z"
        );
        let link = challenge(WalletPurpose::Link(UserId(Uuid::max()), SessionId(Uuid::nil()))).message();
        assert!(link.starts_with("api.example.com wants you to link a wallet with your Bitcoin address:\n"), "{link}");
        assert!(link.contains("to the CoinLink account ffffffff-ffff-ffff-ffff-ffffffffffff: whoever holds it"), "{link}");
    }

    #[test]
    fn whatever_is_stored_to_the_microsecond_makes_the_same_message() {
        let made = challenge(WalletPurpose::SignIn);
        let micros = |at: OffsetDateTime| at.replace_microsecond(at.microsecond()).unwrap();
        let stored = WalletChallenge { issued_at: micros(made.issued_at), expires_at: micros(made.expires_at), ..made.clone() };
        assert_eq!(stored, made);
        assert_eq!(stored.message(), made.message());
    }

    #[test]
    fn each_value_that_differs_makes_another_message() {
        let made = challenge(WalletPurpose::SignIn);
        let address = |text: &str, network| WalletAddress::checked(text.to_owned(), network, AddressKind::P2wpkh);
        let others = [
            WalletChallenge { address: address("bc1qother", Network::Mainnet), ..made.clone() },
            WalletChallenge { address: address("bc1qexample", Network::Regtest), ..made.clone() },
            WalletChallenge { domain: "evil.example.com".to_owned(), ..made.clone() },
            WalletChallenge { uri: "https://evil.example.com".to_owned(), ..made.clone() },
            WalletChallenge { nonce: [0xac; 16], ..made.clone() },
            WalletChallenge { issued_at: made.issued_at + Duration::SECOND, ..made.clone() },
            WalletChallenge { expires_at: made.expires_at + Duration::SECOND, ..made.clone() },
            challenge(WalletPurpose::Link(UserId(Uuid::nil()), SessionId(Uuid::nil()))),
        ];
        assert!(others.iter().all(|other| other.message() != made.message()));
    }

    #[test]
    fn a_challenge_is_answered_in_time_at_its_place_for_its_purpose() {
        let link = |user, session| WalletPurpose::Link(UserId(Uuid::from_u128(user)), SessionId(Uuid::from_u128(session)));
        let made = challenge(link(1, 2));
        let last = made.expires_at - Duration::NANOSECOND;
        assert_eq!(made.admit(&site(), link(1, 2), last), Ok(()));
        assert_eq!(made.admit(&site(), link(1, 2), made.expires_at), Err(ChallengeRefusal::Expired));
        assert_eq!(made.admit(&site(), link(1, 2), NOW - Duration::HOUR), Err(ChallengeRefusal::Expired), "a clock was wrong");
        for purpose in [WalletPurpose::SignIn, link(1, 3), link(2, 2)] {
            assert_eq!(made.admit(&site(), purpose, last), Err(ChallengeRefusal::Purpose));
        }
        let moved = WalletSite { domain: "api.example.com.evil.org".to_owned(), ..site() };
        assert_eq!(made.admit(&moved, link(1, 2), last), Err(ChallengeRefusal::Domain));
        let plain = WalletSite { uri: "http://api.example.com".to_owned(), ..site() };
        assert_eq!(made.admit(&plain, link(1, 2), last), Err(ChallengeRefusal::Domain));
        let other_chain = WalletSite { network: Network::Signet, ..site() };
        assert_eq!(made.admit(&other_chain, link(1, 2), last), Err(ChallengeRefusal::Network));
    }

    #[test]
    fn the_domain_is_the_host_and_port_of_the_public_url() {
        let domain = |url| WalletSite::of(url, Network::Mainnet).domain;
        assert_eq!(domain("https://API.example.com"), "api.example.com");
        assert_eq!(domain("http://localhost:8000"), "localhost:8000");
        assert_eq!(domain("https://someone@api.example.com/base?x#y"), "api.example.com");
        assert_eq!(domain("http://[::1]:8000/"), "[::1]:8000");
    }

    #[test]
    fn networks_and_kinds_are_found_by_their_names() {
        assert!(Network::ALL.iter().all(|network| Network::from_name(network.name()) == Some(*network)));
        assert!(AddressKind::ALL.iter().all(|kind| AddressKind::from_name(kind.name()) == Some(*kind)));
        assert_eq!((Network::from_name("main"), AddressKind::from_name("p2wsh")), (None, None));
    }
}
