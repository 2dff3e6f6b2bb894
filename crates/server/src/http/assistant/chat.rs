//! `POST /api/chat`: a question, answered.

use actix_web::{HttpRequest, HttpResponse, web::Data};
use coinlink_application::assistant::{Chat, Chatted, Talker};
use coinlink_domain::assistant::{Message, MessageError};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::ChatCookie;
use crate::{
    http::{
        ApiError, error_codes,
        gate::{Asker, Caller, Gatekeeper},
        json_object::JsonObject,
        private::private,
    },
    wire::rfc3339,
};

/// A question.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"message": "What is the price of bitcoin?", "session_id": "default", "token": null}))]
pub(in crate::http) struct ChatBody {
    /// What you ask. Control characters but new lines and tabs are left out, and blanks around it;
    /// something has to be left that is seen.
    #[schema(
        min_length = 1,
        max_length = 1000,
        pattern = "[^\\s\\x00-\\x1f\\x7f-\\x9f\\u00ad\\u034f\\u115f\\u1160\\u17b4\\u17b5\\u180b-\\u180f\\u200b-\\u200f\\u202a-\\u202e\\u2060-\\u206f\\u2800\\u3164\\ufe00-\\ufe0f\\ufeff\\uffa0\\ufff9-\\ufffb]"
    )]
    message: String,
    /// The session of somebody who is not signed in: that of an earlier answer. One that this server did not give out, such as
    /// `default`, is as none. The header `X-Chat-Session` goes before it.
    #[serde(default)]
    session_id: Option<String>,
    /// An access token, for clients that send it here and not in `Authorization`; where there is another credential it is not looked
    /// at, and one that is no good is as none.
    #[serde(default)]
    token: Option<String>,
}

/// What is always `chat` here.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum ChatType {
    Chat,
}

/// The answer.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct ChatAnswerBody {
    /// `chat`.
    #[serde(rename = "type")]
    kind: ChatType,
    /// What was asked, as it was understood.
    user_message: String,
    /// What is answered: plain text, with new lines.
    #[schema(min_length = 1)]
    bot_response: String,
    /// When, RFC 3339.
    #[schema(format = DateTime)]
    timestamp: String,
    /// Who wrote it: `baseline`, or a language model's name.
    model: String,
    /// How old the oldest figure in it is, RFC 3339; null where it has none.
    #[schema(format = DateTime)]
    as_of: Option<String>,
    /// Whether it is in your history. Where it is not, what keeps that is away for the moment.
    remembered: bool,
    /// Your session, where you are not signed in and have none in a cookie: send it with the next question, and it is part of the
    /// same conversation.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    session_id: Option<String>,
    /// Whether the access token that came with the question is of a session that was ended, so that the question is nobody's: sign
    /// in again to be answered as yourself.
    session_ended: bool,
}

impl ChatAnswerBody {
    fn new(chatted: Chatted, session: Option<String>, session_ended: bool) -> Self {
        let Chatted { exchange, model, as_of, remembered } = chatted;
        Self {
            kind: ChatType::Chat,
            user_message: exchange.question.text.to_string(),
            bot_response: exchange.answer.text.to_string(),
            timestamp: rfc3339(exchange.answer.at),
            model,
            as_of: as_of.map(rfc3339),
            remembered,
            session_id: session,
            session_ended,
        }
    }
}

impl From<MessageError> for ApiError {
    fn from(error: MessageError) -> Self {
        match error {
            MessageError::Empty => Self::new(error_codes::MESSAGE_EMPTY).detail("message", "1 to 1000 characters"),
            MessageError::TooLong { chars } => Self::new(error_codes::MESSAGE_TOO_LONG)
                .message(format!("A message has at most 1000 characters; this one has {chars}."))
                .detail("message", "1 to 1000 characters")
                .detail("characters", chars.to_string()),
        }
    }
}

/// Ask the assistant.
///
/// Signed in or not; an access token that is no good, or whose session was ended, is as none. Who is not signed in is known by a cookie that the first answer sets, or
/// by the `session_id` in that answer, which goes into the next question where cookies do not. An API key without `alerts:read` is not
/// told of alerts. Beside the pace of requests there is a
/// quota, told by `GET /api/v2/auth/rate-limit`.
#[utoipa::path(
    post,
    path = "/api/chat",
    tag = "assistant",
    params(("X-Chat-Session" = Option<String>, Header, description = "The `session_id` of an earlier answer, as in the body")),
    request_body = ChatBody,
    responses(
        (status = 200, description = "The answer", body = ChatAnswerBody),
        (status = 400, description = "`message_empty`, `message_too_long`, `invalid_json`"),
        (status = 401, description = "`invalid_api_key`: an API key that is no good"),
        (status = 429, description = "`rate_limited`: too many within a minute; or `prompt_quota_exceeded`. Try again after `Retry-After`")
    ),
    security((), ("bearer" = []))
)]
pub(in crate::http) async fn chat(
    request: HttpRequest,
    gatekeeper: Data<Gatekeeper>,
    use_case: Data<Chat>,
    cookie: Data<ChatCookie>,
    JsonObject(ChatBody { message, session_id, token }): JsonObject<ChatBody>,
) -> Result<HttpResponse, ApiError> {
    let message = Message::try_new(&message)?;
    let session_ended = match gatekeeper.charge_prompt(&request, token.as_deref()).await? {
        Asker::Nobody { session_ended } => session_ended,
        Asker::User(user) => {
            let talker = match Caller::of(&request) {
                Some(caller @ Caller::Key { .. }) => Talker::Program { owner: user, reads_alerts: caller.reads_alerts() },
                _ => Talker::User(user),
            };
            let chatted = use_case.execute(talker, &message).await;
            return Ok(private(ChatAnswerBody::new(chatted, None, false)));
        }
    };
    let sent = cookie.sent(&request, session_id.as_deref());
    let is_sent = sent.is_some();
    let shown = sent.or_else(|| cookie.kept(&request));
    let is_new = shown.is_none();
    let session = shown.unwrap_or_else(|| cookie.greet(&use_case));
    let chatted = use_case.execute(Talker::Visitor(session.conversation()), &message).await;
    // One in a cookie is out of the reach of scripts, and stays there.
    let told = (is_new || is_sent).then(|| session.text().to_owned());
    let response = private(ChatAnswerBody::new(chatted, told, session_ended));
    if is_new { cookie.set(&session, response) } else { Ok(response) }
}
