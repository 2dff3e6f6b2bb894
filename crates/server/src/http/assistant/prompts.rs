//! `GET /api/prompts`: what the assistant brings up by itself.

use actix_web::web::Data;
use coinlink_application::assistant::Prompts;
use coinlink_domain::assistant::Prompt;
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    http::{Conditional, conditional::Unchanged},
    wire::rfc3339,
};

/// The market's news are no newer than that.
const CACHE: &str = "public, max-age=60";

/// How a prompt is shown.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(not(test), expect(dead_code, reason = "bodies hold the kind's own name"))]
enum PromptKindName {
    Alert,
    Report,
    Insight,
}

/// Something to look at, or to ask. The socket's `prompt_feed` holds the same.
#[derive(Serialize, ToSchema)]
pub(crate) struct PromptBody {
    /// `alert`: worth a look now. `report`: what is so. `insight`: what may be asked.
    #[schema(value_type = PromptKindName)]
    kind: &'static str,
    /// What it is about: `market`, `mover`, `sentiment`, `news`, `trending`, `alerts`, `data` or `question`.
    subtype: &'static str,
    /// A few words.
    title: String,
    /// What it says, plain text; may be asked as it is.
    content: String,
    /// When that was so, RFC 3339.
    #[schema(format = DateTime)]
    timestamp: String,
}

impl From<&Prompt> for PromptBody {
    fn from(prompt: &Prompt) -> Self {
        Self {
            kind: prompt.kind.name(),
            subtype: prompt.subtype,
            title: prompt.title.to_string(),
            content: prompt.content.to_string(),
            timestamp: rfc3339(prompt.at),
        }
    }
}

/// Prompts, the most important first.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct PromptsBody {
    /// At least twelve.
    #[schema(min_items = 12)]
    prompts: Vec<PromptBody>,
}

/// What is worth a look, or a question.
#[utoipa::path(
    get,
    path = "/api/prompts",
    tag = "assistant",
    responses(
        (status = 200, description = "The most important first", body = PromptsBody),
        Unchanged
    )
)]
pub(in crate::http) async fn prompts(use_case: Data<Prompts>) -> Conditional {
    let body = PromptsBody { prompts: use_case.current().iter().map(PromptBody::from).collect() };
    Conditional::shared("prompts", &body, CACHE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use coinlink_domain::assistant::PromptKind;

    #[test]
    fn the_document_names_every_kind_as_it_is() {
        let shown = [PromptKindName::Alert, PromptKindName::Report, PromptKindName::Insight];
        let named = shown.map(|kind| serde_json::to_value(kind).unwrap());
        assert_eq!(named, [PromptKind::Alert, PromptKind::Report, PromptKind::Insight].map(PromptKind::name));
    }
}
