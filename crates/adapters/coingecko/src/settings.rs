use std::time::Duration;

use coinlink_upstream::{ApiKey, HeaderName, UpstreamSettings};

use secrecy::SecretString;

use crate::errors;

/// What was bought. Decides the host and the key's header: a key sent to the other host is refused.
#[derive(Debug, Clone, Default)]
pub enum Plan {
    /// No key: a limit per IP address, shared with everybody behind it.
    #[default]
    Keyless,
    Demo(SecretString),
    Pro(SecretString),
}

impl Plan {
    /// Where this plan's requests go.
    #[must_use]
    pub const fn default_base_url(&self) -> &'static str {
        match self {
            Self::Keyless | Self::Demo(_) => "https://api.coingecko.com/api/v3",
            Self::Pro(_) => "https://pro-api.coingecko.com/api/v3",
        }
    }

    fn key(&self) -> Option<ApiKey> {
        let (header, value) = match self {
            Self::Keyless => return None,
            Self::Demo(key) => ("x-cg-demo-api-key", key),
            Self::Pro(key) => ("x-cg-pro-api-key", key),
        };
        Some(ApiKey { header: HeaderName::from_static(header), value: value.clone() })
    }
}

/// How CoinGecko is asked.
#[derive(Debug, Clone)]
pub struct CoinGeckoSettings {
    pub plan: Plan,
    /// Instead of the plan's own host.
    pub base_url: Option<String>,
    /// Lines in the ticker. More are asked for, since some rows have no usable price.
    pub size: usize,
    pub timeout: Duration,
}

impl Default for CoinGeckoSettings {
    fn default() -> Self {
        Self { plan: Plan::default(), base_url: None, size: 50, timeout: UpstreamSettings::TIMEOUT }
    }
}

impl CoinGeckoSettings {
    /// Rows beyond the ticker's lines.
    const SPARE: usize = 50;
    /// The most CoinGecko gives in one page.
    const LONGEST_PAGE: usize = 250;

    pub(crate) fn per_page(&self) -> usize {
        self.size.saturating_add(Self::SPARE).min(Self::LONGEST_PAGE)
    }

    pub(crate) fn upstream(&self) -> UpstreamSettings {
        let base_url = self.base_url.as_deref().unwrap_or(self.plan.default_base_url());
        let mut upstream = UpstreamSettings::new("coingecko", base_url, errors::read);
        upstream.key = self.plan.key();
        upstream.timeout = self.timeout;
        upstream
    }
}
