//! What the command line asks of a verification.

use std::path::PathBuf;

use clap::Args;
use coinlink_domain::identity::Email;
use url::{Host, Url};

use super::report::Area;
use crate::cli::Purpose;

/// Flags of `verify`.
#[derive(Debug, Clone, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub struct VerifyOptions {
    /// Where the server answers, as its users write it: <https://api.example.com>
    #[arg(long, value_parser = server_url)]
    pub url: Url,
    /// Only these areas, separated by commas
    #[arg(long, value_enum, value_delimiter = ',', value_name = "AREA")]
    pub only: Vec<Area>,
    /// An origin of `ALLOWED_ORIGINS`, to see that its pages may ask [default: that of --url]
    #[arg(long, value_parser = origin, value_name = "ORIGIN")]
    pub origin: Option<String>,
    /// Where the metrics are, if they are not to be public; they must then not be at --url as well
    #[arg(long, value_parser = server_url, value_name = "URL")]
    pub metrics_url: Option<Url>,
    /// Look at the settings of this environment too, as `coinlink config check` does, and at the rights of the database's role
    #[arg(long, value_enum, num_args = 0..=1, default_missing_value = "serve", value_name = "MODE")]
    pub settings: Option<Purpose>,
    /// What `bash tests/run` left in target/test-evidence.json
    #[arg(long, value_name = "FILE")]
    pub evidence: Option<PathBuf>,
    /// The commit that was deployed, to compare with that of the evidence
    #[arg(long, value_name = "HASH", requires = "evidence")]
    pub commit: Option<String>,
    /// Make and change nothing, and sign nobody in; what is then not checked is told
    #[arg(long, conflicts_with = "account")]
    pub read_only: bool,
    /// Use this account in place of a new one
    #[arg(long, value_name = "EMAIL", value_parser = Email::try_new, requires = "password_file")]
    pub account: Option<Email>,
    /// A file that holds the password of --account
    #[arg(long, value_name = "FILE", requires = "account")]
    pub password_file: Option<PathBuf>,
    /// Call plain http wrong on this machine too
    #[arg(long)]
    pub require_https: bool,
    /// Call it wrong, and not only worth a look, that a provider does not answer or that prices are old
    #[arg(long)]
    pub strict: bool,
    /// Seconds one answer may take
    #[arg(long, value_name = "SECONDS", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=60))]
    pub timeout: u64,
    /// Seconds all of it may take
    #[arg(long, value_name = "SECONDS", default_value_t = 180, value_parser = clap::value_parser!(u64).range(5..=900))]
    pub within: u64,
    /// Print JSON in place of the table
    #[arg(long)]
    pub json: bool,
}

impl VerifyOptions {
    /// The origin whose pages may ask: what was named, or the server's own.
    pub(super) fn known_origin(&self) -> String {
        self.origin.clone().unwrap_or_else(|| self.url.origin().ascii_serialization())
    }

    /// Whether the server answers on this machine.
    pub(super) fn is_local(&self) -> bool {
        match self.url.host() {
            Some(Host::Domain(name)) => name == "localhost",
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        }
    }
}

fn server_url(text: &str) -> Result<Url, &'static str> {
    let url = Url::parse(text).map_err(|_| "write https://host or http://host:port")?;
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        return Err("write https://host or http://host:port");
    }
    if !url.username().is_empty() || url.password().is_some() || url.query().is_some() || url.fragment().is_some() {
        return Err("leave user, query and fragment out");
    }
    Ok(url)
}

fn origin(text: &str) -> Result<String, &'static str> {
    let url = Url::parse(text).map_err(|_| "write scheme://host[:port]")?;
    let origin = url.origin().ascii_serialization();
    if origin == text { Ok(origin) } else { Err("write scheme://host[:port], and nothing after it") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;
    use proptest::prelude::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        options: VerifyOptions,
    }

    fn parsed(line: &str) -> Result<VerifyOptions, clap::Error> {
        Line::try_parse_from(line.split(' ')).map(|line| line.options)
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        for line in [
            "v",
            "v --url ftp://host",
            "v --url host",
            "v --url https://user:password@host",
            "v --url https://host?a=b",
            "v --url http://h --origin https://app.example.org/",
            "v --url http://h --account ada@example.org",
            "v --url http://h --account ada@example.org --password-file f --read-only",
            "v --url http://h --only everything",
            "v --url http://h --timeout 0",
            "v --url http://h --commit abc",
        ] {
            assert!(parsed(line).is_err(), "{line}");
        }
    }

    #[test]
    fn the_known_origin_is_the_servers_unless_another_is_named() {
        let options = parsed("v --url http://127.0.0.1:8000/ --settings --only auth,sockets").unwrap();
        assert_eq!((options.known_origin().as_str(), options.is_local()), ("http://127.0.0.1:8000", true));
        assert_eq!((options.settings, options.only), (Some(Purpose::Serve), vec![Area::Auth, Area::Sockets]));
        let options = parsed("v --url https://api.example.org --origin https://app.example.org").unwrap();
        assert_eq!((options.known_origin().as_str(), options.is_local()), ("https://app.example.org", false));
    }

    proptest! {
        #[test]
        fn no_text_panics(text in ".{0,60}") {
            let _ = (server_url(&text), origin(&text));
        }
    }
}
