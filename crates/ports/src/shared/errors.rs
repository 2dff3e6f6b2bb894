type Source = Box<dyn std::error::Error + Send + Sync>;

/// A store could not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A unique constraint is in the way.
    #[error("unique constraint {constraint} violated")]
    Conflict {
        /// Its name.
        constraint: String,
    },
    /// What was to be stored belongs to an account that is not there: a restore took it back, say.
    #[error("there is no such account: foreign key {constraint} violated")]
    NoAccount {
        /// Its name, where the store tells it.
        constraint: String,
    },
    /// The store cannot be reached, did not answer in time, or refused. Its text says why, for logs: never a credential, nor what
    /// is stored.
    #[error("store unavailable: {0}")]
    Unavailable(#[source] Source),
    /// What the store holds is not what was put there.
    #[error("stored data is not valid: {what}")]
    Corrupt {
        /// Which column or value.
        what: &'static str,
        /// What is wrong with it.
        #[source]
        source: Option<Source>,
    },
}

/// What the nodes share between them (leases, ticks, budgets) could not be reached, or did not answer in time.
#[derive(Debug, thiserror::Error)]
#[error("shared state unavailable: {0}")]
pub struct BusError(
    /// What went wrong, for logs; never a credential.
    pub String,
);
