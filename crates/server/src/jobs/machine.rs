//! What this node runs on: processors, memory, and the disk that holds its data.

use std::{
    path::{Path, PathBuf},
    time::Duration as StdDuration,
};

use sysinfo::{MemoryRefreshKind, System};

use super::upkeep::beats;
use crate::telemetry::Metrics;

const MEASURE_EVERY: StdDuration = StdDuration::from_secs(5);

/// Measures until the node ends. A disk that does not answer keeps the last figures.
pub async fn measure_machine(data: PathBuf, metrics: Metrics) {
    let mut system = match System::new() {
        Ok(system) => system,
        Err(error) => {
            tracing::warn!(%error, "processors and memory cannot be measured here");
            return std::future::pending().await;
        }
    };
    let mut beats = beats(MEASURE_EVERY);
    loop {
        beats.tick().await;
        let (data, metrics) = (data.clone(), metrics.clone());
        let measured = tokio::task::spawn_blocking(move || {
            measure(&mut system, &data, &metrics);
            system
        });
        // It neither panics nor is it cancelled before the runtime ends.
        let Ok(same) = measured.await else { return };
        system = same;
    }
}

fn measure(system: &mut System, data: &Path, metrics: &Metrics) {
    system.refresh_cpu_usage();
    system.refresh_memory_specifics(MemoryRefreshKind::nothing().with_ram());
    let machine = &metrics.machine;
    machine.cpu_ratio.set(f64::from(system.global_cpu_usage()) / 100.0);
    // A container is ended for what it uses, however much the machine has.
    let (total, available) = match system.cgroup_limits() {
        Some(limits) if limits.total_memory < system.total_memory() => (limits.total_memory, limits.free_memory),
        _ => (system.total_memory(), system.available_memory()),
    };
    let bytes = |bytes: u64| i64::try_from(bytes).unwrap_or(i64::MAX);
    machine.memory_total.set(bytes(total));
    machine.memory_available.set(bytes(available));
    if let Ok(disk) = rustix::fs::statvfs(there_already(data)) {
        machine.disk("data", disk.f_blocks.saturating_mul(disk.f_frsize), disk.f_bavail.saturating_mul(disk.f_frsize));
    }
}

/// `folder`, or the nearest one above it that exists: `serve` keeps nothing there and need not have it.
fn there_already(folder: &Path) -> &Path {
    let nearest = folder.ancestors().find(|above| above.exists());
    nearest.unwrap_or_else(|| Path::new(if folder.is_absolute() { "/" } else { "." }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_is_not_there_is_measured_where_it_would_be() {
        assert_eq!(there_already(Path::new("/nobody/made/this")), Path::new("/"));
        assert_eq!(there_already(Path::new("nobody-made-this")), Path::new("."));
        assert_eq!(there_already(Path::new("src/nobody-made-this")), Path::new("src"));
        assert_eq!(there_already(Path::new("/")), Path::new("/"));
    }

    #[test]
    fn what_it_measures_is_this_machine() {
        let metrics = Metrics::new("0", "test").unwrap();
        let mut system = System::new().unwrap();
        measure(&mut system, Path::new("/"), &metrics);
        let machine = &metrics.machine;
        assert!((0.0..=1.0).contains(&machine.cpu_ratio.get()));
        assert!(machine.memory_total.get() > 1 << 20);
        assert!((0..=machine.memory_total.get()).contains(&machine.memory_available.get()));
        let text = String::from_utf8(metrics.render().unwrap()).unwrap();
        assert!(text.contains("coinlink_disk_total_bytes{of=\"data\"} "), "{text}");
        assert!(!text.contains("coinlink_disk_free_bytes{of=\"data\"} 0\n"), "{text}");
    }
}
