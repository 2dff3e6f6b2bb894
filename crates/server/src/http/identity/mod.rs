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
use coinlink_application::identity::IdentityUseCases;

pub(super) use account::{
    preferences, profile, remove_session, save_preferences, save_profile, sessions as list_sessions, stats,
};
pub(super) use docs::IdentityDocument;
pub(super) use limits::rate_limit;
pub(super) use sessions::{change_password, refresh, refresh_alias, sign_out, sign_out_everywhere, verify};
pub(super) use sign_in::{sign_in, sign_up};

/// Hands each use case to the handlers that hold it.
pub(super) fn provide(use_cases: &IdentityUseCases, config: &mut ServiceConfig) {
    config
        .app_data(Data::from(Arc::clone(&use_cases.sign_up)))
        .app_data(Data::from(Arc::clone(&use_cases.sign_in)))
        .app_data(Data::from(Arc::clone(&use_cases.refresh)))
        .app_data(Data::from(Arc::clone(&use_cases.sign_out)))
        .app_data(Data::from(Arc::clone(&use_cases.sign_out_everywhere)))
        .app_data(Data::from(Arc::clone(&use_cases.change_password)))
        .app_data(Data::from(Arc::clone(&use_cases.own_account)))
        .app_data(Data::from(Arc::clone(&use_cases.end_session)))
        .app_data(Data::from(Arc::clone(&use_cases.verified_email)));
}
