use std::{net::IpAddr, rc::Rc, sync::Arc};

use actix_web::{
    Error, HttpMessage as _,
    body::BoxBody,
    dev::{ServiceRequest, ServiceResponse},
    middleware::Next,
};
use coinlink_application::identity::Standing;
use coinlink_domain::shared::rate_limit::{Charge, RateClass, RateSubject};
use coinlink_ports::identity::AccessGrant;

use super::{
    super::{ApiError, error_codes},
    Gated, Gatekeeper, api_key,
    caller::{Caller, Overlooked, Unconfirmed},
    cookies,
    csrf::{self, Judged},
    gatekeeper::anonymous,
    key_access::KeyAccess,
    windows::Windows,
};

/// The middleware of one resource: inside of CORS, so that browsers may read a refusal, and outside of the handler's deadline,
/// so that what a panic or a time-out is answered with carries its headers too.
pub(in crate::http) struct Gate {
    gated: Gated,
    /// The path of its table; none where there is no route.
    route: Option<&'static str>,
    gatekeeper: Option<Arc<Gatekeeper>>,
}

impl Gate {
    /// Counts requests of `route` as `gated` says; without a gatekeeper it lets everybody through.
    pub(in crate::http) fn new(gated: Gated, route: Option<&'static str>, gatekeeper: Option<Arc<Gatekeeper>>) -> Rc<Self> {
        Rc::new(Self { gated, route, gatekeeper: gatekeeper.filter(|_| gated != Gated::Exempt) })
    }

    /// Takes a request in, or answers why not; either answer tells what is left.
    pub(in crate::http) async fn pass(
        self: Rc<Self>,
        request: ServiceRequest,
        next: Next<BoxBody>,
    ) -> Result<ServiceResponse, Error> {
        let Some(gatekeeper) = &self.gatekeeper else { return next.call(request).await };
        let asked = request.request().clone();
        let (mut windows, refusal) = match api_key::presented(request.headers()) {
            Some(key) => {
                let access = KeyAccess::of(self.route, request.method().as_str());
                api_key::admit(gatekeeper, access, &request, key).await
            }
            None => admit(gatekeeper, self.gated.on(request.method()), &request).await,
        };
        let mut response = match refusal {
            Some(refusal) => request.error_response(refusal),
            None => match next.call(request).await {
                Ok(response) => response,
                Err(error) => ServiceResponse::from_err(error, asked.clone()),
            },
        };
        let charged_later = asked.extensions_mut().remove::<Windows>();
        windows.extend(charged_later.unwrap_or_default());
        if windows.is_empty() {
            // The handler did not get as far as counting it: a body that cannot be read, a method that is not taken.
            let (counted, refusal) = gatekeeper.count_anonymous(&asked).await;
            windows = counted;
            if let Some(refusal) = refusal {
                response = ServiceResponse::from_err(refusal, asked);
            }
        }
        windows.stamp(response.headers_mut(), gatekeeper.now());
        Ok(response)
    }
}

/// Lets a request in, with its [`Caller`], or says why not.
async fn admit(gatekeeper: &Gatekeeper, gated: Gated, request: &ServiceRequest) -> (Windows, Option<ApiError>) {
    let ip = gatekeeper.client(request.peer_addr().map(|peer| peer.ip()), request.headers());
    let (grant, bad) = match gatekeeper.identify(request.headers()) {
        Ok(grant) => (grant, None),
        Err(code) if gated.overlooks(code) || cookies::overlooks(request, code) => {
            request.extensions_mut().insert(Overlooked(code));
            (None, None)
        }
        Err(code) => (None, Some(ApiError::new(code))),
    };
    let (grant, bad) = match grant.map(|grant| (grant, csrf::judge(gatekeeper.pages(), request, grant.session))) {
        Some((grant, Judged::Ours)) => (Some(grant), None),
        Some((_, Judged::Nobodys)) => {
            request.extensions_mut().insert(Overlooked(error_codes::CSRF_FAILED));
            (None, None)
        }
        Some((_, Judged::Forged(refused))) => (None, Some(refused)),
        None => (None, bad),
    };
    request.extensions_mut().insert(grant.map_or(Caller::Anonymous { ip }, |grant| known(&grant, ip)));
    let counted = bad.as_ref().map_or_else(|| charge(gated, grant.as_ref(), ip), |_| Some(anonymous(ip)));
    let (windows, standing) = match counted {
        Some(charge) => gatekeeper.admit(&[charge], grant.map(|grant| grant.session)).await,
        // The handler's charge asks for the session as well.
        None => (Windows::default(), Standing::Good),
    };
    if standing == Standing::Revoked && gated.overlooks(error_codes::SESSION_REVOKED) {
        // Known here only now: from here on it is as if it had been known before.
        request.extensions_mut().insert(Overlooked(error_codes::SESSION_REVOKED));
        request.extensions_mut().insert(Caller::Anonymous { ip });
        let as_nobody = charge(gated, None, ip);
        let windows = match as_nobody.filter(|_| as_nobody != counted) {
            Some(charge) => gatekeeper.admit(&[charge], None).await.0,
            None => windows,
        };
        let refusal = gatekeeper.refusal(&windows, Standing::Good);
        return (windows, refusal);
    }
    let refusal = gatekeeper.refusal(&windows, standing).or(bad);
    if refusal.is_some() {
        return (windows, refusal);
    }
    if let Some(grant) = &grant {
        if standing == Standing::Unknown {
            let mut extensions = request.extensions_mut();
            extensions.insert(Caller::Anonymous { ip });
            extensions.insert(Unconfirmed);
        } else {
            gatekeeper.confirm(grant).await;
        }
    }
    (windows, None)
}

const fn known(grant: &AccessGrant, ip: IpAddr) -> Caller {
    Caller::User { user: grant.user, session: grant.session, generation: grant.generation, ip }
}

/// What a request is counted as before its handler runs.
fn charge(gated: Gated, grant: Option<&AccessGrant>, ip: IpAddr) -> Option<Charge> {
    let address = RateSubject::Address(ip);
    let user = grant.map(|grant| RateSubject::User(grant.user.0));
    let (class, subject) = match gated {
        Gated::Exempt | Gated::Session => return None,
        Gated::General | Gated::Link | Gated::Prompts => {
            user.map_or((RateClass::Anonymous, address), |user| (RateClass::Authenticated, user))
        }
        Gated::Price => (RateClass::Price, user.unwrap_or(address)),
        Gated::Chat => (RateClass::Chat, user.unwrap_or(address)),
        Gated::Credentials => (RateClass::Credentials, address),
    };
    Some(Charge { class, subject })
}
