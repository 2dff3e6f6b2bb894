//! What is left open by all layers is filled in by how the program runs.

use toml::{Table, Value};

use super::settings::Mode;

/// Values for the settings that are still empty or `auto` in `table`, by path.
pub(super) fn values(mode: Mode, table: &Table) -> Vec<(&'static str, Value)> {
    let text = |path: &str| lookup(table, path).and_then(Value::as_str).unwrap_or_default();
    let dev = mode == Mode::Dev;
    let mut values = Vec::new();
    let mut fill = |path, value: Value| {
        let open = match lookup(table, path) {
            Some(Value::Array(items)) => items.is_empty(),
            Some(Value::String(text)) => text.is_empty() || text == "auto",
            _ => false,
        };
        if open {
            values.push((path, value));
        }
    };
    fill("server.host", if dev { "127.0.0.1" } else { "0.0.0.0" }.into());
    fill("log.format", if dev { "text" } else { "json" }.into());
    fill("coingecko.plan", if text("coingecko.api_key").is_empty() { "keyless" } else { "demo" }.into());
    if dev {
        let port = lookup(table, "server.port").and_then(Value::as_integer).unwrap_or_default();
        fill("server.public_url", format!("http://localhost:{port}").into());
        fill("mail.from", "CoinLink <no-reply@localhost>".into());
        fill("auth.jwt_issuer", "coinlink-api".into());
        fill("auth.jwt_audience", "coinlink-app".into());
    }
    values
}

fn lookup<'a>(table: &'a Table, path: &str) -> Option<&'a Value> {
    let (section, key) = path.split_once('.')?;
    table.get(section)?.get(key)
}
