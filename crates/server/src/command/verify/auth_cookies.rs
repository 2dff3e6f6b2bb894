//! Sessions in cookies: what the cookies are like, and that no foreign page does anything with them.

use serde_json::json;

use super::{
    Visit,
    client::{Answer, Ask, Trouble},
};

const COOKIES: &str = "cookies are for their page alone";
const CSRF: &str = "cookies change nothing without their page and token";
const SIGNED_OUT: &str = "a sign-out ends the session of the cookies";
const ALL: [&str; 3] = [COOKIES, CSRF, SIGNED_OUT];
const LOGOUT: &str = "/api/v2/auth/logout";
const ACCESS: &str = "__Host-coinlink-access";
const REFRESH: &str = "__Secure-coinlink-refresh";
const PROXY: &str = "a proxy must leave Set-Cookie, Cookie and Origin as they are";

pub(super) async fn check(visit: &mut Visit<'_>) {
    if let Err(why) = visit.person().await {
        visit.report.skip_all(&ALL, &why);
        return;
    }
    let answer = match visit.open_session(&json!({"cookies": true})).await {
        Ok(answer) => answer,
        Err(nobody) => {
            if nobody.why.contains("csrf_failed") && visit.options.origin.is_none() {
                let reason = "the origin of --url may not ask for cookies: name one of ALLOWED_ORIGINS with --origin";
                visit.report.skip_all(&ALL, reason);
            } else {
                let advice = "pages of this origin cannot sign in with cookies: it has to be in ALLOWED_ORIGINS";
                visit.report.without_session(&ALL, &nobody, advice);
            }
            return;
        }
    };
    attributes(visit, &answer);
    if let Err(trouble) = used(visit, &answer).await {
        visit.report.trouble(CSRF, &trouble);
    }
}

/// What a cookie is without its value: name, and attributes in lower case.
fn cookies(answer: &Answer) -> Vec<(String, String, String)> {
    let read = |value: &reqwest::header::HeaderValue| {
        let text = value.to_str().ok()?.to_owned();
        let (pair, attributes) = text.split_once(';')?;
        let (name, value) = pair.split_once('=')?;
        let attributes: Vec<_> = attributes.split(';').map(|part| part.trim().to_ascii_lowercase()).collect();
        Some((name.trim().to_owned(), value.to_owned(), attributes.join("; ")))
    };
    answer.headers.get_all("set-cookie").iter().filter_map(read).collect()
}

fn attributes(visit: &mut Visit<'_>, answer: &Answer) {
    let cookies = cookies(answer);
    let mut faults = Vec::new();
    for (name, path) in [(ACCESS, "path=/"), (REFRESH, "path=/api/v2/auth")] {
        match cookies.iter().find(|(found, ..)| found == name) {
            None => faults.push(format!("{name} is missing")),
            Some((_, _, attributes)) => {
                let there: Vec<_> = attributes.split("; ").collect();
                let missing = ["httponly", "secure", "samesite=lax", path].into_iter().filter(|wanted| !there.contains(wanted));
                faults.extend(missing.map(|wanted| format!("{name} is not {wanted}")));
            }
        }
    }
    if answer.json["tokens"]["access_token"].is_string() || answer.json["data"]["token"].is_string() {
        faults.push("scripts are told the token too".to_owned());
    }
    let seen = if faults.is_empty() { "HttpOnly, Secure, SameSite=Lax".to_owned() } else { faults.join("; ") };
    visit.report.must(faults.is_empty(), COOKIES, seen, PROXY);
}

/// Tries to sign out as a foreign page would, then as the right one.
async fn used(visit: &mut Visit<'_>, answer: &Answer) -> Result<(), Trouble> {
    let jar: Vec<_> = cookies(answer)
        .iter()
        .filter(|(name, ..)| name == ACCESS || name == REFRESH)
        .map(|(name, value, _)| format!("{name}={value}"))
        .collect();
    let (jar, csrf) = (jar.join("; "), answer.json["tokens"]["csrf_token"].as_str().unwrap_or_default().to_owned());
    let known = visit.options.known_origin();
    let out = |origin: &str, token: &str| {
        let ask = Ask::post(LOGOUT, &json!({})).with("cookie", &jar).with("origin", origin);
        if token.is_empty() { ask } else { ask.with("x-csrf-token", token) }
    };
    let mut refused = Vec::new();
    for (what, ask) in [
        ("a foreign page", out("https://coinlink-verify.invalid", &csrf)),
        ("no token", out(&known, "")),
        ("another token", out(&known, &"0".repeat(64))),
    ] {
        let answer = visit.client.send(ask).await?;
        if answer.status != 403 {
            refused.push(format!("{what}: {}", answer.told()));
        }
    }
    let seen =
        if refused.is_empty() { "a foreign page, no token and another token are refused".to_owned() } else { refused.join("; ") };
    visit.report.must(refused.is_empty(), CSRF, seen, PROXY);
    let ended = visit.client.send(out(&known, &csrf)).await?;
    let after = visit.client.send(Ask::get("/api/v2/auth/verify").with("cookie", &jar)).await?;
    let held = ended.status == 200 && after.status == 401;
    visit.report.must(held, SIGNED_OUT, format!("sign-out {}, afterwards {}", ended.told(), after.told()), PROXY);
    Ok(())
}
