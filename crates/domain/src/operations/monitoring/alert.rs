use time::OffsetDateTime;
use uuid::Uuid;

use super::{Anomaly, Severity, Value};
use crate::shared::user_id::UserId;

/// What made an alert as bad as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// A limit was reached.
    Limit,
    /// It is unusual.
    Anomaly(Anomaly),
}

impl Cause {
    /// As stored and told.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Limit => "limit",
            Self::Anomaly(anomaly) => anomaly.name(),
        }
    }

    /// The cause of this [`Cause::name`].
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Limit, Self::Anomaly(Anomaly::Outlier), Self::Anomaly(Anomaly::Jump)].into_iter().find(|of| of.name() == name)
    }
}

/// Why an alert is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resolution {
    /// What was measured is as it should be.
    Recovered,
    /// The node it was measured on is gone.
    NodeGone,
}

impl Resolution {
    /// As stored and told.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Recovered => "recovered",
            Self::NodeGone => "node_gone",
        }
    }

    /// The resolution of this [`Resolution::name`].
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Recovered, Self::NodeGone].into_iter().find(|of| of.name() == name)
    }
}

/// That an alert is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ended {
    /// When.
    pub at: OffsetDateTime,
    /// Why.
    pub why: Resolution,
}

/// Somebody looks after an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Acknowledgement {
    /// Who.
    pub by: UserId,
    /// Since when.
    pub at: OffsetDateTime,
    /// How bad it was then; an alert that got worse is not acknowledged any more.
    pub severity: Severity,
}

/// Something that somebody should look at: one metric of one node, from the first time it was too much until it is well again.
#[derive(Debug, Clone, PartialEq)]
pub struct Alert {
    /// Its id, version 7.
    pub id: Uuid,
    /// The node it was measured on.
    pub node: String,
    /// What was measured.
    pub metric: String,
    /// How bad it is.
    pub severity: Severity,
    /// What made it so.
    pub cause: Cause,
    /// What it came to, last.
    pub value: Value,
    /// When it began.
    pub opened_at: OffsetDateTime,
    /// When it became as bad as it is.
    pub changed_at: OffsetDateTime,
    /// When its node last looked.
    pub seen_at: OffsetDateTime,
    /// Who looks after it.
    pub acknowledged: Option<Acknowledgement>,
    /// When and why it ended.
    pub ended: Option<Ended>,
}

impl Alert {
    /// Whether somebody looks after it as bad as it is.
    #[must_use]
    pub fn is_acknowledged(&self) -> bool {
        self.acknowledged.is_some_and(|given| given.severity >= self.severity)
    }
}

/// What a further look made of an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Observed {
    /// It began.
    Opened,
    /// It got worse.
    Escalated,
    /// It got better.
    Eased,
    /// It is over.
    Resolved,
}

/// How an alert has been lately.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Calm {
    /// Looks in a row at which it was better.
    looks: u8,
    /// The worst of them.
    worst: Option<Severity>,
}

impl Calm {
    /// What is better at so many looks in a row is better: less would be a new alert each time that something flaps.
    const LOOKS: u8 = 3;

    /// A further look at `alert`, which was so bad and for that reason; where nothing is wrong, or nothing could be measured, `None`.
    pub(super) fn look(
        &mut self,
        alert: &mut Alert,
        judged: Option<(Severity, Cause)>,
        value: Option<Value>,
        at: OffsetDateTime,
    ) -> Option<Observed> {
        alert.seen_at = at;
        alert.value = value.unwrap_or(alert.value);
        let severity = judged.map(|(severity, _)| severity);
        if severity >= Some(alert.severity) {
            *self = Self::default();
            let (severity, cause) = judged?;
            if severity == alert.severity {
                return None;
            }
            (alert.severity, alert.cause, alert.changed_at) = (severity, cause, at);
            return Some(Observed::Escalated);
        }
        self.looks += 1;
        self.worst = self.worst.max(severity);
        if self.looks < Self::LOOKS {
            return None;
        }
        let worst = std::mem::take(self).worst;
        if let Some(worst) = worst {
            alert.cause = judged.map_or(alert.cause, |(_, cause)| cause);
            (alert.severity, alert.changed_at) = (worst, at);
            return Some(Observed::Eased);
        }
        alert.ended = Some(Ended { at, why: Resolution::Recovered });
        Some(Observed::Resolved)
    }
}
