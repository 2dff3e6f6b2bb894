use std::time::Duration;

use deadpool_redis::redis::{ConnectionAddr, ConnectionInfo, IntoConnectionInfo, ProtocolVersion};
use fred::types::{
    RespVersion,
    config::{Config, ServerConfig, TlsConnector},
};
use secrecy::{ExposeSecret, SecretString};

/// Where Redis is and how long it may take.
#[derive(Debug, Clone)]
pub struct RedisSettings {
    /// `redis://` or `rediss://`, with user, password and database where needed.
    pub url: SecretString,
    /// What every key and topic begins with. With an empty prefix the topic is exactly `ws:ticker`.
    pub prefix: String,
    /// How long a command may take, with finding a connection for it: 250 ms to 1 s.
    pub command_timeout: Duration,
    /// How long making a connection may take.
    pub connect_timeout: Duration,
}

impl RedisSettings {
    /// The usual settings for that address.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: SecretString::from(url.into()),
            prefix: "coinlink:".into(),
            command_timeout: Duration::from_millis(500),
            connect_timeout: Duration::from_secs(2),
        }
    }
}

/// Settings that cannot work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RedisSettingsError {
    /// The address is not of the form asked for. The text is not repeated: it may hold a password.
    #[error("the Redis URL must be redis://[user:password@]host[:port][/database] or the same with rediss://")]
    Url,
    /// The command time-out is out of its range.
    #[error("the Redis command time-out must be 250 ms to 1 s")]
    CommandTimeout,
    /// The connect time-out is zero.
    #[error("the Redis connect time-out must be above zero")]
    ConnectTimeout,
    /// The certificates of this machine cannot be read.
    #[error("no certificates to check Redis's against")]
    Certificates,
}

/// The same server for each of the two client libraries; the URL is read once, so that they agree on it.
pub(crate) struct Endpoint {
    pub(crate) commands: ConnectionInfo,
    pub(crate) subscriptions: Config,
}

impl RedisSettings {
    pub(crate) fn endpoint(&self) -> Result<Endpoint, RedisSettingsError> {
        if !(Duration::from_millis(250)..=Duration::from_secs(1)).contains(&self.command_timeout) {
            return Err(RedisSettingsError::CommandTimeout);
        }
        if self.connect_timeout.is_zero() {
            return Err(RedisSettingsError::ConnectTimeout);
        }
        let info = self.url.expose_secret().into_connection_info().map_err(|_| RedisSettingsError::Url)?;
        let (server, tls) = match info.addr() {
            ConnectionAddr::Tcp(host, port) => (ServerConfig::new_centralized(host.as_str(), *port), None),
            ConnectionAddr::TcpTls { host, port, insecure: false, .. } => {
                choose_cryptography();
                let connector = TlsConnector::default_rustls().map_err(|_| RedisSettingsError::Certificates)?;
                (ServerConfig::new_centralized(host.as_str(), *port), Some(connector.into()))
            }
            _ => return Err(RedisSettingsError::Url),
        };
        // RESP3 on both: a lost command connection is then told, and a subscribed connection still answers PING.
        let account = info.redis_settings().clone().set_protocol(ProtocolVersion::RESP3);
        let subscriptions = Config {
            server,
            tls,
            username: account.username().map(str::to_owned),
            password: account.password().map(str::to_owned),
            database: Some(u8::try_from(account.db()).map_err(|_| RedisSettingsError::Url)?),
            version: RespVersion::RESP3,
            ..Config::default()
        };
        Ok(Endpoint { commands: info.set_redis_settings(account), subscriptions })
    }
}

/// With two implementations of cryptography in the program, rustls panics on first use unless one was chosen; both
/// clients use its choice.
fn choose_cryptography() {
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        // An error means that somebody else chose in the meantime, which is as good.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_clients_read_the_same_address_account_and_database() {
        let endpoint = RedisSettings::new("rediss://ada:p%40ss%2Fw@redis.example:6380/3").endpoint().unwrap();
        let (commands, subscriptions) = (endpoint.commands, endpoint.subscriptions);
        assert_eq!(commands.addr().to_string(), "redis.example:6380");
        assert_eq!(subscriptions.server, ServerConfig::new_centralized("redis.example", 6380));
        assert!(subscriptions.uses_tls());
        assert_eq!(commands.redis_settings().username(), Some("ada"));
        assert_eq!(subscriptions.username.as_deref(), Some("ada"));
        assert_eq!(commands.redis_settings().password(), Some("p@ss/w"));
        assert_eq!(subscriptions.password.as_deref(), Some("p@ss/w"));
        assert_eq!((commands.redis_settings().db(), subscriptions.database), (3, Some(3)));
    }

    #[test]
    fn the_usual_port_and_database_need_not_be_given() {
        let endpoint = RedisSettings::new("redis://localhost").endpoint().unwrap();
        assert_eq!(endpoint.commands.addr().to_string(), "localhost:6379");
        assert_eq!(endpoint.subscriptions.server, ServerConfig::new_centralized("localhost", 6379));
        assert!(!endpoint.subscriptions.uses_tls());
    }

    #[test]
    fn settings_that_cannot_work_are_refused_without_showing_the_password() {
        for url in
            ["", "localhost:6379", "http://localhost", "unix:///run/redis", "redis://localhost/999", "rediss://h/#insecure"]
        {
            assert_eq!(RedisSettings::new(url).endpoint().err(), Some(RedisSettingsError::Url), "{url:?}");
        }
        let hasty = RedisSettings { command_timeout: Duration::from_millis(249), ..RedisSettings::new("redis://h") };
        assert_eq!(hasty.endpoint().err(), Some(RedisSettingsError::CommandTimeout));
        let hopeless = RedisSettings { connect_timeout: Duration::ZERO, ..RedisSettings::new("redis://h") };
        assert_eq!(hopeless.endpoint().err(), Some(RedisSettingsError::ConnectTimeout));
        let secret = RedisSettings::new("redis://:hunter2@localhost");
        assert!(!format!("{secret:?}").contains("hunter2"));
    }
}
