//! What API keys may do: every method of every route is in this table, and what is not is forbidden. docs/api-keys.md shows it.

use std::fmt::Write as _;

use coinlink_domain::identity::{ApiScope, ApiScopes};

use super::super::{ApiError, error_codes};

/// What one method of a route takes of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyAccess {
    /// Any key that is good.
    Public,
    /// One with this scope.
    Needs(ApiScope),
    /// One with both of these: what was answered before may tell what the other scope opens.
    NeedsBoth(ApiScope, ApiScope),
    /// No key at all: it takes a person who is signed in, or nobody.
    Forbidden,
}

use KeyAccess::{Forbidden, Needs, NeedsBoth, Public};

const MARKET: KeyAccess = Needs(ApiScope::MarketRead);
const READ: &str = "GET, HEAD";

/// Paths and methods, in the order of the table of routes. Whatever has to do with credentials, sessions, keys, mail, wallets and
/// administration is forbidden: a key that leaks must not become more than it is.
pub const KEY_ACCESS: &[(&str, &str, KeyAccess)] = &[
    ("/", READ, Public),
    ("/page.js", READ, Public),
    ("/health", READ, Public),
    ("/livez", READ, Public),
    ("/readyz", READ, Public),
    ("/readyz/node", READ, Public),
    ("/api/crypto/ticker", READ, MARKET),
    ("/api/bitcoin/price", READ, MARKET),
    ("/api/bitcoin/news", READ, MARKET),
    ("/api/bitcoin/sentiment", READ, MARKET),
    ("/api/bitcoin/market-summary", READ, MARKET),
    ("/api/bitcoin/analyze", "POST", MARKET),
    ("/api/v2/market/bitcoin/price", READ, MARKET),
    ("/api/v2/market/crypto/ticker", READ, MARKET),
    ("/api/v2/market/health", READ, Public),
    ("/api/v2/market/stats", READ, MARKET),
    ("/api/v2/market/trending", READ, MARKET),
    ("/api/v2/market/bitcoin/history", READ, MARKET),
    ("/api/v2/market/{symbol}/candles", READ, MARKET),
    ("/.well-known/jwks.json", READ, Public),
    ("/api/connections", READ, Public),
    ("/api/metrics", READ, Public),
    ("/api/stream/ticker", READ, MARKET),
    ("/ws", READ, Public),
    ("/api/v2/auth/signup", "POST", Forbidden),
    ("/api/v2/auth/login", "POST", Forbidden),
    ("/api/v2/auth/token/refresh", "POST", Forbidden),
    ("/api/v2/auth/refresh", "POST", Forbidden),
    ("/api/v2/auth/logout", "POST", Forbidden),
    ("/api/v2/auth/logout-all", "POST", Forbidden),
    ("/api/v2/auth/ws-ticket", "POST", Forbidden),
    ("/api/v2/auth/password/change", "POST", Forbidden),
    ("/api/v2/auth/2fa", READ, Forbidden),
    ("/api/v2/auth/2fa/setup", "POST", Forbidden),
    ("/api/v2/auth/2fa/confirm", "POST", Forbidden),
    ("/api/v2/auth/2fa/verify", "POST", Forbidden),
    ("/api/v2/auth/2fa/disable", "POST", Forbidden),
    ("/api/v2/auth/2fa/recovery-codes", "POST", Forbidden),
    ("/api/v2/auth/wallet/challenge", "POST", Forbidden),
    ("/api/v2/auth/wallet/verify", "POST", Forbidden),
    ("/api/v2/auth/wallet/link", "POST", Forbidden),
    ("/api/v2/auth/wallets", READ, Forbidden),
    ("/api/v2/auth/wallets/{id}", "DELETE", Forbidden),
    ("/api/v2/auth/password/forgot", "POST", Forbidden),
    ("/api/v2/auth/password/reset", READ, Forbidden),
    ("/api/v2/auth/password/reset", "POST", Forbidden),
    ("/api/v2/auth/email/resend", "POST", Forbidden),
    ("/api/v2/auth/email/verify", READ, Forbidden),
    ("/api/v2/auth/email/verify", "POST", Forbidden),
    ("/api/v2/auth/email/change", "POST", Forbidden),
    ("/api/v2/auth/email/change/confirm", READ, Forbidden),
    ("/api/v2/auth/email/change/confirm", "POST", Forbidden),
    ("/api/v2/auth/email/change/undo", READ, Forbidden),
    ("/api/v2/auth/email/change/undo", "POST", Forbidden),
    ("/api/auth/verify", READ, Forbidden),
    ("/account/verify", READ, Forbidden),
    ("/account/reset", READ, Forbidden),
    ("/account/change", READ, Forbidden),
    ("/account/undo", READ, Forbidden),
    ("/account/page.js", READ, Public),
    ("/account/{file:.*}", READ, Forbidden),
    ("/.well-known/change-password", READ, Forbidden),
    ("/favicon.ico", READ, Public),
    ("/api/v2/auth/csrf", READ, Forbidden),
    ("/api/v2/auth/health", READ, Forbidden),
    ("/api/v2/auth/verify", READ, Forbidden),
    ("/api/v2/auth/rate-limit", READ, Forbidden),
    ("/api/v2/user/profile", READ, Needs(ApiScope::AccountRead)),
    ("/api/v2/user/profile", "PUT", Needs(ApiScope::AccountWrite)),
    ("/api/v2/user/preferences", READ, Needs(ApiScope::AccountRead)),
    ("/api/v2/user/preferences", "PUT", Needs(ApiScope::AccountWrite)),
    ("/api/v2/notifications", READ, Needs(ApiScope::AlertsRead)),
    ("/api/v2/notifications/unread-count", READ, Needs(ApiScope::AlertsRead)),
    ("/api/v2/notifications/health", READ, Public),
    ("/api/v2/notifications/settings", READ, Forbidden),
    ("/api/v2/notifications/settings", "PUT", Forbidden),
    ("/api/v2/notifications/read-all", "PUT", Needs(ApiScope::AlertsWrite)),
    ("/api/v2/notifications/webhooks", READ, Forbidden),
    ("/api/v2/notifications/webhooks", "POST", Forbidden),
    ("/api/v2/notifications/webhooks/{id}", "DELETE", Forbidden),
    ("/api/v2/notifications/webhooks/{id}/test", "POST", Forbidden),
    ("/api/alerts", READ, Needs(ApiScope::AlertsRead)),
    ("/api/alerts/history", READ, Needs(ApiScope::AlertsRead)),
    ("/api/v2/user/alerts", READ, Needs(ApiScope::AlertsRead)),
    ("/api/v2/user/alerts", "POST", Needs(ApiScope::AlertsWrite)),
    ("/api/v2/user/alerts/{id}", "DELETE", Needs(ApiScope::AlertsWrite)),
    ("/api/v2/notifications/alerts", READ, Needs(ApiScope::AlertsRead)),
    ("/api/v2/notifications/alerts", "POST", Needs(ApiScope::AlertsWrite)),
    ("/api/v2/notifications/alerts/{id}", "PUT", Needs(ApiScope::AlertsWrite)),
    ("/api/v2/notifications/alerts/{id}", "DELETE", Needs(ApiScope::AlertsWrite)),
    ("/api/v2/notifications/{id}/read", "PUT", Needs(ApiScope::AlertsWrite)),
    ("/api/v2/notifications/{id}", "DELETE", Needs(ApiScope::AlertsWrite)),
    ("/api/v2/user/health", READ, Public),
    ("/api/v2/user/stats", READ, Needs(ApiScope::AccountRead)),
    ("/api/v2/user/sessions", READ, Forbidden),
    ("/api/v2/user/sessions/{id}", "DELETE", Forbidden),
    ("/api/v2/admin/stats", READ, Forbidden),
    ("/api/v2/admin/audit", READ, Forbidden),
    ("/api/v2/admin/users", READ, Forbidden),
    ("/api/v2/admin/users/{id}/lock", "POST", Forbidden),
    ("/api/v2/admin/users/{id}/unlock", "POST", Forbidden),
    ("/api/v2/admin/users/{id}/sessions/revoke", "POST", Forbidden),
    ("/api/v2/admin/cache/clear", "POST", Forbidden),
    ("/api/monitoring/unified", READ, Needs(ApiScope::MonitoringRead)),
    ("/api/monitoring/alerts", READ, Needs(ApiScope::MonitoringRead)),
    ("/api/monitoring/alerts/{id}/acknowledge", "POST", Forbidden),
    ("/api/v2/user/api-keys", READ, Forbidden),
    ("/api/v2/user/api-keys", "POST", Forbidden),
    ("/api/v2/user/api-keys/{id}", "DELETE", Forbidden),
    ("/api/chat", "POST", Needs(ApiScope::ChatWrite)),
    ("/api/chat/history", READ, NeedsBoth(ApiScope::ChatWrite, ApiScope::AlertsRead)),
    ("/api/chat/history", "DELETE", Needs(ApiScope::ChatWrite)),
    ("/api/prompts", READ, MARKET),
    ("/api/feedback", "POST", Needs(ApiScope::ChatWrite)),
    ("/openapi.json", READ, Public),
    ("/asyncapi.json", READ, Public),
    ("/docs", READ, Public),
    ("/docs/{file:.*}", READ, Public),
    ("/metrics", READ, Public),
];

impl KeyAccess {
    /// Of a method of a route; of `None`, which is no route, anybody may hear that there is nothing.
    pub fn of(route: Option<&str>, method: &str) -> Self {
        let Some(path) = route else { return Public };
        let named = |methods: &str| methods.split(", ").any(|named| named == method);
        let row = KEY_ACCESS.iter().find(|(of, methods, _)| *of == path && named(methods));
        row.map_or(Forbidden, |(.., access)| *access)
    }

    /// The scopes a key has to have.
    pub fn needed(self) -> impl Iterator<Item = ApiScope> {
        let needed = match self {
            Public | Forbidden => [None, None],
            Needs(scope) => [Some(scope), None],
            NeedsBoth(one, other) => [Some(one), Some(other)],
        };
        needed.into_iter().flatten()
    }

    /// Why a key with these scopes is refused.
    pub(super) fn refuses(self, scopes: ApiScopes) -> Option<ApiError> {
        if self == Forbidden {
            return Some(ApiError::new(error_codes::KEY_NOT_ALLOWED));
        }
        let scope = self.needed().find(|scope| !scopes.include(*scope))?;
        Some(
            ApiError::new(error_codes::SCOPE_MISSING)
                .message(format!("This takes a key with the scope {}.", scope.name()))
                .detail("scope", scope.name()),
        )
    }

    fn told(self) -> String {
        match self {
            Public => "any key".to_owned(),
            Needs(scope) => format!("`{}`", scope.name()),
            NeedsBoth(one, other) => format!("`{}` and `{}`", one.name(), other.name()),
            Forbidden => "no key".to_owned(),
        }
    }
}

/// The table of docs/api-keys.md.
pub fn key_access_markdown() -> String {
    let mut text = String::from("| route | methods | takes |\n|---|---|---|\n");
    for (path, methods, access) in KEY_ACCESS {
        // Writing to a String does not fail.
        let _ = writeln!(text, "| `{path}` | {methods} | {} |", access.told());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::{ENDPOINTS, METRICS};
    use std::collections::BTreeMap;

    /// Every method of each route, once.
    fn rows<'a>(table: impl Iterator<Item = (&'a str, &'a str)>) -> BTreeMap<(&'a str, &'a str), usize> {
        let mut rows = BTreeMap::new();
        for (path, methods) in table {
            for method in methods.split(", ") {
                *rows.entry((path, method)).or_default() += 1;
            }
        }
        rows
    }

    #[test]
    fn every_method_of_every_route_says_once_what_it_takes_of_a_key_and_nothing_else_is_named() {
        let served = rows(ENDPOINTS.iter().chain([&METRICS]).map(|endpoint| (endpoint.path, endpoint.methods)));
        let named = rows(KEY_ACCESS.iter().map(|(path, methods, _)| (*path, *methods)));
        assert_eq!(named, served, "say in key_access.rs what a new route takes of an API key");
    }

    #[test]
    fn what_is_not_named_is_forbidden_and_what_is_no_route_is_not_there() {
        assert_eq!(KeyAccess::of(Some("/api/v2/user/profile"), "GET"), Needs(ApiScope::AccountRead));
        assert_eq!(KeyAccess::of(Some("/api/v2/user/profile"), "PATCH"), Forbidden);
        assert_eq!(KeyAccess::of(Some("/api/v2/user/new"), "GET"), Forbidden);
        assert_eq!(KeyAccess::of(None, "GET"), Public);
    }

    #[test]
    fn no_key_touches_credentials_sessions_keys_or_administration() {
        for (path, methods, access) in KEY_ACCESS {
            let guarded = ["/api/v2/auth", "/api/v2/admin", "/api/v2/user/sessions", "/api/v2/user/api-keys"];
            if guarded.iter().any(|prefix| path.starts_with(prefix)) {
                assert_eq!(*access, Forbidden, "{methods} {path}");
            }
        }
    }

    #[test]
    fn what_changes_something_takes_a_scope_that_says_so() {
        for (path, methods, access) in KEY_ACCESS {
            if *path == "/api/bitcoin/analyze" {
                // It reads a body, and changes nothing.
                continue;
            }
            let may_write = matches!(access, Needs(scope) if scope.name().ends_with(":write"));
            assert!(*methods == READ || *access == Forbidden || may_write, "{methods} {path}");
        }
    }
}
