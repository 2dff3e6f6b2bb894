//! `/api/v2/auth` and `/api/v2/user`.

mod account;
mod answers;
mod docs;
mod errors;
mod limits;
mod preferences;
mod requests;
mod sessions;
mod sign_in;

use std::sync::Arc;

use actix_web::web::{Data, ServiceConfig};
use coinlink_application::identity::{
    ChangePassword, EndSession, OwnAccount, RefreshSession, SignIn, SignOut, SignOutEverywhere, SignUp,
};

pub(super) use account::{
    preferences, profile, remove_session, save_preferences, save_profile, sessions as list_sessions, stats,
};
pub(super) use docs::IdentityDocument;
pub(super) use limits::rate_limit;
pub(super) use sessions::{change_password, refresh, refresh_alias, sign_out, sign_out_everywhere, verify};
pub(super) use sign_in::{sign_in, sign_up};

/// The use cases behind the routes.
#[derive(Clone)]
pub struct IdentityParts {
    /// `POST /api/v2/auth/signup`
    pub sign_up: Arc<SignUp>,
    /// `POST /api/v2/auth/login`
    pub sign_in: Arc<SignIn>,
    /// `POST /api/v2/auth/token/refresh`
    pub refresh: Arc<RefreshSession>,
    /// `POST /api/v2/auth/logout`
    pub sign_out: Arc<SignOut>,
    /// `POST /api/v2/auth/logout-all`
    pub sign_out_everywhere: Arc<SignOutEverywhere>,
    /// `POST /api/v2/auth/password/change`
    pub change_password: Arc<ChangePassword>,
    /// `/api/v2/user`
    pub own_account: Arc<OwnAccount>,
    /// `DELETE /api/v2/user/sessions/{id}`
    pub end_session: Arc<EndSession>,
}

impl IdentityParts {
    /// Hands each use case to the handlers that hold it.
    pub(super) fn provide(&self, config: &mut ServiceConfig) {
        config
            .app_data(Data::from(Arc::clone(&self.sign_up)))
            .app_data(Data::from(Arc::clone(&self.sign_in)))
            .app_data(Data::from(Arc::clone(&self.refresh)))
            .app_data(Data::from(Arc::clone(&self.sign_out)))
            .app_data(Data::from(Arc::clone(&self.sign_out_everywhere)))
            .app_data(Data::from(Arc::clone(&self.change_password)))
            .app_data(Data::from(Arc::clone(&self.own_account)))
            .app_data(Data::from(Arc::clone(&self.end_session)));
    }
}
