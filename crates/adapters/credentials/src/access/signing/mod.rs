//! Keys that sign access tokens and that others can check them with: where they are kept, and how they are followed.

mod error;
mod files;
mod folder;
mod key;
mod live;
mod manifest;
mod pem;
mod set;

pub use error::KeyFolderError;
pub use folder::{KeyFolder, KeyListing};
pub use key::{KeyAlgorithm, NewKey};
pub use live::SigningKeys;

pub(super) use key::is_key_id;
