//! Calls users' webhooks. Anybody may name any address, so every one of them is taken for an attempt to make this server talk to
//! what only it can reach: names are looked up here, every address they have is checked, and the connection goes to the checked
//! address and no other.

mod address;
mod body;
mod lookup;
mod sender;

pub use address::AllowedNetworks;
pub use lookup::{Lookup, SystemLookup};
pub use sender::{HttpWebhooks, StartError};
