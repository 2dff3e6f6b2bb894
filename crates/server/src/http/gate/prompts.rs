//! Questions to the assistant: who asks them, and how many there may be beside the pace that every request keeps.

use std::net::IpAddr;

use actix_web::HttpRequest;
use coinlink_application::identity::Standing;
use coinlink_domain::{
    identity::{SessionId, UserId},
    shared::rate_limit::{Charge, RateClass, RateSubject},
};

use super::{
    super::{ApiError, error_codes},
    caller::{Caller, Overlooked},
    cookies,
    gatekeeper::{Gatekeeper, tell_of},
};

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::http) enum Asker {
    /// An account.
    User(UserId),
    /// Nobody in particular.
    Nobody {
        /// Whether a token was shown whose session was ended.
        session_ended: bool,
    },
}

impl Gatekeeper {
    /// Counts a question, and says whose it is: the caller's, or that of the token in the body, where nothing else says who is
    /// calling. A token there that is no good is as none, as it is in the header.
    pub(in crate::http) async fn charge_prompt(&self, request: &HttpRequest, token: Option<&str>) -> Result<Asker, ApiError> {
        let caller = Caller::of(request);
        let ip = self.address_of(request);
        let mut session_ended = Overlooked::is_of_ended_session(request);
        if let Some(user) = caller.and_then(|caller| caller.user()) {
            // What a key asks was counted as a request of the key alone.
            let pace = matches!(caller, Some(Caller::Key { .. })).then(|| pace(Some(user), ip));
            let charges: Vec<_> = pace.into_iter().chain(self.prompt_charge(Some(user), ip)).collect();
            let (standing, refused) = self.count(request, &charges, caller.and_then(|caller| caller.session())).await;
            // The gate has asked whether the session goes on, and knows more than this answer where it is not known now.
            match (standing, refused) {
                (Standing::Revoked, _) => session_ended = true,
                (_, Some(refused)) => return Err(refused),
                _ => return Ok(Asker::User(user)),
            }
        } else {
            match self.asker_of(request, token, ip).await? {
                Asker::Nobody { session_ended: true } => session_ended = true,
                Asker::Nobody { session_ended: false } => {}
                known @ Asker::User(_) => return Ok(known),
            }
        }
        match self.count(request, self.prompt_charge(None, ip).as_slice(), None).await {
            (_, Some(refused)) => Err(refused),
            _ => Ok(Asker::Nobody { session_ended }),
        }
    }

    /// Whose the token in the body is; then the question is counted as theirs.
    async fn asker_of(&self, request: &HttpRequest, token: Option<&str>, ip: IpAddr) -> Result<Asker, ApiError> {
        let nobody = |session_ended| Ok(Asker::Nobody { session_ended });
        let headers = request.headers();
        if cookies::has_other_credential(headers) || cookies::is_shown(headers) {
            return nobody(false);
        }
        let grant = match token.map(|token| self.grant(token)) {
            Some(Ok(grant)) => grant,
            Some(Err(code)) => return nobody(code == error_codes::SESSION_REVOKED),
            None => return nobody(false),
        };
        let charges: Vec<_> = [pace(Some(grant.user), ip)].into_iter().chain(self.prompt_charge(Some(grant.user), ip)).collect();
        match self.count(request, &charges, Some(grant.session)).await {
            (Standing::Revoked, _) => nobody(true),
            (_, Some(refused)) => Err(refused),
            (Standing::Good, None) => {
                self.confirm(&grant).await;
                Ok(Asker::User(grant.user))
            }
            // Nobody can say at the moment whether the session goes on.
            (Standing::Unknown, None) => nobody(false),
        }
    }

    /// Counts a question that comes another way than in a request: its pace, and the quota. The error says why it is not answered,
    /// that the session it is asked in is over perhaps.
    pub async fn charge_question(&self, user: Option<UserId>, session: Option<SessionId>, ip: IpAddr) -> Result<(), ApiError> {
        let charges: Vec<_> = [pace(user, ip)].into_iter().chain(self.prompt_charge(user, ip)).collect();
        let (windows, standing) = self.admit(&charges, session).await;
        self.refusal(&windows, standing).map_or(Ok(()), Err)
    }

    async fn count(&self, request: &HttpRequest, charges: &[Charge], session: Option<SessionId>) -> (Standing, Option<ApiError>) {
        if charges.is_empty() {
            return (Standing::Good, None);
        }
        let (windows, standing) = self.admit(charges, session).await;
        let refused = self.refusal(&windows, standing);
        if standing != Standing::Revoked {
            tell_of(request, windows);
        }
        (standing, refused)
    }

    /// What a question is counted as beside the pace; nothing where there is no quota.
    pub(in crate::http) fn prompt_charge(&self, user: Option<UserId>, ip: IpAddr) -> Option<Charge> {
        let class = if user.is_some() { RateClass::PromptsUser } else { RateClass::PromptsAnonymous };
        (self.limit_of(class).limit > 0).then(|| Charge { class, subject: subject(user, ip) })
    }
}

fn pace(user: Option<UserId>, ip: IpAddr) -> Charge {
    Charge { class: RateClass::Chat, subject: subject(user, ip) }
}

fn subject(user: Option<UserId>, ip: IpAddr) -> RateSubject {
    user.map_or(RateSubject::Address(ip), |user| RateSubject::User(user.0))
}
