//! This context's part of the OpenAPI document.

use utoipa::OpenApi;

use super::{accounts, audit, overview};

/// `/api/v2/admin`.
#[derive(OpenApi)]
#[openapi(
    tags((name = "admin", description = "For accounts with the role `admin`, which whoever runs the server gives (`coinlink admin grant`), with a second factor that was shown in this session within five minutes (`POST /api/v2/auth/2fa/verify` without a ticket). No API key gets in. What changes something needs a `reason`, and all of it is in the audit log")),
    paths(
        overview::stats,
        overview::clear_cache,
        audit::audit,
        accounts::users,
        accounts::lock_user,
        accounts::unlock_user,
        accounts::revoke_sessions,
    )
)]
pub(in crate::http) struct OperationsDocument;
