//! Links in mail.

mod changing;
mod faults;
mod locking;
mod resetting;
mod taking_over;
mod verifying;

use coinlink_application::identity::{NewAccount, Opening, SignUpError, SignedIn};
use coinlink_domain::{
    identity::{BrowserMark, LinkCode, LinkProof, SessionId, User},
    shared::mail::OutgoingMail,
};
use coinlink_testkit::identity::an_email;

use crate::support::{Identity, client, password};

/// Where a test's people sit.
pub(crate) fn browser(n: u8) -> BrowserMark {
    BrowserMark::new([n; 32])
}

/// A letter with a link.
#[derive(Clone)]
pub(crate) struct Letter {
    pub(crate) token: String,
    pub(crate) code: String,
}

impl Letter {
    fn of(mail: &OutgoingMail) -> Self {
        let token = mail.fields["link"].rsplit_once("?token=").unwrap().1.to_owned();
        Self { token, code: mail.fields["code"].clone() }
    }

    /// Whatever has the link's text alone, in no browser that is known.
    pub(crate) fn anywhere(&self) -> Opening {
        Opening::new(&self.token, LinkProof::default())
    }

    pub(crate) fn inside(&self, browser: BrowserMark) -> Opening {
        Opening::new(&self.token, LinkProof { browser: Some(browser), ..LinkProof::default() })
    }

    pub(crate) fn in_session(&self, session: SessionId) -> Opening {
        Opening::new(&self.token, LinkProof { session: Some(session), ..LinkProof::default() })
    }

    pub(crate) fn with_code(&self, code: &str) -> Opening {
        Opening::new(&self.token, LinkProof { code: Some(LinkCode::from_text(code)), ..LinkProof::default() })
    }

    pub(crate) fn by_hand(&self) -> Opening {
        self.with_code(&self.code)
    }
}

impl Identity {
    /// Letters of this template to this address, oldest first.
    pub(crate) fn letters(&self, to: &str, template: &str) -> Vec<OutgoingMail> {
        self.store.mails().into_iter().filter(|mail| mail.to == to && mail.template == template).collect()
    }

    /// The newest of them, which has a link.
    pub(crate) fn letter(&self, to: &str, template: &str) -> Letter {
        Letter::of(self.letters(to, template).last().unwrap_or_else(|| panic!("no {template} to {to}")))
    }

    pub(crate) async fn signs_up_in(&self, email: &str, word: &str, browser: BrowserMark) -> Result<SignedIn, SignUpError> {
        let new = NewAccount { email: an_email(email), password: password(word), first_name: None, last_name: None };
        self.sign_up.in_browser(new, Some(browser), client("192.0.2.1")).await
    }

    /// Signs up and verifies the address in the same browser.
    pub(crate) async fn verified(&self, email: &str, word: &str) -> SignedIn {
        let here = self.signs_up_in(email, word, browser(1)).await.unwrap();
        let opening = self.letter(email, "verify_email").inside(browser(1));
        self.links.verify_email.execute(&opening, None, &client("192.0.2.1")).await.unwrap();
        here
    }

    /// The account that owns this address.
    pub(crate) fn owner(&self, email: &str) -> Option<User> {
        self.store.users().into_iter().find(|user| user.owns_email && user.email.as_str() == email)
    }
}
