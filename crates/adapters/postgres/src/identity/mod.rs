mod guard_name;
mod guards;
mod preferences_row;
mod prune;
mod session_row;
mod sessions;
mod store;
mod transaction;
mod user_row;
mod users;

pub use store::SqlIdentityStore;
