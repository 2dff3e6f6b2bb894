//! Use cases of what is told to people.

mod deliver_mail;
mod prune_mail;

pub use deliver_mail::{DeliverMail, Delivered, Fate};
pub use prune_mail::PruneMail;
