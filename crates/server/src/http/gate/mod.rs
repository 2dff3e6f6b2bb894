//! What stands before the routes: who is calling, whether they call too often, and whether their session goes on.

mod api_key;
mod bearer;
mod caller;
mod cookies;
mod csrf;
mod gatekeeper;
mod key_access;
mod lone_peer;
mod middleware;
mod prompts;
mod quota_words;
mod verified;
mod windows;

use actix_web::http::Method;

use super::error_codes::{self, ErrorCode};

pub use caller::{Account, Caller, Client, SignedIn};
pub use csrf::{Pages, SIGN_INS};
pub use gatekeeper::{GateParts, Gatekeeper};
pub use key_access::{KEY_ACCESS, KeyAccess, key_access_markdown};
pub use verified::Verified;
pub use windows::Window;

pub(super) use bearer::Presented;
pub(super) use cookies::{ACCESS_COOKIE, REFRESH_COOKIE, cookie, has_other_credential, is_shown};
pub(super) use csrf::json_alone;
pub(super) use middleware::Gate;
pub(super) use prompts::Asker;

/// What the requests of a route are counted as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gated {
    /// Nothing: a probe must neither depend on Redis nor be refused, and a scrape that is missing hides what goes on.
    Exempt,
    /// By user when signed in, else by address.
    General,
    /// Prices: by user, else by address.
    Price,
    /// The assistant: by user, else by address. A token that is no good is as none, that of a session that was ended too, since
    /// the front end sends the one it has for ever.
    Chat,
    /// What the assistant brings up by itself: as [`Gated::General`]; a token that is no good is as none, as in [`Gated::Chat`].
    Prompts,
    /// Where passwords and codes are tried: by address here, and by account in the handler
    /// ([`Gatekeeper::charge_sign_in`]).
    Credentials,
    /// Links in mail: looking at one as [`Gated::General`], using one as [`Gated::Credentials`]. A token that is no good is as none:
    /// whoever follows a link need not know that their session is over.
    Link,
    /// Refreshing and ending a session: by session, in the handler ([`Gatekeeper::charge_session`]).
    Session,
}

impl Gated {
    /// What a request of this method is counted as.
    fn on(self, method: &Method) -> Self {
        if self == Self::Link && csrf::is_unsafe(method) { Self::Credentials } else { self }
    }

    /// Whether a request with a token that is no good for this reason goes on as one without. A client that sends the token it
    /// has with every request could not get a new one otherwise.
    fn overlooks(self, code: &'static ErrorCode) -> bool {
        match self {
            Self::Credentials | Self::Link | Self::Session | Self::Chat | Self::Prompts => {
                code != error_codes::AMBIGUOUS_CREDENTIALS
            }
            Self::Exempt | Self::General | Self::Price => false,
        }
    }
}
