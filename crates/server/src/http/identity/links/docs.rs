//! This part of the OpenAPI document.

use utoipa::OpenApi;

use super::{ask, look, open};

/// Links in mail.
#[derive(OpenApi)]
#[openapi(paths(
    ask::resend_verification,
    ask::forgot_password,
    ask::change_email,
    look::look_at_verification,
    look::look_at_reset,
    look::look_at_change,
    look::look_at_undo,
    look::old_verification,
    open::verify_email,
    open::reset_password,
    open::confirm_email_change,
    open::undo_email_change,
))]
pub(in crate::http) struct LinksDocument;
