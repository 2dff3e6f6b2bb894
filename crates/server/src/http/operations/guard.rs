//! What stands before every route of administrators: who asks is looked up in the store before a handler or a body is looked at.

use std::future::{Ready, ready};

use actix_web::{
    Error, FromRequest, HttpMessage as _, HttpRequest,
    body::BoxBody,
    dev::{Payload, ServiceRequest, ServiceResponse},
    http::Method,
    middleware::Next,
    web::Data,
};
use coinlink_application::identity::{Administrator, AuthorizeAdmin};

use crate::http::{
    ApiError, Endpoint, error_codes,
    gate::{Account, Caller, Client, SignedIn},
};

/// All routes below it are administrators'.
const BELOW: &str = "/api/v2/admin/";
/// So are those below this one; who only looks needs the role alone, and programs may look.
const WATCHED: &str = "/api/monitoring/";

/// The middleware of one resource, inside of the gate and of the deadline.
pub(in crate::http) async fn administrators_only(
    endpoint: Endpoint,
    request: ServiceRequest,
    next: Next<BoxBody>,
) -> Result<ServiceResponse, Error> {
    if let Some(demand) = demand(&endpoint, request.method())
        // In a box of its own, or every other request would hold room for it.
        && let Err(refusal) = Box::pin(let_in(request.request(), demand, endpoint.path)).await
    {
        return Ok(request.error_response(refusal));
    }
    next.call(request).await
}

/// What somebody has to be.
enum Demand {
    /// An administrator, or a program of one.
    Role,
    /// An administrator who showed a second factor just now.
    Everything,
}

/// Nothing of whoever asks for what is no administrators' route; a method that nobody may use is told to everybody alike.
fn demand(endpoint: &Endpoint, method: &Method) -> Option<Demand> {
    match endpoint.path {
        _ if !endpoint.takes(method) => None,
        path if path.starts_with(BELOW) => Some(Demand::Everything),
        path if path.starts_with(WATCHED) && method.is_safe() => Some(Demand::Role),
        path if path.starts_with(WATCHED) => Some(Demand::Everything),
        _ => None,
    }
}

/// Leaves with the request who it was found to be from.
async fn let_in(request: &HttpRequest, demand: Demand, route: &'static str) -> Result<(), ApiError> {
    match demand {
        Demand::Role => {
            let watcher = watch(request, route).await?;
            request.extensions_mut().insert(watcher);
        }
        Demand::Everything => {
            let admin = authorize(request, route).await?;
            request.extensions_mut().insert(admin);
        }
    }
    Ok(())
}

fn use_case(request: &HttpRequest) -> Result<&Data<AuthorizeAdmin>, ApiError> {
    let missing = || ApiError::new(error_codes::INTERNAL_ERROR).caused_by("nobody was made to authorize administrators");
    request.app_data::<Data<AuthorizeAdmin>>().ok_or_else(missing)
}

async fn watch(request: &HttpRequest, route: &'static str) -> Result<Watcher, ApiError> {
    let user = Account::extract(request).await?.user;
    let client = Client::extract(request).await?;
    let session = Caller::of(request).and_then(|caller| caller.session());
    use_case(request)?.watch((user, session), route, &client.0).await?;
    Ok(Watcher(()))
}

async fn authorize(request: &HttpRequest, route: &'static str) -> Result<Administrator, ApiError> {
    let caller = SignedIn::extract(request).await?;
    let client = Client::extract(request).await?;
    Ok(use_case(request)?.execute((caller.user, caller.session), route, &client.0).await?)
}

/// The administrator who calls, for handlers: the guard has found out who it is.
#[derive(Debug, Clone, Copy)]
pub(in crate::http) struct Admin(pub(super) Administrator);

impl FromRequest for Admin {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let admin = request.extensions().get::<Administrator>().copied().map(Self);
        ready(admin.ok_or_else(|| ApiError::new(error_codes::FORBIDDEN)))
    }
}

/// That an administrator, or a program of one, looks, for handlers: the guard has found it out.
#[derive(Debug, Clone, Copy)]
pub(in crate::http) struct Watcher(());

impl FromRequest for Watcher {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let watcher = request.extensions().get::<Self>().copied();
        ready(watcher.ok_or_else(|| ApiError::new(error_codes::FORBIDDEN)))
    }
}
