//! What has to be right before a server runs: one that is started wrongly says so, and does not run on.

mod data_folder;
mod schema;
mod secrets;

pub(crate) use data_folder::take_folder;
pub(crate) use schema::{WrongSchema, bring_up_to_date, migrate_up};
pub(crate) use secrets::{BOX_KEY, OtherSecrets, PEPPER, accept, check_pepper, check_secrets, other_secrets};
