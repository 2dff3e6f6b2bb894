//! Mail that is to be sent.

use std::{borrow::Cow, collections::BTreeMap, fmt};

use time::OffsetDateTime;
use uuid::Uuid;

/// One letter to one address. What it says is in the template; the fields are what the template fills in.
#[derive(Clone, PartialEq, Eq)]
pub struct OutgoingMail {
    /// Version 7; the letter's `Message-ID` is made from it, so that two deliveries of one letter can be told to be the same.
    pub id: Uuid,
    /// The address it goes to.
    pub to: String,
    /// The name of its template: `verify_email`.
    pub template: Cow<'static, str>,
    /// What is filled in, by name. May hold secrets such as links; never printed.
    pub fields: BTreeMap<Cow<'static, str>, String>,
    /// When it was asked for, to the microsecond.
    pub created_at: OffsetDateTime,
}

impl OutgoingMail {
    /// A letter without fields; they are added.
    #[must_use]
    pub fn new(id: Uuid, to: impl Into<String>, template: &'static str, now: OffsetDateTime) -> Self {
        // What is stored is microseconds: a letter is the same before and after.
        let created_at = now.replace_microsecond(now.microsecond()).unwrap_or(now);
        Self { id, to: to.into(), template: template.into(), fields: BTreeMap::new(), created_at }
    }

    /// One more thing to fill in.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.fields.insert(name.into(), value.into());
        self
    }
}

impl fmt::Debug for OutgoingMail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OutgoingMail").field("id", &self.id).field("template", &self.template).finish_non_exhaustive()
    }
}
