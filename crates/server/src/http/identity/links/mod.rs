//! Links in mail: asking for them, looking at them, using them, and the pages they lead to.

mod ask;
mod bodies;
mod browser;
mod docs;
mod errors;
mod look;
mod open;
mod pages;

pub(in crate::http) use ask::{change_email, forgot_password, resend_verification};
pub(in crate::http) use docs::LinksDocument;
pub(in crate::http) use look::{look_at_change, look_at_reset, look_at_undo, look_at_verification, old_verification};
pub(in crate::http) use open::{confirm_email_change, reset_password, undo_email_change, verify_email};
pub(in crate::http) use pages::{change_password_page, no_page, page, script};

pub(super) use browser::mark;
