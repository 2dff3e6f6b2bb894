//! How the system is: sampled on each node, alerts shared by all.

mod alerts;
mod departments;
mod node;
mod read_monitor;
mod sample_monitor;

pub use alerts::{AcknowledgeAlert, AcknowledgeError, ReadMonitorAlerts};
pub use departments::{Department, departments};
pub use node::{MeasuredMetric, NodeSample, NodeSamples};
pub use read_monitor::{MonitorView, ReadMonitor};
pub use sample_monitor::{SampleMonitor, SampleParts};
