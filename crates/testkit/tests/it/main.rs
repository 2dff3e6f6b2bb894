//! The fakes against the contracts that the adapters keep.

mod fault_servers;
mod market_fakes;
mod memory_administration;
mod memory_alerts;
mod memory_assistant;
mod memory_audit_chain;
mod memory_candles;
mod memory_identity;
mod memory_last_known_prices;
mod memory_mail_queue;
mod memory_monitor_alerts;
mod memory_notifications;
