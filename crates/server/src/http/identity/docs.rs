//! This context's part of the OpenAPI document.

use utoipa::OpenApi;

use super::{account, limits, sessions, sign_in};

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
        limits::rate_limit,
        account::profile,
        account::save_profile,
        account::preferences,
        account::save_preferences,
        account::stats,
        account::sessions,
        account::remove_session,
    )
)]
pub(in crate::http) struct IdentityDocument;
