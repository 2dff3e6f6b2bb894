//! Every step goes down and up again over a database that is in use.
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::collections::BTreeSet;

use coinlink_migration::{Migrator, MigratorTrait};
use coinlink_postgres::{ConnectSettings, Database, MigrationError};
use coinlink_testkit::servers::shared_postgres;
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, DbErr, Statement};

const CLAIMS: &str = "m20261122_000030_add_claims_and_factors";

/// Rows of every table. `{bytes}` are 32 bytes as the database writes them.
const ROWS: &[&str] = &[
    "INSERT INTO last_known_prices (symbol, price, source, as_of) VALUES ('BTC', '64000.5', 'coingecko', '{now}')",
    "INSERT INTO user_preferences (user_id, theme, language, currency, notifications_enabled, email_alerts, price_alerts,
     news_notifications, sound_enabled) VALUES ('{id}01', 'dark', 'en', 'usd', true, true, true, true, true)",
    "INSERT INTO sessions (id, user_id, family_key, generation, confirmed, replays, created_at, rotated_at, second_factor_at)
     VALUES ('{id}11', '{id}01', {bytes}, 1, true, 0, '{now}', '{now}', '{now}')",
    "INSERT INTO sign_in_guards (key, failures) VALUES ('account', 1)",
    "INSERT INTO audit_log (id, \"timestamp\", action, resource_type, details, status)
     VALUES ('{id}21', '{now}', 'auth.login', 'user', '{}', 'success')",
    "INSERT INTO audit_seals (seq, audit_id, entry_at, sealed_at, entry_hash, chain_hash)
     VALUES (1, '{id}21', '{now}', '{now}', {bytes}, {bytes})",
    "INSERT INTO audit_checkpoints (seq, chain_hash, mac, at) VALUES (1, {bytes}, {bytes}, '{now}')",
    "INSERT INTO audit_retirements (first_seal, last_seal, month, chain_hash, mac, at)
     VALUES (1, 1, '2025-01', {bytes}, {bytes}, '{now}')",
    "INSERT INTO outbox_mails (id, recipient, template, state, attempts, due_at, created_at)
     VALUES ('{id}31', 'ada@example.com', 'account_unlocked', 'waiting', 0, '{now}', '{now}')",
    "INSERT INTO second_factors (user_id, key_id, secret, set_up_at, confirmed_at) VALUES ('{id}01', 'k', {bytes}, '{now}', '{now}')",
    "INSERT INTO recovery_codes (user_id, digest) VALUES ('{id}01', {bytes})",
    "INSERT INTO sign_in_tickets (id, digest, user_id, state, first_factor, tries, created_at)
     VALUES ('{id}41', {bytes}, '{id}01', {bytes}, 'password', 0, '{now}')",
    "INSERT INTO api_keys (id, user_id, name, digest, scopes, networks, created_at)
     VALUES ('{id}51', '{id}01', 'bot', {bytes}, 'market:read', '', '{now}')",
    "INSERT INTO mail_links (id, user_id, purpose, email, secret, code, failures, created_at, expires_at)
     VALUES ('{id}61', '{id}01', 'verify_email', 'ada@example.com', {bytes}, {bytes}, 0, '{now}', '{now}')",
    "INSERT INTO wallets (id, user_id, network, address, kind, created_at)
     VALUES ('{id}71', '{id}01', 'mainnet', 'bc1q', 'p2wpkh', '{now}')",
    "INSERT INTO wallet_challenges (id, digest, network, address, kind, domain, uri, nonce, issued_at, expires_at)
     VALUES ('{id}81', {bytes}, 'mainnet', 'bc1q', 'p2wpkh', 'example.com', 'https://example.com', {bytes}, '{now}', '{now}')",
    "INSERT INTO chat_exchanges (id, user_id, question, asked_at, answer, answered_at)
     VALUES ('{id}a1', '{id}01', 'BTC?', '{now}', '64000.5', '{now}')",
    "INSERT INTO feedback (id, user_id, rating, created_at) VALUES ('{id}a2', '{id}01', 5, '{now}')",
    "INSERT INTO alert_rules (id, user_id, symbol, condition, target, is_active, created_at, trigger_count, arming, since, revision,
     changed_at) VALUES ('{id}b1', '{id}01', 'BTC', 'above', '1', true, '{now}', 0, 'armed', '{now}', 1, '{now}')",
    "INSERT INTO fired_alerts (id, rule_id, user_id, symbol, condition, target, price, epoch, seq, fired_at)
     VALUES ('{id}b2', '{id}b1', '{id}01', 'BTC', 'above', '1', '2', 1, 1, '{now}')",
    "INSERT INTO notifications (id, user_id, kind, title, message, priority, is_read, created_at, facts)
     VALUES ('{id}b2', '{id}01', 'price_alert', 'BTC', 'BTC', 'high', false, '{now}', '[]')",
    "INSERT INTO notification_settings (user_id, email_enabled, push_enabled, price_alerts, news_updates, system_alerts, trade_updates,
     security_alerts, clock_minutes) VALUES ('{id}01', true, true, true, true, true, true, true, 0)",
    "INSERT INTO webhooks (id, user_id, url, host, key_id, secret, created_at, failures)
     VALUES ('{id}b3', '{id}01', 'https://example.com', 'example.com', 'k', {bytes}, '{now}', 0)",
    "INSERT INTO notification_deliveries (id, notification_id, user_id, channel, webhook_id, state, attempts, due_at)
     VALUES ('{id}b4', '{id}b2', '{id}01', 'webhook', '{id}b3', 'waiting', 0, '{now}')",
    "INSERT INTO monitor_alerts (id, node, metric, severity, cause, value, opened_at, changed_at, seen_at)
     VALUES ('{id}c1', 'a:8000', 'cpu', 'warning', 'limit', 71.5, '{now}', '{now}', '{now}')",
    "INSERT INTO secret_prints (name, print) VALUES ('PASSWORD_PEPPER', {bytes})",
    "INSERT INTO candle_gaps (symbol, interval, source, from_at, to_at, noted_at)
     VALUES ('BTC', '1m', 'kraken', '{now}', '{now}', '{now}')",
    "INSERT INTO price_candle_symbols (symbol) VALUES ('BTC')",
    "INSERT INTO price_candles_1m (open_at, symbol, open, high, low, close, origin) VALUES ('{now}', 'BTC', '1', '1', '1', '1', 'ticks')",
    "INSERT INTO price_candles_5m (open_at, symbol, open, high, low, close, origin) VALUES ('{now}', 'BTC', '1', '1', '1', '1', 'ticks')",
    "INSERT INTO price_candles_1h (open_at, symbol, open, high, low, close, origin) VALUES ('{now}', 'BTC', '1', '1', '1', '1', 'ticks')",
    "INSERT INTO price_candles_1d (open_at, symbol, open, high, low, close, origin) VALUES ('{now}', 'BTC', '1', '1', '1', '1', 'ticks')",
];

async fn each_database(test: impl AsyncFn(&Database)) {
    let place = tempfile::tempdir().unwrap();
    let sqlite = format!("sqlite:{}", place.path().join("coinlink.db").display());
    let postgres = shared_postgres().await.empty_database().await;
    for url in [&sqlite, &postgres.url] {
        test(&Database::connect(&ConnectSettings::new(url)).await.unwrap()).await;
    }
}

async fn with<T>(
    database: &Database,
    act: impl AsyncFnOnce(&DatabaseConnection) -> Result<T, DbErr>,
) -> Result<T, MigrationError> {
    database.with_migration_lock(act).await
}

async fn fill(db: &DatabaseConnection, sql: &str) -> Result<(), DbErr> {
    let bytes = if db.get_database_backend() == DbBackend::Postgres { "decode(repeat('ab', 32), 'hex')" } else { "zeroblob(32)" };
    let sql = sql.replace("{bytes}", bytes).replace("{now}", "2026-11-22T10:00:00.000000Z");
    db.execute_unprepared(&sql.replace("{id}", "01950000-0000-7000-8000-0000000000")).await.map(drop)
}

/// An account, and the address that it claims instead of owning one.
async fn person(db: &DatabaseConnection, id: &str, address: &str, claims: bool, active: bool) -> Result<(), DbErr> {
    let (email, claimed) = if claims {
        (format!("{{id}}{id}@claimed.invalid"), format!("'{address}'"))
    } else {
        (address.to_owned(), "NULL".into())
    };
    let sql = format!(
        "INSERT INTO users (id, email, claimed_email, pepper_id, password_hash, role, is_active, is_verified, created_at, updated_at,
         logins) VALUES ('{{id}}{id}', '{email}', {claimed}, 'p', 'h', 'user', {active}, false, '2026-11-{id}T10:00:00.000000Z',
         '{{now}}', 0)"
    );
    fill(db, &sql).await
}

async fn everything(db: &DatabaseConnection) -> Result<(), DbErr> {
    person(db, "01", "ada@example.com", false, true).await?;
    person(db, "02", "claimed@example.com", true, true).await?;
    if db.get_database_backend() == DbBackend::Postgres {
        fill(db, "SELECT price_candles_ensure_month(kind, '{now}') FROM unnest(ARRAY['1m', '5m', '1h']) AS kind").await?;
    }
    for row in ROWS {
        fill(db, row).await?;
    }
    Ok(())
}

async fn texts(db: &DatabaseConnection, sql: &str) -> Result<Vec<String>, DbErr> {
    let rows = db.query_all_raw(Statement::from_string(db.get_database_backend(), sql)).await?;
    rows.iter().map(|row| row.try_get_by_index(0)).collect()
}

async fn tables(db: &DatabaseConnection) -> Result<BTreeSet<String>, DbErr> {
    let sql = if db.get_database_backend() == DbBackend::Postgres {
        "SELECT relname::text FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p')
         AND NOT relispartition"
    } else {
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'"
    };
    Ok(texts(db, sql).await?.into_iter().filter(|name| name != "seaql_migrations").collect())
}

#[tokio::test]
async fn every_step_goes_down_and_up_with_rows_in_every_table() {
    each_database(async |database| {
        with(database, async |db| Migrator::up(db, None).await).await.unwrap();
        with(database, everything).await.unwrap();
        for table in with(database, tables).await.unwrap() {
            let sql = format!("SELECT CASE WHEN EXISTS (SELECT 1 FROM {table}) THEN 'rows' ELSE 'none' END");
            assert_eq!(with(database, async |db| texts(db, &sql).await).await.unwrap(), ["rows"], "{table}: add one above");
        }
        for step in Migrator::migrations().iter().rev() {
            for up in [false, true, false] {
                let moved = with(
                    database,
                    async |db| if up { Migrator::up(db, Some(1)).await } else { Migrator::down(db, Some(1)).await },
                );
                moved.await.unwrap_or_else(|error| panic!("{}, up: {up}: {error}", step.name()));
            }
        }
        assert!(with(database, tables).await.unwrap().is_empty());
        with(database, async |db| Migrator::up(db, None).await).await.unwrap();
    })
    .await;
}

/// Takes steps back up to the one that adds claims, and then that one.
async fn without_claims(database: &Database) -> Result<(), MigrationError> {
    let later = Migrator::migrations().iter().filter(|step| step.name() > CLAIMS).count();
    with(database, async |db| Migrator::down(db, Some(later.try_into().unwrap())).await).await.unwrap();
    with(database, async |db| Migrator::down(db, Some(1)).await).await
}

#[tokio::test]
async fn an_address_that_nobody_owns_goes_to_its_claimant_when_claims_are_taken_back() {
    each_database(async |database| {
        with(database, async |db| Migrator::up(db, None).await).await.unwrap();
        with(database, everything).await.unwrap();
        with(database, async |db| person(db, "05", "alone@example.com", true, true).await).await.unwrap();
        without_claims(database).await.unwrap();
        let emails = with(database, async |db| texts(db, "SELECT email FROM users ORDER BY created_at").await).await.unwrap();
        assert_eq!(emails, ["ada@example.com", "claimed@example.com", "alone@example.com"]);
    })
    .await;
}

#[tokio::test]
async fn claims_stay_whole_where_a_claimant_would_be_left_without_an_address() {
    each_database(async |database| {
        with(database, async |db| Migrator::up(db, None).await).await.unwrap();
        with(database, everything).await.unwrap();
        with(database, async |db| {
            person(db, "03", "claimed@example.com", true, true).await?;
            person(db, "04", "claimed@example.com", true, false).await?;
            person(db, "05", "ada@example.com", true, true).await
        })
        .await
        .unwrap();
        let refused = without_claims(database).await.unwrap_err().to_string();
        assert!(refused.contains("3 of the accounts"), "{refused}");
        let claims = "SELECT email || ' ' || claimed_email FROM users WHERE claimed_email IS NOT NULL ORDER BY created_at";
        let kept = with(database, async |db| texts(db, claims).await).await.unwrap();
        assert!(kept.len() == 4 && kept.iter().all(|row| row.contains("@claimed.invalid ")), "{kept:?}");

        let gone = "DELETE FROM users WHERE id IN ('{id}02', '{id}04', '{id}05')";
        with(database, async |db| fill(db, gone).await).await.unwrap();
        with(database, async |db| Migrator::down(db, Some(1)).await).await.unwrap();
        let owner = "SELECT CAST(id AS text) FROM users WHERE email = 'claimed@example.com'";
        let owner = with(database, async |db| texts(db, owner).await).await.unwrap();
        assert!(owner.len() == 1 && owner[0].ends_with("03"), "{owner:?}");
    })
    .await;
}

#[tokio::test]
async fn a_new_database_holds_nobody_and_no_key() {
    each_database(async |database| {
        with(database, async |db| Migrator::up(db, None).await).await.unwrap();
        let rows = with(database, async |db| {
            let mut rows = Vec::new();
            // Up to where rules were looked at is one row, which is nobody's.
            for table in tables(db).await?.into_iter().filter(|table| table != "alert_progress") {
                let found = texts(db, &format!("SELECT CAST(count(*) AS text) FROM {table}")).await?;
                rows.push((table, found));
            }
            Ok(rows)
        });
        for (table, count) in rows.await.unwrap() {
            assert_eq!(count, ["0"], "{table}: whoever could sign in there would be known to everybody");
        }
    })
    .await;
}

#[tokio::test]
async fn every_table_is_in_the_list_of_data() {
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../docs/data.md")).unwrap();
    let listed =
        page.split("\n## Tables\n").nth(1).unwrap().lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next());
    let listed: BTreeSet<String> = listed.map(str::to_owned).collect();
    each_database(async |database| {
        with(database, async |db| Migrator::up(db, None).await).await.unwrap();
        let there = with(database, async |db| tables(db).await).await.unwrap();
        assert_eq!(there, listed, "docs/data.md says of each table how sensitive it is");
    })
    .await;
}

/// Prices that were made up were among them, and nothing told which.
#[tokio::test]
async fn what_was_collected_before_made_up_prices_were_kept_apart_goes_from_sqlite_and_what_providers_know_stays() {
    const STEP: &str = "m20261124_000800_forget_made_up_candles";
    let rows = [
        ("1m", "2026-11-22T10:03", "ticks"),
        ("1m", "2026-11-20T10:03", "kraken"),
        ("5m", "2026-11-22T10:00", "ticks"),
        ("1h", "2026-11-22T10:00", "kraken"),
        ("1h", "2026-11-22T09:00", "kraken"),
        ("1d", "2026-11-22T00:00", "kraken"),
        ("1d", "2026-11-20T00:00", "kraken"),
        ("1d", "2025-01-01T00:00", "ticks"),
    ];
    each_database(async |database| {
        let before = Migrator::migrations().iter().filter(|step| step.name() < STEP).count();
        with(database, async |db| Migrator::up(db, Some(before.try_into().unwrap())).await).await.unwrap();
        let is_postgres = with(database, async |db| Ok(db.get_database_backend() == DbBackend::Postgres)).await.unwrap();
        let kept = with(database, async |db| {
            for (kind, at, origin) in rows {
                if is_postgres && kind != "1d" {
                    fill(db, &format!("SELECT price_candles_ensure_month('{kind}', '{at}:00Z')")).await?;
                }
                fill(
                    db,
                    &format!(
                        "INSERT INTO price_candles_{kind} (open_at, symbol, open, high, low, close, origin)
                         VALUES ('{at}:00.000000Z', 'BTC', '1', '1', '1', '1', '{origin}')"
                    ),
                )
                .await?;
            }
            Migrator::up(db, None).await?;
            let mut kept = Vec::new();
            for kind in ["1m", "5m", "1h", "1d"] {
                let sql = format!("SELECT substr(CAST(open_at AS text), 9, 5) FROM price_candles_{kind} ORDER BY open_at");
                kept.push(texts(db, &sql).await?.len());
            }
            Ok(kept)
        });
        let kept = kept.await.unwrap();
        assert_eq!(kept, if is_postgres { [2, 1, 2, 3] } else { [1, 0, 1, 1] });
    })
    .await;
}
