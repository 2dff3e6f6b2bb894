mod mail_queue;

pub use mail_queue::SqlMailQueue;
