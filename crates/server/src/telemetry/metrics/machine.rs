use prometheus::{Gauge, IntGauge, IntGaugeVec, Opts, Registry};

use super::{gauge, register};

/// What this node runs on.
pub struct Machine {
    /// `coinlink_system_cpu_ratio`: how much of all cores is used, 0 to 1.
    pub cpu_ratio: Gauge,
    /// `coinlink_system_memory_total_bytes`: of the machine, or of the container where that has less.
    pub memory_total: IntGauge,
    /// `coinlink_system_memory_available_bytes`
    pub memory_available: IntGauge,
    disk_total: IntGaugeVec,
    disk_free: IntGaugeVec,
    registry: Registry,
    certificate: Gauge,
}

impl Machine {
    pub(super) fn new(r: &Registry) -> Result<Self, prometheus::Error> {
        let disk = |name: &str, help: &str| register(r, IntGaugeVec::new(Opts::new(name, help), &["of"])?);
        Ok(Self {
            cpu_ratio: register(r, Gauge::new("coinlink_system_cpu_ratio", "How much of all cores is used, 0 to 1")?)?,
            memory_total: gauge(r, "coinlink_system_memory_total_bytes", "Memory of the machine or the container")?,
            memory_available: gauge(r, "coinlink_system_memory_available_bytes", "Memory that can still be had")?,
            disk_total: disk("coinlink_disk_total_bytes", "Size of the file system that holds it")?,
            disk_free: disk("coinlink_disk_free_bytes", "Free on the file system that holds it")?,
            registry: r.clone(),
            certificate: Gauge::new(
                "coinlink_tls_certificate_expiry_seconds",
                "Seconds until the certificate at PUBLIC_URL runs out; negative where it has",
            )?,
        })
    }

    /// The file system that holds `of`, in bytes.
    pub fn disk(&self, of: &str, total: u64, free: u64) {
        for (gauge, bytes) in [(&self.disk_total, total), (&self.disk_free, free)] {
            gauge.with_label_values(&[of]).set(i64::try_from(bytes).unwrap_or(i64::MAX));
        }
    }

    /// `coinlink_tls_certificate_expiry_seconds`: there only once a certificate was seen, since zero would say that it is running out.
    pub fn certificate_runs_out_in(&self, seconds: f64) {
        // Refused from the second time on, as it is registered then.
        let _ = self.registry.register(Box::new(self.certificate.clone()));
        self.certificate.set(seconds);
    }
}
