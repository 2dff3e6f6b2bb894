use std::{
    net::{IpAddr, Ipv4Addr},
    sync::Arc,
};

use actix_web::{HttpMessage as _, HttpRequest, http::header::HeaderMap};
use coinlink_application::{
    identity::{Authenticate, KeyRefusal, Standing, VerifiedKey, VerifyApiKey},
    shared::{AdmitRequest, GateOutcome},
};
use coinlink_domain::{
    identity::{Email, SessionId, UserId},
    shared::{
        rate_limit::{Charge, RateClass, RateSubject},
        sliding_window::WindowPolicy,
    },
};
use coinlink_ports::{
    identity::{AccessGrant, AccessRefusal},
    shared::Clock,
};
use sha2::{Digest as _, Sha256};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{
    super::{
        ApiError, TrustedProxies,
        client_ip::{client_address, counted_address},
        error_codes::{self, ErrorCode},
    },
    bearer::Presented,
    caller::Caller,
    cookies,
    csrf::Pages,
    lone_peer::LonePeer,
    quota_words::quota_refusal,
    windows::{Window, Windows},
};
use crate::telemetry::Metrics;

/// What a gatekeeper works with.
pub struct GateParts {
    /// Counts requests, in what the nodes share or on this node alone.
    pub admit: Arc<AdmitRequest>,
    /// Reads access tokens.
    pub authenticate: Arc<Authenticate>,
    /// Reads API keys.
    pub verify_key: Arc<VerifyApiKey>,
    /// Pages that may act for who is signed in, where browsers keep the tokens.
    pub pages: Pages,
    /// Proxies whose word on the client's address is taken.
    pub trusted_proxies: TrustedProxies,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Where refusals are counted.
    pub metrics: Metrics,
}

/// Knows who is calling and lets them in or not; one for all workers.
pub struct Gatekeeper {
    parts: GateParts,
    lone_peer: LonePeer,
}

impl Gatekeeper {
    /// With these parts.
    pub fn new(parts: GateParts) -> Self {
        let lone_peer = LonePeer::watching(parts.trusted_proxies.networks.is_empty());
        Self { parts, lone_peer }
    }

    /// Counts a try to sign in to the account of `email`, whether there is one or not: after the address of the client was
    /// counted, so that who is refused by address uses up nobody's account. A `device` that signed in before is counted by itself:
    /// strangers who use the account up do not keep its owner out.
    pub async fn charge_sign_in(&self, request: &HttpRequest, email: &Email, device: Option<Uuid>) -> Result<(), ApiError> {
        let subject = device.map_or_else(|| account("sign in", email), RateSubject::Device);
        self.charge(request, Charge { class: RateClass::Credentials, subject }).await
    }

    /// Counts a try to open an account for `email`, apart from tries to sign in to it.
    pub async fn charge_sign_up(&self, request: &HttpRequest, email: &Email) -> Result<(), ApiError> {
        self.charge(request, Charge { class: RateClass::Credentials, subject: account("sign up", email) }).await
    }

    /// Counts a letter that is asked for, by its address and what it is for.
    pub async fn charge_letter(&self, request: &HttpRequest, purpose: &str, email: &Email) -> Result<(), ApiError> {
        let subject = account(&format!("letter to {purpose}"), email);
        self.charge(request, Charge { class: RateClass::Credentials, subject }).await
    }

    /// Counts what somebody who is signed in tries with the own password or second factor, or a letter asked for to the own
    /// address: by account, whatever addresses it comes from.
    pub async fn charge_own(&self, request: &HttpRequest, user: UserId) -> Result<(), ApiError> {
        let charge = Charge { class: RateClass::Credentials, subject: RateSubject::User(user.0) };
        self.charge(request, charge).await
    }

    /// Counts a try with something that was given out to be tried with: a ticket, or a wallet's challenge.
    pub async fn charge_given_out(&self, request: &HttpRequest, id: Uuid) -> Result<(), ApiError> {
        let subject = RateSubject::Account(digest(&format!("given out {id}")));
        self.charge(request, Charge { class: RateClass::Credentials, subject }).await
    }

    /// Counts a message asked for to sign in with the wallet `address`. A `device` that signed in before is counted by itself, as
    /// for [`Gatekeeper::charge_sign_in`].
    pub async fn charge_wallet(&self, request: &HttpRequest, address: &str, device: Option<Uuid>) -> Result<(), ApiError> {
        let wallet = || RateSubject::Account(digest(&format!("wallet {}", address.trim().to_ascii_lowercase())));
        let subject = device.map_or_else(wallet, RateSubject::Device);
        self.charge(request, Charge { class: RateClass::Credentials, subject }).await
    }

    /// Counts a try to refresh or end `session`; without one, because the token could not be read, the client's address is
    /// counted.
    pub async fn charge_session(&self, request: &HttpRequest, session: Option<Uuid>) -> Result<(), ApiError> {
        let charge = match session {
            Some(session) => Charge { class: RateClass::Session, subject: RateSubject::Session(session) },
            None => anonymous(self.address_of(request)),
        };
        self.charge(request, charge).await
    }

    /// How many of a class there may be, in which time.
    pub fn limit_of(&self, class: RateClass) -> WindowPolicy {
        self.parts.admit.limit_of(class)
    }

    /// How full windows are, without counting.
    pub async fn peek(&self, charges: &[Charge]) -> Vec<Window> {
        self.parts.admit.peek(charges).await
    }

    /// Where a request comes from, as it is counted.
    pub fn address_of(&self, request: &HttpRequest) -> IpAddr {
        let known = Caller::of(request).map(|caller| caller.ip());
        known.unwrap_or_else(|| self.client(request.peer_addr().map(|peer| peer.ip()), request.headers()))
    }

    /// The pages that may act for who is signed in.
    pub(in crate::http) const fn pages(&self) -> &Pages {
        &self.parts.pages
    }

    /// What time it is for headers and bodies.
    pub fn now(&self) -> OffsetDateTime {
        self.parts.clock.now()
    }

    /// Counts a request that nothing else counted, by its address, and says whether it is one too many.
    pub(super) async fn count_anonymous(&self, request: &HttpRequest) -> (Windows, Option<ApiError>) {
        let (windows, _) = self.admit(&[anonymous(self.address_of(request))], None).await;
        let refusal = self.refusal(&windows, Standing::Good);
        (windows, refusal)
    }

    async fn charge(&self, request: &HttpRequest, charge: Charge) -> Result<(), ApiError> {
        let session = Caller::of(request).and_then(|caller| caller.session());
        let (windows, standing) = self.admit(&[charge], session).await;
        let refusal = self.refusal(&windows, standing);
        tell_of(request, windows);
        refusal.map_or(Ok(()), Err)
    }

    /// Counts a request, and says how its session stands.
    pub(super) async fn admit(&self, charges: &[Charge], session: Option<SessionId>) -> (Windows, Standing) {
        let outcome = self.parts.admit.execute(charges, session.map(|session| session.0)).await;
        self.parts.metrics.rate_limiter_fallback.set(outcome.alone.into());
        let standing = session.map_or(Standing::Good, |session| self.standing(session, &outcome));
        (Windows::of(outcome), standing)
    }

    fn standing(&self, session: SessionId, outcome: &GateOutcome) -> Standing {
        self.parts.authenticate.standing(session, outcome.revoked, outcome.alone)
    }

    /// Why a request that was counted is not carried out.
    pub(super) fn refusal(&self, windows: &Windows, standing: Standing) -> Option<ApiError> {
        if standing == Standing::Revoked {
            return Some(ApiError::new(error_codes::SESSION_REVOKED));
        }
        let class = windows.full()?;
        self.parts.metrics.rate_limited(class);
        let wait = windows.retry_after();
        Some(match class {
            RateClass::PromptsAnonymous | RateClass::PromptsUser => {
                quota_refusal(class, self.limit_of(class), self.limit_of(RateClass::PromptsUser), wait)
            }
            _ => ApiError::new(error_codes::RATE_LIMITED).retry_after(wait),
        })
    }

    /// Where a request comes from, as it is counted. A peer that is not known is one client, whoever it is.
    pub(super) fn client(&self, peer: Option<IpAddr>, headers: &HeaderMap) -> IpAddr {
        counted_address(self.address(peer, headers))
    }

    /// Where a request comes from, the whole address.
    pub(super) fn address(&self, peer: Option<IpAddr>, headers: &HeaderMap) -> IpAddr {
        let peer = peer.unwrap_or(UNKNOWN);
        self.lone_peer.note(peer, headers);
        client_address(peer, headers, &self.parts.trusted_proxies)
    }

    /// Whose key this is, where it comes from `from` and is counted as from `ip`.
    pub(super) async fn verify_key(&self, text: &str, from: IpAddr, ip: IpAddr) -> Result<VerifiedKey, KeyRefusal> {
        self.parts.verify_key.execute(text, from, ip).await
    }

    /// What a request presents: a grant, nothing, or something that is no good. No I/O.
    pub(super) fn identify(&self, headers: &HeaderMap) -> Result<Option<AccessGrant>, &'static ErrorCode> {
        match cookies::credential(headers)? {
            Presented::Nothing => Ok(None),
            Presented::Unusable => Err(error_codes::INVALID_TOKEN),
            Presented::Token(token) => self.grant(token).map(Some),
        }
    }

    /// What a token grants. No I/O.
    pub(super) fn grant(&self, token: &str) -> Result<AccessGrant, &'static ErrorCode> {
        let grant = self.parts.authenticate.verify(token).map_err(|refusal| match refusal {
            AccessRefusal::Invalid => error_codes::INVALID_TOKEN,
            AccessRefusal::Expired => error_codes::TOKEN_EXPIRED,
            AccessRefusal::NotYetValid => error_codes::TOKEN_NOT_YET_VALID,
        })?;
        // Known here to be over: its holder uses up nothing of the account.
        match self.parts.authenticate.standing(grant.session, false, false) {
            Standing::Revoked => Err(error_codes::SESSION_REVOKED),
            Standing::Good | Standing::Unknown => Ok(grant),
        }
    }

    /// What the access token of a request grants that was let in by one. No I/O.
    pub fn grant_of(&self, request: &HttpRequest) -> Option<AccessGrant> {
        self.identify(request.headers()).ok().flatten()
    }

    /// Notes that a token arrived.
    pub(super) async fn confirm(&self, grant: &AccessGrant) {
        self.parts.authenticate.confirm(grant).await;
    }
}

/// Adds to what the answer to `request` tells of its windows.
pub(super) fn tell_of(request: &HttpRequest, windows: Windows) {
    let mut extensions = request.extensions_mut();
    match extensions.get_mut::<Windows>() {
        Some(earlier) => earlier.extend(windows),
        None => drop(extensions.insert(windows)),
    }
}

/// Stands for a peer that is not known.
const UNKNOWN: IpAddr = IpAddr::V4(Ipv4Addr::UNSPECIFIED);

/// An account by what is tried with it. An address is lower-case already.
fn account(purpose: &str, email: &Email) -> RateSubject {
    RateSubject::Account(digest(&format!("{purpose} {email}")))
}

fn digest(text: &str) -> [u8; 16] {
    let mut digest = [0; 16];
    digest.copy_from_slice(&Sha256::digest(text)[..16]);
    digest
}

/// Counts somebody without credentials.
pub(super) const fn anonymous(ip: IpAddr) -> Charge {
    Charge { class: RateClass::Anonymous, subject: RateSubject::Address(ip) }
}
