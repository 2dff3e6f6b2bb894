use super::Value;

/// How bad something is. What is worse is greater.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Unusual, and not known to be bad.
    Info,
    /// To be looked at in time.
    Warning,
    /// To be looked at today.
    Error,
    /// To be looked at now.
    Critical,
}

impl Severity {
    /// All of them, least first.
    pub const ALL: [Self; 4] = [Self::Info, Self::Warning, Self::Error, Self::Critical];

    /// As stored and told.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
            Self::Critical => "critical",
        }
    }

    /// The severity of this [`Severity::name`].
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|severity| severity.name() == name)
    }
}

/// Which way something gets worse.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Worse {
    /// More is worse: a latency.
    Higher,
    /// Less is worse: what is left of something.
    Lower,
}

/// From where on something is how bad.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limits {
    /// Which way it gets worse.
    pub worse: Worse,
    /// From there on it is a warning.
    pub warning: Option<f64>,
    /// From there on it is an error.
    pub error: Option<f64>,
    /// From there on it is critical.
    pub critical: Option<f64>,
}

impl Limits {
    /// What was reached is left by a tenth of the limit, so that a value that trembles around it stays where it is.
    const MARGIN: f64 = 0.1;

    /// The limits of these three, where more is worse.
    #[must_use]
    pub const fn higher(warning: f64, error: f64, critical: f64) -> Self {
        Self { worse: Worse::Higher, warning: Some(warning), error: Some(error), critical: Some(critical) }
    }

    /// The limits of these three, where less is worse.
    #[must_use]
    pub const fn lower(warning: f64, error: f64, critical: f64) -> Self {
        Self { worse: Worse::Lower, warning: Some(warning), error: Some(error), critical: Some(critical) }
    }

    /// How bad `value` is by itself, and, of what is `held` already, until it is well over.
    #[must_use]
    pub fn severity(&self, value: Value, held: Option<Severity>) -> Option<Severity> {
        let levels = [(Severity::Critical, self.critical), (Severity::Error, self.error), (Severity::Warning, self.warning)];
        let reached = |(severity, limit): (Severity, Option<f64>)| {
            let limit = limit?;
            let margin = if held >= Some(severity) { limit.abs() * Self::MARGIN } else { 0.0 };
            let is_reached = match self.worse {
                Worse::Higher => value.get() >= limit - margin,
                Worse::Lower => value.get() <= limit + margin,
            };
            is_reached.then_some(severity)
        };
        levels.into_iter().find_map(reached)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LATENCY: Limits = Limits::higher(500.0, 1000.0, 2000.0);

    fn of(limits: Limits, value: f64, held: Option<Severity>) -> Option<&'static str> {
        limits.severity(Value::try_new(value).unwrap(), held).map(Severity::name)
    }

    #[test]
    fn a_limit_counts_from_where_it_stands() {
        for (value, expected) in [
            (499.9, None),
            (500.0, Some("warning")),
            (1000.0, Some("error")),
            (1999.9, Some("error")),
            (2000.0, Some("critical")),
            (1e9, Some("critical")),
        ] {
            assert_eq!(of(LATENCY, value, None), expected, "{value}");
        }
    }

    #[test]
    fn where_less_is_worse_less_is_worse() {
        let left = Limits::lower(21.0, 7.0, 2.0);
        for (value, expected) in [(30.0, None), (21.0, Some("warning")), (7.0, Some("error")), (1.0, Some("critical"))] {
            assert_eq!(of(left, value, None), expected, "{value}");
        }
        assert_eq!(of(left, 22.0, Some(Severity::Warning)), Some("warning"));
        assert_eq!(of(left, 23.2, Some(Severity::Warning)), None);
    }

    #[test]
    fn what_was_reached_is_left_by_a_tenth_and_what_was_not_has_no_margin() {
        assert_eq!(of(LATENCY, 460.0, Some(Severity::Warning)), Some("warning"));
        assert_eq!(of(LATENCY, 449.0, Some(Severity::Warning)), None);
        assert_eq!(of(LATENCY, 950.0, Some(Severity::Warning)), Some("warning"), "an error was never reached");
        assert_eq!(of(LATENCY, 1850.0, Some(Severity::Critical)), Some("critical"));
        assert_eq!(of(LATENCY, 460.0, Some(Severity::Info)), None, "what is unusual reached no limit");
    }

    #[test]
    fn what_is_either_there_or_not_has_no_margin() {
        let up = Limits { worse: Worse::Lower, warning: None, error: None, critical: Some(0.0) };
        assert_eq!(of(up, 0.0, None), Some("critical"));
        assert_eq!(of(up, 1.0, Some(Severity::Critical)), None);
    }
}
