//! This context's part of the OpenAPI document.

use utoipa::OpenApi;

use super::{account, api_keys, cookie_mode, limits, second_factor, sessions, sign_in, wallets};

/// `/api/v2/auth` and `/api/v2/user`.
#[derive(OpenApi)]
#[openapi(
    tags(
        (name = "auth", description = "Accounts, sessions and tokens: see docs/authentication.md"),
        (name = "user", description = "Your own account")
    ),
    paths(
        sign_in::sign_up,
        sign_in::sign_in,
        sessions::refresh,
        sessions::refresh_alias,
        sessions::sign_out,
        sessions::sign_out_everywhere,
        sessions::change_password,
        sessions::verify,
        second_factor::second_factor,
        second_factor::set_up_second_factor,
        second_factor::confirm_second_factor,
        second_factor::verify_second_factor,
        second_factor::disable_second_factor,
        second_factor::renew_recovery_codes,
        cookie_mode::csrf,
        wallets::ask_wallet,
        wallets::verify_wallet,
        wallets::link_wallet,
        wallets::list_wallets,
        wallets::unlink_wallet,
        limits::rate_limit,
        account::profile,
        account::save_profile,
        account::preferences,
        account::save_preferences,
        account::stats,
        account::sessions,
        account::remove_session,
        api_keys::list_api_keys,
        api_keys::create_api_key,
        api_keys::revoke_api_key,
    )
)]
pub(in crate::http) struct IdentityDocument;
