use coinlink_domain::market::Source;
use time::OffsetDateTime;

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

    /// The counters of the calendar minute and month (UTC) of `now`.
    pub(crate) fn quota(&self, source: Source, now: OffsetDateTime) -> [String; 2] {
        let now = now.to_offset(time::UtcOffset::UTC);
        let tag = format!("{}{{quota:{}}}", self.prefix, source.name());
        let minute = now.unix_timestamp().div_euclid(60);
        [format!("{tag}:minute:{minute}"), format!("{tag}:month:{:04}-{:02}", now.year(), u8::from(now.month()))]
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
}
