use std::time::Duration;

use reqwest::{Url, header::HeaderName};
use secrecy::SecretString;

use crate::ErrorReader;

/// An API key and the header it travels in. Never in the query: URLs end up in logs.
#[derive(Debug, Clone)]
pub struct ApiKey {
    pub header: HeaderName,
    pub value: SecretString,
}

/// How one outside service is asked.
#[derive(Debug, Clone)]
pub struct UpstreamSettings {
    /// Its name in failures and logs.
    pub name: &'static str,
    /// Everything before the path of a request: `https://host/prefix`.
    pub base_url: String,
    pub key: Option<ApiKey>,
    /// For one whole call: the wait for a permit, the connection, the answer's last byte.
    pub timeout: Duration,
    /// Calls at the same time: one that hangs must not take the process's sockets.
    pub permits: usize,
    /// The longest body that is read, in bytes after decompression.
    pub max_body: usize,
    /// Reads the service's own error bodies.
    pub read_error: ErrorReader,
}

impl UpstreamSettings {
    pub const TIMEOUT: Duration = Duration::from_secs(3);
    pub const PERMITS: usize = 2;
    pub const MAX_BODY: usize = 4 * 1024 * 1024;

    /// Three seconds, two calls at a time, 4 MiB, no key.
    pub fn new(name: &'static str, base_url: impl Into<String>, read_error: ErrorReader) -> Self {
        Self {
            name,
            base_url: base_url.into(),
            key: None,
            timeout: Self::TIMEOUT,
            permits: Self::PERMITS,
            max_body: Self::MAX_BODY,
            read_error,
        }
    }
}

/// The settings cannot work, whatever the service does. Says which, never a key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{name}: {problem}")]
pub struct InvalidSettings {
    pub name: &'static str,
    pub problem: &'static str,
}

pub(crate) fn base_url(name: &'static str, text: &str, schemes: [&str; 2]) -> Result<Url, InvalidSettings> {
    let invalid = |problem| InvalidSettings { name, problem };
    let url = Url::parse(text.trim()).map_err(|_| invalid("the base URL is not a URL"))?;
    if !schemes.contains(&url.scheme()) || !url.has_host() {
        return Err(invalid("the base URL has the wrong scheme or no host"));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(invalid("the base URL must end with its path"));
    }
    Ok(url)
}
