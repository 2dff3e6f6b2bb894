//! This context's part of the OpenAPI document.

use utoipa::OpenApi;

use super::{accounts, audit, overview};

/// `/api/v2/admin`.
#[derive(OpenApi)]
#[openapi(
    tags((name = "admin", description = "For administrators who showed a second factor within five minutes: see docs/administration.md")),
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
