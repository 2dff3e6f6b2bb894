//! Forged tokens, and what becomes of a refresh token that is used twice.

use std::time::{Duration, Instant};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::json;

use super::{
    Visit,
    client::{Answer, Ask, Trouble},
    person::Person,
};

const WHO: &str = "/api/v2/auth/verify";
const REFRESH: &str = "/api/v2/auth/token/refresh";
const GOOD: &str = "a good token is taken";
const FORGED: &str = "forged tokens are refused";
const ROTATES: &str = "refresh tokens rotate";
const REUSED: &str = "a reused refresh token ends its session";
const ENDED: &str = "tokens of an ended session are refused";
const TOLD_WITHIN: Duration = Duration::from_secs(3);
const BYPASS: &str = "something before the server answers for it, or checks tokens by itself: it must pass them on";
const RELEASE: &str = "this release does not hold its promise: run its tests, and roll back";

pub(super) async fn check(visit: &mut Visit<'_>) {
    let person = match visit.person().await {
        Ok(person) => (person.access.clone(), person.refresh.clone()),
        Err(why) => {
            visit.report.skip_all(&[GOOD, FORGED, ROTATES, REUSED, ENDED], &why);
            return;
        }
    };
    let (access, refresh) = person;
    let Some(own) = visit.ask(GOOD, Ask::get(WHO).bearer(&access)).await else { return };
    visit.report.must(own.status == 200, GOOD, own.told(), "a proxy must pass Authorization on");
    forged(visit, &access, &refresh).await;
    rotation(visit).await;
}

/// What an attacker makes of a token that they hold.
fn forgeries(access: &str, refresh: &str) -> Vec<(&'static str, String)> {
    let mut parts = access.split('.');
    let (head, claims, signature) =
        (parts.next().unwrap_or_default(), parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let none = |alg: &str| format!("{}.{claims}.", URL_SAFE_NO_PAD.encode(format!(r#"{{"typ":"at+jwt","alg":"{alg}"}}"#)));
    let other = URL_SAFE_NO_PAD.encode(r#"{"sub":"00000000-0000-7000-8000-000000000000","exp":4102444800}"#);
    vec![
        ("alg none", none("none")),
        ("alg None", none("None")),
        ("no signature", format!("{head}.{claims}.")),
        ("other claims", format!("{head}.{other}.{signature}")),
        ("a refresh token", refresh.to_owned()),
        ("three dots", "a.b.c".to_owned()),
    ]
}

async fn forged(visit: &mut Visit<'_>, access: &str, refresh: &str) {
    let forgeries = forgeries(access, refresh);
    for (what, token) in &forgeries {
        let Some(answer) = visit.ask(FORGED, Ask::get(WHO).bearer(token)).await else { return };
        if answer.status != 401 {
            return visit.report.fail(FORGED, format!("{what}: {}", answer.told()), BYPASS);
        }
    }
    visit.report.ok(FORGED, format!("{} of them, alg none among them", forgeries.len()));
}

async fn present(visit: &Visit<'_>, refresh: &str) -> Result<Answer, Trouble> {
    visit.client.send(Ask::post(REFRESH, &json!({"refresh_token": refresh}))).await
}

/// In a session of its own, since it is over afterwards.
async fn rotation(visit: &mut Visit<'_>) {
    let opened = visit.open_session(&json!({})).await;
    let (spent, next) = match opened {
        Ok(answer) => {
            let spent = visit.held(&answer);
            match present(visit, &spent.refresh).await {
                Ok(answer) => (spent, answer),
                Err(trouble) => return visit.report.trouble(ROTATES, &trouble),
            }
        }
        Err(nobody) => {
            let advice = "no second session could be opened";
            return visit.report.without_session(&[ROTATES, REUSED, ENDED], &nobody, advice);
        }
    };
    visit.hide_tokens(&next);
    let next_told = next.told();
    let next = visit.held(&next);
    let rotated = !next.refresh.is_empty() && next.refresh != spent.refresh && next.access != spent.access;
    visit.report.must(rotated, ROTATES, next_told, RELEASE);
    if !rotated {
        visit.report.skip_all(&[REUSED, ENDED], "there is no new token");
        return;
    }
    match reuse(visit, &spent, &next).await {
        Ok(()) => {}
        Err(trouble) => visit.report.trouble(REUSED, &trouble),
    }
}

async fn reuse(visit: &mut Visit<'_>, spent: &Person, next: &Person) -> Result<(), Trouble> {
    // The first use of the new token tells that it arrived: from now on nobody has a reason to show the old one.
    let used = visit.client.send(Ask::get(WHO).bearer(&next.access)).await?;
    let again = present(visit, &spent.refresh).await?;
    let held = used.status == 200 && again.status == 401 && again.code() == "token_reused";
    visit.report.must(held, REUSED, format!("the new one {}, the old one again {}", used.told(), again.told()), RELEASE);
    let (began, mut access) = (Instant::now(), visit.client.send(Ask::get(WHO).bearer(&next.access)).await?);
    while access.status == 200 && began.elapsed() < TOLD_WITHIN {
        tokio::time::sleep(Duration::from_millis(300)).await;
        access = visit.client.send(Ask::get(WHO).bearer(&next.access)).await?;
    }
    let refresh = present(visit, &next.refresh).await?;
    let held = access.status == 401 && refresh.status == 401;
    visit.report.must(held, ENDED, format!("access {}, refresh {}", access.told(), refresh.told()), RELEASE);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_forgery_is_the_token_it_was_made_of() {
        let token = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIn0.c2ln";
        let made = forgeries(token, "v4.local.x");
        assert!(made.iter().all(|(_, forged)| forged != token));
        let (_, none) = &made[0];
        let head = URL_SAFE_NO_PAD.decode(none.split('.').next().unwrap()).unwrap();
        assert_eq!(serde_json::from_slice::<serde_json::Value>(&head).unwrap()["alg"], "none");
        assert!(none.ends_with('.'), "without a signature");
        forgeries("", "");
    }
}
