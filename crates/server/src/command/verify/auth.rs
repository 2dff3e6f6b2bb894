//! Accounts as an attacker would try them: tokens, rotation, cookies, limits.

use serde_json::Value;

use super::{
    Visit, auth_cookies, auth_limits, auth_tokens,
    shape::{self, Kind},
};

const SIGNED_IN: &str = "sign-up and sign-in";
const WRONG: &str = "a wrong password opens nothing";
/// What a client gets with a session.
const SESSION: [shape::Field; 8] = [
    ("/user/id", Kind::Words),
    ("/user/email", Kind::Words),
    ("/tokens/access_token", Kind::Words),
    ("/tokens/refresh_token", Kind::Words),
    ("/tokens/token_type", Kind::Words),
    ("/tokens/expires_in", Kind::Number),
    ("/data/token", Kind::Words),
    ("/data/user/email", Kind::Words),
];
/// Seconds: 15 minutes are the promise.
const PROMISED_LIFE: u64 = 900;
const LONGEST_LIFE: u64 = 3600;

pub(super) async fn check(visit: &mut Visit<'_>) {
    session(visit).await;
    auth_tokens::check(visit).await;
    auth_cookies::check(visit).await;
    wrong_password(visit).await;
    auth_limits::check(visit).await;
}

async fn session(visit: &mut Visit<'_>) {
    let answer = match visit.person().await {
        Ok(person) => person.answer.clone(),
        Err(nobody) => {
            let advice = "nothing that needs an account is checked: use --account, or --read-only to leave it out";
            return visit.report.without_session(&[SIGNED_IN], &nobody, advice);
        }
    };
    let faults = shape::faults(&answer, &SESSION);
    let seen = if faults.is_empty() { "as the front end reads it".to_owned() } else { faults.join("; ") };
    visit.report.must(faults.is_empty(), SIGNED_IN, seen, "let the server's answer through as it is");
    life(visit, &answer);
}

fn life(visit: &mut Visit<'_>, answer: &Value) {
    const CHECK: &str = "access tokens are short-lived";
    let seconds = answer["tokens"]["expires_in"].as_u64().unwrap_or(u64::MAX);
    let (seen, advice) = (format!("{seconds} s"), "set ACCESS_TOKEN_TTL_MIN to 15");
    if seconds <= PROMISED_LIFE {
        visit.report.ok(CHECK, seen);
    } else if seconds <= LONGEST_LIFE {
        visit.report.warn(CHECK, seen, advice);
    } else {
        visit.report.fail(CHECK, seen, advice);
    }
}

async fn wrong_password(visit: &mut Visit<'_>) {
    if let Err(why) = visit.person().await {
        return visit.report.skip(WRONG, why);
    }
    match visit.wrong_password().await {
        Ok(answer) => {
            let held = answer.status == 401 && answer.code() == "invalid_credentials";
            visit.report.must(held, WRONG, answer.told(), "find what answers in the server's place");
        }
        Err(trouble) => visit.report.trouble(WRONG, &trouble),
    }
}
