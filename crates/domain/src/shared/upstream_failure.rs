//! How a call to an outside system failed, in the classes that decide what happens next.

use time::Duration;

/// The class of a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailureClass {
    /// It may work next time: time-out, refused connection, 5xx, a body that is not what was agreed. Counts against the
    /// breaker.
    Transient {
        /// Whether a second call right away is worth its cost: the connection failed, or the answer was 502, 503 or 504.
        retryable: bool,
    },
    /// We asked too often (429, 418, the provider's own words for it). Says nothing about the provider's health; it is
    /// left alone for the time it names.
    Quota {
        /// How long to leave it alone; `None` where it does not say.
        retry_after: Option<Duration>,
    },
    /// Our key, plan or address is wrong: no call will work before the settings change.
    Config,
    /// The question has no answer there (an unknown symbol). Never counts.
    Data,
}

impl FailureClass {
    /// The class as a metric label.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Transient { .. } => "transient",
            Self::Quota { .. } => "quota",
            Self::Config => "config",
            Self::Data => "data",
        }
    }
}

/// A failed call to an outside system.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub struct UpstreamFailure {
    /// What follows from it.
    pub class: FailureClass,
    /// For people and logs; never a key or a whole URL.
    pub detail: String,
}

impl UpstreamFailure {
    /// A failure of `class`, told in `detail`.
    pub fn new(class: FailureClass, detail: impl Into<String>) -> Self {
        Self { class, detail: detail.into() }
    }
}
