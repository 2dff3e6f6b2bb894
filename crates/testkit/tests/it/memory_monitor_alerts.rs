use coinlink_testkit::operations::{MemoryMonitorAlerts, Monitored};

coinlink_testkit::monitor_alerts_contract!(Monitored { store: MemoryMonitorAlerts::default(), place: Box::new(()) });
