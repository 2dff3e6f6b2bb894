//! What is wrong with the settings, in one message.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::Path,
};

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD},
};
use coinlink_mail::SmtpSettings;
use secrecy::{ExposeSecret, SecretString};

use super::settings::{Mode, Plan, Settings};

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The setting's variable, or the file.
    pub setting: String,
    /// What is wrong, after the name.
    pub why: String,
    /// What to do about it.
    pub fix: String,
}

impl Problem {
    pub(super) fn new(setting: &str, why: &str, fix: &str) -> Self {
        Self { setting: setting.into(), why: why.into(), fix: fix.into() }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.setting, self.why, self.fix)
    }
}

/// The settings cannot be used; lists every reason.
#[derive(Debug, Clone, thiserror::Error)]
pub struct ConfigError {
    /// The reasons; never empty.
    pub problems: Vec<Problem>,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.problems.len();
        write!(f, "{count} {} with the settings:", if count == 1 { "problem" } else { "problems" })?;
        self.problems.iter().try_for_each(|problem| write!(f, "\n  - {problem}"))
    }
}

/// Secrets shorter than this can be guessed.
const MIN_SECRET_BYTES: usize = 32;
const RANDOM: &str = "set it to at least 32 random bytes, e.g. the output of `openssl rand -hex 32`";
const BOX_KEY: &str = "set it to 32 random bytes as hex or base64, e.g. the output of `openssl rand -hex 32`";
/// Words of secrets that stand in examples.
const PLACEHOLDERS: [&str; 9] =
    ["changeme", "change-me", "change_me", "change-this", "placeholder", "your-secret", "your_secret", "example", "password"];

impl Settings {
    /// What is missing or too weak to run in `mode`.
    pub fn problems(&self, mode: Mode) -> Vec<Problem> {
        let mut problems = self.contradictions();
        if mode == Mode::Serve {
            self.requirements(&mut problems);
        }
        problems
    }

    /// What works in `mode`, and hardly as it was meant.
    pub fn warnings(&self, mode: Mode) -> Vec<Problem> {
        let plain = mode == Mode::Serve && self.server.public_url.starts_with("http://");
        let fix = "browsers keep cookies and send them over https only, and links in letters can be read on their way: name the https URL";
        plain.then(|| Problem::new("PUBLIC_URL", "is not https", fix)).into_iter().collect()
    }

    fn contradictions(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        if self.ws.dead_after_secs <= self.ws.ping_secs {
            problems.push(Problem::new(
                "WS_DEAD_AFTER_SECS",
                "is not longer than WS_PING_SECS",
                "make it more than twice as long",
            ));
        }
        if self.server.trusted_proxies.iter().any(|network| network.prefix_len() == 0) {
            let fix = "anybody could choose the address that is counted: name the networks of your proxies alone";
            problems.push(Problem::new("TRUSTED_PROXIES", "believes everybody", fix));
        }
        if self.metrics.addr.is_some_and(|address| self.metrics.enabled && self.listens_at(address)) {
            let fix = "give it another port, or leave it empty: then /metrics is where the API is";
            problems.push(Problem::new("METRICS_ADDR", "is where the API listens by HOST and PORT", fix));
        }
        if matches!(self.coingecko.plan, Plan::Demo | Plan::Pro) && self.coingecko.api_key.is_none() {
            problems.push(Problem::new(
                "COINGECKO_API_KEY",
                "is missing for the plan in COINGECKO_PLAN",
                "set it, or set the plan to keyless",
            ));
        }
        for (name, secret) in [("JWT_SECRET_KEY", &self.auth.jwt_secret_key), ("PASSWORD_PEPPER", &self.auth.password_pepper)] {
            if secret.as_ref().is_some_and(|secret| secret.expose_secret().len() < MIN_SECRET_BYTES) {
                problems.push(Problem::new(name, "is shorter than 32 bytes", RANDOM));
            }
        }
        // What is stored under a key is lost without it: one that cannot be read is never passed over.
        if self.auth.totp_encryption_key.as_ref().is_some_and(|key| key_bytes(key).is_none()) {
            problems.push(Problem::new("TOTP_ENCRYPTION_KEY", "is not 32 bytes", BOX_KEY));
        }
        if self.auth.totp_encryption_key_previous.as_ref().is_some_and(|keys| keys_bytes(keys).is_none()) {
            let fix = "set it to earlier values of TOTP_ENCRYPTION_KEY, separated by commas";
            problems.push(Problem::new("TOTP_ENCRYPTION_KEY_PREVIOUS", "holds something that is not 32 bytes", fix));
        }
        if let Some(url) = &self.mail.smtp_url {
            if let Err(why) = SmtpSettings::parse(url.expose_secret()) {
                problems.push(Problem::new("SMTP_URL", &why.to_string(), "see docs/mail.md"));
            }
            if self.mail.from.is_empty() {
                let from = "set it to who letters are from, e.g. CoinLink <no-reply@example.com>";
                problems.push(Problem::new("MAIL_FROM", "is missing for the mail server in SMTP_URL", from));
            }
        }
        if !self.assistant.base_url.is_empty() && self.assistant.model.trim().is_empty() {
            let model = "set it to the name that the API at LLM_BASE_URL knows the model by";
            problems.push(Problem::new("LLM_MODEL", "is missing for the language model at LLM_BASE_URL", model));
        }
        if self.auth.refresh_token_ttl_days > self.auth.session_max_days {
            problems.push(Problem::new(
                "REFRESH_TOKEN_TTL_DAYS",
                "is longer than SESSION_MAX_DAYS",
                "a session cannot be idle for longer than it lasts",
            ));
        }
        problems
    }

    /// Whether the API listens there. What a name leads to is found out when it is listened at.
    fn listens_at(&self, address: SocketAddr) -> bool {
        let (host, ip) = (&self.server.host, address.ip());
        let own = if host == "localhost" { Some(Ipv4Addr::LOCALHOST.into()) } else { host.parse().ok() };
        // All addresses of IPv6 are those of IPv4 too.
        let holds = |one: IpAddr, other: IpAddr| one.is_unspecified() && (one.is_ipv6() || other.is_ipv4());
        // Port 0 is any that is free.
        let port = self.server.port != 0 && self.server.port == address.port();
        port && own.is_some_and(|own| own == ip || holds(own, ip) || holds(ip, own))
    }

    fn requirements(&self, problems: &mut Vec<Problem>) {
        let mut require = |present: bool, name: &str, fix: &str| {
            if !present {
                problems.push(Problem::new(name, "is missing", fix));
            }
        };
        require(self.database.url.is_some(), "DATABASE_URL", "set it to postgresql://user:password@host/database");
        require(self.redis.url.is_some(), "REDIS_URL", "set it to redis://host:6379 or rediss://host:6379");
        require(!self.auth.jwt_issuer.is_empty(), "JWT_ISSUER", "set it to the name tokens are issued under, e.g. coinlink-api");
        require(!self.auth.jwt_audience.is_empty(), "JWT_AUDIENCE", "set it to whom tokens are for, e.g. coinlink-app");
        let origins = "set it to the exact origins of your front ends, e.g. https://app.example.com";
        require(!self.server.allowed_origins.is_empty(), "ALLOWED_ORIGINS", origins);
        require(!self.server.public_url.is_empty(), "PUBLIC_URL", "set it to the URL of this API, e.g. https://api.example.com");
        for (name, secret) in [("JWT_SECRET_KEY", &self.auth.jwt_secret_key), ("PASSWORD_PEPPER", &self.auth.password_pepper)] {
            match secret {
                None if name == "JWT_SECRET_KEY" && !self.auth.jwt_keys_dir.is_empty() => {}
                None => problems.push(Problem::new(name, "is missing", RANDOM)),
                Some(secret) => problems.extend(weakness(secret).map(|why| Problem::new(name, why, RANDOM))),
            }
        }
        if !self.auth.jwt_keys_dir.is_empty() && !Path::new(&self.auth.jwt_keys_dir).join("keys.json").is_file() {
            let fix = "run `coinlink keys generate`, or mount the folder that has them";
            problems.push(Problem::new("JWT_KEYS_DIR", "names a folder without keys", fix));
        }
        match &self.auth.totp_encryption_key {
            None => problems.push(Problem::new("TOTP_ENCRYPTION_KEY", "is missing", BOX_KEY)),
            Some(key) => problems.extend(weak_key(key).map(|why| Problem::new("TOTP_ENCRYPTION_KEY", why, BOX_KEY))),
        }
        let earlier = self.auth.totp_encryption_key_previous.as_ref().and_then(weak_key);
        problems.extend(
            earlier.map(|why| Problem::new("TOTP_ENCRYPTION_KEY_PREVIOUS", why, "no server takes such a key: leave it out")),
        );
        if self.auth.require_verified_email && self.mail.smtp_url.is_none() {
            let fix = "without a mail server nobody can verify an address; set SMTP_URL, or REQUIRE_VERIFIED_EMAIL to false";
            problems.push(Problem::new("SMTP_URL", "is missing where REQUIRE_VERIFIED_EMAIL is true", fix));
        }
    }
}

fn weakness(secret: &SecretString) -> Option<&'static str> {
    let secret = secret.expose_secret();
    let lower = secret.to_ascii_lowercase();
    let distinct = secret.bytes().collect::<std::collections::BTreeSet<_>>().len();
    // Its length is looked at in every mode.
    if secret.len() < MIN_SECRET_BYTES {
        None
    } else if PLACEHOLDERS.iter().any(|word| lower.contains(word)) {
        Some("is a placeholder from an example")
    } else if distinct < 8 {
        Some("is too regular")
    } else {
        None
    }
}

/// [`weakness`] of any key of a list separated by commas. What cannot be read is told in every mode.
fn weak_key(keys: &SecretString) -> Option<&'static str> {
    keys_bytes(keys)?;
    keys.expose_secret().split(',').find_map(|key| weakness(&key.trim().into()))
}

/// The keys of a list separated by commas, each as [`key_bytes`] reads it.
pub fn keys_bytes(keys: &SecretString) -> Option<Vec<[u8; 32]>> {
    keys.expose_secret().split(',').map(|key| bytes_of(key.trim())).collect()
}

/// The 32 bytes of a key in hex or base64.
pub fn key_bytes(key: &SecretString) -> Option<[u8; 32]> {
    bytes_of(key.expose_secret())
}

fn bytes_of(text: &str) -> Option<[u8; 32]> {
    // Numbers may have a sign where digits of a key may not.
    let bytes = if text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        (0..64).step_by(2).map(|at| u8::from_str_radix(text.get(at..at + 2)?, 16).ok()).collect()
    } else {
        [STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD].iter().find_map(|engine| engine.decode(text).ok())
    };
    bytes.and_then(|bytes: Vec<u8>| bytes.try_into().ok())
}
