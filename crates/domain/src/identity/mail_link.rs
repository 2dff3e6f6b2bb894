//! Links in mail, and what it takes to use one.
//!
//! A link's secret alone changes nothing: whatever reads a mail on its way to a person (scanners, previews) opens its links and
//! may even send their forms. It takes the browser in which the mail was asked for, or a code that a person reads in the same
//! mail and types.

use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use super::{Email, OneTimeSecret, SecretDigest, SessionId, UserId};

/// Wrong codes after which a link is good for nothing.
const MOST_FAILURES: u32 = 5;

/// What a link is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum LinkPurpose {
    /// To show that an account's address is its owner's.
    VerifyEmail,
    /// To set another password without knowing the present one.
    ResetPassword,
    /// To show that the address an account is to get is its owner's; goes to that one.
    ChangeEmail,
    /// To take a change of the address back; goes to the address of before.
    UndoEmailChange,
}

impl LinkPurpose {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::VerifyEmail, Self::ResetPassword, Self::ChangeEmail, Self::UndoEmailChange];

    /// As stored and told.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::VerifyEmail => "verify_email",
            Self::ResetPassword => "reset_password",
            Self::ChangeEmail => "change_email",
            Self::UndoEmailChange => "undo_email_change",
        }
    }

    /// The purpose of this [`LinkPurpose::name`].
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|purpose| purpose.name() == name)
    }

    /// How long such a link is good.
    #[must_use]
    pub const fn life(self) -> Duration {
        match self {
            Self::VerifyEmail => Duration::hours(24),
            Self::ResetPassword => Duration::minutes(30),
            Self::ChangeEmail => Duration::hours(1),
            Self::UndoEmailChange => Duration::days(7),
        }
    }
}

/// What a browser is recognised by, between asking for a mail and opening its link: 64 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct BrowserMark([u8; 32]);

impl BrowserMark {
    /// Of 256 random bits.
    #[must_use]
    pub const fn new(bits: [u8; 32]) -> Self {
        Self(bits)
    }

    /// What a browser sent; `None` for any other text.
    #[must_use]
    pub fn from_text(text: &str) -> Option<Self> {
        // Like a secret whose id is nil: one parser for both.
        (text.len() == 64).then(|| OneTimeSecret::from_text(&format!("{text:0>96}")))?.map(|mark| Self(mark.secret))
    }

    /// What the browser keeps; not [`std::fmt::Display`], so that it is not printed by mistake.
    #[must_use]
    pub fn to_text(self) -> String {
        OneTimeSecret { id: Uuid::nil(), secret: self.0 }.to_text().split_off(32)
    }

    /// What to keep of it.
    #[must_use]
    pub fn digest(&self) -> SecretDigest {
        SecretDigest::of("mail link browser", &self.0)
    }
}

impl std::fmt::Debug for BrowserMark {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("BrowserMark(…)")
    }
}

/// Eight digits that a person types from a mail.
#[derive(Clone, PartialEq, Eq)]
pub struct LinkCode(String);

impl LinkCode {
    /// Of random bits.
    #[must_use]
    pub fn new(bits: [u8; 8]) -> Self {
        // 2^64 is so many times 10^8 that no code is noticeably more likely than another.
        Self(format!("{:08}", u64::from_be_bytes(bits) % 100_000_000))
    }

    /// What was typed, spaces and hyphens aside; `None` where that is not eight digits.
    #[must_use]
    pub fn from_text(text: &str) -> Option<Self> {
        let digits: String = text.chars().filter(|c| !matches!(c, ' ' | '-')).take(9).collect();
        (digits.len() == 8 && digits.bytes().all(|b| b.is_ascii_digit())).then_some(Self(digits))
    }

    /// As it stands in the mail: `1234 5678`.
    #[must_use]
    pub fn to_text(&self) -> String {
        let (first, second) = self.0.split_at(4);
        format!("{first} {second}")
    }

    /// What to keep of it: together with the link's secret, or whoever reads the table would find so short a code by trying.
    fn digest(&self, secret: &OneTimeSecret) -> SecretDigest {
        SecretDigest::of("mail link code", &[&secret.secret[..], self.0.as_bytes()].concat())
    }
}

impl std::fmt::Debug for LinkCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("LinkCode(…)")
    }
}

/// One link that was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailLink {
    /// Its id, the first part of its text.
    pub id: Uuid,
    /// Whose account it is about.
    pub user: UserId,
    /// What it is for.
    pub purpose: LinkPurpose,
    /// Where the mail went.
    pub email: Email,
    /// Of a change: the other address, the present one or the one that is taken back.
    pub other_email: Option<Email>,
    /// Of its secret.
    pub secret: SecretDigest,
    /// Of its code.
    pub code: SecretDigest,
    /// Of the mark of the browser it was asked for in.
    pub browser: Option<SecretDigest>,
    /// The session it was asked for in.
    pub session: Option<SessionId>,
    /// Wrong codes so far.
    pub failures: u32,
    /// When it was sent.
    pub created_at: OffsetDateTime,
    /// From when on it is good for nothing.
    pub expires_at: OffsetDateTime,
    /// Since when it is used or void.
    pub ended_at: Option<OffsetDateTime>,
}

/// Who opens a link, beside its secret.
#[derive(Debug, Clone, Default)]
pub struct LinkProof {
    /// The mark of the browser.
    pub browser: Option<BrowserMark>,
    /// The session of the access token that came with it.
    pub session: Option<SessionId>,
    /// The code that was typed; the inner one is missing where it is none.
    pub code: Option<Option<LinkCode>>,
}

/// What presenting a link led to; all of it must be stored, [`LinkPresented::WrongCode`] too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum LinkPresented {
    /// It is used now, from where it was asked for.
    FromWhereAsked,
    /// It is used now, by its code.
    ByCode,
    /// The code is another. One more failure, and perhaps the link's last.
    WrongCode,
}

/// A link leads nowhere, and nothing follows from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LinkRefusal {
    /// Unknown, used, void, expired, or for something else.
    #[error("the link is not valid")]
    Invalid,
    /// It was not asked for here, and no code was sent.
    #[error("the link was asked for elsewhere: it takes its code")]
    CodeRequired,
}

const SECRET: &str = "mail link";

impl MailLink {
    /// A link that is sent now.
    #[must_use]
    pub fn new(
        secret: &OneTimeSecret,
        code: &LinkCode,
        (user, email): (UserId, Email),
        purpose: LinkPurpose,
        now: OffsetDateTime,
    ) -> Self {
        Self {
            id: secret.id,
            user,
            purpose,
            email,
            other_email: None,
            secret: secret.digest(SECRET),
            code: code.digest(secret),
            browser: None,
            session: None,
            failures: 0,
            created_at: now,
            expires_at: now + purpose.life(),
            ended_at: None,
        }
    }

    /// Whether it goes on: whoever shows it may use it.
    #[must_use]
    pub fn is_live(&self, now: OffsetDateTime) -> bool {
        self.ended_at.is_none() && now < self.expires_at
    }

    /// Whether this secret is the link's, it is for this, and it goes on.
    #[must_use]
    pub fn is_opened_by(&self, secret: &OneTimeSecret, purpose: LinkPurpose, now: OffsetDateTime) -> bool {
        self.purpose == purpose && self.id == secret.id && self.secret == secret.digest(SECRET) && self.is_live(now)
    }

    /// Whether it was asked for where it is opened.
    #[must_use]
    pub fn was_asked_for_by(&self, proof: &LinkProof) -> bool {
        let browser = proof.browser.as_ref().map(BrowserMark::digest);
        let same_session = self.purpose == LinkPurpose::VerifyEmail && self.session.is_some() && self.session == proof.session;
        same_session || (self.browser.is_some() && self.browser == browser)
    }

    /// Uses it for `purpose`.
    pub fn present(
        &mut self,
        secret: &OneTimeSecret,
        purpose: LinkPurpose,
        proof: &LinkProof,
        now: OffsetDateTime,
    ) -> Result<LinkPresented, LinkRefusal> {
        if !self.is_opened_by(secret, purpose, now) {
            return Err(LinkRefusal::Invalid);
        }
        if self.was_asked_for_by(proof) {
            self.end(now);
            return Ok(LinkPresented::FromWhereAsked);
        }
        let Some(code) = &proof.code else { return Err(LinkRefusal::CodeRequired) };
        if code.as_ref().is_some_and(|code| code.digest(secret) == self.code) {
            self.end(now);
            return Ok(LinkPresented::ByCode);
        }
        self.failures = self.failures.saturating_add(1);
        if self.failures >= MOST_FAILURES {
            self.end(now);
        }
        Ok(LinkPresented::WrongCode)
    }

    /// Makes it good for nothing.
    pub fn end(&mut self, now: OffsetDateTime) {
        self.ended_at.get_or_insert(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use time::macros::datetime;

    const NOW: OffsetDateTime = datetime!(2026-01-01 0:00 UTC);

    fn secret() -> OneTimeSecret {
        OneTimeSecret { id: Uuid::from_u128(7), secret: [7; 32] }
    }

    fn mark(n: u8) -> BrowserMark {
        BrowserMark::new([n; 32])
    }

    fn code(text: &str) -> LinkCode {
        LinkCode::from_text(text).unwrap()
    }

    fn link(purpose: LinkPurpose) -> MailLink {
        let email = Email::try_new("ada@example.org").unwrap();
        let session = Some(SessionId(Uuid::from_u128(9)));
        let link = MailLink::new(&secret(), &code("12345678"), (UserId(Uuid::nil()), email), purpose, NOW);
        MailLink { browser: Some(mark(1).digest()), session, ..link }
    }

    fn by(browser: Option<BrowserMark>, typed: Option<&str>) -> LinkProof {
        LinkProof { browser, session: None, code: typed.map(LinkCode::from_text) }
    }

    fn presented(link: &mut MailLink, proof: &LinkProof, now: OffsetDateTime) -> Result<LinkPresented, LinkRefusal> {
        let purpose = link.purpose;
        link.present(&secret(), purpose, proof, now)
    }

    #[test]
    fn the_secret_alone_changes_nothing() {
        for purpose in LinkPurpose::ALL {
            let mut link = link(purpose);
            let before = link.clone();
            for stranger in [by(None, None), by(Some(mark(2)), None)] {
                for _ in 0..50 {
                    assert_eq!(presented(&mut link, &stranger, NOW), Err(LinkRefusal::CodeRequired));
                }
            }
            assert_eq!(link, before);
            assert_eq!(presented(&mut link, &by(Some(mark(1)), None), NOW), Ok(LinkPresented::FromWhereAsked));
        }
    }

    #[test]
    fn a_link_that_nobody_asked_for_in_a_browser_takes_its_code() {
        let mut link = MailLink { browser: None, session: None, ..link(LinkPurpose::VerifyEmail) };
        assert_eq!(presented(&mut link, &by(None, None), NOW), Err(LinkRefusal::CodeRequired));
        assert_eq!(presented(&mut link, &by(None, Some("1234 5678")), NOW), Ok(LinkPresented::ByCode));
    }

    #[test]
    fn a_link_is_good_once_for_its_purpose_and_for_its_time() {
        let here = by(Some(mark(1)), None);
        let mut used = link(LinkPurpose::ResetPassword);
        assert_eq!(used.present(&secret(), LinkPurpose::VerifyEmail, &here, NOW), Err(LinkRefusal::Invalid));
        let other = OneTimeSecret { secret: [8; 32], ..secret() };
        assert_eq!(used.present(&other, LinkPurpose::ResetPassword, &here, NOW), Err(LinkRefusal::Invalid));
        let late = used.expires_at;
        assert_eq!(presented(&mut used.clone(), &here, late), Err(LinkRefusal::Invalid));
        assert_eq!(presented(&mut used, &here, late - Duration::MICROSECOND), Ok(LinkPresented::FromWhereAsked));
        assert_eq!(presented(&mut used, &here, NOW), Err(LinkRefusal::Invalid));
    }

    #[test]
    fn the_session_that_signed_up_may_verify_and_nothing_else() {
        let in_session = LinkProof { session: Some(SessionId(Uuid::from_u128(9))), ..LinkProof::default() };
        assert_eq!(presented(&mut link(LinkPurpose::VerifyEmail), &in_session, NOW), Ok(LinkPresented::FromWhereAsked));
        assert_eq!(presented(&mut link(LinkPurpose::ResetPassword), &in_session, NOW), Err(LinkRefusal::CodeRequired));
        let other = LinkProof { session: Some(SessionId(Uuid::from_u128(8))), ..LinkProof::default() };
        assert_eq!(presented(&mut link(LinkPurpose::VerifyEmail), &other, NOW), Err(LinkRefusal::CodeRequired));
    }

    #[test]
    fn five_wrong_codes_void_a_link() {
        let mut link = link(LinkPurpose::ResetPassword);
        for typed in ["00000000", "1", "", "abcdefgh", "87654321"] {
            assert_eq!(presented(&mut link, &by(None, Some(typed)), NOW), Ok(LinkPresented::WrongCode));
        }
        assert_eq!(presented(&mut link, &by(None, Some("12345678")), NOW), Err(LinkRefusal::Invalid));
        assert_eq!(presented(&mut link, &by(Some(mark(1)), None), NOW), Err(LinkRefusal::Invalid));
    }

    #[test]
    fn a_purpose_is_found_by_its_name() {
        for purpose in LinkPurpose::ALL {
            assert_eq!(LinkPurpose::from_name(purpose.name()), Some(purpose));
        }
        assert_eq!(LinkPurpose::from_name("sign_in"), None);
    }

    proptest! {
        #[test]
        fn codes_and_marks_come_back_as_they_were_given_out(bits in any::<[u8; 8]>(), mark in any::<[u8; 32]>()) {
            let code = LinkCode::new(bits);
            prop_assert_eq!(LinkCode::from_text(&code.to_text()), Some(code));
            let mark = BrowserMark::new(mark);
            prop_assert_eq!(BrowserMark::from_text(&mark.to_text()), Some(mark));
        }

        #[test]
        fn no_text_panics(text in prop_oneof![".{0,100}", "[0-9a-fé -]{0,70}", "[0-9a-f]{64}"]) {
            if let Some(mark) = BrowserMark::from_text(&text) {
                prop_assert_eq!(mark.to_text(), text.clone());
            }
            let _ = LinkCode::from_text(&text);
        }
    }
}
