//! `/api/chat/history`: what was said.

use actix_web::{
    HttpRequest, HttpResponse,
    web::{Data, Query},
};
use coinlink_application::assistant::{ForgetConversation, ReadConversation, Talker};
use coinlink_domain::assistant::Turn;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::ChatCookie;
use crate::{
    http::{
        ApiError, error_codes,
        gate::{Caller, SignedIn},
        lists::read_number,
        private::private,
    },
    wire::rfc3339,
};

/// Turns of an answer that nobody asked for in number, and the most.
const TURNS: usize = 50;
const MOST: usize = 1_000;

/// Which part of it.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in crate::http) struct HistoryQuery {
    /// At most so many of the newest turns.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 1000, default = 50)]
    limit: Option<String>,
    /// The `session_id` of an answer, where you are not signed in, cookies do not reach this server and you cannot send the header.
    session_id: Option<String>,
}

/// Whose.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in crate::http) struct SessionQuery {
    /// The `session_id` of an answer, where you are not signed in, cookies do not reach this server and you cannot send the header.
    session_id: Option<String>,
}

/// Who says something.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(not(test), expect(dead_code, reason = "bodies hold the speaker's own name"))]
enum Role {
    User,
    Assistant,
}

/// One thing that was said.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct TurnBody {
    /// Who said it.
    #[schema(value_type = Role)]
    role: &'static str,
    /// What, plain text.
    content: String,
    /// When, RFC 3339.
    #[schema(format = DateTime)]
    timestamp: String,
}

/// What was said, oldest first.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct HistoryBody {
    /// The turns.
    history: Vec<TurnBody>,
    /// How many they are.
    count: usize,
}

/// That it is gone.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct ForgottenBody {
    /// For people.
    message: &'static str,
}

impl From<Vec<Turn>> for HistoryBody {
    fn from(turns: Vec<Turn>) -> Self {
        let turn =
            |turn: &Turn| TurnBody { role: turn.speaker.name(), content: turn.text.to_string(), timestamp: rfc3339(turn.at) };
        Self { count: turns.len(), history: turns.iter().map(turn).collect() }
    }
}

/// Whose conversation a request is about; nobody's where it shows nothing.
fn talker(request: &HttpRequest, cookie: &ChatCookie, sent: Option<&str>) -> Result<Option<Talker>, ApiError> {
    if let Some(user) = Caller::of(request).and_then(|caller| caller.user()) {
        return Ok(Some(Talker::User(user)));
    }
    // Who is signed in, as far as they know, is not shown another conversation than theirs.
    let why = SignedIn::missing(request);
    if why.code() != error_codes::AUTHENTICATION_REQUIRED {
        return Err(why);
    }
    Ok(cookie.shown(request, sent).map(|session| Talker::Visitor(session.conversation())))
}

fn read_limit(asked: Option<&str>) -> Result<usize, ApiError> {
    read_number("limit", asked, TURNS, 1..=MOST)
}

/// What you said to the assistant, and what it answered.
///
/// The newest turns, oldest first: of your account where you are signed in, else of your session. Of an account the newest 1000 turns are
/// kept; of a session 50, for a day.
#[utoipa::path(
    get,
    path = "/api/chat/history",
    tag = "assistant",
    operation_id = "chat_history",
    params(HistoryQuery, ("X-Chat-Session" = Option<String>, Header, description = "The `session_id` of an answer, as in the query, which it goes before: addresses are logged on the way")),
    responses(
        (status = 200, description = "Your history; empty where you said nothing, or show no session", body = HistoryBody),
        (status = 400, description = "`invalid_query`: `limit` cannot be read")
    ),
    security((), ("bearer" = []))
)]
pub(in crate::http) async fn history(
    request: HttpRequest,
    use_case: Data<ReadConversation>,
    cookie: Data<ChatCookie>,
    query: Query<HistoryQuery>,
) -> Result<HttpResponse, ApiError> {
    let limit = read_limit(query.limit.as_deref())?;
    let turns = match talker(&request, &cookie, query.session_id.as_deref())? {
        Some(talker) => use_case.execute(talker, limit).await?,
        None => Vec::new(),
    };
    Ok(private(HistoryBody::from(turns)))
}

/// Clear your history.
#[utoipa::path(
    delete,
    path = "/api/chat/history",
    tag = "assistant",
    operation_id = "forget_chat_history",
    params(SessionQuery, ("X-Chat-Session" = Option<String>, Header, description = "The `session_id` of an answer, as in the query, which it goes before: addresses are logged on the way")),
    responses((status = 200, description = "Nothing is left of it", body = ForgottenBody)),
    security((), ("bearer" = []))
)]
pub(in crate::http) async fn forget_history(
    request: HttpRequest,
    use_case: Data<ForgetConversation>,
    cookie: Data<ChatCookie>,
    query: Query<SessionQuery>,
) -> Result<HttpResponse, ApiError> {
    if let Some(talker) = talker(&request, &cookie, query.session_id.as_deref())? {
        use_case.execute(talker).await?;
    }
    Ok(private(ForgottenBody { message: "The history is cleared." }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use coinlink_domain::assistant::Speaker;
    use proptest::prelude::*;

    #[test]
    fn the_document_names_who_speaks_as_it_is() {
        let shown = [Role::User, Role::Assistant].map(|role| serde_json::to_value(role).unwrap());
        assert_eq!(shown, [Speaker::User, Speaker::Assistant].map(Speaker::name));
    }

    proptest! {
        #[test]
        fn no_limit_panics(text in any::<String>(), number in any::<i64>()) {
            for text in [text, number.to_string()] {
                prop_assert!(read_limit(Some(&text)).map_or(true, |limit| (1..=MOST).contains(&limit)));
            }
        }
    }
}
