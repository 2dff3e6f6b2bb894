//! This context's part of the OpenAPI document.

use utoipa::OpenApi;

use super::{chat, feedback, history, prompts};

/// `/api/chat`, `/api/prompts` and `/api/feedback`.
#[derive(OpenApi)]
#[openapi(
    tags((name = "assistant", description = "Questions about the market and your alerts, answered from what this server knows")),
    paths(
        chat::chat,
        history::history,
        history::forget_history,
        prompts::prompts,
        feedback::leave_feedback,
    )
)]
pub(in crate::http) struct AssistantDocument;
