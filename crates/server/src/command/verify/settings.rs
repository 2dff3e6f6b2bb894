//! What the server depends on and how it is set up: from outside, and with `--settings` from the environment of this command.

use coinlink_postgres::{ConnectSettings, Database, audit_rights};
use secrecy::ExposeSecret as _;

use super::{Visit, client::Ask};
use crate::config::{self, Mode, Settings, Sources};

const COMPLETE: &str = "settings are complete and strong";
const RIGHTS: &str = "rights on the audit log";
const NOT_TOLD: &str = "/ was not answered, which tells the environment";
const ROLE: &str = "run as a role that may only read and add there: docs/audit-log.md";

/// What a server needs, and what is so while it is away.
const DEPENDENCIES: [(&str, &str); 2] = [
    (
        "database",
        "while it is away accounts, alerts and history answer 503; prices go on: bring it back (docs/runbooks/database-down.md)",
    ),
    (
        "redis",
        "while it is away prices stay as they were and grow old, and each node counts limits by itself; accounts, alerts and history \
         work: bring it back (docs/runbooks/redis-lost.md)",
    ),
];

pub(super) async fn check(visit: &mut Visit<'_>) {
    dependencies(visit).await;
    kind_of_deployment(visit);
    match visit.options.settings {
        Some(purpose) => own_settings(visit, purpose.into()).await,
        None => visit.report.skip(COMPLETE, "only seen from inside: run this where the server runs, with --settings"),
    }
}

async fn dependencies(visit: &mut Visit<'_>) {
    let Some(answer) = visit.ask("dependencies", Ask::get("/readyz")).await else { return };
    for (name, advice) in DEPENDENCIES {
        let (check, seen) = (format!("{name} answers"), &answer.json["checks"][name]);
        match seen["status"].as_str() {
            Some("up") => visit.report.ok(&check, format!("up, {:.1} ms", seen["latency_ms"].as_f64().unwrap_or_default())),
            None if name == "redis" && visit.home.is_none() => visit.report.skip(&check, NOT_TOLD),
            None if name == "redis" && visit.is_for_work() => {
                visit.report.warn(
                    &check,
                    "there is none: limits and sessions are this process's own",
                    "run `coinlink serve` in production",
                );
            }
            other => {
                let message = seen["message"].as_str().unwrap_or("/readyz does not tell of it");
                let seen = format!("{}: {message}", other.unwrap_or("unknown"));
                visit.report.fail(&check, seen, advice);
            }
        }
    }
}

fn kind_of_deployment(visit: &mut Visit<'_>) {
    let Some(home) = &visit.home else { return visit.report.skip("environment", NOT_TOLD) };
    let environment = home["environment"].as_str().unwrap_or("unknown").to_owned();
    if visit.is_for_work() {
        visit.report.warn("environment", environment, "this is `coinlink dev`, or COINLINK_ENV=local: not for production");
    } else {
        visit.report.ok("environment", environment);
    }
}

async fn own_settings(visit: &mut Visit<'_>, mode: Mode) {
    let loaded = config::load(&Sources::of_process(mode, vec![]));
    let problems = loaded.all_problems(mode);
    if problems.is_empty() {
        visit.report.ok(COMPLETE, "no problems");
    }
    for problem in &problems {
        visit.report.fail(COMPLETE, format!("{} {}", problem.setting, problem.why), &problem.fix);
    }
    let settings = &loaded.settings;
    addresses(visit, settings, mode);
    let private = &settings.webhook.allowed_private;
    let seen = if private.is_empty() { "webhooks reach nothing beside the server" } else { "WEBHOOK_ALLOWED_PRIVATE is set" };
    visit.report.must(private.is_empty(), "webhooks", seen, "any user reaches what stands there: leave it empty");
    if settings.metrics.enabled && settings.metrics.addr.is_none() {
        let advice = "set METRICS_ADDR, or keep /metrics from the public at the proxy";
        visit.report.warn("metrics have a port of their own", "METRICS_ADDR is empty", advice);
    }
    if mode == Mode::Serve && settings.mail.smtp_url.is_none() {
        visit.report.warn("mail", "SMTP_URL is empty: letters wait in the outbox", "set it: docs/mail.md");
    }
    rights(visit, settings).await;
}

fn addresses(visit: &mut Visit<'_>, settings: &Settings, mode: Mode) {
    if mode == Mode::Dev {
        return;
    }
    let public = settings.server.public_url.as_str();
    let fix =
        "name the https URL: browsers keep cookies and send them over https only, and links in letters can be read on their way";
    visit.report.must(public.starts_with("https://"), "PUBLIC_URL is https", public, fix);
    let plain: Vec<_> = settings.server.allowed_origins.iter().filter(|origin| !origin.starts_with("https://")).collect();
    let seen = if plain.is_empty() { "all are".to_owned() } else { format!("{plain:?} are not") };
    let fix = "whoever stands between a page and its reader can change the page: name https origins";
    visit.report.must(plain.is_empty(), "ALLOWED_ORIGINS are https", seen, fix);
}

async fn rights(visit: &mut Visit<'_>, settings: &Settings) {
    let Some(url) = &settings.database.url else {
        visit.report.skip(RIGHTS, "no DATABASE_URL: SQLite has no roles");
        return;
    };
    let found = match Database::connect(&ConnectSettings::new(url.expose_secret().to_owned())).await {
        Ok(database) => audit_rights(&database).await.map_err(|error| error.to_string()),
        Err(error) => Err(error.to_string()),
    };
    match found {
        Err(why) => visit.report.fail(RIGHTS, why, "DATABASE_URL leads to no database that answers"),
        Ok(None) => visit.report.skip(RIGHTS, "SQLite has no roles"),
        Ok(Some(rights)) if rights.is_empty() => visit.report.ok(RIGHTS, "the role reads and adds, and no more"),
        Ok(Some(rights)) => visit.report.fail(RIGHTS, format!("the role {}", rights.join(", ")), ROLE),
    }
}
