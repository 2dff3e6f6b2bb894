//! Links in mail.

mod changing;
mod faults;
mod giving_back;
mod locking;
mod resetting;
mod taking_over;
mod verifying;

use coinlink_application::identity::{NewAccount, Opening, SignUpError, SignedIn};
use coinlink_domain::{
    identity::{BrowserMark, LinkCode, LinkProof, Network, SecondFactor, SessionId, User, UserId, Wallet, WalletId},
    shared::mail::OutgoingMail,
};
use coinlink_ports::{
    identity::{IdentityStore as _, SecondFactorStore as _, WalletList as _, WalletSignatures as _},
    shared::{Clock as _, SecretBox as _},
};
use coinlink_testkit::{
    identity::{PlainWalletSignatures, an_api_key, an_email},
    shared::PlainSecretBox,
};
use uuid::Uuid;

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
        Opening::new(&self.token, LinkProof { code: LinkCode::from_text(code), ..LinkProof::default() })
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

    /// A second factor that is asked for from now on.
    pub(crate) async fn has_factor(&self, user: UserId) {
        let now = self.clock.now();
        let sealed = PlainSecretBox::default().seal(&SecondFactor::context(user), &[7; 20]).unwrap();
        let mut tx = self.store.begin().await.unwrap();
        assert!(tx.second_factors().set_up(&SecondFactor::new(user, sealed, now)).await.unwrap());
        assert!(tx.second_factors().confirm(user, 1, now).await.unwrap());
        tx.commit().await.unwrap();
    }

    pub(crate) async fn links_wallet(&self, who: &SignedIn, address: &str) {
        let address = PlainWalletSignatures.parse(Network::Mainnet, address).unwrap();
        let id = WalletId(Uuid::now_v7());
        let wallet = Wallet { id, user: who.user.id, address, created_at: self.clock.now(), last_used_at: None };
        let mut tx = self.store.begin().await.unwrap();
        tx.wallets().add(&wallet).await.unwrap();
        tx.commit().await.unwrap();
    }

    pub(crate) async fn makes_a_key(&self, who: &SignedIn) {
        let mut tx = self.store.begin().await.unwrap();
        tx.api_keys().add(&an_api_key(who.user.id)).await.unwrap();
        tx.commit().await.unwrap();
    }

    /// All that opens an account beside its password: a wallet, a key, and the second factor.
    pub(crate) async fn arms(&self, who: &SignedIn) {
        self.links_wallet(who, "mainnet:arms").await;
        self.makes_a_key(who).await;
        self.has_factor(who.user.id).await;
    }

    /// Nothing of that is left.
    pub(crate) async fn is_disarmed(&self, user: UserId) {
        assert_eq!(self.store.wallets(user).await.unwrap(), [], "wallets");
        let keys = self.store.api_keys();
        assert!(keys.iter().any(|key| key.user == user), "there were keys");
        assert!(keys.iter().all(|key| key.user != user || key.revoked_at.is_some()), "keys");
        assert!(self.store.second_factor(user).await.unwrap().is_none(), "a factor");
    }

    /// The account that owns this address.
    pub(crate) fn owner(&self, email: &str) -> Option<User> {
        self.store.users().into_iter().find(|user| user.owns_email && user.email.as_str() == email)
    }
}
