use super::Severity;

/// How the system is as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Health {
    /// From a score of 80.
    Healthy,
    /// From a score of 50.
    Degraded,
    /// Below.
    Critical,
}

impl Health {
    /// As told.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Healthy => "healthy",
            Self::Degraded => "degraded",
            Self::Critical => "critical",
        }
    }
}

/// 100, less 20 for each alert that is critical, 10 for each error and 5 for each warning; and what that means.
#[must_use]
pub fn health(open: impl IntoIterator<Item = Severity>) -> (u8, Health) {
    let cost = |severity| match severity {
        Severity::Info => 0,
        Severity::Warning => 5,
        Severity::Error => 10,
        Severity::Critical => 20,
    };
    let score = open.into_iter().fold(100_u8, |score, severity| score.saturating_sub(cost(severity)));
    let health = match score {
        80.. => Health::Healthy,
        50.. => Health::Degraded,
        _ => Health::Critical,
    };
    (score, health)
}

#[cfg(test)]
mod tests {
    use super::*;
    use Severity::{Critical, Error, Info, Warning};

    #[test]
    fn every_alert_costs_what_it_is_worth_and_no_score_is_below_nothing() {
        assert_eq!(health([]), (100, Health::Healthy));
        assert_eq!(health([Info, Info]), (100, Health::Healthy));
        assert_eq!(health([Critical]), (80, Health::Healthy));
        assert_eq!(health([Critical, Warning]), (75, Health::Degraded));
        assert_eq!(health([Critical, Critical, Error]), (50, Health::Degraded));
        assert_eq!(health([Critical, Critical, Error, Warning]), (45, Health::Critical));
        assert_eq!(health([Critical; 9]), (0, Health::Critical));
    }
}
