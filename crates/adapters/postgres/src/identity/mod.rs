mod directory;
mod api_key_row;
mod api_keys;
mod guard_name;
mod guards;
mod mail_links;
mod preferences_row;
mod prune;
mod second_factors;
mod session_row;
mod sessions;
mod sign_in_tickets;
mod store;
mod transaction;
mod user_row;
mod users;

pub use store::SqlIdentityStore;
