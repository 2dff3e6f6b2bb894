//! What letters look like, and that nothing in a field or an address makes them look otherwise.
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::{fs, os::unix::fs::PermissionsExt as _, sync::Arc};

use coinlink_domain::shared::mail::OutgoingMail;
use coinlink_mail::{FileMail, Letter, Stationery, TEMPLATES, Template, is_mailbox};
use coinlink_ports::notifications::{MailSender, SendError};
use proptest::prelude::*;
use time::{OffsetDateTime, macros::datetime};
use uuid::Uuid;

const NOON: OffsetDateTime = datetime!(2026-11-21 12:00:00.5 UTC);
const HEADERS: [&str; 8] = ["From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "MIME-Version", "Content-Type"];

fn stationery() -> Stationery {
    Stationery::new("CoinLink <no-reply@coinlink.example>", None).unwrap()
}

fn a_mail(template: &Template, value: impl Fn(&'static str) -> String) -> OutgoingMail {
    let mail = OutgoingMail::new(Uuid::from_u128(7), "ada@example.org", template.name, NOON);
    template.fields.iter().fold(mail, |mail, &field| mail.with(field, value(field)))
}

fn filled_in(template: &Template) -> OutgoingMail {
    a_mail(template, |field| format!("value-of-{field}"))
}

/// Header lines, unfolded, and what follows them.
fn parts(letter: &Letter) -> (Vec<(String, String)>, String) {
    let text = String::from_utf8(letter.bytes.clone()).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let head = head.replace("\r\n ", " ");
    let split = |line: &str| line.split_once(": ").map(|(name, value)| (name.to_owned(), value.to_owned())).unwrap();
    (head.split("\r\n").map(split).collect(), body.to_owned())
}

#[test]
fn each_template_is_filled_in_with_exactly_its_fields() {
    for template in TEMPLATES {
        let mail = filled_in(template);
        let (headers, body) = parts(&stationery().write(&mail).unwrap());
        assert_eq!(headers.iter().filter(|(name, _)| name == "Subject").count(), 1);
        let (text, html) = body.split_once("text/html").unwrap();
        for field in template.fields {
            for part in [text, html] {
                assert!(part.contains(&format!("value-of-{field}")), "{}: {field}", template.name);
            }
            let mut without = mail.clone();
            without.fields.remove(*field);
            let refused = stationery().write(&without).unwrap_err();
            assert!(matches!(&refused, SendError::Permanent(why) if why.contains("cannot be filled in")), "{refused:?}");
        }
        assert!(!body.contains("{{") && !body.contains("{%"), "{}", template.name);
    }
}

#[test]
fn a_letter_has_both_parts_and_says_that_nobody_wrote_it() {
    let mail = OutgoingMail::new(Uuid::from_u128(7), "ada@example.org", "verify_email", NOON)
        .with("link", "https://coinlink.example/verify?token=0123456789abcdef&x=1")
        .with("code", "314159")
        .with("expires", "2026-11-22T12:00:00Z");
    let letter = stationery().write(&mail).unwrap();
    assert_eq!(letter.to.to_string(), "ada@example.org");
    let (headers, body) = parts(&letter);
    let said = |name: &str| headers.iter().find(|(header, _)| header == name).map(|(_, value)| value.as_str()).unwrap();
    assert_eq!(headers.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), HEADERS);
    assert_eq!(said("From"), "CoinLink <no-reply@coinlink.example>");
    assert_eq!(said("To"), "ada@example.org");
    assert_eq!(said("Subject"), "Please confirm your e-mail address");
    assert_eq!(said("Date"), "Sat, 21 Nov 2026 12:00:00 +0000");
    assert_eq!(said("Message-ID"), "<00000000-0000-0000-0000-000000000007@coinlink.example>");
    assert_eq!(said("Auto-Submitted"), "auto-generated");
    assert_eq!(said("Content-Type"), "multipart/alternative; boundary=\"=_00000000000000000000000000000007\"");
    assert!(
        body.contains("\r\n    https://coinlink.example/verify?token=0123456789abcdef&x=1\r\n"),
        "whole, and alone on its line"
    );
    assert!(body.contains("<a href=\"https:&#x2f;&#x2f;coinlink.example") && body.contains("token=0123456789abcdef&amp;x=1"));
    assert!(body.contains("\r\n    314159\r\n") && body.contains("until 22 November 2026, 12:00 UTC."));
    assert_eq!(stationery().write(&mail).unwrap().bytes, letter.bytes, "two deliveries of one letter are the same");
}

#[test]
fn what_a_client_calls_itself_stays_one_line_of_text() {
    let new_device = TEMPLATES.iter().find(|template| template.name == "new_device").unwrap();
    let device = "Phone\r\n\r\nYour account is at risk:\u{202e} <a href=\"https://evil.example\">here</a>";
    let (_, body) = parts(&stationery().write(&a_mail(new_device, |_| device.to_owned())).unwrap());
    let (_, html) = body.split_once("text/html").unwrap();
    // One link is ours.
    let links = html.matches("<a href=").count();
    assert!(!body.contains("\nYour account is at risk") && links == 1 && html.contains("&lt;a href="), "{body}");
}

#[test]
fn what_cannot_be_written_is_refused_for_good_and_nothing_of_it_is_told() {
    let known = filled_in(&TEMPLATES[0]);
    let unknown = OutgoingMail { template: "no_such".into(), ..known.clone() };
    for mail in
        [unknown, OutgoingMail { to: "nobody".into(), ..known.clone() }, OutgoingMail { to: "a@b.c, d@e.f".into(), ..known }]
    {
        let refused = stationery().write(&mail).unwrap_err();
        assert!(matches!(&refused, SendError::Permanent(why) if !why.contains("value-of") && !why.contains('@')), "{refused:?}");
    }
}

#[test]
fn a_sender_is_one_mailbox() {
    for good in ["no-reply@example.com", "CoinLink <no-reply@example.com>", "CoinLink <no-reply@localhost>"] {
        assert!(is_mailbox(good), "{good}");
    }
    for bad in ["", "nobody", "a@b.example, c@d.example", "CoinLink <a@b.example>\r\nBcc: c@d.example", "CoinLink <>"] {
        assert!(!is_mailbox(bad), "{bad}");
    }
}

fn any_address() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        "[a-z0-9.+-]{1,12}",
        "\\PC{0,6}",
        Just("\r\n".to_owned()),
        Just("\r\nBcc: eve@example.org".to_owned()),
        Just(", eve@example.org".to_owned()),
        Just("\"".to_owned()),
        Just("<eve@example.org>".to_owned()),
        Just("\0".to_owned()),
    ];
    let local = prop::collection::vec(piece.clone(), 1..4).prop_map(|pieces| pieces.concat());
    let domain =
        prop_oneof![3 => Just("example.org".to_owned()), 1 => prop::collection::vec(piece, 1..3).prop_map(|p| p.concat())];
    (local, domain).prop_map(|(local, domain)| format!("{local}@{domain}"))
}

fn any_value() -> impl Strategy<Value = String> {
    let pieces = prop_oneof![
        any::<String>(),
        Just("\r\nBcc: eve@example.org\r\n\r\n".to_owned()),
        Just("\r\n.\r\nMAIL FROM:<eve@example.org>\r\n".to_owned()),
        Just("\r\n--=_00000000000000000000000000000007--\r\n".to_owned()),
        Just("{{ code }}{% endblock %}</p><script>".to_owned()),
    ];
    prop::collection::vec(pieces, 0..4).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn no_field_and_no_address_adds_a_header_or_a_recipient(
        which in 0..TEMPLATES.len(),
        to in prop_oneof![Just("ada@example.org".to_owned()), any_address()],
        value in any_value(),
    ) {
        let mail = OutgoingMail { to: to.clone(), ..a_mail(&TEMPLATES[which], |_| value.clone()) };
        let Ok(letter) = stationery().write(&mail) else {
            prop_assert!(to != "ada@example.org", "what is filled in never keeps a letter back");
            return Ok(());
        };
        prop_assert_eq!(letter.to.to_string(), to.clone());
        prop_assert!(!to.chars().any(char::is_control));
        let (headers, body) = parts(&letter);
        prop_assert_eq!(headers.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), HEADERS);
        let said = &headers[1].1;
        if to.is_ascii() && !to.contains('"') {
            prop_assert_eq!(said, &to);
        } else {
            prop_assert!(!said.contains("eve@example.org") || to.contains("eve@example.org"));
        }
        // Two parts: the boundary is there three times, and no part ends before it should.
        prop_assert_eq!(body.matches("\n--=_00000000000000000000000000000007").count() + 1, 3);
        // Lines as they are read: those of quoted-printable go on after `=`.
        let body = body.replace("=\r\n", "");
        prop_assert!(!body.contains("\r\n.\r\n") && !body.contains("\nBcc:"));
        let (_, html) = body.split_once("text/html").unwrap();
        prop_assert!(!html.contains("<script"));
    }
}

#[test]
fn an_alert_says_in_its_subject_what_came_true_and_in_its_end_why_it_was_sent() {
    let template = TEMPLATES.iter().find(|template| template.name == "price_alert").unwrap();
    let mail = a_mail(template, |field| match field {
        "title" => "BTC rose above $100,000".to_owned(),
        _ => field.to_owned(),
    });
    let (headers, body) = parts(&stationery().write(&mail).unwrap());
    assert!(headers.contains(&("Subject".to_owned(), "Price alert: BTC rose above $100,000".to_owned())));
    assert!(body.contains("because of a price alert that you made.") && !body.contains("done with your address"));
}

#[tokio::test]
async fn a_letter_in_a_file_is_whole_and_nobody_elses() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("data/mail");
    let mail = filled_in(&TEMPLATES[0]);
    let files = FileMail::new(&folder, Arc::new(stationery()));
    files.send(&mail).await.unwrap();
    files.send(&mail).await.unwrap();
    let names: Vec<_> = fs::read_dir(&folder).unwrap().map(|file| file.unwrap().file_name()).collect();
    assert_eq!(names, ["20261121T120000Z-account_locked-00000000-0000-0000-0000-000000000007.eml"], "a letter twice is one file");
    let file = folder.join(&names[0]);
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(fs::metadata(&folder).unwrap().permissions().mode() & 0o777, 0o700);
    assert_eq!(fs::read(file).unwrap(), stationery().write(&mail).unwrap().bytes);
}

#[tokio::test]
async fn a_folder_that_cannot_be_made_is_a_failure_that_may_pass() {
    let place = tempfile::NamedTempFile::new().unwrap();
    let files = FileMail::new(place.path(), Arc::new(stationery()));
    assert!(matches!(files.send(&filled_in(&TEMPLATES[0])).await, Err(SendError::Temporary(_))));
    let unknown = OutgoingMail { template: "../../etc/passwd".into(), ..filled_in(&TEMPLATES[0]) };
    assert!(matches!(files.send(&unknown).await, Err(SendError::Permanent(_))));
}

#[test]
fn answers_go_to_whoever_reads_them_and_a_locked_account_is_told_who_that_is() {
    let template = TEMPLATES.iter().find(|template| template.name == "account_locked").unwrap();
    let from = "CoinLink <no-reply@coinlink.example>";
    let answered = Stationery::new(from, Some("CoinLink <support@coinlink.example>")).unwrap();
    let (headers, body) = parts(&answered.write(&filled_in(template)).unwrap());
    assert!(headers.contains(&("Reply-To".to_owned(), "CoinLink <support@coinlink.example>".to_owned())));
    assert_eq!(body.matches("please write to support@coinlink.example.").count(), 2);
    assert!(!body.contains("Nobody reads answers"));
    let (headers, body) = parts(&stationery().write(&filled_in(template)).unwrap());
    assert!(!headers.iter().any(|(name, _)| name == "Reply-To"));
    assert!(!body.contains("write to") && body.contains("Nobody reads answers"));
    assert!(Stationery::new(from, Some("nobody")).is_err());
}
