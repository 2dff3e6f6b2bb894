use std::time::Duration;

use prometheus::{Histogram, HistogramOpts, HistogramVec, IntGauge, Registry};

use super::{gauge, register};

/// Seconds; a statement may take 2 on request paths.
const QUERY_BUCKETS: [f64; 11] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 2.5];
/// What a statement does, as labels name it.
const OPERATIONS: [&str; 5] = ["select", "insert", "update", "delete", "other"];

/// The database and Redis.
pub struct Stores {
    /// `coinlink_db_up`: 1 while the database answers and takes writes.
    pub db_up: IntGauge,
    /// `coinlink_db_pool_size`: connections that this node may open.
    pub db_pool_size: IntGauge,
    /// `coinlink_db_pool_free`: those of them that are not in use.
    pub db_pool_free: IntGauge,
    db_query: [(&'static str, Histogram); OPERATIONS.len()],
    registry: Registry,
    redis_up: IntGauge,
    /// `coinlink_redis_pool_size`: connections for commands that are open: one carries all of a node's commands.
    pub redis_pool_size: IntGauge,
    /// `coinlink_redis_pool_active`: commands under way.
    pub redis_pool_active: IntGauge,
}

impl Stores {
    pub(super) fn new(r: &Registry) -> Result<Self, prometheus::Error> {
        let queries = register(
            r,
            HistogramVec::new(
                HistogramOpts::new("coinlink_db_query_duration_seconds", "Time a statement takes").buckets(QUERY_BUCKETS.into()),
                &["operation"],
            )?,
        )?;
        Ok(Self {
            db_up: gauge(r, "coinlink_db_up", "1 while the database answers and takes writes")?,
            db_pool_size: gauge(r, "coinlink_db_pool_size", "Connections to the database that this node may open")?,
            db_pool_free: gauge(r, "coinlink_db_pool_free", "Connections to the database that are not in use")?,
            db_query: OPERATIONS.map(|operation| (operation, queries.with_label_values(&[operation]))),
            registry: r.clone(),
            redis_up: IntGauge::new("coinlink_redis_up", "1 while Redis answers")?,
            redis_pool_size: gauge(r, "coinlink_redis_pool_size", "Open connections for commands to Redis")?,
            redis_pool_active: gauge(r, "coinlink_redis_pool_active", "Commands to Redis that are under way")?,
        })
    }

    /// `coinlink_redis_up`: 1 while Redis answers. There only once Redis was asked, since zero would say that it is down.
    pub fn redis_answers(&self, answers: bool) {
        self.redis_up.set(i64::from(answers));
        // Refused from the second time on, as it is registered then.
        let _ = self.registry.register(Box::new(self.redis_up.clone()));
    }

    /// A statement took so long.
    pub fn queried(&self, statement: &str, took: Duration) {
        let operation = operation_of(statement);
        if let Some((_, histogram)) = self.db_query.iter().find(|(name, _)| *name == operation) {
            histogram.observe(took.as_secs_f64());
        }
    }
}

/// By the statement's first word; whatever begins otherwise (transactions, `WITH`) is `other`.
fn operation_of(statement: &str) -> &'static str {
    let first = statement.trim_start().split(|c: char| !c.is_ascii_alphabetic()).next().unwrap_or_default();
    OPERATIONS.into_iter().find(|name| first.eq_ignore_ascii_case(name)).unwrap_or("other")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_redis_that_is_not_there_nothing_is_told() {
        let registry = Registry::new();
        let stores = Stores::new(&registry).unwrap();
        let told = || {
            registry
                .gather()
                .iter()
                .find(|family| family.name() == "coinlink_redis_up")
                .map(|up| up.get_metric()[0].get_gauge().get_value() > 0.0)
        };
        assert_eq!(told(), None);
        for answers in [false, true, false] {
            stores.redis_answers(answers);
            assert_eq!(told(), Some(answers));
        }
    }

    #[test]
    fn a_statement_is_counted_by_its_first_word() {
        for (statement, operation) in [
            ("SELECT 1", "select"),
            (" \n select\t\"id\"", "select"),
            ("INSERT INTO users", "insert"),
            ("UPDATE users", "update"),
            ("DELETE FROM users", "delete"),
            ("WITH gone AS (DELETE FROM users) SELECT 1", "other"),
            ("BEGIN", "other"),
            ("", "other"),
            ("é", "other"),
            ("selected", "other"),
        ] {
            assert_eq!(operation_of(statement), operation, "{statement}");
        }
    }
}
