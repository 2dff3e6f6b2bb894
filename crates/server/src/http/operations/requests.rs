//! What administrators send.

use coinlink_domain::{
    identity::{EmailPrefix, Role},
    shared::{
        audit::AuditStatus,
        reason::{Reason, ReasonError},
    },
};
use coinlink_ports::{identity::AccountFilter, operations::AuditFilter};
use serde::Deserialize;
use time::{OffsetDateTime, UtcOffset, format_description::well_known::Rfc3339};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::http::{
    ApiError, error_codes,
    lists::{Cursor, read_cursor, read_limit},
};

/// The longest text that is looked for.
const LONGEST: usize = 200;

/// Why it is done.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"reason": "Ticket 4711"}))]
pub(in crate::http) struct ReasonBody {
    /// In your words, for the audit log; 1 to 500 characters.
    #[schema(required = true, nullable = false, min_length = 1, max_length = 500)]
    #[serde(default)]
    reason: Option<String>,
}

impl ReasonBody {
    pub(super) fn reason(&self) -> Result<Reason, ApiError> {
        reason(self.reason.as_deref())
    }
}

fn reason(text: Option<&str>) -> Result<Reason, ApiError> {
    Reason::try_new(text.unwrap_or_default()).map_err(|error| {
        let code = match error {
            ReasonError::Missing => error_codes::REASON_REQUIRED,
            ReasonError::Unusable => error_codes::INVALID_INPUT,
        };
        ApiError::new(code).detail("reason", error.to_string())
    })
}

/// What to forget.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"reason": "Ticket 4711"}))]
pub(in crate::http) struct ClearCacheBody {
    /// In your words, for the audit log; 1 to 500 characters.
    #[schema(required = true, nullable = false, min_length = 1, max_length = 500)]
    #[serde(default)]
    reason: Option<String>,
    /// The name of one cache; without it, or with `all`, all are cleared.
    #[serde(default)]
    pub cache: Option<String>,
}

impl ClearCacheBody {
    pub(super) fn reason(&self) -> Result<Reason, ApiError> {
        reason(self.reason.as_deref())
    }
}

/// Numbers, ids and such come as text, so that what cannot be read is told by its name.
fn flag(field: &'static str, text: Option<&str>) -> Result<Option<bool>, ApiError> {
    text.map(str::parse).transpose().map_err(|_| ApiError::invalid_query(field, "true or false"))
}

/// Which accounts.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in crate::http) struct UsersQuery {
    /// Accounts in one answer.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 100, default = 20)]
    limit: Option<String>,
    /// `page.next_cursor` of the answer before.
    cursor: Option<String>,
    /// Those whose address begins so, whatever the case of its letters.
    #[param(max_length = 254)]
    email: Option<String>,
    /// `user` or `admin`.
    #[param(pattern = "^(user|admin)$")]
    role: Option<String>,
    /// Whether they may sign in.
    #[param(value_type = Option<bool>)]
    active: Option<String>,
    /// Whether their address is known to be theirs.
    #[param(value_type = Option<bool>)]
    verified: Option<String>,
}

impl UsersQuery {
    pub(super) fn limit(&self) -> Result<u32, ApiError> {
        read_limit(self.limit.as_deref())
    }

    pub(super) fn cursor<C: Cursor>(&self) -> Result<Option<C>, ApiError> {
        read_cursor(self.cursor.as_deref())
    }

    pub(super) fn filter(&self) -> Result<AccountFilter, ApiError> {
        let email = self.email.as_deref().map(EmailPrefix::try_new).transpose();
        let role = self
            .role
            .as_deref()
            .map(|role| Role::from_name(role).ok_or_else(|| ApiError::invalid_query("role", "user or admin")));
        Ok(AccountFilter {
            email: email.map_err(|error| ApiError::invalid_query("email", error.to_string()))?,
            role: role.transpose()?,
            active: flag("active", self.active.as_deref())?,
            verified: flag("verified", self.verified.as_deref())?,
        })
    }
}

/// Which entries.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in crate::http) struct AuditQuery {
    /// Entries in one answer.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 100, default = 20)]
    limit: Option<String>,
    /// `page.next_cursor` of the answer before.
    cursor: Option<String>,
    /// Those that this account did. What was tried on an account is found by `resource=user:<id>`.
    #[param(value_type = Option<Uuid>)]
    user: Option<String>,
    /// Those of this action: `auth.sign_in`.
    #[param(max_length = 200)]
    action: Option<String>,
    /// Those that ended so: `success`, `failure` or `denied`.
    #[param(pattern = "^(success|failure|denied)$")]
    status: Option<String>,
    /// From then on, RFC 3339.
    #[param(format = DateTime)]
    from: Option<String>,
    /// Before then, RFC 3339.
    #[param(format = DateTime)]
    to: Option<String>,
    /// Those done to resources of a type, `session`, or to one of them, `session:<id>`.
    #[param(max_length = 200)]
    resource: Option<String>,
}

/// Text that is looked for: what no entry holds finds nothing, and a NUL, which PostgreSQL takes in no text, is in none.
pub(super) fn text(field: &'static str, text: Option<&str>) -> Result<Option<String>, ApiError> {
    let fits = |text: &str| text.len() <= LONGEST && !text.chars().any(char::is_control);
    text.map(|text| {
        if fits(text) {
            Ok(text.to_owned())
        } else {
            Err(ApiError::invalid_query(field, "at most 200 bytes, no control characters"))
        }
    })
    .transpose()
}

/// Years as both databases have them: a calendar begins with the year 1.
fn moment(field: &'static str, text: Option<&str>) -> Result<Option<OffsetDateTime>, ApiError> {
    let read = |text: &str| {
        let moment = OffsetDateTime::parse(text, &Rfc3339).ok()?.checked_to_offset(UtcOffset::UTC)?;
        (1..=9999).contains(&moment.year()).then_some(moment)
    };
    text.map(|text| read(text).ok_or_else(|| ApiError::invalid_query(field, "a time as 2026-11-21T14:03:00Z"))).transpose()
}

impl AuditQuery {
    pub(super) fn limit(&self) -> Result<u32, ApiError> {
        read_limit(self.limit.as_deref())
    }

    pub(super) fn cursor<C: Cursor>(&self) -> Result<Option<C>, ApiError> {
        read_cursor(self.cursor.as_deref())
    }

    pub(super) fn filter(&self) -> Result<AuditFilter, ApiError> {
        let user = |id: &str| id.parse::<Uuid>().map_err(|_| ApiError::invalid_query("user", "the id of an account, a UUID"));
        let status = |name: &str| {
            AuditStatus::from_name(name).ok_or_else(|| ApiError::invalid_query("status", "success, failure or denied"))
        };
        let resource = text("resource", self.resource.as_deref())?;
        let (resource_type, resource_id) = match resource.as_deref().map(|text| text.split_once(':').ok_or(text)) {
            None => (None, None),
            Some(Ok((kind, id))) => (Some(kind.to_owned()), Some(id.to_owned())),
            Some(Err(kind)) => (Some(kind.to_owned()), None),
        };
        Ok(AuditFilter {
            user: self.user.as_deref().map(user).transpose()?,
            action: text("action", self.action.as_deref())?,
            status: self.status.as_deref().map(status).transpose()?,
            resource_type,
            resource_id,
            from: moment("from", self.from.as_deref())?,
            to: moment("to", self.to.as_deref())?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn query(text: &str) -> Result<AuditFilter, &'static str> {
        let query = actix_web::web::Query::<AuditQuery>::from_query(text).map_err(|_| "invalid_query")?;
        query.limit().and_then(|_| query.filter()).map_err(|error| error.code().code)
    }

    #[test]
    fn a_resource_is_a_type_or_one_of_them() {
        let filter = query("resource=session").unwrap();
        assert_eq!((filter.resource_type.as_deref(), filter.resource_id), (Some("session"), None));
        let filter = query("resource=cache:a%3Ab").unwrap();
        assert_eq!((filter.resource_type.as_deref(), filter.resource_id.as_deref()), (Some("cache"), Some("a:b")));
    }

    #[test]
    fn what_cannot_be_read_is_refused_and_not_left_out() {
        for bad in ["status=ok", "from=yesterday", "to=2026-13-01T00:00:00Z", "user=1", "action=%00", "limit=a", "colour=red"] {
            assert_eq!(query(bad), Err("invalid_query"), "{bad}");
        }
        // No database has a year 0.
        for bad in ["0000-12-31T23:59:59Z", "0001-01-01T00:00:00%2B00:01", "9999-12-31T23:59:59-00:01"] {
            assert_eq!(query(&format!("from={bad}")), Err("invalid_query"), "{bad}");
            assert_eq!(query(&format!("to={bad}")), Err("invalid_query"), "{bad}");
        }
        assert!(query("from=0001-01-01T00:00:00Z&to=9999-12-31T23:59:59.999999Z").is_ok());
        assert_eq!(query("action=no.such").unwrap().action.as_deref(), Some("no.such"));
    }

    proptest! {
        #[test]
        fn no_query_panics(
            resource in proptest::option::of(".{0,40}"),
            from in proptest::option::of("[0-9TZ:.+-]{0,40}|.{0,10}"),
            email in proptest::option::of(".{0,40}"),
        ) {
            let _ = AuditQuery {
                limit: None, cursor: None, user: None, action: None, status: None, from: from.clone(), to: from, resource,
            }.filter();
            let _ = UsersQuery { limit: None, cursor: None, email, role: None, active: None, verified: None }.filter();
        }
    }
}
