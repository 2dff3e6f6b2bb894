mod account;
mod alert_reads;
mod alert_rows;
mod alerts;
mod delivery_queue;
mod fired;
mod mail_queue;
mod queue;
mod rows;
mod store;
mod transaction;
mod turns;

pub use mail_queue::SqlMailQueue;
pub use store::SqlNotificationsStore;
