//! `/api/v2/auth` and `/api/v2/user`.

mod account;
mod answers;
mod api_keys;
mod cookie_docs;
mod cookie_mode;
mod docs;
mod errors;
mod limits;
mod links;
mod outcome;
mod preferences;
mod requests;
mod second_factor;
mod second_factor_shapes;
mod service;
mod sessions;
mod sign_in;
mod socket_ticket;
mod wallets;

use std::sync::Arc;

use actix_web::web::{Data, ServiceConfig};
use coinlink_application::identity::IdentityUseCases;

pub(super) use account::{
    preferences, profile, remove_session, save_preferences, save_profile, sessions as list_sessions, stats,
};
pub(super) use api_keys::{create_api_key, list_api_keys, revoke_api_key};
pub(super) use cookie_docs::CookieDocument;
pub(super) use cookie_mode::csrf;
pub(super) use docs::IdentityDocument;
pub(super) use limits::rate_limit;
pub(super) use links::{
    LinksDocument, change_email, change_password_page, confirm_email_change, forgot_password, look_at_change, look_at_reset,
    look_at_undo, look_at_verification, no_page as no_account_page, old_verification, page as account_page, resend_verification,
    reset_password, script as account_script, undo_email_change, verify_email,
};
pub(super) use second_factor::{
    confirm_second_factor, disable_second_factor, renew_recovery_codes, second_factor, set_up_second_factor, verify_second_factor,
};
pub(super) use service::{auth_health, user_health};
pub(super) use sessions::{change_password, refresh, refresh_alias, sign_out, sign_out_everywhere, verify};
pub(super) use sign_in::{sign_in, sign_up};
pub(super) use socket_ticket::ask_socket_ticket;
pub(super) use wallets::{ask_wallet, link_wallet, list_wallets, unlink_wallet, verify_wallet};

/// Hands each use case to the handlers that hold it.
pub(super) fn provide(use_cases: &IdentityUseCases, config: &mut ServiceConfig) {
    let wallets = &use_cases.wallets;
    config
        .app_data(Data::from(Arc::clone(&wallets.ask)))
        .app_data(Data::from(Arc::clone(&wallets.sign_in)))
        .app_data(Data::from(Arc::clone(&wallets.link)))
        .app_data(Data::from(Arc::clone(&wallets.list)))
        .app_data(Data::from(Arc::clone(&wallets.unlink)));
    config
        .app_data(Data::from(Arc::clone(&use_cases.sign_up)))
        .app_data(Data::from(Arc::clone(&use_cases.sign_in)))
        .app_data(Data::from(Arc::clone(&use_cases.refresh)))
        .app_data(Data::from(Arc::clone(&use_cases.sign_out)))
        .app_data(Data::from(Arc::clone(&use_cases.sign_out_everywhere)))
        .app_data(Data::from(Arc::clone(&use_cases.change_password)))
        .app_data(Data::from(Arc::clone(&use_cases.own_account)))
        .app_data(Data::from(Arc::clone(&use_cases.end_session)))
        .app_data(Data::from(Arc::clone(&use_cases.sockets)))
        .app_data(Data::from(Arc::clone(&use_cases.api_keys.create)))
        .app_data(Data::from(Arc::clone(&use_cases.api_keys.list)))
        .app_data(Data::from(Arc::clone(&use_cases.api_keys.revoke)))
        .app_data(Data::from(Arc::clone(&use_cases.links.ask)))
        .app_data(Data::from(Arc::clone(&use_cases.links.look)))
        .app_data(Data::from(Arc::clone(&use_cases.links.verify_email)))
        .app_data(Data::from(Arc::clone(&use_cases.links.reset_password)))
        .app_data(Data::from(Arc::clone(&use_cases.links.change_email)))
        .app_data(Data::from(Arc::clone(&use_cases.links.undo_email_change)))
        .app_data(Data::from(Arc::clone(&use_cases.verified_email)))
        .app_data(Data::from(Arc::clone(&use_cases.second_factor.set_up)))
        .app_data(Data::from(Arc::clone(&use_cases.second_factor.confirm)))
        .app_data(Data::from(Arc::clone(&use_cases.second_factor.complete_sign_in)))
        .app_data(Data::from(Arc::clone(&use_cases.second_factor.step_up)))
        .app_data(Data::from(Arc::clone(&use_cases.second_factor.disable)))
        .app_data(Data::from(Arc::clone(&use_cases.second_factor.renew_codes)))
        .app_data(Data::from(Arc::clone(&use_cases.second_factor.status)));
}
