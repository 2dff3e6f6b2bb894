//! Signing in with a wallet, linking and unlinking it.

use coinlink_application::identity::{
    AskWalletError, FactorProof, LinkWalletError, SecondFactorError, SignInOutcome, SignedIn, UnlinkWalletError, WalletAsked,
    WalletSignInError,
};
use coinlink_domain::{
    identity::{OneTimeSecret, SecondFactor, SessionId, TotpCode, UserId, Wallet, WalletChallenge, WalletId, WalletPurpose},
    shared::audit::AuditStatus,
};
use coinlink_ports::{
    identity::{AddressError, IdentityStore as _, WalletList as _},
    shared::{Clock as _, SecretBox as _},
};
use coinlink_testkit::{
    identity::{NOON, PlainAuthenticators, PlainWalletSignatures},
    shared::PlainSecretBox,
};
use futures_util::future::join_all;
use time::Duration;
use uuid::Uuid;

use crate::support::{ADA, GOOD, Identity, client, password};

const ADDRESS: &str = "mainnet:ada";

fn caller(signed_in: &SignedIn) -> (UserId, SessionId) {
    (signed_in.user.id, signed_in.tokens.session)
}

impl Identity {
    async fn asks_a_wallet(&self, purpose: WalletPurpose) -> WalletAsked {
        self.wallets.ask.execute(ADDRESS, purpose).await.unwrap()
    }

    async fn asks_wallet_to_link(&self, signed_in: &SignedIn) -> WalletAsked {
        let (user, session) = caller(signed_in);
        self.asks_a_wallet(WalletPurpose::Link(user, session)).await
    }

    async fn links_wallet_with(&self, signed_in: &SignedIn, word: &str, asked: &WalletAsked) -> Result<Wallet, LinkWalletError> {
        let signature = PlainWalletSignatures::signed(ADDRESS, &asked.message);
        self.links_wallet_signed(signed_in, word, Some(asked.secret), &signature).await
    }

    async fn links_wallet_signed(
        &self,
        signed_in: &SignedIn,
        word: &str,
        secret: Option<OneTimeSecret>,
        signature: &str,
    ) -> Result<Wallet, LinkWalletError> {
        self.wallets.link.execute(caller(signed_in), &password(word), secret, signature, &client("192.0.2.1")).await
    }

    async fn links_a_wallet(&self, signed_in: &SignedIn) -> Wallet {
        let asked = self.asks_wallet_to_link(signed_in).await;
        self.links_wallet_with(signed_in, GOOD, &asked).await.unwrap()
    }

    async fn signs_wallet_in(&self, secret: Option<OneTimeSecret>, signature: &str) -> Result<SignInOutcome, WalletSignInError> {
        self.wallets.sign_in.execute(secret, signature, None, client("192.0.2.1")).await
    }

    async fn answers_wallet(&self, asked: &WalletAsked) -> Result<SignInOutcome, WalletSignInError> {
        self.signs_wallet_in(Some(asked.secret), &PlainWalletSignatures::signed(ADDRESS, &asked.message)).await
    }

    /// Why the last thing that failed did, as the audit log has it.
    fn why_a_wallet_failed(&self) -> String {
        let last = self.store.audit().into_iter().last().unwrap();
        assert_ne!(last.status, AuditStatus::Success);
        last.details["reason"].clone()
    }

    /// A second factor, shown in no session yet.
    async fn has_an_unshown_factor(&self, user: UserId) {
        let sealed = PlainSecretBox::default().seal(&SecondFactor::context(user), &[7; 20]).unwrap();
        let mut tx = self.store.begin().await.unwrap();
        assert!(tx.second_factors().set_up(&SecondFactor::new(user, sealed, NOON)).await.unwrap());
        assert!(tx.second_factors().confirm(user, 1, NOON).await.unwrap());
        tx.commit().await.unwrap();
    }

    fn switches_account_off(&self, user: UserId) {
        let mut account = self.store.accounts().into_iter().find(|account| account.user.id == user).unwrap();
        account.user.is_active = false;
        self.store.put_account(&account);
    }
}

fn is_refused(answer: &Result<SignInOutcome, WalletSignInError>) -> bool {
    matches!(answer, Err(WalletSignInError::Refused))
}

#[tokio::test]
async fn a_linked_wallet_signs_in_to_its_account() {
    let it = Identity::new();
    let ada = it.signs_up(ADA).await.unwrap();
    let wallet = it.links_a_wallet(&ada).await;
    it.clock.advance(Duration::MINUTE);
    let asked = it.asks_a_wallet(WalletPurpose::SignIn).await;
    let signed_in = it.answers_wallet(&asked).await.unwrap().signed_in().unwrap();
    assert_eq!(signed_in.user.id, ada.user.id);
    assert_ne!(signed_in.tokens.session, ada.tokens.session);
    let listed = it.wallets.list.execute(ada.user.id).await.unwrap();
    assert_eq!(listed, [Wallet { last_used_at: Some(NOON + Duration::MINUTE), ..wallet }]);
    let entry = it.store.audit().pop().unwrap();
    assert_eq!((&*entry.action, &*entry.details["first_factor"]), ("auth.sign_in", "wallet"));
}

#[tokio::test]
async fn a_challenge_is_the_same_work_and_shape_whoever_the_address_belongs_to() {
    let it = Identity::new();
    let ada = it.signs_up(ADA).await.unwrap();
    it.links_a_wallet(&ada).await;
    let mut messages = Vec::new();
    for address in [ADDRESS, "mainnet:eve"] {
        let before = it.store.calls();
        let asked = it.wallets.ask.execute(address, WalletPurpose::SignIn).await.unwrap();
        assert_eq!(it.store.calls() - before, 3, "begin, add, commit");
        assert_eq!(asked.expires_at, NOON + Duration::minutes(5));
        messages.push(asked.message.replace(address, "ADDRESS"));
    }
    let nonce_of = |message: &str| message.lines().find(|line| line.starts_with("Nonce: ")).unwrap().to_owned();
    assert_ne!(nonce_of(&messages[0]), nonce_of(&messages[1]));
    assert_eq!(messages[0].replace(&nonce_of(&messages[0]), ""), messages[1].replace(&nonce_of(&messages[1]), ""));
    assert!(messages[0].starts_with("api.example.com wants you to sign in"), "{}", messages[0]);
}

#[tokio::test]
async fn what_is_no_address_here_gets_no_challenge() {
    let it = Identity::new();
    for (address, error) in [
        ("0xabc", AddressError::NotAnAddress),
        ("testnet:ada", AddressError::OtherNetwork),
        ("mainnet:script", AddressError::Unsupported),
    ] {
        let refused = it.wallets.ask.execute(address, WalletPurpose::SignIn).await;
        assert!(matches!(refused, Err(AskWalletError::Address(found)) if found == error), "{address}");
    }
    assert!(it.store.wallet_challenges().is_empty());
}

#[tokio::test]
async fn whatever_is_wrong_with_an_answer_is_one_error_and_uses_the_challenge_up() {
    let it = Identity::new();
    let ada = it.signs_up(ADA).await.unwrap();
    it.links_a_wallet(&ada).await;

    let asked = it.asks_a_wallet(WalletPurpose::SignIn).await;
    assert!(is_refused(&it.signs_wallet_in(Some(asked.secret), "signed:mainnet:ada:something else").await));
    assert_eq!(it.why_a_wallet_failed(), "wrong_signature");
    assert!(is_refused(&it.answers_wallet(&asked).await), "it is used up although the signature was wrong");
    assert_eq!(it.why_a_wallet_failed(), "unknown_challenge");

    assert!(is_refused(&it.signs_wallet_in(None, "").await));
    assert_eq!(it.why_a_wallet_failed(), "unknown_challenge");

    let asked = it.asks_a_wallet(WalletPurpose::SignIn).await;
    let guessed = OneTimeSecret { secret: [1; 32], ..asked.secret };
    assert!(is_refused(&it.signs_wallet_in(Some(guessed), &PlainWalletSignatures::signed(ADDRESS, &asked.message)).await));
    assert!(it.answers_wallet(&asked).await.is_ok(), "whoever does not hold its secret does not use it up");
    assert!(is_refused(&it.answers_wallet(&asked).await), "once");

    let asked = it.asks_a_wallet(WalletPurpose::SignIn).await;
    it.clock.advance(Duration::minutes(5));
    assert!(is_refused(&it.answers_wallet(&asked).await));
    assert_eq!(it.why_a_wallet_failed(), "challenge_expired");

    let to_link = it.asks_wallet_to_link(&ada).await;
    assert!(is_refused(&it.answers_wallet(&to_link).await), "asked for something else");
    assert_eq!(it.why_a_wallet_failed(), "wrong_purpose");

    let eve = it.wallets.ask.execute("mainnet:eve", WalletPurpose::SignIn).await.unwrap();
    let signature = PlainWalletSignatures::signed("mainnet:eve", &eve.message);
    assert!(is_refused(&it.signs_wallet_in(Some(eve.secret), &signature).await));
    assert_eq!(it.why_a_wallet_failed(), "unlinked_wallet");

    let asked = it.asks_a_wallet(WalletPurpose::SignIn).await;
    it.switches_account_off(ada.user.id);
    assert!(is_refused(&it.answers_wallet(&asked).await));
    assert_eq!(it.why_a_wallet_failed(), "inactive");
    assert!(it.store.wallet_challenges().is_empty());
}

type Change = fn(&mut WalletChallenge);

#[tokio::test]
async fn a_challenge_of_another_place_or_chain_or_with_anything_changed_is_good_for_nothing() {
    let it = Identity::new();
    let ada = it.signs_up(ADA).await.unwrap();
    it.links_a_wallet(&ada).await;
    let changes: [(Change, &str); 6] = [
        (|kept| kept.domain = "evil.example.com".to_owned(), "wrong_domain"),
        (|kept| kept.uri = "http://api.example.com".to_owned(), "wrong_domain"),
        (
            |kept| {
                let network = coinlink_domain::identity::Network::Signet;
                kept.address =
                    coinlink_domain::identity::WalletAddress::checked(ADDRESS.to_owned(), network, kept.address.kind());
            },
            "wrong_network",
        ),
        (|kept| kept.expires_at = NOON, "challenge_expired"),
        (|kept| kept.nonce = [9; 16], "wrong_signature"),
        (
            |kept| {
                kept.address = coinlink_domain::identity::WalletAddress::checked(
                    "mainnet:bob".to_owned(),
                    kept.address.network(),
                    kept.address.kind(),
                );
            },
            "wrong_signature",
        ),
    ];
    for (change, reason) in changes {
        let asked = it.asks_a_wallet(WalletPurpose::SignIn).await;
        let mut kept = it.store.wallet_challenges().pop().unwrap();
        change(&mut kept);
        it.store.put_wallet_challenge(&kept);
        assert!(is_refused(&it.answers_wallet(&asked).await), "{reason}");
        assert_eq!(it.why_a_wallet_failed(), reason);
    }
}

#[tokio::test]
async fn of_fifty_who_answer_one_challenge_at_once_one_is_signed_in() {
    let it = Identity::new();
    let ada = it.signs_up(ADA).await.unwrap();
    it.links_a_wallet(&ada).await;
    let asked = it.asks_a_wallet(WalletPurpose::SignIn).await;
    let answers = join_all((0..50).map(|_| it.answers_wallet(&asked))).await;
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1);
    assert_eq!(it.store.sessions().len(), 2);
}

#[tokio::test]
async fn an_account_with_a_second_factor_is_asked_for_it_after_the_wallet() {
    let it = Identity::new();
    let ada = it.signs_up(ADA).await.unwrap();
    it.links_a_wallet(&ada).await;
    it.has_an_unshown_factor(ada.user.id).await;
    let asked = it.asks_a_wallet(WalletPurpose::SignIn).await;
    let outcome = it.answers_wallet(&asked).await.unwrap();
    assert!(matches!(outcome, SignInOutcome::SecondFactorRequired(_)));
    assert_eq!(it.store.sessions().len(), 1, "nobody is signed in yet");
}

#[tokio::test]
async fn a_signature_with_anothers_header_is_written_down() {
    let it = Identity::new();
    let ada = it.signs_up(ADA).await.unwrap();
    let wallet = it.links_a_wallet(&ada).await;
    let asked = it.asks_a_wallet(WalletPurpose::SignIn).await;
    let signature = PlainWalletSignatures::signed_otherwise(ADDRESS, &asked.message);
    it.signs_wallet_in(Some(asked.secret), &signature).await.unwrap();
    let entries = it.store.audit();
    let entry = entries.iter().find(|entry| entry.action == "wallet.other_header").unwrap();
    assert_eq!((entry.user, entry.resource_id.clone()), (Some(ada.user.id.0), Some(wallet.id.to_string())));
}

#[tokio::test]
async fn linking_tells_the_owner_and_takes_the_password_the_session_and_a_signature() {
    let it = Identity::new();
    let ada = it.signs_up(ADA).await.unwrap();
    let other = it.signs_in(ADA, GOOD).await.unwrap();

    let asked = it.asks_wallet_to_link(&ada).await;
    let wrong = it.links_wallet_with(&ada, "wrong", &asked).await;
    assert!(matches!(wrong, Err(LinkWalletError::WrongPassword)));
    let elsewhere = it.links_wallet_with(&other, GOOD, &asked).await;
    assert!(matches!(elsewhere, Err(LinkWalletError::InvalidSignature)), "asked for in another session");
    assert_eq!(it.why_a_wallet_failed(), "wrong_purpose");

    let sign_in = it.asks_a_wallet(WalletPurpose::SignIn).await;
    assert!(matches!(it.links_wallet_with(&ada, GOOD, &sign_in).await, Err(LinkWalletError::InvalidSignature)));
    let asked = it.asks_wallet_to_link(&ada).await;
    let unsigned = it.links_wallet_signed(&ada, GOOD, Some(asked.secret), "").await;
    assert!(matches!(unsigned, Err(LinkWalletError::InvalidSignature)));
    assert!(matches!(it.links_wallet_signed(&ada, GOOD, None, "").await, Err(LinkWalletError::InvalidSignature)));
    assert!(it.store.mails().iter().all(|mail| mail.template != "wallet_linked"));

    let wallet = it.links_a_wallet(&ada).await;
    let mail = it.store.mails().pop().unwrap();
    assert_eq!((mail.to.as_str(), &*mail.template), (ADA, "wallet_linked"));
    let fields: Vec<_> = ["address", "ip", "when"].into_iter().map(|name| mail.fields[name].as_str()).collect();
    assert_eq!(fields, [ADDRESS, "192.0.2.1", "2026-01-01T12:00:00Z"]);
    let entry = it.store.audit().pop().unwrap();
    assert_eq!((&*entry.action, entry.resource_id), ("wallet.link", Some(wallet.id.to_string())));
    assert_eq!(entry.details["address"], "mainne…:ada", "too little to collect");
}

#[tokio::test]
async fn a_wrong_password_or_a_missing_factor_does_not_use_the_challenge_up() {
    let it = Identity::new();
    let ada = it.signs_up(ADA).await.unwrap();
    it.has_an_unshown_factor(ada.user.id).await;
    let asked = it.asks_wallet_to_link(&ada).await;
    let hashed = it.hasher.calls();
    for word in ["wrong", GOOD] {
        assert!(matches!(it.links_wallet_with(&ada, word, &asked).await, Err(LinkWalletError::NotFresh)));
    }
    assert_eq!(it.hasher.calls(), hashed, "the password is not even compared");
    let mut session = it.store.sessions().pop().unwrap();
    session.second_factor_at = Some(NOON);
    it.store.put_session(&session);
    assert!(matches!(it.links_wallet_with(&ada, "wrong", &asked).await, Err(LinkWalletError::WrongPassword)));
    assert!(it.links_wallet_with(&ada, GOOD, &asked).await.is_ok());
}

#[tokio::test]
async fn an_address_opens_one_account() {
    let it = Identity::new();
    let (ada, bob) = (it.signs_up(ADA).await.unwrap(), it.signs_up("bob@example.org").await.unwrap());
    it.links_a_wallet(&ada).await;
    for signed_in in [&bob, &ada] {
        let asked = it.asks_wallet_to_link(signed_in).await;
        assert!(matches!(it.links_wallet_with(signed_in, GOOD, &asked).await, Err(LinkWalletError::Taken)));
        assert_eq!(it.why_a_wallet_failed(), "taken");
    }
    assert_eq!(it.wallets.list.execute(bob.user.id).await.unwrap(), []);
}

#[tokio::test]
async fn an_account_has_no_more_wallets_than_it_may() {
    let it = Identity::new();
    let ada = it.signs_up(ADA).await.unwrap();
    let (user, session) = caller(&ada);
    for n in 0..=Wallet::MOST {
        let address = format!("mainnet:{n}");
        let asked = it.wallets.ask.execute(&address, WalletPurpose::Link(user, session)).await.unwrap();
        let signature = PlainWalletSignatures::signed(&address, &asked.message);
        let linked = it.links_wallet_signed(&ada, GOOD, Some(asked.secret), &signature).await;
        assert_eq!(matches!(linked, Err(LinkWalletError::TooMany)), n == Wallet::MOST, "{n}");
    }
}

#[tokio::test]
async fn a_locked_account_links_and_unlinks_nothing_and_neither_does_a_session_that_is_over() {
    let it = Identity::new();
    let ada = it.signs_up(ADA).await.unwrap();
    let wallet = it.links_a_wallet(&ada).await;
    let asked = it.asks_wallet_to_link(&ada).await;
    let mut session = it.store.sessions().pop().unwrap();
    session.end(coinlink_domain::identity::EndReason::SignedOut, NOON);
    it.store.put_session(&session);
    assert!(matches!(it.links_wallet_with(&ada, GOOD, &asked).await, Err(LinkWalletError::NoAccount)));
    let unlinked = it.wallets.unlink.execute(caller(&ada), wallet.id, &client("192.0.2.1")).await;
    assert!(matches!(unlinked, Err(UnlinkWalletError::NoAccount)));
    let again = it.signs_in(ADA, GOOD).await.unwrap();
    it.switches_account_off(ada.user.id);
    let asked = it.asks_wallet_to_link(&again).await;
    assert!(matches!(it.links_wallet_with(&again, GOOD, &asked).await, Err(LinkWalletError::NoAccount)));
    let unlinked = it.wallets.unlink.execute(caller(&again), wallet.id, &client("192.0.2.1")).await;
    assert!(matches!(unlinked, Err(UnlinkWalletError::NoAccount)));
}

#[tokio::test]
async fn who_merely_claims_an_address_cannot_have_mail_sent_to_it_by_linking() {
    let it = Identity::strict();
    let ada = it.signs_up(ADA).await.unwrap();
    let wallet = it.links_a_wallet(&ada).await;
    it.wallets.unlink.execute(caller(&ada), wallet.id, &client("192.0.2.1")).await.unwrap();
    let sent: Vec<_> = it.store.mails().into_iter().map(|mail| mail.template).collect();
    assert_eq!(sent, ["verify_email"]);
}

#[tokio::test]
async fn of_one_thing_done_over_and_over_the_owner_is_told_ten_times_an_hour() {
    let it = Identity::new();
    let ada = it.signs_up(ADA).await.unwrap();
    let link_and_unlink = async || {
        let wallet = it.links_a_wallet(&ada).await;
        it.wallets.unlink.execute(caller(&ada), wallet.id, &client("192.0.2.1")).await.unwrap();
    };
    let told = || it.store.mails().iter().filter(|mail| mail.template == "wallet_linked").count();
    for _ in 0..12 {
        link_and_unlink().await;
    }
    assert_eq!(told(), 10);
    it.clock.advance(Duration::hours(1) + Duration::SECOND);
    link_and_unlink().await;
    assert_eq!(told(), 11);
}

#[tokio::test]
async fn unlinking_takes_a_fresh_factor_tells_the_owner_and_is_for_ones_own_wallets() {
    let it = Identity::new();
    let (ada, bob) = (it.signs_up(ADA).await.unwrap(), it.signs_up("bob@example.org").await.unwrap());
    let wallet = it.links_a_wallet(&ada).await;
    let unlink = async |signed_in: &SignedIn, id| it.wallets.unlink.execute(caller(signed_in), id, &client("192.0.2.1")).await;
    assert!(matches!(unlink(&bob, wallet.id).await, Err(UnlinkWalletError::NoWallet)));
    assert!(matches!(unlink(&ada, WalletId(Uuid::now_v7())).await, Err(UnlinkWalletError::NoWallet)));
    it.has_an_unshown_factor(ada.user.id).await;
    assert!(matches!(unlink(&ada, wallet.id).await, Err(UnlinkWalletError::NotFresh)));
    assert_eq!(it.why_a_wallet_failed(), "second_factor_required");
    let mut session = it.store.sessions().into_iter().find(|session| session.id == ada.tokens.session).unwrap();
    session.second_factor_at = Some(NOON);
    it.store.put_session(&session);
    unlink(&ada, wallet.id).await.unwrap();
    assert_eq!(it.store.wallets(ada.user.id).await.unwrap(), []);
    assert_eq!(&*it.store.mails().pop().unwrap().template, "wallet_unlinked");
    let asked = it.asks_a_wallet(WalletPurpose::SignIn).await;
    assert!(is_refused(&it.answers_wallet(&asked).await), "it opens nothing any more");
}

#[tokio::test]
async fn a_wallet_that_is_unlinked_between_the_two_factors_signs_nobody_in() {
    for unlinks in [false, true] {
        let it = Identity::new();
        let ada = it.signs_up(ADA).await.unwrap();
        let (from, word) = (client("192.0.2.1"), password(GOOD));
        let wallet = it.links_a_wallet(&ada).await;
        let secret = it.second_factor.set_up.execute(caller(&ada), &word, &from).await.unwrap().secret;
        let code = |secret: &str| TotpCode::from_text(&PlainAuthenticators::shown(secret, it.clock.now())).unwrap();
        it.second_factor.confirm.execute(caller(&ada), code(&secret), &from).await.unwrap();
        let asked = it.asks_a_wallet(WalletPurpose::SignIn).await;
        let SignInOutcome::SecondFactorRequired(ticket) = it.answers_wallet(&asked).await.unwrap() else { panic!("signed in") };
        it.clock.advance(Duration::seconds(30));
        if unlinks {
            it.wallets.unlink.execute(caller(&ada), wallet.id, &from).await.unwrap();
        }
        let shown = FactorProof::Code(code(&secret));
        let done = it.second_factor.complete_sign_in.execute(&ticket.secret, shown, None, from).await;
        assert_eq!(matches!(done, Err(SecondFactorError::InvalidTicket)), unlinks);
        assert_eq!(done.is_ok(), !unlinks);
    }
}

#[tokio::test]
async fn wherever_a_fault_strikes_a_link_is_whole_or_not_there_and_no_challenge_is_answered_twice() {
    for calls in 0..40 {
        let it = Identity::new();
        let ada = it.signs_up(ADA).await.unwrap();
        let asked = it.asks_wallet_to_link(&ada).await;
        let mails = it.store.mails().len();
        it.store.fail_after(calls);
        let linked = it.links_wallet_with(&ada, GOOD, &asked).await;
        it.store.recover();
        let (wallets, told) = (it.store.wallets(ada.user.id).await.unwrap().len(), it.store.mails().len() - mails);
        let audited = it.store.audit().iter().filter(|entry| entry.action == "wallet.link").count();
        assert_eq!((wallets, told, audited), if linked.is_ok() { (1, 1, 1) } else { (0, 0, 0) }, "after {calls} calls");
        if linked.is_ok() {
            return;
        }
    }
    panic!("it takes fewer calls");
}

#[tokio::test]
async fn challenges_that_nobody_can_answer_any_more_are_forgotten() {
    let it = Identity::new();
    it.asks_a_wallet(WalletPurpose::SignIn).await;
    for (after, left) in [(Duration::minutes(5), 1), (Duration::MICROSECOND, 0)] {
        it.clock.advance(after);
        it.prune.execute().await.unwrap();
        assert_eq!(it.store.wallet_challenges().len(), left);
    }
}
