//! `GET /api/v2/auth/rate-limit`: what is left, without using any of it up.

use actix_web::{HttpRequest, HttpResponse, web::Data};
use coinlink_domain::shared::{
    rate_limit::{Charge, RateClass, RateSubject},
    sliding_window::WindowPolicy,
};
use coinlink_ports::shared::WindowState;
use time::OffsetDateTime;

use super::answers::{LimitBody, LimitsBody};
use crate::{
    http::{
        ApiError,
        gate::{Caller, Gatekeeper},
        private::private,
    },
    wire::{rfc3339, seconds_up},
};

/// What is left of your limits.
///
/// Asking counts as one request; the assistant's questions are not touched by it. `prompts_…` are those of the quota, and where there
/// is none, those of the minute.
#[utoipa::path(
    get,
    path = "/api/v2/auth/rate-limit",
    tag = "auth",
    responses(
        (status = 200, description = "By your account where you are signed in, and by your address", body = LimitsBody),
        (status = 401, description = "The access token that was sent is no good")
    ),
    security((), ("bearer" = []))
)]
pub(in crate::http) async fn rate_limit(request: HttpRequest, gatekeeper: Data<Gatekeeper>) -> Result<HttpResponse, ApiError> {
    let caller = Caller::of(&request);
    let user = caller.and_then(|caller| caller.user()).map(|user| RateSubject::User(user.0));
    let address = RateSubject::Address(gatekeeper.address_of(&request));
    let charge = |class, subject| Charge { class, subject };
    let mut charges = vec![
        charge(RateClass::Chat, user.unwrap_or(address)),
        charge(RateClass::Price, user.unwrap_or(address)),
        charge(RateClass::Anonymous, address),
        charge(RateClass::Credentials, address),
    ];
    charges.extend(user.map(|user| charge(RateClass::Authenticated, user)));
    let quota = gatekeeper.prompt_charge(caller.and_then(|caller| caller.user()), gatekeeper.address_of(&request));
    charges.extend(quota);
    let windows = gatekeeper.peek(&charges).await;
    let now = gatekeeper.now();
    let shown = |wanted: fn(&RateSubject) -> bool| {
        windows.iter().filter(|(charge, ..)| wanted(&charge.subject)).map(|window| limit(window, now)).collect::<Vec<_>>()
    };
    let general = if user.is_some() { RateClass::Authenticated } else { RateClass::Anonymous };
    let of = |class: RateClass| windows.iter().find(|(charge, ..)| charge.class == class);
    // Both were asked for, and every question is answered.
    let (Some(chat), Some(general)) = (of(RateClass::Chat), of(general)) else {
        return Err(ApiError::new(crate::http::error_codes::INTERNAL_ERROR).caused_by("the gate left a window out"));
    };
    let prompts = quota.and_then(|quota| of(quota.class)).unwrap_or(chat);
    let (left, paced) = (prompts.2.remaining, chat.2.remaining > 0);
    Ok(private(LimitsBody {
        allowed: left > 0 && paced,
        message: match left {
            0 => "No questions left for the moment.".to_owned(),
            _ if !paced => "Too many questions within a minute.".to_owned(),
            left => format!("{left} questions left."),
        },
        prompts_used: prompts.1.limit.saturating_sub(left),
        prompts_max: prompts.1.limit,
        prompts_left: left,
        reset_in_seconds: seconds_up(prompts.2.next_free_in),
        is_authenticated: user.is_some(),
        user_limits: shown(|subject| matches!(subject, RateSubject::User(_))),
        ip_limits: shown(|subject| matches!(subject, RateSubject::Address(_))),
        global_limit: limit(general, now),
    }))
}

fn limit((charge, policy, state): &(Charge, WindowPolicy, WindowState), now: OffsetDateTime) -> LimitBody {
    LimitBody {
        endpoint: charge.class.name(),
        limit: policy.limit,
        window_seconds: policy.window.whole_seconds(),
        remaining: state.remaining,
        reset_at: rfc3339(now + state.next_free_in),
    }
}
