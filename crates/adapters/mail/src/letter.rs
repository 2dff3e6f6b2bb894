//! A letter as it goes over the wire.

use std::{borrow::Cow, fmt};

use coinlink_domain::shared::mail::OutgoingMail;
use coinlink_ports::notifications::SendError;
use lettre::{
    Address, Message,
    message::{
        Body, Mailbox, MultiPart, MultiPartKind, SinglePart,
        header::{ContentTransferEncoding, ContentType, HeaderName, HeaderValue},
    },
};
use minijinja::{Environment, Value};

use crate::templates::{TEMPLATES, Template, environment};

/// No field is longer, characters.
const LONGEST_FIELD: usize = 2_000;

/// Lines may have 998 characters.
const LONGEST_LINE: usize = 900;

/// The sender or a template is not what it should be.
#[derive(Debug, thiserror::Error)]
pub enum StationeryError {
    /// Not a mailbox.
    #[error("the sender is no mailbox such as CoinLink <no-reply@example.com>")]
    From,
    /// Not a mailbox.
    #[error("who gets the answers is no mailbox such as CoinLink <support@example.com>")]
    ReplyTo,
    /// It cannot be read.
    #[error("a template cannot be read: {0}")]
    Template(#[from] minijinja::Error),
}

/// Whether mail can be sent from `text`: `no-reply@example.com` or `CoinLink <no-reply@example.com>`.
#[must_use]
pub fn is_mailbox(text: &str) -> bool {
    mailbox(text).is_some()
}

fn mailbox(text: &str) -> Option<Mailbox> {
    let one_line = !text.chars().any(char::is_control);
    text.parse().ok().filter(|_| one_line)
}

/// A letter that is written. Two of the same id are the same, byte by byte.
pub struct Letter {
    /// Who gets it.
    pub to: Address,
    /// Headers and both parts.
    pub bytes: Vec<u8>,
}

impl fmt::Debug for Letter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Letter").field("bytes", &self.bytes.len()).finish_non_exhaustive()
    }
}

/// Writes letters.
pub struct Stationery {
    from: Mailbox,
    reply_to: Option<Mailbox>,
    templates: Environment<'static>,
}

impl Stationery {
    /// Letters come from `from`; answers go to `reply_to`, or nobody reads them.
    pub fn new(from: &str, reply_to: Option<&str>) -> Result<Self, StationeryError> {
        let from = mailbox(from).ok_or(StationeryError::From)?;
        let reply_to = reply_to.map(|text| mailbox(text).ok_or(StationeryError::ReplyTo)).transpose()?;
        let mut templates = environment()?;
        templates.add_global("reply_to", reply_to.as_ref().map_or_else(String::new, |reply_to| reply_to.email.to_string()));
        Ok(Self { from, reply_to, templates })
    }

    /// The address letters come from.
    #[must_use]
    pub fn sender(&self) -> &Address {
        &self.from.email
    }

    /// Writes `mail`. What goes wrong goes wrong each time.
    pub fn write(&self, mail: &OutgoingMail) -> Result<Letter, SendError> {
        let permanent = |what: &str| SendError::Permanent(what.to_owned());
        let template = TEMPLATES.iter().find(|template| template.name == mail.template);
        let template = template.ok_or_else(|| permanent("there is no such template"))?;
        let to: Address = mail.to.parse().map_err(|_| permanent("the recipient is no address"))?;
        let fields = Value::from_pairs(mail.fields.iter().map(|(name, value)| (name.as_ref(), harmless(value))));
        let part = |part: &str| self.fill_in(template, part, &fields);
        let (subject, text, html) = (part("subject")?, part("txt")?, part("html")?);
        let id = mail.id;
        let body = alternative(format!("=_{}", id.simple()))
            .singlepart(single(ContentType::TEXT_PLAIN, text))
            .singlepart(single(ContentType::TEXT_HTML, html));
        let message = match &self.reply_to {
            Some(reply_to) => Message::builder().reply_to(reply_to.clone()),
            None => Message::builder(),
        };
        let message = message
            .from(self.from.clone())
            .to(Mailbox::new(None, to.clone()))
            .subject(subject)
            .date(mail.created_at.into())
            .message_id(Some(format!("<{id}@{}>", self.from.email.domain())))
            .raw_header(automatic())
            .multipart(body)
            .map_err(|_| permanent("the letter cannot be written"))?;
        Ok(Letter { to, bytes: message.formatted() })
    }

    /// What went wrong is told without the values that were filled in.
    fn fill_in(&self, template: &Template, part: &str, fields: &Value) -> Result<String, SendError> {
        let name = format!("{}.{part}", template.name);
        let filled_in = self.templates.get_template(&name).and_then(|template| template.render(fields.clone()));
        filled_in.map_err(|error| SendError::Permanent(format!("{name} cannot be filled in: {}", error.kind())))
    }
}

/// Two forms of the same, with a boundary that is the same each time, and that no part in quoted-printable holds.
fn alternative(boundary: String) -> MultiPart {
    MultiPart::builder().kind(MultiPartKind::Alternative).boundary(boundary).build()
}

/// In 7-bit lines where that may be (RFC 5322, section 2.1.1): whoever reads the file of a letter finds its link whole.
fn single(kind: ContentType, text: String) -> SinglePart {
    let fits = |line: &str| line.len() <= LONGEST_LINE && line.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    let body = if text.split('\n').all(fits) {
        Body::dangerous_pre_encoded(text.replace('\n', "\r\n").into(), ContentTransferEncoding::SevenBit)
    } else {
        Body::new(text)
    };
    SinglePart::builder().header(kind).body(body)
}

/// Vacation notices and the like do not answer it (RFC 3834).
fn automatic() -> HeaderValue {
    HeaderValue::new(HeaderName::new_from_ascii_str("Auto-Submitted"), "auto-generated".to_owned())
}

/// One line of text in one direction: what a client calls its device must not look like a paragraph of ours.
fn harmless(value: &str) -> Cow<'_, str> {
    let turns = |c: char| matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let bad = |c: char| c.is_control() || turns(c);
    if value.len() <= LONGEST_FIELD && !value.contains(bad) {
        return Cow::Borrowed(value);
    }
    value.chars().take(LONGEST_FIELD).map(|c| if bad(c) { ' ' } else { c }).collect()
}
