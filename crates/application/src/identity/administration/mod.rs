//! What administrators see and do of other people's accounts.

mod accounts;
mod authorize;
mod directory;
mod use_cases;

pub use accounts::{AdministerAccounts, AdministerError, Administered};
pub use authorize::{AdminRefusal, Administrator, AuthorizeAdmin};
pub use directory::{AccountPage, ReadAccounts};
pub use use_cases::AdministrationUseCases;
