//! What a setting may hold, and how its text becomes a value.

use std::net::{IpAddr, SocketAddr};

use coinlink_domain::market::Source;
use ipnet::IpNet;
use toml::Value;
use url::Url as ParsedUrl;

/// What a setting may hold. An empty text or list is "not set" and always allowed here.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
    /// One line of text.
    Text,
    /// A whole number of this range.
    Int {
        /// The least.
        min: i64,
        /// The most.
        max: i64,
    },
    /// A share, from 0 to 1.
    Ratio,
    /// `true` or `false`.
    Bool,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// A URL of one of these schemes; kept without a slash at its end.
    Url(&'static [&'static str]),
    /// Where browsers reach this server: a web URL that more can be put after, and that may be shown to anybody.
    OwnUrl,
    /// Never shown.
    Secret(SecretForm),
    /// Browser origins.
    Origins,
    /// Networks, `10.0.0.0/8`, or single addresses.
    Cidrs,
    /// Some of these sources.
    Providers(&'static [Source]),
    /// `host:port` in numbers.
    SocketAddress,
    /// A level, or levels by module.
    LogLevel,
    /// `someone@example.com`.
    MailAddress,
}

/// What a secret looks like.
#[derive(Debug, Clone, Copy)]
pub(super) enum SecretForm {
    /// Anything.
    Any,
    /// A URL of one of these schemes.
    Url(&'static [&'static str]),
    /// A PostgreSQL URL, perhaps with a driver.
    Database,
}

impl Kind {
    /// Whether values may be shown.
    pub(super) const fn is_secret(self) -> bool {
        matches!(self, Self::Secret(_))
    }

    /// The value that `text`, from the environment or a flag, means. The error says what it should look like, never what
    /// it holds.
    pub(super) fn parse(self, text: &str) -> Result<Value, String> {
        let text = text.trim();
        let value = match self {
            Self::Int { .. } => Value::Integer(text.parse().map_err(|_| self.expected())?),
            Self::Ratio => Value::Float(text.parse().map_err(|_| self.expected())?),
            Self::Bool => Value::Boolean(match text.to_ascii_lowercase().as_str() {
                "true" | "1" | "yes" | "on" => true,
                "false" | "0" | "no" | "off" => false,
                _ => return Err(self.expected()),
            }),
            Self::Origins | Self::Cidrs | Self::Providers(_) => {
                let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
                Value::Array(parts.map(|part| Value::String(part.into())).collect())
            }
            _ => Value::String(text.into()),
        };
        self.accept(value)
    }

    /// `value` in its normal form, if it may be held.
    pub(super) fn accept(self, value: Value) -> Result<Value, String> {
        match (self, value) {
            (Self::Int { min, max }, Value::Integer(number)) if (min..=max).contains(&number) => Ok(Value::Integer(number)),
            (Self::Bool, Value::Boolean(flag)) => Ok(Value::Boolean(flag)),
            (Self::Ratio, Value::Float(share)) if (0.0..=1.0).contains(&share) => Ok(Value::Float(share)),
            (Self::Ratio, Value::Integer(whole @ (0 | 1))) => Ok(Value::Float(if whole == 1 { 1.0 } else { 0.0 })),
            (Self::Origins | Self::Cidrs | Self::Providers(_), Value::Array(parts)) => self.accept_list(parts),
            (_, Value::String(text)) if self.is_text() && text.is_empty() => self.accept_empty(),
            (_, Value::String(text)) if self.is_text() => self.accept_text(&text).map(Value::String),
            _ => Err(self.expected()),
        }
    }

    const fn is_text(self) -> bool {
        !matches!(self, Self::Origins | Self::Cidrs | Self::Providers(_) | Self::Int { .. } | Self::Ratio | Self::Bool)
    }

    fn accept_empty(self) -> Result<Value, String> {
        match self {
            Self::Choice(_) | Self::LogLevel => Err(self.expected()),
            _ => Ok(Value::String(String::new())),
        }
    }

    fn accept_text(self, text: &str) -> Result<String, String> {
        let fits = match self {
            Self::Text => !text.chars().any(char::is_control),
            Self::Choice(words) => words.contains(&text),
            Self::Url(schemes) | Self::Secret(SecretForm::Url(schemes)) => is_url(text, schemes),
            Self::OwnUrl => is_url(text, WEB) && is_plain(text),
            Self::Secret(SecretForm::Any) => true,
            Self::Secret(SecretForm::Database) => {
                let plain = without_driver(text);
                return if is_url(&plain, &["postgres", "postgresql"]) { Ok(plain) } else { Err(self.expected()) };
            }
            Self::SocketAddress => text.parse::<SocketAddr>().is_ok(),
            Self::LogLevel => is_log_level(text),
            Self::MailAddress => coinlink_mail::is_mailbox(text),
            Self::Int { .. } | Self::Ratio | Self::Bool | Self::Origins | Self::Cidrs | Self::Providers(_) => false,
        };
        match self {
            _ if !fits => Err(self.expected()),
            Self::Url(_) | Self::OwnUrl => Ok(text.trim_end_matches('/').into()),
            _ => Ok(text.into()),
        }
    }

    fn accept_list(self, parts: Vec<Value>) -> Result<Value, String> {
        let mut kept: Vec<Value> = Vec::with_capacity(parts.len());
        for part in parts {
            let Value::String(part) = part else { return Err(self.expected()) };
            let normal = match self {
                Self::Origins => exact_origin(&part),
                Self::Cidrs => network(&part).map(|net| net.to_string()),
                Self::Providers(sources) => {
                    sources.iter().map(|source| source.name()).find(|name| *name == part).map(str::to_owned)
                }
                _ => None,
            };
            let normal = Value::String(normal.ok_or_else(|| format!("{} does not fit; {}", quoted(&part), self.expected()))?);
            if !kept.contains(&normal) {
                kept.push(normal);
            }
        }
        if kept.is_empty() && matches!(self, Self::Providers(_)) {
            return Err(self.expected());
        }
        Ok(Value::Array(kept))
    }

    /// `value` for people: what nobody else may know is masked.
    pub(super) fn shown(self, value: &Value) -> String {
        match (self, value) {
            (Self::Secret(_), Value::String(text)) if !text.is_empty() => "\"********\"".to_owned(),
            (Self::Url(_) | Self::OwnUrl, Value::String(text)) => Value::String(without_user(text)).to_string(),
            _ => value.to_string(),
        }
    }

    /// What to write, for people.
    pub(super) fn expected(self) -> String {
        match self {
            Self::Text => "write one line of text".into(),
            Self::Int { min, max } => format!("write a whole number from {min} to {max}"),
            Self::Ratio => "write a number from 0 to 1, such as 0.1".into(),
            Self::Bool => "write true or false".into(),
            Self::Choice(words) => format!("write one of {}", words.join(", ")),
            Self::Url(schemes) | Self::Secret(SecretForm::Url(schemes)) => {
                format!("write a URL that begins with {}://", schemes.join(":// or "))
            }
            Self::OwnUrl => "write a URL such as https://api.example.com, without a user, a query or a fragment".into(),
            Self::Secret(SecretForm::Any) => "write text".into(),
            Self::Secret(SecretForm::Database) => "write a URL that begins with postgresql://".into(),
            Self::Origins => "write exact origins, scheme://host[:port] without a path or wildcard, with commas between".into(),
            Self::Cidrs => "write networks such as 10.0.0.0/8 or addresses, with commas between".into(),
            Self::Providers(sources) => {
                let names: Vec<&str> = sources.iter().map(|source| source.name()).collect();
                format!("write some of {}, with commas between, preferred first", names.join(", "))
            }
            Self::SocketAddress => "write an address and port such as 127.0.0.1:9100".into(),
            Self::LogLevel => "write error, warn, info, debug, trace, or levels by module such as warn,coinlink=debug".into(),
            Self::MailAddress => "write an address such as no-reply@example.com or CoinLink <no-reply@example.com>".into(),
        }
    }
}

/// A bare word is a level here; to the filter itself any other word is a module, and nothing else would be logged.
fn is_log_level(text: &str) -> bool {
    let known = |word: &str| ["error", "warn", "info", "debug", "trace", "off"].contains(&word.to_ascii_lowercase().as_str());
    let bare_words_are_levels = text.split(',').map(str::trim).filter(|part| !part.contains(['=', '['])).all(known);
    bare_words_are_levels && tracing_subscriber::EnvFilter::try_new(text).is_ok()
}

/// Schemes of the web.
const WEB: &[&str] = &["http", "https"];

fn is_url(text: &str, schemes: &[&str]) -> bool {
    ParsedUrl::parse(text).is_ok_and(|url| schemes.contains(&url.scheme()) && url.has_host())
}

/// Nothing but scheme, host, port and path.
fn is_plain(text: &str) -> bool {
    ParsedUrl::parse(text).is_ok_and(|url| !has_user(&url) && url.query().is_none() && url.fragment().is_none())
}

fn has_user(url: &ParsedUrl) -> bool {
    !url.username().is_empty() || url.password().is_some()
}

/// The URL, with stars for whoever it signs in as.
fn without_user(text: &str) -> String {
    let Some(url) = ParsedUrl::parse(text).ok().filter(has_user) else { return text.into() };
    let after = &url[url::Position::BeforeHost..];
    format!("{}://********@{after}", url.scheme())
}

/// Part of a list, as it was written; one that may have a password in it is not shown.
fn quoted(part: &str) -> String {
    if part.contains('@') { "one of them".into() } else { format!("{part:?}") }
}

/// `postgresql+asyncpg://…` as `postgresql://…`: the driver is a matter of other languages' libraries.
fn without_driver(text: &str) -> String {
    match text.split_once("://") {
        Some((scheme, rest)) => format!("{}://{rest}", scheme.split('+').next().unwrap_or(scheme)),
        None => text.into(),
    }
}

/// An origin exactly as browsers send it: no path, no default port, lower case.
fn exact_origin(text: &str) -> Option<String> {
    let url = ParsedUrl::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https"))?;
    (!text.contains('*') && url.origin().ascii_serialization() == text).then(|| text.to_owned())
}

/// A network, or the network of one address.
pub(super) fn network(text: &str) -> Option<IpNet> {
    text.parse().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from))
}
