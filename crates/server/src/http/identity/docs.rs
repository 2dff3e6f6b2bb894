//! This context's part of the OpenAPI document.

use utoipa::OpenApi;

use super::{account, api_keys, cookie_mode, limits, second_factor, service, sessions, sign_in, socket_ticket, wallets};

/// `/api/v2/auth` and `/api/v2/user`.
#[derive(OpenApi)]
#[openapi(
    tags(
        (name = "auth", description = "Accounts, sessions and tokens. `POST /api/v2/auth/signup` or `/login` with an address and a password answers an `access_token` (15 minutes, unless set otherwise): send it as `Authorization: Bearer …`; here, with \"Authorize\", `bearer`. `POST /api/v2/auth/token/refresh` exchanges the `refresh_token` for new ones, and is good once. On 401 `token_expired` refresh; on any other 401 sign in. An account with a second factor gets an `mfa_ticket` in place of tokens, for `POST /api/v2/auth/2fa/verify`. Pages whose scripts should hold no tokens send `\"cookies\": true` from an allowed `Origin`: the tokens come as cookies, and whatever changes something takes the `csrf_token` of the answer, or of `GET /api/v2/auth/csrf`, as `X-CSRF-Token`. Programs use an API key, made at `POST /api/v2/user/api-keys`, in place of a sign-in."),
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
        socket_ticket::ask_socket_ticket,
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
        service::auth_health,
        service::user_health,
        account::stats,
        account::sessions,
        account::remove_session,
        api_keys::list_api_keys,
        api_keys::create_api_key,
        api_keys::revoke_api_key,
    )
)]
pub(in crate::http) struct IdentityDocument;
