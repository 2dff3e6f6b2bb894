//! Ports of the notifications context.

mod mail_queue;
mod mail_sender;

pub use mail_queue::{ClaimedMail, EndedBefore, MailCounts, MailQueue};
pub use mail_sender::{MailSender, SendError};
