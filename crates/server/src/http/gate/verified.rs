use std::sync::Arc;

use actix_web::{FromRequest, HttpRequest, dev::Payload, web::Data};
use coinlink_application::identity::VerifiedEmail;
use futures_util::future::LocalBoxFuture;

use super::{
    super::{ApiError, error_codes},
    SignedIn,
};

/// A signed-in caller whose address is known to be theirs, where such are asked for (`REQUIRE_VERIFIED_EMAIL`): 403
/// `email_not_verified` for others, 401 for who is not signed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verified(pub SignedIn);

impl FromRequest for Verified {
    type Error = ApiError;
    type Future = LocalBoxFuture<'static, Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let caller = SignedIn::from_request(request, payload);
        let rule = request.app_data::<Data<VerifiedEmail>>().map(|rule| Arc::clone(rule));
        Box::pin(async move {
            let caller = caller.await?;
            // Provided with every other use case; without it nobody is let through.
            let rule = rule.ok_or_else(|| ApiError::new(error_codes::INTERNAL_ERROR).caused_by("no rule for addresses"))?;
            if rule.execute(caller.user).await? { Ok(Self(caller)) } else { Err(ApiError::new(error_codes::EMAIL_NOT_VERIFIED)) }
        })
    }
}
