//! Second factors: setting up, showing, guessing, and doing without.

mod budgets;
mod managing;
mod resealing;
mod resetting;
mod signing_in;

use coinlink_application::identity::{FactorProof, SecondFactorError, SecondFactorTicket, SignInOutcome, SignedIn};
use coinlink_domain::identity::{OneTimeSecret, RecoveryCode, SessionId, TotpCode, UserId};
use coinlink_testkit::identity::{PlainAuthenticators, an_email};
use time::{Duration, OffsetDateTime};

use crate::support::{ADA, GOOD, Identity, client, password};

/// An account with an authenticator app.
struct Protected {
    identity: Identity,
    user: UserId,
    session: SessionId,
    secret: String,
    codes: Vec<RecoveryCode>,
}

/// A step of every app.
const STEP: Duration = Duration::seconds(30);

fn shown(secret: &str, at: OffsetDateTime) -> TotpCode {
    TotpCode::from_text(&PlainAuthenticators::shown(secret, at)).unwrap()
}

fn other(code: TotpCode) -> TotpCode {
    TotpCode::new((code.number() + 1) % 1_000_000).unwrap()
}

impl Protected {
    /// Set up and confirmed one step ago, so that the present code is unused.
    async fn new() -> Self {
        Self::of(Identity::new()).await
    }

    async fn of(identity: Identity) -> Self {
        let signed_in = identity.signs_up(ADA).await.unwrap();
        let (user, session) = (signed_in.user.id, signed_in.tokens.session);
        let from = client("192.0.2.1");
        let enrolment = identity.second_factor.set_up.execute((user, session), &password(GOOD), &from).await.unwrap();
        let secret = enrolment.secret;
        let now = coinlink_ports::shared::Clock::now(&*identity.clock);
        let codes = identity.second_factor.confirm.execute((user, session), shown(&secret, now), &from).await.unwrap();
        identity.clock.advance(STEP);
        Self { identity, user, session, secret, codes }
    }

    fn now(&self) -> OffsetDateTime {
        coinlink_ports::shared::Clock::now(&*self.identity.clock)
    }

    /// What the app shows now.
    fn code(&self) -> FactorProof {
        FactorProof::Code(shown(&self.secret, self.now()))
    }

    /// What it does not show.
    fn wrong(&self) -> FactorProof {
        let good: Vec<_> = (-2..=2).map(|steps| shown(&self.secret, self.now() + STEP * steps)).collect();
        let mut wrong = good[0];
        while good.contains(&wrong) {
            wrong = other(wrong);
        }
        FactorProof::Code(wrong)
    }

    async fn ticket(&self) -> OneTimeSecret {
        self.asked().await.secret
    }

    async fn asked(&self) -> SecondFactorTicket {
        let (email, from) = (an_email(ADA), client("192.0.2.1"));
        match self.identity.sign_in.execute(&email, &password(GOOD), None, from, std::future::pending()).await.unwrap() {
            SignInOutcome::SecondFactorRequired(ticket) => ticket,
            SignInOutcome::SignedIn(_) => panic!("signed in without the second factor"),
        }
    }

    async fn completes(&self, ticket: &OneTimeSecret, proof: FactorProof) -> Result<SignedIn, SecondFactorError> {
        self.identity.second_factor.complete_sign_in.execute(ticket, proof, None, client("192.0.2.1")).await
    }

    async fn signs_in(&self) -> SignedIn {
        self.completes(&self.ticket().await, self.code()).await.unwrap()
    }

    async fn steps_up(&self, session: SessionId, proof: FactorProof) -> Result<OffsetDateTime, SecondFactorError> {
        self.identity.second_factor.step_up.execute((self.user, session), proof, &client("192.0.2.1")).await
    }

    /// The templates of letters so far.
    fn letters(&self) -> Vec<String> {
        self.identity.store.mails().into_iter().map(|mail| mail.template.into_owned()).collect()
    }

    fn reasons(&self) -> Vec<String> {
        self.identity.store.audit().into_iter().filter_map(|entry| entry.details.get("reason").cloned()).collect()
    }
}
