//! Links in mail, and what it takes to use one.
//!
//! A link's secret alone changes nothing: whatever reads a mail on its way to a person (scanners, previews) opens its links and
//! may even send their forms. It takes the browser in which the mail was asked for, or a code that a person reads in the same
//! mail and types.

use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use super::{Email, OneTimeSecret, SecretDigest, SessionId, UserId};
use crate::shared::sealed::Sealed;

/// Wrong codes after which a link is good for nothing, or rests.
const MOST_FAILURES: u32 = 5;
/// How long one rests that whoever lost an account has nothing else in place of.
const PAUSE: Duration = Duration::minutes(15);

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
    /// Its secret, encrypted, where the session it was asked for in may use it by its code alone.
    pub kept: Option<Sealed>,
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
    /// Until when no code is looked at.
    pub paused_until: Option<OffsetDateTime>,
}

/// Who opens a link, beside its secret.
#[derive(Debug, Clone, Default)]
pub struct LinkProof {
    /// The mark of the browser.
    pub browser: Option<BrowserMark>,
    /// The session of the access token that came with it.
    pub session: Option<SessionId>,
    /// Whose session that is.
    pub account: Option<UserId>,
    /// The code that was typed; what is not eight digits is none.
    pub code: Option<LinkCode>,
    /// Whether the secret is not the caller's but was found by their session: then it takes the session and the code, both.
    pub by_session: bool,
}

/// What presenting a link led to; all of it must be stored, [`LinkPresented::WrongCode`] too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum LinkPresented {
    /// It is used now, from where it was asked for.
    FromWhereAsked,
    /// It is used now, by its code.
    ByCode,
    /// The code is another, or none is looked at for now. So many more may be tried.
    WrongCode(u32),
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
    /// It was asked for elsewhere, and no code changes that.
    #[error("the link does nothing but where it was asked for")]
    AskedElsewhere,
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
            kept: None,
            browser: None,
            session: None,
            failures: 0,
            created_at: now,
            expires_at: now + purpose.life(),
            ended_at: None,
            paused_until: None,
        }
    }

    /// What its secret is encrypted for.
    #[must_use]
    pub fn context(id: Uuid) -> String {
        format!("mail link {id}")
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

    /// Whether it was asked for where it is opened: in that browser, or by whoever is signed in there.
    #[must_use]
    pub fn was_asked_for_by(&self, proof: &LinkProof) -> bool {
        let browser = proof.browser.as_ref().map(BrowserMark::digest);
        let signed_in = match self.purpose {
            LinkPurpose::VerifyEmail => self.session.is_some() && self.session == proof.session,
            LinkPurpose::ChangeEmail => proof.account == Some(self.user),
            LinkPurpose::ResetPassword | LinkPurpose::UndoEmailChange => false,
        };
        signed_in || (self.browser.is_some() && self.browser == browser)
    }

    /// Whether its code makes up for being opened elsewhere. Who types the code of a change receives the mail of the new address,
    /// and need not know whose account is to have it: it could be a stranger's.
    #[must_use]
    pub const fn takes_code(&self) -> bool {
        !matches!(self.purpose, LinkPurpose::ChangeEmail)
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
        let asked_here = self.was_asked_for_by(proof);
        if proof.by_session && !asked_here {
            return Err(LinkRefusal::Invalid);
        }
        if asked_here && !proof.by_session {
            self.end(now);
            return Ok(LinkPresented::FromWhereAsked);
        }
        if !self.takes_code() {
            return Err(LinkRefusal::AskedElsewhere);
        }
        let Some(code) = &proof.code else { return Err(LinkRefusal::CodeRequired) };
        if self.paused_until.is_some_and(|until| now < until) {
            return Ok(LinkPresented::WrongCode(0));
        }
        if code.digest(secret) == self.code {
            self.end(now);
            return Ok(if asked_here { LinkPresented::FromWhereAsked } else { LinkPresented::ByCode });
        }
        Ok(LinkPresented::WrongCode(self.failed(now)))
    }

    /// One more wrong code; how many more may be tried. Whoever guesses at a link that takes a change back must not void it:
    /// whom the account was taken from has no other.
    fn failed(&mut self, now: OffsetDateTime) -> u32 {
        self.failures = self.failures.saturating_add(1);
        let left = match self.purpose {
            LinkPurpose::UndoEmailChange => self.failures.next_multiple_of(MOST_FAILURES) - self.failures,
            _ => MOST_FAILURES.saturating_sub(self.failures),
        };
        match (left, self.purpose) {
            (0, LinkPurpose::UndoEmailChange) => self.paused_until = Some(now + PAUSE),
            (0, _) => self.end(now),
            _ => {}
        }
        left
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
        LinkProof { browser, code: typed.and_then(LinkCode::from_text), ..LinkProof::default() }
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
            let refusal = if link.takes_code() { LinkRefusal::CodeRequired } else { LinkRefusal::AskedElsewhere };
            for stranger in [by(None, None), by(Some(mark(2)), None)] {
                for _ in 0..50 {
                    assert_eq!(presented(&mut link, &stranger, NOW), Err(refusal));
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
    fn a_change_is_confirmed_where_it_was_asked_for_or_signed_in_and_by_no_code() {
        let signed_in = |user: u128| LinkProof { account: Some(UserId(Uuid::from_u128(user))), ..by(None, Some("12345678")) };
        let mut link = link(LinkPurpose::ChangeEmail);
        let before = link.clone();
        for elsewhere in
            [by(None, Some("12345678")), by(Some(mark(2)), Some("12345678")), signed_in(3), by(None, Some("00000000"))]
        {
            for _ in 0..6 {
                assert_eq!(presented(&mut link, &elsewhere, NOW), Err(LinkRefusal::AskedElsewhere));
            }
        }
        assert_eq!(link, before, "no code is counted");
        assert_eq!(presented(&mut link.clone(), &by(Some(mark(1)), None), NOW), Ok(LinkPresented::FromWhereAsked));
        assert_eq!(presented(&mut link, &signed_in(0), NOW), Ok(LinkPresented::FromWhereAsked));
    }

    #[test]
    fn a_session_of_the_account_does_for_no_other_purpose() {
        let signed_in = LinkProof { account: Some(UserId(Uuid::nil())), ..LinkProof::default() };
        for purpose in [LinkPurpose::VerifyEmail, LinkPurpose::ResetPassword, LinkPurpose::UndoEmailChange] {
            assert_eq!(presented(&mut link(purpose), &signed_in, NOW), Err(LinkRefusal::CodeRequired));
        }
    }

    #[test]
    fn what_is_not_eight_digits_is_no_code_and_is_not_counted() {
        for purpose in [LinkPurpose::VerifyEmail, LinkPurpose::ResetPassword, LinkPurpose::UndoEmailChange] {
            let mut link = link(purpose);
            for typed in ["", " - ", "1", "1234567", "123456789", "abcdefgh"] {
                assert_eq!(presented(&mut link, &by(None, Some(typed)), NOW), Err(LinkRefusal::CodeRequired), "{typed}");
            }
            assert_eq!(link.failures, 0);
        }
    }

    #[test]
    fn five_wrong_codes_void_a_link() {
        let mut link = link(LinkPurpose::ResetPassword);
        for (typed, left) in ["00000000", "11111111", "1234-5679", "99999999", "87654321"].into_iter().zip((0..5).rev()) {
            assert_eq!(presented(&mut link, &by(None, Some(typed)), NOW), Ok(LinkPresented::WrongCode(left)));
        }
        assert_eq!(presented(&mut link, &by(None, Some("12345678")), NOW), Err(LinkRefusal::Invalid));
        assert_eq!(presented(&mut link, &by(Some(mark(1)), None), NOW), Err(LinkRefusal::Invalid));
    }

    #[test]
    fn wrong_codes_make_a_link_that_takes_a_change_back_rest_and_never_void_it() {
        let mut link = link(LinkPurpose::UndoEmailChange);
        let mut now = NOW;
        for _ in 0..3 {
            for left in (0..5).rev() {
                assert_eq!(presented(&mut link, &by(None, Some("00000000")), now), Ok(LinkPresented::WrongCode(left)));
            }
            let rests = link.clone();
            let last = now + PAUSE - Duration::MICROSECOND;
            assert_eq!(presented(&mut link, &by(None, Some("12345678")), last), Ok(LinkPresented::WrongCode(0)));
            assert_eq!(link, rests, "nothing is looked at, and nothing is counted");
            now += PAUSE;
        }
        assert_eq!(presented(&mut link, &by(None, Some("12345678")), now), Ok(LinkPresented::ByCode));
    }

    #[test]
    fn a_link_that_its_session_found_takes_the_code_too_and_no_other_session() {
        let found = |session: u128, typed: Option<&str>| LinkProof {
            session: Some(SessionId(Uuid::from_u128(session))),
            by_session: true,
            ..by(None, typed)
        };
        let mut link = link(LinkPurpose::VerifyEmail);
        assert_eq!(presented(&mut link, &found(9, None), NOW), Err(LinkRefusal::CodeRequired));
        assert_eq!(presented(&mut link, &found(8, Some("12345678")), NOW), Err(LinkRefusal::Invalid));
        assert_eq!(presented(&mut link, &found(9, Some("00000000")), NOW), Ok(LinkPresented::WrongCode(4)));
        assert_eq!(presented(&mut link, &found(9, Some("12345678")), NOW), Ok(LinkPresented::FromWhereAsked));
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
