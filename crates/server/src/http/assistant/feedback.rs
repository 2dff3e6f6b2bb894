//! `POST /api/feedback`: what people think.

use actix_web::{HttpRequest, HttpResponse, http::StatusCode, web::Data};
use coinlink_application::assistant::LeaveFeedback;
use coinlink_domain::assistant::{Feedback, Rating, Words};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    http::{ApiError, gate::Caller, json_object::JsonObject, private::private_as},
    wire::rfc3339,
};

/// What you think.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"rating": 4, "note": "Right, and fast.", "about": "chat"}))]
pub(in crate::http) struct NewFeedbackBody {
    /// One to five.
    #[schema(minimum = 1, maximum = 5)]
    rating: i64,
    /// Why. Control characters but new lines and tabs are left out.
    #[schema(max_length = 500)]
    #[serde(default)]
    note: Option<String>,
    /// What it is about, such as `chat`.
    #[schema(max_length = 100)]
    #[serde(default)]
    about: Option<String>,
}

/// As it is kept.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct FeedbackBody {
    /// Its id.
    id: Uuid,
    /// One to five.
    #[schema(minimum = 1, maximum = 5)]
    rating: u8,
    /// Why.
    note: Option<String>,
    /// What it is about.
    about: Option<String>,
    /// When it was left, RFC 3339.
    #[schema(format = DateTime)]
    created_at: String,
}

impl From<Feedback> for FeedbackBody {
    fn from(feedback: Feedback) -> Self {
        Self {
            id: feedback.id,
            rating: feedback.rating.stars(),
            note: feedback.note.map(|note| note.text().to_string()),
            about: feedback.about.map(|about| about.text().to_string()),
            created_at: rfc3339(feedback.created_at),
        }
    }
}

fn words<const MAX: usize>(field: &'static str, text: Option<&str>) -> Result<Option<Words<MAX>>, ApiError> {
    text.map_or(Ok(None), |text| Words::try_new(text).map_err(|error| ApiError::invalid_input(field, error.to_string())))
}

/// Leave feedback.
///
/// Signed in or not; counted as questions to the assistant are.
#[utoipa::path(
    post,
    path = "/api/feedback",
    tag = "assistant",
    request_body = NewFeedbackBody,
    responses(
        (status = 201, description = "It is kept", body = FeedbackBody),
        (status = 400, description = "`invalid_input`: the rating is not 1 to 5, or a text is too long")
    ),
    security((), ("bearer" = []))
)]
pub(in crate::http) async fn leave_feedback(
    request: HttpRequest,
    use_case: Data<LeaveFeedback>,
    JsonObject(NewFeedbackBody { rating, note, about }): JsonObject<NewFeedbackBody>,
) -> Result<HttpResponse, ApiError> {
    let rating = Rating::try_new(rating).ok_or_else(|| ApiError::invalid_input("rating", "1 to 5"))?;
    let (note, about) = (words("note", note.as_deref())?, words("about", about.as_deref())?);
    let user = Caller::of(&request).and_then(|caller| caller.user());
    let kept = use_case.execute(user, rating, note, about).await?;
    Ok(private_as(StatusCode::CREATED, FeedbackBody::from(kept)))
}
