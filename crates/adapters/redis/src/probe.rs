use async_trait::async_trait;
use coinlink_ports::operations::DependencyProbe;
use deadpool_redis::redis::cmd;

use crate::link::RedisLink;

/// Whether Redis answers.
pub struct RedisProbe {
    link: RedisLink,
}

impl RedisProbe {
    /// A probe over `link`: what it tells is true of the connection that commands use.
    pub fn new(link: RedisLink) -> Self {
        Self { link }
    }
}

#[async_trait]
impl DependencyProbe for RedisProbe {
    fn name(&self) -> &'static str {
        "redis"
    }

    async fn check(&self) -> Result<(), String> {
        let ping = self.link.run("PING", |mut connection| async move { cmd("PING").exec_async(&mut connection).await });
        ping.await.map_err(|error| error.0)
    }
}
