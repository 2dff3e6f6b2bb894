//! How the system is: what is measured, when it is too much, and what somebody should look at.
//!
//! Measurements are `f64`, here and nowhere else in the domain (adr/0006): they are read off clocks and counters, compared and
//! shown, and are nobody's money. What is no finite number gets no further than [`Value`].
#![expect(clippy::float_arithmetic, reason = "measurements are no money: adr/0006")]

mod aggregate;
mod alert;
mod anomaly;
mod book;
mod catalogue;
mod health;
mod histogram;
mod layout;
mod limits;
mod series;
mod value;

pub use aggregate::{Aggregate, Span};
pub use alert::{Acknowledgement, Alert, Cause, Ended, Observed, Resolution};
pub use anomaly::{Anomaly, anomaly};
pub use book::AlertBook;
pub use catalogue::{Kind, METRICS, Metric, metric};
pub use health::{Health, health};
pub use histogram::{Buckets, BucketsError};
pub use layout::{Layout, Panel, PanelKind, Position};
pub use limits::{Limits, Severity, Worse};
pub use series::{Sample, Series};
pub use value::Value;
