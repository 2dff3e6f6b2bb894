use std::fmt::{self, Display, Formatter};

use coinlink_domain::{
    assistant::ConversationId,
    identity::SecretDigest,
    market::{BulletinKind, Source},
    shared::{
        hex,
        rate_limit::{Charge, RateClass, RateSubject},
    },
};
use time::OffsetDateTime;
use uuid::Uuid;

/// The names of what is kept, under the prefix. Keys that one script touches share a hash tag, so that in a cluster they
/// live on one node.
#[derive(Debug, Clone)]
pub(crate) struct Keys {
    prefix: String,
}

impl Keys {
    pub(crate) fn under(prefix: &str) -> Self {
        Self { prefix: prefix.to_owned() }
    }

    pub(crate) fn ticker(&self, what: &str) -> String {
        format!("{}{{ticker}}:{what}", self.prefix)
    }

    /// The topic of ticks, known to others by this name.
    pub(crate) fn topic(&self) -> String {
        format!("{}ws:ticker", self.prefix)
    }

    /// The topic of what users' open sockets are told.
    pub(crate) fn live_events(&self) -> String {
        format!("{}ws:users", self.prefix)
    }

    /// The counters of the calendar minute and month (UTC) of `now`.
    pub(crate) fn quota(&self, source: Source, now: OffsetDateTime) -> [String; 2] {
        let now = now.to_offset(time::UtcOffset::UTC);
        let tag = format!("{}{{quota:{}}}", self.prefix, source.name());
        let minute = now.unix_timestamp().div_euclid(60);
        [format!("{tag}:minute:{minute}"), format!("{tag}:month:{:04}-{:02}", now.year(), u8::from(now.month()))]
    }

    /// The newest bulletin of a kind; a board is not read by a script.
    pub(crate) fn bulletin(&self, kind: BulletinKind) -> String {
        format!("{}bulletin:{}", self.prefix, kind.name())
    }

    /// There for as long as nobody may fetch this kind.
    pub(crate) fn bulletin_turn(&self, kind: BulletinKind) -> String {
        format!("{}bulletin:{}:turn", self.prefix, kind.name())
    }

    /// Who goes by this name in the monitor.
    pub(crate) fn node_name(&self, name: &str) -> String {
        format!("{}node:{name}", self.prefix)
    }

    // The gate's script touches a window of each of several subjects and a session's mark. They have no hash tag in common,
    // because every request would then go to one node of a cluster: what is supported is one Redis with any number of
    // replicas, not Redis Cluster.

    /// The moments of the requests of one class by one subject: a letter for the class, one for the kind of subject, and
    /// who it is. One for every client, so it is short.
    pub(crate) fn window(&self, charge: Charge) -> impl Display {
        WindowKey { prefix: &self.prefix, charge }
    }

    /// A ticket for a socket, by the digest of its text.
    pub(crate) fn socket_ticket(&self, digest: SecretDigest) -> String {
        format!("{}ws:ticket:{}", self.prefix, hex::lower(&digest.0))
    }

    /// What a visitor and the assistant said. The name opens nothing: it is a digest of what the visitor shows.
    pub(crate) fn conversation(&self, conversation: ConversationId) -> String {
        format!("{}chat:{}", self.prefix, hex::lower(conversation.bytes()))
    }

    /// There for as long as this session is remembered to be over.
    pub(crate) fn revoked(&self, session: Uuid) -> impl Display {
        RevokedKey { prefix: &self.prefix, session }
    }
}

/// Written straight into a command.
struct WindowKey<'a> {
    prefix: &'a str,
    charge: Charge,
}

impl Display for WindowKey<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let class = match self.charge.class {
            RateClass::Anonymous => 'a',
            RateClass::Authenticated => 'u',
            RateClass::ApiKey => 'k',
            RateClass::Credentials => 'c',
            RateClass::Session => 's',
            RateClass::Chat => 't',
            RateClass::Price => 'p',
            RateClass::PromptsAnonymous => 'n',
            RateClass::PromptsUser => 'm',
        };
        write!(f, "{}rl:{class}", self.prefix)?;
        match self.charge.subject {
            RateSubject::Address(address) => write!(f, "i:{address}"),
            RateSubject::User(user) => write!(f, "u:{}", user.simple()),
            RateSubject::Session(session) => write!(f, "s:{}", session.simple()),
            RateSubject::Account(digest) => write!(f, "a:{}", Uuid::from_bytes(digest).simple()),
            RateSubject::Device(device) => write!(f, "d:{}", device.simple()),
            RateSubject::ApiKey(key) => write!(f, "k:{}", key.simple()),
        }
    }
}

struct RevokedKey<'a> {
    prefix: &'a str,
    session: Uuid,
}

impl Display for RevokedKey<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}revoked:{}", self.prefix, self.session)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    #[test]
    fn without_a_prefix_the_topic_is_the_agreed_one() {
        assert_eq!(Keys::under("").topic(), "ws:ticker");
        assert_eq!(Keys::under("coinlink:").topic(), "coinlink:ws:ticker");
    }

    #[test]
    fn keys_of_one_script_share_a_hash_tag() {
        let keys = Keys::under("coinlink:");
        assert_eq!(keys.ticker("lease"), "coinlink:{ticker}:lease");
        assert_eq!(
            keys.quota(Source::CoinGecko, datetime!(1970-01-02 0:00:59 +00:01)),
            ["coinlink:{quota:coingecko}:minute:1439", "coinlink:{quota:coingecko}:month:1970-01"]
        );
    }

    #[test]
    fn every_class_and_every_subject_has_a_window_of_its_own() {
        let (keys, id) = (Keys::under("coinlink:"), Uuid::from_u128(0xab));
        let address = |text: &str| RateSubject::Address(text.parse().unwrap());
        let subjects = [
            (address("203.0.113.9"), "i:203.0.113.9"),
            (address("2001:db8::"), "i:2001:db8::"),
            (RateSubject::User(id), "u:000000000000000000000000000000ab"),
            (RateSubject::Session(id), "s:000000000000000000000000000000ab"),
            (RateSubject::Account(id.into_bytes()), "a:000000000000000000000000000000ab"),
            (RateSubject::Device(id), "d:000000000000000000000000000000ab"),
            (RateSubject::ApiKey(id), "k:000000000000000000000000000000ab"),
        ];
        for (class, letter) in RateClass::ALL.into_iter().zip("aukcstpnm".chars()) {
            for (subject, name) in subjects {
                let key = keys.window(Charge { class, subject }).to_string();
                assert_eq!(key, format!("coinlink:rl:{letter}{name}"));
            }
        }
        assert_eq!(keys.revoked(id).to_string(), "coinlink:revoked:00000000-0000-0000-0000-0000000000ab");
    }
}
