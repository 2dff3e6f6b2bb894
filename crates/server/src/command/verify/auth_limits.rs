//! Limits: that they are told, counted, as tight as promised, and count whom they should. None is used up.

use time::OffsetDateTime;

use super::{
    Visit,
    client::{Answer, Ask},
};

const TOLD: &str = "limits are told and counted";
const ADDRESS: &str = "nobody chooses the address that is counted";
const COUNTED: &str = "credentials are counted";
const STATE: &str = "/api/v2/auth/rate-limit";
/// Class, promised requests a minute, and how many are no limit any more.
const CLASSES: [(&str, u64, u64); 4] = [("anonymous", 100, 1000), ("credentials", 10, 30), ("chat", 20, 200), ("price", 60, 600)];
/// A window is a minute; clocks differ.
const WINDOW: std::ops::RangeInclusive<i64> = -5..=70;

pub(super) async fn check(visit: &mut Visit<'_>) {
    let Some(first) = visit.ask(TOLD, Ask::get(STATE)).await else { return };
    let Some(second) = visit.ask(TOLD, Ask::get(STATE)).await else { return };
    told(visit, &first, &second);
    for (class, promised, none) in CLASSES {
        tightness(visit, &second, class, promised, none);
    }
    address(visit, &second).await;
    credentials(visit);
}

fn told(visit: &mut Visit<'_>, first: &Answer, second: &Answer) {
    let left = |answer: &Answer| answer.number("x-ratelimit-remaining");
    let (Some(limit), Some(before), Some(after)) = (second.number("x-ratelimit-limit"), left(first), left(second)) else {
        let advice = "a proxy must let X-RateLimit-* through: clients pace themselves by them";
        return visit.report.fail(TOLD, "X-RateLimit-Limit or -Remaining is missing", advice);
    };
    let now = OffsetDateTime::now_utc().unix_timestamp();
    let reset = second.number("x-ratelimit-reset").and_then(|reset| i64::try_from(reset).ok()).map(|reset| reset - now);
    let seen = format!("of {limit}: {before}, then {after}");
    if before <= after && after != 0 {
        visit.report.fail(
            TOLD,
            seen,
            "requests are not counted: does each come from another address, or is an answer repeated by a cache?",
        );
    } else if !reset.is_some_and(|seconds| WINDOW.contains(&seconds)) {
        visit.report.fail(TOLD, format!("X-RateLimit-Reset is {reset:?} s from now"), "set the clocks of both machines by NTP");
    } else {
        visit.report.ok(TOLD, seen);
    }
}

fn tightness(visit: &mut Visit<'_>, answer: &Answer, class: &str, promised: u64, none: u64) {
    let check = format!("limit: {class}");
    let entry = answer.json["ip_limits"].as_array().into_iter().flatten().find(|entry| entry["endpoint"] == class);
    let Some((limit, window)) = entry.and_then(|entry| Some((entry["limit"].as_u64()?, entry["window_seconds"].as_u64()?)))
    else {
        return visit.report.fail(&check, format!("{STATE} does not tell of it"), "let the server's answer through as it is");
    };
    let (seen, advice) =
        (format!("{limit} in {window} s"), format!("set RATE_LIMIT_{} to {promised}", class.to_ascii_uppercase()));
    if limit <= promised {
        visit.report.ok(&check, seen);
    } else if limit < none {
        visit.report.warn(&check, format!("{seen}, {promised} are usual"), &advice);
    } else {
        visit.report.fail(&check, format!("{seen}: that is no limit"), &advice);
    }
}

/// Writes an address of its own into the headers that proxies write. If that opens a new window, anybody can.
async fn address(visit: &mut Visit<'_>, before: &Answer) {
    let spoofed = Ask::get(STATE).with("x-forwarded-for", "203.0.113.77").with("forwarded", "for=203.0.113.77");
    let Some(answer) = visit.ask(ADDRESS, spoofed.with("x-real-ip", "203.0.113.77")).await else { return };
    let (Some(left), Some(now)) = (before.number("x-ratelimit-remaining"), answer.number("x-ratelimit-remaining")) else {
        return visit.report.skip(ADDRESS, "limits are not told");
    };
    let seen = format!("{left} were left, with made-up headers {now}");
    let advice = "TRUSTED_PROXIES names the networks of your proxies alone, and these write X-Forwarded-For anew";
    if now <= left {
        visit.report.ok(ADDRESS, seen);
    } else if visit.options.is_local() {
        visit.report.warn(ADDRESS, format!("{seen}: this machine is believed"), advice);
    } else {
        visit.report.fail(ADDRESS, seen, advice);
    }
}

fn credentials(visit: &mut Visit<'_>) {
    let left: Vec<_> = visit.people.credentials_left.iter().filter_map(|(_, left)| *left).collect();
    let (Some(first), Some(last)) = (left.first(), left.last()) else {
        return visit.report.skip(COUNTED, "nobody signed in");
    };
    let advice = "sign-ins are not counted: guessing is not slowed down";
    visit.report.must(left.len() < 2 || last < first || *last == 0, COUNTED, format!("{first} left, later {last}"), advice);
}
