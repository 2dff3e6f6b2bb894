//! What is measured beside requests.

use std::sync::Arc;

use tokio::task::JoinSet;

use crate::{
    config::Settings,
    jobs::{Sampled, measure_machine, sample, watch_certificate},
};

/// Starts measuring: the node's own gauges, what it runs on, and the certificate that clients are shown in front of it.
pub fn measure(settings: &Settings, sampled: Sampled, jobs: &mut JoinSet<()>) {
    jobs.spawn(measure_machine(settings.server.data_dir.clone(), sampled.metrics.clone()));
    let public_url = &settings.server.public_url;
    if public_url.starts_with("https://") {
        jobs.spawn(watch_certificate(public_url.clone(), Arc::clone(&sampled.clock), sampled.metrics.clone()));
    }
    jobs.spawn(sample(sampled));
}
