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
    gate::{Client, SignedIn},
};

/// All routes below it are administrators'.
const BELOW: &str = "/api/v2/admin/";

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
    fn guards(self, request: &ServiceRequest) -> bool {
        self.path.starts_with(BELOW) && self.methods.split(", ").any(|method| method == request.method().as_str())
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
        if !self.only.guards(&request) {
            let answer = self.service.call(request);
            return Box::pin(async move { answer.await.map(ServiceResponse::map_into_left_body) });
        }
        let (service, route) = (Rc::clone(&self.service), self.only.path);
        Box::pin(async move {
            match authorize(request.request(), route).await {
                Ok(admin) => {
                    request.extensions_mut().insert(admin);
                    service.call(request).await.map(ServiceResponse::map_into_left_body)
                }
                Err(refusal) => Ok(request.error_response(refusal).map_into_right_body()),
            }
        })
    }
}

async fn authorize(request: &HttpRequest, route: &'static str) -> Result<Administrator, ApiError> {
    let caller = SignedIn::extract(request).await?;
    let client = Client::extract(request).await?;
    let missing = || ApiError::new(error_codes::INTERNAL_ERROR).caused_by("nobody was made to authorize administrators");
    let use_case = request.app_data::<Data<AuthorizeAdmin>>().ok_or_else(missing)?;
    Ok(use_case.execute((caller.user, caller.session), route, &client.0).await?)
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
