//! Tokens in cookies: for pages, whose scripts then hold none. A page gets them by `"cookies": true` when it signs in, and has to
//! show with every request that may change something that the request is its own (`gate/csrf.rs`).

use actix_web::{
    HttpRequest, HttpResponse, ResponseError as _,
    cookie::{Cookie, SameSite, time::Duration},
    web::Data,
};
use coinlink_application::identity::{RefreshSession, Tokens};
use coinlink_domain::identity::SessionId;
use coinlink_ports::identity::PresentedRefreshToken;

use super::answers::{CookieTokensBody, CsrfBody, TokensAnswer, TokensBody};
use crate::http::{
    ApiError, error_codes,
    gate::{
        ACCESS_COOKIE, Caller, Gatekeeper, Pages, Presented, REFRESH_COOKIE, SignedIn, cookie, has_other_credential, json_alone,
    },
    private::private,
};

/// What the refresh cookie is sent to: the routes that take it are all there.
const REFRESH_PATH: &str = "/api/v2/auth";

/// How a client wants the tokens of a session.
pub(super) enum Mode {
    /// In the body, for `Authorization`.
    Bearer,
    /// In cookies.
    Cookies(Pages),
}

impl Mode {
    /// What a sign-in asks for. That a page signs people in with cookies has to be seen to be ours: another one would sign them in as
    /// somebody else.
    pub(super) fn asked(cookies: bool, request: &HttpRequest, gatekeeper: &Gatekeeper) -> Result<Self, ApiError> {
        if !cookies {
            return Ok(Self::Bearer);
        }
        gatekeeper.pages().made(request.headers())?;
        json_alone(request.headers())?;
        Ok(Self::Cookies(gatekeeper.pages().clone()))
    }

    /// The tokens as the body tells them.
    pub(super) fn told(&self, tokens: &Tokens) -> TokensAnswer {
        match self {
            Self::Bearer => TokensAnswer::Bearer(TokensBody::from(tokens)),
            Self::Cookies(pages) => TokensAnswer::Cookies(CookieTokensBody::new(tokens, pages.tokens.mint(tokens.session))),
        }
    }

    /// Adds the cookies, where there are any.
    pub(super) fn set(&self, tokens: &Tokens, response: HttpResponse) -> Result<HttpResponse, ApiError> {
        match self {
            Self::Bearer => Ok(response),
            Self::Cookies(_) => {
                let seconds = |time: time::Duration| Duration::seconds(time.whole_seconds());
                let access = session_cookie(ACCESS_COOKIE, "/", tokens.access.0.clone(), seconds(tokens.expires_in));
                let good_for = seconds(tokens.refresh_expires_in);
                let refresh = session_cookie(REFRESH_COOKIE, REFRESH_PATH, tokens.refresh.0.clone(), good_for);
                with_cookies(response, &[access, refresh])
            }
        }
    }

    /// Takes the cookies back, where there are any.
    pub(super) fn unset(&self, response: HttpResponse) -> Result<HttpResponse, ApiError> {
        let gone = |name, path| session_cookie(name, path, String::new(), Duration::ZERO);
        match self {
            Self::Bearer => Ok(response),
            Self::Cookies(_) => with_cookies(response, &[gone(ACCESS_COOKIE, "/"), gone(REFRESH_COOKIE, REFRESH_PATH)]),
        }
    }

    /// Takes the cookies back with an answer that says that they lead nowhere; one that says to come back leaves them.
    pub(super) fn settled(&self, answer: Result<HttpResponse, ApiError>) -> Result<HttpResponse, ApiError> {
        match answer {
            Err(refused) if refused.code().status == 401 => self.unset(refused.error_response()),
            answer => answer,
        }
    }
}

fn session_cookie(name: &'static str, path: &'static str, value: String, good_for: Duration) -> Cookie<'static> {
    Cookie::build(name, value).path(path).secure(true).http_only(true).same_site(SameSite::Lax).max_age(good_for).finish()
}

fn with_cookies(mut response: HttpResponse, cookies: &[Cookie<'static>]) -> Result<HttpResponse, ApiError> {
    for cookie in cookies {
        let added = response.add_cookie(cookie);
        added.map_err(|error| ApiError::new(error_codes::INTERNAL_ERROR).caused_by(error.to_string()))?;
    }
    Ok(response)
}

/// The session of a caller who is known by the access cookie.
fn known_by_cookie(request: &HttpRequest) -> Option<SessionId> {
    let is_cookie = cookie(request.headers(), ACCESS_COOKIE) != Presented::Nothing;
    Caller::of(request).and_then(|caller| caller.session()).filter(|_| is_cookie)
}

/// Where a refresh token was sent.
pub(super) enum Sent<'a> {
    /// Nowhere.
    Nothing,
    /// In the body.
    InBody(&'a str),
    /// In its cookie; `None` where that is not even text, or there are several.
    InCookie(Option<&'a str>),
}

impl<'a> Sent<'a> {
    /// With `in_body` in the body of `request`. With two kinds of credentials nobody could say which was meant.
    pub(super) fn of(request: &'a HttpRequest, in_body: Option<&'a str>) -> Result<Self, ApiError> {
        let headers = request.headers();
        let shown = cookie(headers, REFRESH_COOKIE);
        let ambiguous = match in_body {
            Some(_) => shown != Presented::Nothing || cookie(headers, ACCESS_COOKIE) != Presented::Nothing,
            None => shown != Presented::Nothing && has_other_credential(headers),
        };
        if ambiguous {
            return Err(ApiError::new(error_codes::AMBIGUOUS_CREDENTIALS));
        }
        Ok(match (in_body, shown) {
            (Some(token), _) => Self::InBody(token),
            (None, Presented::Nothing) => Self::Nothing,
            (None, Presented::Token(token)) => Self::InCookie(Some(token)),
            (None, Presented::Unusable) => Self::InCookie(None),
        })
    }
}

/// The mode of a request by a refresh cookie that names the session `claimed`, once it is seen to be a page's own. A cookie that
/// names none has no token that could be asked for.
pub(super) fn by_cookie(
    request: &HttpRequest,
    gatekeeper: &Gatekeeper,
    claimed: Option<PresentedRefreshToken>,
) -> Result<Mode, ApiError> {
    let (pages, headers) = (gatekeeper.pages(), request.headers());
    pages.made(headers)?;
    claimed.map_or(Ok(()), |claimed| pages.hold_token_of(claimed.session, headers))?;
    json_alone(headers)?;
    Ok(Mode::Cookies(pages.clone()))
}

/// The mode of a request whose caller the gate knows.
pub(super) fn of_caller(request: &HttpRequest, gatekeeper: &Gatekeeper) -> Mode {
    known_by_cookie(request).map_or(Mode::Bearer, |_| Mode::Cookies(gatekeeper.pages().clone()))
}

/// What a page without cookies is told.
const NO_COOKIES: &str =
    "There is no session in your cookies: this token is for sessions in cookies alone; sign in with `\"cookies\": true`.";

/// The token your page has to send with requests that may change something.
///
/// For sessions in cookies: send it as `X-CSRF-Token`. It stays the same as long as the session; sign-in and refresh with cookies tell it
/// as well. The refresh cookie alone is enough, so that a page that was opened anew can refresh.
#[utoipa::path(
    get,
    path = "/api/v2/auth/csrf",
    tag = "auth",
    responses(
        (status = 200, description = "The token of the session in your cookies", body = CsrfBody),
        (status = 401, description = "There is no session in your cookies")
    ),
    security(("cookie" = []), ("refresh_cookie" = []))
)]
pub(in crate::http) async fn csrf(
    request: HttpRequest,
    gatekeeper: Data<Gatekeeper>,
    refresh: Data<RefreshSession>,
) -> Result<HttpResponse, ApiError> {
    let claimed = match Sent::of(&request, None)? {
        Sent::InCookie(Some(token)) => refresh.claimed(token),
        Sent::InCookie(None) | Sent::InBody(_) | Sent::Nothing => None,
    };
    let named = known_by_cookie(&request).or_else(|| claimed.map(|claimed| claimed.session));
    gatekeeper.charge_session(&request, named.map(|session| session.0)).await?;
    let session = named.ok_or_else(|| SignedIn::missing_other(&request, NO_COOKIES))?;
    Ok(private(CsrfBody { csrf_token: gatekeeper.pages().tokens.mint(session) }))
}
