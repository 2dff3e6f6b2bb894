//! Use cases of what is told to people.

mod deliver_mail;
mod prune_mail;
mod use_cases;

pub use deliver_mail::{DeliverMail, Delivered, Fate};
pub use prune_mail::PruneMail;
pub use use_cases::{NotificationsAdapters, NotificationsUseCases};
