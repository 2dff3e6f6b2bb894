//! Every error code of the API. The table is also the documentation: docs/errors.md is made from it.

use std::fmt::Write as _;

/// One code.
#[derive(Debug, PartialEq, Eq)]
pub struct ErrorCode {
    /// As in `error.code`.
    pub code: &'static str,
    /// The status it comes with.
    pub status: u16,
    /// What it means; the message, where none is more exact.
    pub meaning: &'static str,
}

macro_rules! error_codes {
    ($($name:ident $status:literal $code:literal $meaning:literal;)*) => {
        $(#[doc = $meaning] pub const $name: &ErrorCode = &ErrorCode { code: $code, status: $status, meaning: $meaning };)*
        /// All of them, by status.
        pub const ALL: &[&ErrorCode] = &[$($name),*];
    };
}

error_codes! {
    BAD_REQUEST 400 "bad_request" "The request is malformed.";
    INVALID_JSON 400 "invalid_json" "The body is not the JSON object this route takes; details say which field is missing, unknown or of the wrong type.";
    INVALID_QUERY 400 "invalid_query" "The query string is not what this route takes; details say which parameter and why.";
    WEBHOOK_REFUSED 400 "webhook_refused" "A webhook may not have this address; details say why.";
    MESSAGE_EMPTY 400 "message_empty" "There is nothing to read in the message.";
    MESSAGE_TOO_LONG 400 "message_too_long" "A message has at most 1000 characters; details say how many there are in this one.";
    INVALID_PATH 400 "invalid_path" "A part of the path is not what this route takes; details say what it takes.";
    INVALID_INPUT 400 "invalid_input" "A field is not as it must be; details say which and why.";
    REASON_REQUIRED 400 "reason_required" "Administrators say why: send a reason of 1 to 500 characters.";
    WEAK_PASSWORD 400 "weak_password" "The password does not meet the rules; details say which.";
    EMAIL_TAKEN 400 "email_taken" "An account with this e-mail address exists already.";
    INVALID_REFRESH_TOKEN 400 "invalid_refresh_token" "What was sent to be signed out is no refresh token of this server.";
    INVALID_LINK 400 "invalid_link" "The link is none of this server's, was used before, or its time is over; ask for a new one.";
    AMBIGUOUS_CREDENTIALS 400 "ambiguous_credentials" "The request shows in more than one way who it is from: send an access token, an API key or cookies, and only one of them.";
    WALLET_UNSUPPORTED 400 "wallet_unsupported" "This is an address of a kind that cannot be signed in with; details say which can.";
    WEBSOCKET_EXPECTED 400 "websocket_expected" "This path takes WebSocket handshakes only.";
    AUTHENTICATION_REQUIRED 401 "authentication_required" "This route is for signed-in users: send an access token as a Bearer token.";
    INVALID_CREDENTIALS 401 "invalid_credentials" "The e-mail address and the password do not fit together.";
    INVALID_SIGNATURE 401 "invalid_signature" "The signature opens nothing: the challenge was used up, is over or another's, the signature is not that of its address, or the address is linked to no account.";
    INVALID_TOKEN 401 "invalid_token" "The token is none of this server's, was changed, or is for something else.";
    TOKEN_EXPIRED 401 "token_expired" "The token's time is over; refresh it, or sign in again where it is the refresh token.";
    TOKEN_NOT_YET_VALID 401 "token_not_yet_valid" "The token's time has not come: the clocks differ too much.";
    SESSION_REVOKED 401 "session_revoked" "The session was ended; sign in again.";
    TOKEN_REUSED 401 "token_reused" "The refresh token was used before, so somebody else may hold it; its session was ended. Sign in again.";
    INVALID_API_KEY 401 "invalid_api_key" "The API key is none of this server's, was mistyped or cut off, was revoked, has expired, or may not be used from this address.";
    INVALID_CODE 401 "invalid_code" "The code is not the one that is asked for, was used before, or too many were tried.";
    INVALID_MFA_TICKET 401 "invalid_mfa_ticket" "The ticket is none of this server's, was used before, or its time is over; sign in again.";
    FORBIDDEN 403 "forbidden" "This is for administrators.";
    ORIGIN_NOT_ALLOWED 403 "origin_not_allowed" "Pages of this origin may not connect.";
    SECOND_FACTOR_REQUIRED 403 "second_factor_required" "This takes a code of your second factor that is not older than five minutes: send one to /api/v2/auth/2fa/verify first.";
    EMAIL_NOT_VERIFIED 403 "email_not_verified" "This takes a verified e-mail address: follow the link in the mail, or ask for a new one.";
    CODE_REQUIRED 403 "code_required" "The link was opened in another browser than the one it was asked for in: send the code of the same mail as well.";
    CSRF_FAILED 403 "csrf_failed" "A request that browsers send cookies with has to come from a page of this server or of an allowed origin, with the token of its session in X-CSRF-Token; details say what is missing.";
    SCOPE_MISSING 403 "scope_missing" "The API key does not have what this takes; details say which scope.";
    KEY_NOT_ALLOWED 403 "key_not_allowed" "API keys may not do this; sign in.";
    NOT_FOUND 404 "not_found" "There is nothing at this path.";
    UNKNOWN_SYMBOL 404 "unknown_symbol" "This asset is not in the current list; of one whose history is asked for, not in the history either.";
    SESSION_NOT_FOUND 404 "session_not_found" "You have no such session, or it is over.";
    NOTIFICATION_NOT_FOUND 404 "notification_not_found" "You have no such notification, or it expired.";
    ALERT_NOT_FOUND 404 "alert_not_found" "You have no such alert rule.";
    METHOD_NOT_ALLOWED 405 "method_not_allowed" "This path does not take this method; the Allow header names those it takes.";
    LAST_ADMIN 409 "last_admin" "This is the last administrator: grant the role to another account first.";
    OWN_ACCOUNT 409 "own_account" "Nobody locks the own account: ask another administrator.";
    TOO_MANY_KEYS 409 "too_many_keys" "The account has as many API keys as it may; revoke one first.";
    SECOND_FACTOR_ENABLED 409 "second_factor_enabled" "The account has a second factor already.";
    SECOND_FACTOR_NOT_SET_UP 409 "second_factor_not_set_up" "The account has no second factor, or none that was set up and waits to be confirmed.";
    WALLET_TAKEN 409 "wallet_taken" "The address is linked to an account already.";
    TOO_MANY_WALLETS 409 "too_many_wallets" "The account has as many wallets as it may; unlink one first.";
    TOO_MANY_WEBHOOKS 409 "too_many_webhooks" "The account has as many webhooks as it may; remove one first.";
    ALERT_EXISTS 409 "alert_exists" "You have an active alert that waits for the same.";
    TOO_MANY_ALERTS 409 "too_many_alerts" "The account has as many alert rules as it may; delete one first.";
    PAYLOAD_TOO_LARGE 413 "payload_too_large" "The body is larger than this route takes; details say how many bytes may be sent.";
    UNSUPPORTED_MEDIA_TYPE 415 "unsupported_media_type" "The body is not of a type this route takes; details say which it takes.";
    RATE_LIMITED 429 "rate_limited" "Too many requests; try again after the time in the Retry-After header.";
    PROMPT_QUOTA_EXCEEDED 429 "prompt_quota_exceeded" "No more questions for the moment; details say in how many seconds there are some again, and the limit.";
    REFRESH_REPLAYED 429 "refresh_replayed" "The same refresh token was sent too often at once. Keep the session and use the tokens of the first answer.";
    INTERNAL_ERROR 500 "internal_error" "Something went wrong on our side; the trace id leads us to it.";
    OUTCOME_UNKNOWN 502 "outcome_unknown" "The server went away while it worked on this. It may have been done, or not: look before you send it again.";
    DEPENDENCY_UNAVAILABLE 503 "dependency_unavailable" "Something this server depends on is down; try again later.";
    HASHING_BUSY 503 "hashing_busy" "Too many passwords wait to be checked; try again after the time in the Retry-After header.";
    NOT_KNOWN_YET 503 "not_known_yet" "None of it was ever fetched; try again after the time in the Retry-After header.";
    PRICE_UNAVAILABLE 503 "price_unavailable" "No price has been received since this server started; try again after the time in the Retry-After header.";
    NODE_FULL 503 "node_full" "This node holds as many connections as it may; try again after the time in the Retry-After header.";
    NODE_DRAINING 503 "node_draining" "This node is going away; connect again.";
    REQUEST_TIMEOUT 504 "request_timeout" "The request took longer than it may.";
}

/// The code for an answer that is none of ours, such as a framework's own refusal.
pub fn of_status(status: u16) -> &'static ErrorCode {
    match status {
        401 => AUTHENTICATION_REQUIRED,
        403 => ORIGIN_NOT_ALLOWED,
        404 => NOT_FOUND,
        405 => METHOD_NOT_ALLOWED,
        413 => PAYLOAD_TOO_LARGE,
        415 => UNSUPPORTED_MEDIA_TYPE,
        429 => RATE_LIMITED,
        503 => DEPENDENCY_UNAVAILABLE,
        504 => REQUEST_TIMEOUT,
        500.. => INTERNAL_ERROR,
        _ => BAD_REQUEST,
    }
}

/// docs/errors.md.
pub fn markdown() -> String {
    let mut text = String::from(
        "# Errors\n\n\
         Every error has this body; `detail` repeats the message for clients that read only that. Where a\n\
         meaning below refers to the details or to `Retry-After`, the message says in its place what they say:\n\n\
         ```json\n\
         {\"error\":{\"code\":\"snake_case\",\"message\":\"for people\",\"details\":{\"field\":\"why\"},\"trace_id\":\"uuid\"},\"detail\":\"for people\"}\n\
         ```\n\n\
         Quote `trace_id` (also in the `X-Trace-Id` header) when you report one. 429 and 503 name a wait in `Retry-After` where\n\
         one is known. Messages may change; codes do not.\n\n\
         This file is made from `crates/server/src/http/error_codes.rs`: `UPDATE_DOCS=1 cargo test -p coinlink --test it http_errors`.\n\n\
         | code | status | meaning |\n|---|---|---|\n",
    );
    for code in ALL {
        // Writing to a String does not fail.
        let _ = writeln!(text, "| `{}` | {} | {} |", code.code, code.status, code.meaning);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_sorted_by_status_and_of_statuses_the_api_uses() {
        let mut codes: Vec<_> = ALL.iter().map(|code| code.code).collect();
        assert!(ALL.is_sorted_by_key(|code| code.status));
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), ALL.len());
        let used = [400, 401, 403, 404, 405, 409, 413, 415, 429, 500, 502, 503, 504];
        assert!(ALL.iter().all(|code| used.contains(&code.status)));
    }

    #[test]
    fn a_foreign_error_gets_a_code_of_its_own_status() {
        for status in [401, 403, 404, 405, 413, 415, 429, 500, 503, 504] {
            assert_eq!(of_status(status).status, status);
        }
        assert_eq!((of_status(431).code, of_status(599).code), ("bad_request", "internal_error"));
    }
}
