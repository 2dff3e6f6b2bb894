use std::{fmt, time::Duration};

/// How long a job waits for a connection.
const JOBS_WAIT: Duration = Duration::from_secs(10);
/// How long a statement of a job may take.
const JOBS_STATEMENT: Duration = Duration::from_secs(30);

/// Where the database is and how long it may take.
#[derive(Clone)]
pub struct ConnectSettings {
    /// `postgres://…`, `postgresql://…` or `sqlite:…`. TLS is as its `sslmode` says.
    pub url: String,
    /// The most connections this process opens for all but jobs.
    pub max_connections: u32,
    /// The most that it opens for jobs which look at many rows: [`crate::Database::for_jobs`].
    pub job_connections: u32,
    /// How long a call waits for a connection.
    pub acquire_timeout: Duration,
    /// How long one statement may take.
    pub statement_timeout: Duration,
}

impl ConnectSettings {
    /// `url` with the time-outs of request paths: a second for a connection, two for a statement.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            max_connections: 8,
            job_connections: 2,
            acquire_timeout: Duration::from_secs(1),
            statement_timeout: Duration::from_secs(2),
        }
    }

    /// The same for jobs which look at many rows: nobody waits for them, and they for each other rather than to fail.
    #[must_use]
    pub fn for_jobs(&self) -> Self {
        Self {
            max_connections: self.job_connections,
            acquire_timeout: JOBS_WAIT.max(self.acquire_timeout),
            statement_timeout: JOBS_STATEMENT.max(self.statement_timeout),
            ..self.clone()
        }
    }

    /// The longest a call to a store takes, whatever the database does: PostgreSQL's own time-out is no help when the
    /// server is frozen or the network is gone.
    #[must_use]
    pub fn deadline(&self) -> Duration {
        self.acquire_timeout + self.statement_timeout
    }
}

impl fmt::Debug for ConnectSettings {
    /// Without the URL, which holds a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConnectSettings")
            .field("max_connections", &self.max_connections)
            .field("acquire_timeout", &self.acquire_timeout)
            .field("statement_timeout", &self.statement_timeout)
            .finish_non_exhaustive()
    }
}
