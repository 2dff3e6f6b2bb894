//! Letters: written from the templates in `templates/`, and handed to an SMTP server or put into files.

mod file;
mod letter;
mod smtp;
mod templates;

pub use file::FileMail;
pub use letter::{Letter, Stationery, StationeryError, is_mailbox};
pub use smtp::{SmtpMail, SmtpSettings, SmtpSettingsError, Tls};
pub use templates::{SHARED, TEMPLATES, Template};
