//! A real SMTP server of each kind takes letters, refuses them, and is away.
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::{sync::Arc, time::Instant};

use coinlink_domain::shared::mail::OutgoingMail;
use coinlink_mail::{SmtpMail, SmtpSettings, Stationery};
use coinlink_ports::notifications::{MailSender, SendError};
use coinlink_testkit::servers::{MailTls, PrivateMail, free_port};
use time::{OffsetDateTime, macros::datetime};
use uuid::Uuid;

const NOON: OffsetDateTime = datetime!(2026-11-21 12:00 UTC);
const LOGIN: &str = "coinlink:hunter2";

fn at(url: &str) -> SmtpMail {
    let stationery = Stationery::new("CoinLink <no-reply@coinlink.example>", None).unwrap();
    SmtpMail::new(SmtpSettings::parse(url).unwrap(), Arc::new(stationery)).unwrap()
}

fn plain(server: &PrivateMail) -> SmtpMail {
    at(&format!("smtp://localhost:{}", server.port()))
}

fn to(address: &str) -> OutgoingMail {
    let mail = OutgoingMail::new(Uuid::now_v7(), address, "verify_email", NOON);
    mail.with("link", "https://coinlink.example/v?t=abc").with("code", "314159").with("expires", "2026-11-22T12:00:00Z")
}

fn temporary(sent: Result<(), SendError>) -> String {
    match sent {
        Err(SendError::Temporary(why)) => why,
        other => panic!("{other:?}"),
    }
}

fn permanent(sent: Result<(), SendError>) -> String {
    match sent {
        Err(SendError::Permanent(why)) => why,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_letter_arrives_with_both_parts() {
    let server = PrivateMail::start().await;
    let mail = to("ada@example.org");
    plain(&server).send(&mail).await.unwrap();
    let [letter] = &server.received()[..] else { panic!("one letter") };
    assert_eq!((letter.from.as_str(), letter.to.as_str(), letter.tls), ("no-reply@coinlink.example", "ada@example.org", false));
    assert_eq!(letter.message_id(), Some(format!("<{}@coinlink.example>", mail.id).as_str()));
    for part in ["text/plain; charset=utf-8", "text/html; charset=utf-8", "    314159", ">314159</p>"] {
        assert!(letter.message.contains(part), "{part}");
    }
}

#[tokio::test]
async fn starttls_is_used_where_it_is_offered() {
    let server = PrivateMail::start_with(MailTls::StartTls, None).await;
    let url = format!("smtp://localhost:{}?ca={}", server.port(), server.authority().display());
    at(&url).send(&to("ada@example.org")).await.unwrap();
    at(&format!("{url}&tls=required")).send(&to("bob@example.org")).await.unwrap();
    assert_eq!(server.received().iter().map(|letter| letter.tls).collect::<Vec<_>>(), [true, true]);
}

#[tokio::test]
async fn smtps_is_encrypted_from_the_first_byte() {
    let server = PrivateMail::start_with(MailTls::Implicit, None).await;
    at(&format!("smtps://localhost:{}?ca={}", server.port(), server.authority().display()))
        .send(&to("ada@example.org"))
        .await
        .unwrap();
    assert!(server.received()[0].tls);
}

#[tokio::test]
async fn a_server_that_shows_no_certificate_we_trust_gets_nothing() {
    let server = PrivateMail::start_with(MailTls::StartTls, None).await;
    let why = temporary(plain(&server).send(&to("ada@example.org")).await);
    assert!(why.contains("certificate"), "{why}");
    // Trusted, and of another name.
    let url = format!("smtp://127.0.0.1:{}?ca={}", server.port(), server.authority().display());
    let why = temporary(at(&url).send(&to("ada@example.org")).await);
    assert!(why.contains("not valid for name"), "{why}");
    assert_eq!(server.received(), []);
}

#[tokio::test]
async fn who_has_a_password_signs_in_and_never_unencrypted() {
    let server = PrivateMail::start_with(MailTls::StartTls, Some(LOGIN)).await;
    let ca = server.authority().display().to_string();
    at(&format!("smtp://{LOGIN}@localhost:{}?ca={ca}", server.port())).send(&to("ada@example.org")).await.unwrap();
    assert_eq!(server.received()[0].user.as_deref(), Some("coinlink"));
    // It is we who are refused, not the letter.
    let why =
        temporary(at(&format!("smtp://coinlink:wrong@localhost:{}?ca={ca}", server.port())).send(&to("ada@example.org")).await);
    assert_eq!(why, "the SMTP server refused AUTH: 535 5.7.8");
    let without = format!("smtp://localhost:{}?ca={ca}", server.port());
    assert_eq!(temporary(at(&without).send(&to("ada@example.org")).await), "the SMTP server refused MAIL FROM: 530 5.7.0");

    let unencrypted = PrivateMail::start_with(MailTls::None, Some(LOGIN)).await;
    let url = format!("smtp://{LOGIN}@localhost:{}", unencrypted.port());
    temporary(at(&url).send(&to("ada@example.org")).await);
    let why = temporary(at(&format!("{url}?tls=opportunistic")).send(&to("ada@example.org")).await);
    assert!(why.contains("no encryption"), "{why}");
    at(&format!("{url}?tls=none")).send(&to("ada@example.org")).await.unwrap();
    assert_eq!(unencrypted.received().len(), 1, "only where the URL says so");
}

#[tokio::test]
async fn a_refusal_is_for_good_or_not_as_the_server_says_and_tells_nothing_of_the_letter() {
    let server = PrivateMail::start().await;
    let mail = plain(&server);
    assert_eq!(permanent(mail.send(&to("never.ada@example.org")).await), "the SMTP server refused RCPT TO: 550 5.1.1");
    assert_eq!(permanent(mail.send(&to("never-data.ada@example.org")).await), "the SMTP server refused the letter: 554 5.7.1");
    let later = to("later-1.ada@example.org");
    assert_eq!(temporary(mail.send(&later).await), "the SMTP server refused RCPT TO: 451 4.3.0");
    mail.send(&later).await.unwrap();
    assert_eq!(server.received().len(), 1);
}

#[tokio::test]
async fn a_server_that_is_away_is_a_failure_that_passes() {
    let mut server = PrivateMail::start().await;
    let mail = plain(&server);
    server.kill();
    let why = temporary(mail.send(&to("ada@example.org")).await);
    assert!(why.starts_with("connecting failed") && why.contains("refused"), "{why}");
    server.start_again().await;
    mail.send(&to("ada@example.org")).await.unwrap();
    assert_eq!(server.received().len(), 1);
}

/// Accepts and says nothing.
#[tokio::test]
async fn a_server_that_says_nothing_is_given_up_in_time() {
    let port = free_port();
    let _silent = std::net::TcpListener::bind(("127.0.0.1", port)).unwrap();
    let asked = Instant::now();
    assert_eq!(
        temporary(at(&format!("smtp://127.0.0.1:{port}")).send(&to("ada@example.org")).await),
        "the SMTP server does not answer in time"
    );
    assert!(asked.elapsed().as_secs() < 15, "{:?}", asked.elapsed());
}
