//! The table of templates. Adding one: two files in `templates/` and a line here; a test compares them.

use minijinja::{AutoEscape, Environment, UndefinedBehavior};
use time::{OffsetDateTime, UtcOffset, format_description::well_known::Rfc3339, macros::format_description};

/// One kind of letter.
#[derive(Debug)]
pub struct Template {
    /// What whoever posts it calls it.
    pub name: &'static str,
    /// What has to be filled in.
    pub fields: &'static [&'static str],
    /// The part in plain text; its first line is the subject, in which nothing but a title of our own words is filled in.
    pub text: &'static str,
    /// The part in HTML.
    pub html: &'static str,
}

macro_rules! template {
    ($name:literal, [$($field:literal),*]) => {
        Template {
            name: $name,
            fields: &[$($field),*],
            text: include_str!(concat!("../templates/", $name, ".txt")),
            html: include_str!(concat!("../templates/", $name, ".html")),
        }
    };
}

/// Every kind of letter.
pub const TEMPLATES: &[Template] = &[
    template!("account_locked", ["reason"]),
    template!("account_unlocked", []),
    template!("already_registered", ["reset_link"]),
    template!("api_key_created", ["when", "ip", "name", "reset_link"]),
    template!("confirm_email_change", ["link", "expires", "old_email"]),
    template!("email_changed", ["when", "ip", "device"]),
    template!("email_changed_back", ["link", "code", "expires"]),
    template!("new_device", ["when", "ip", "device", "reset_link"]),
    template!("notification", ["title", "message", "when", "note"]),
    template!("password_changed", ["when", "ip", "device", "reset_link"]),
    template!("price_alert", ["title", "message", "when", "note"]),
    template!("recovery_code_used", ["when", "ip", "device", "left", "reset_link"]),
    template!("recovery_codes_renewed", ["when", "ip", "device", "reset_link"]),
    template!("reset_password", ["link", "code", "expires"]),
    template!("second_factor_disabled", ["when", "ip", "device", "reset_link"]),
    template!("second_factor_enabled", ["when", "ip", "device", "reset_link"]),
    template!("second_factor_guessed", ["when", "ip", "device", "reset_link"]),
    template!("security_alert", ["title", "message", "when", "note"]),
    template!("session_ended_reuse", ["when", "ip", "device", "reset_link"]),
    template!("sign_in_locked", ["reset_link"]),
    template!("undo_email_change", ["link", "code", "expires", "new_email"]),
    template!("verify_email", ["link", "code", "expires"]),
    template!("wallet_linked", ["when", "ip", "address", "reset_link"]),
    template!("wallet_unlinked", ["when", "ip", "address", "reset_link"]),
];

/// What the HTML parts share.
pub const SHARED: [(&str, &str); 2] =
    [("layout.html", include_str!("../templates/layout.html")), ("parts.html", include_str!("../templates/parts.html"))];

/// The subject in a text, and what follows it.
pub(crate) fn split_subject(text: &str) -> (&str, &str) {
    let (subject, rest) = text.split_once('\n').unwrap_or((text, ""));
    (subject.trim(), rest.trim_start_matches('\n'))
}

/// All templates, under `<name>.txt` and `<name>.html`. A field that is not there is an error, and HTML is escaped.
pub(crate) fn environment() -> Result<Environment<'static>, minijinja::Error> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(|name| match name.rsplit('.').next() {
        Some("html") => AutoEscape::Html,
        _ => AutoEscape::None,
    });
    environment.add_filter("moment", |text: &str| moment(text));
    for (name, source) in SHARED {
        environment.add_template(name, source)?;
    }
    for template in TEMPLATES {
        let (subject, text) = split_subject(template.text);
        environment.add_template_owned(format!("{}.subject", template.name), subject)?;
        environment.add_template_owned(format!("{}.txt", template.name), text)?;
        environment.add_template_owned(format!("{}.html", template.name), template.html)?;
    }
    Ok(environment)
}

/// A moment as people read it; what is no moment stays as it is.
fn moment(text: &str) -> String {
    let read = format_description!("[day padding:none] [month repr:long] [year], [hour]:[minute] UTC");
    let moment = OffsetDateTime::parse(text, &Rfc3339).ok();
    moment.and_then(|at| at.to_offset(UtcOffset::UTC).format(read).ok()).unwrap_or_else(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{collections::BTreeSet, fs, path::Path};

    #[test]
    fn no_template_file_is_unused_and_none_is_missing() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("templates");
        let files = fs::read_dir(folder).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap());
        let named = TEMPLATES.iter().flat_map(|template| ["txt", "html"].map(|part| format!("{}.{part}", template.name)));
        let named: BTreeSet<_> = named.chain(SHARED.iter().map(|(name, _)| (*name).to_owned())).collect();
        assert_eq!(files.collect::<BTreeSet<_>>(), named);
    }

    #[test]
    fn nothing_but_what_an_alert_waited_for_is_filled_in_into_a_subject() {
        for template in TEMPLATES {
            let (subject, text) = split_subject(template.text);
            let fixed = if template.name == "price_alert" { subject.replace("{{ title }}", "") } else { subject.to_owned() };
            assert!((10..=60).contains(&subject.len()) && subject.is_ascii() && !fixed.contains(['{', '}']), "{subject}");
            assert!(text.starts_with("Hello,\n"), "{}", template.name);
        }
    }

    #[test]
    fn moments_are_written_as_people_read_them() {
        assert_eq!(moment("2026-11-02T09:05:59.123456Z"), "2 November 2026, 09:05 UTC");
        assert_eq!(moment("2026-11-02T00:05:00+01:00"), "1 November 2026, 23:05 UTC");
        assert_eq!(moment("tomorrow"), "tomorrow");
    }
}
