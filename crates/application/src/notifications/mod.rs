//! Use cases of what is told to people.

mod deliver_mail;
mod leave;
mod prune_mail;
mod use_cases;

pub use deliver_mail::{DeliverMail, Delivered, Fate};
pub use leave::{MOST_LETTERS_AN_HOUR, leave, leave_fired};
pub use prune_mail::PruneMail;
pub use use_cases::{NotificationsAdapters, NotificationsUseCases};
