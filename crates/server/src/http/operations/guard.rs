//! What stands before every route of administrators: who asks is looked up in the store before a handler or a body is looked at.

use std::{
    future::{Ready, ready},
    rc::Rc,
};

use actix_web::{
    Error, FromRequest, HttpMessage as _, HttpRequest,
    body::{EitherBody, MessageBody},
    dev::{Payload, Service, ServiceRequest, ServiceResponse, Transform, forward_ready},
    web::Data,
};
use coinlink_application::identity::{Administrator, AuthorizeAdmin};
use futures_util::future::LocalBoxFuture;

use crate::http::{
    ApiError, error_codes,
    gate::{Account, Caller, Client, SignedIn},
};

/// All routes below it are administrators'.
const BELOW: &str = "/api/v2/admin/";
/// So are those below this one; who only looks needs the role alone, and programs may look.
const WATCHED: &str = "/api/monitoring/";

/// What somebody has to be.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Demand {
    Nothing,
    /// An administrator, or a program of one.
    Role,
    /// An administrator who showed a second factor just now.
    Everything,
}

/// The middleware of one resource, inside of the gate and of the deadline. Where the path is not an administrators' one it lets
/// everything through.
#[derive(Clone, Copy)]
pub(in crate::http) struct AdminOnly {
    path: &'static str,
    methods: &'static str,
}

impl AdminOnly {
    /// For the resource at `path`, which takes these methods.
    pub(in crate::http) const fn new(path: &'static str, methods: &'static str) -> Self {
        Self { path, methods }
    }

    /// A method that nobody may use is told to everybody alike.
    fn demand(self, request: &ServiceRequest) -> Demand {
        if !self.methods.split(", ").any(|method| method == request.method().as_str()) {
            return Demand::Nothing;
        }
        match self.path {
            path if path.starts_with(BELOW) => Demand::Everything,
            path if path.starts_with(WATCHED) && request.method().is_safe() => Demand::Role,
            path if path.starts_with(WATCHED) => Demand::Everything,
            _ => Demand::Nothing,
        }
    }
}

impl<S, B> Transform<S, ServiceRequest> for AdminOnly
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: MessageBody + 'static,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = Error;
    type Transform = AdminOnlyService<S>;
    type InitError = ();
    type Future = Ready<Result<AdminOnlyService<S>, ()>>;

    fn new_transform(&self, service: S) -> Self::Future {
        ready(Ok(AdminOnlyService { service: Rc::new(service), only: *self }))
    }
}

/// The middleware around one resource.
pub(in crate::http) struct AdminOnlyService<S> {
    service: Rc<S>,
    only: AdminOnly,
}

impl<S, B> Service<ServiceRequest> for AdminOnlyService<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: MessageBody + 'static,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = Error;
    type Future = LocalBoxFuture<'static, Result<Self::Response, Error>>;

    forward_ready!(service);

    fn call(&self, request: ServiceRequest) -> Self::Future {
        let demand = self.only.demand(&request);
        if demand == Demand::Nothing {
            let answer = self.service.call(request);
            return Box::pin(async move { answer.await.map(ServiceResponse::map_into_left_body) });
        }
        let (service, route) = (Rc::clone(&self.service), self.only.path);
        Box::pin(async move {
            match let_in(request.request(), demand, route).await {
                Ok(()) => service.call(request).await.map(ServiceResponse::map_into_left_body),
                Err(refusal) => Ok(request.error_response(refusal).map_into_right_body()),
            }
        })
    }
}

/// Leaves with the request who it was found to be from.
async fn let_in(request: &HttpRequest, demand: Demand, route: &'static str) -> Result<(), ApiError> {
    if demand == Demand::Role {
        let watcher = watch(request, route).await?;
        request.extensions_mut().insert(watcher);
    } else {
        let admin = authorize(request, route).await?;
        request.extensions_mut().insert(admin);
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
