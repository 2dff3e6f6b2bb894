//! `/api/v2/auth/wallet…`: signing in with a Bitcoin wallet, and which wallets may.

mod bodies;
mod errors;

use actix_web::{
    HttpRequest, HttpResponse,
    http::StatusCode,
    web::{Data, Path},
};
use coinlink_application::identity::{AskWallet, LinkWallet, ListWallets, SignInWithWallet, UnlinkWallet};
use coinlink_domain::identity::{OneTimeSecret, WalletId, WalletPurpose};
use uuid::Uuid;

use self::bodies::{AskWalletBody, AskedFor, LinkWalletBody, VerifyWalletBody, WalletAskedBody, WalletBody};
use super::{
    answers::{MessageBody, SignedInBody},
    cookie_mode::Mode,
    errors::HashingBusy,
    outcome::note,
    sessions::message,
    sign_in::{outcome, shown_device},
};
use crate::{
    http::{
        ApiError,
        gate::{Caller, Client, Gatekeeper, SignedIn, Verified},
        json_object::JsonObject,
        private::{private, private_as},
    },
    telemetry::Metrics,
};

/// Ask for a message to sign with your wallet.
///
/// The answer is the same for addresses that are linked to an account and for others. Only who asked can send the signature. To
/// link a wallet, ask with your access token and the purpose `link`.
#[utoipa::path(
    post,
    path = "/api/v2/auth/wallet/challenge",
    tag = "auth",
    request_body = AskWalletBody,
    responses(
        (status = 200, description = "Sign `message` and send the signature with `challenge` within five minutes", body = WalletAskedBody),
        (status = 400, description = "`invalid_input`, or `wallet_unsupported` for an address of a kind that is not taken"),
        (status = 401, description = "`authentication_required`: linking a wallet takes an access token")
    ),
    security((), ("bearer" = []))
)]
pub(in crate::http) async fn ask_wallet(
    request: HttpRequest,
    gatekeeper: Data<Gatekeeper>,
    sign_in: Data<SignInWithWallet>,
    use_case: Data<AskWallet>,
    JsonObject(body): JsonObject<AskWalletBody>,
) -> Result<HttpResponse, ApiError> {
    let purpose = match (body.purpose, Caller::of(&request)) {
        (AskedFor::SignIn, _) => {
            let device = shown_device(&request, None, |token| sign_in.device(token)).map(|device| device.device);
            gatekeeper.charge_wallet(&request, &body.address, device).await?;
            WalletPurpose::SignIn
        }
        (AskedFor::Link, Some(Caller::User { user, session, .. })) => {
            gatekeeper.charge_own(&request, user).await?;
            WalletPurpose::Link(user, session)
        }
        (AskedFor::Link, _) => return Err(SignedIn::missing(&request)),
    };
    Ok(private(WalletAskedBody::from(use_case.execute(&body.address, purpose).await?)))
}

/// Sign in with your wallet.
///
/// Takes a wallet that is linked to an account: one that is not opens none, and no account is opened for it. Whatever is wrong
/// (the challenge is used up, over or another's, the signature is not that of its address, the address is not linked, the account
/// is switched off) looks the same. The challenge is used up by any answer to it.
#[utoipa::path(
    post,
    path = "/api/v2/auth/wallet/verify",
    tag = "auth",
    request_body = VerifyWalletBody,
    responses(
        (status = 200, description = "You are signed in, or asked for a second factor, as at `/api/v2/auth/login`", body = SignedInBody),
        (status = 401, description = "`invalid_signature`")
    )
)]
pub(in crate::http) async fn verify_wallet(
    request: HttpRequest,
    gatekeeper: Data<Gatekeeper>,
    metrics: Data<Metrics>,
    use_case: Data<SignInWithWallet>,
    client: Client,
    JsonObject(body): JsonObject<VerifyWalletBody>,
) -> Result<HttpResponse, ApiError> {
    let mode = Mode::asked(body.cookies, &request, &gatekeeper)?;
    let device = shown_device(&request, body.device_token.as_deref(), |token| use_case.device(token));
    let secret = OneTimeSecret::from_text(&body.challenge);
    // Each came with a message that was counted for its address.
    if let Some(secret) = &secret {
        gatekeeper.charge_given_out(&request, secret.id).await?;
    }
    let signed_in = use_case.execute(secret, &body.signature, device, client.0).await;
    outcome(&mode, note(&metrics, "wallet_sign_in", signed_in)?, "You are signed in.")
}

/// Link a wallet to your account.
///
/// Whoever holds the wallet can sign in to your account from then on. The challenge must have been asked for in the same session,
/// with the purpose `link`.
#[utoipa::path(
    post,
    path = "/api/v2/auth/wallet/link",
    tag = "auth",
    request_body = LinkWalletBody,
    responses(
        (status = 201, description = "The wallet is linked", body = WalletBody, links(
            ("unlink" = (operation_id = "unlink_wallet", parameters(("id" = "$response.body#/id"))))
        )),
        (status = 400, description = "`invalid_input`: the password is not yours"),
        (status = 401, description = "Not signed in, or `invalid_signature`"),
        (status = 403, description = "`email_not_verified` or `second_factor_required`"),
        (status = 409, description = "`wallet_taken` or `too_many_wallets`"),
        HashingBusy
    ),
    security(("bearer" = []))
)]
pub(in crate::http) async fn link_wallet(
    request: HttpRequest,
    Verified(caller): Verified,
    gatekeeper: Data<Gatekeeper>,
    metrics: Data<Metrics>,
    use_case: Data<LinkWallet>,
    client: Client,
    JsonObject(body): JsonObject<LinkWalletBody>,
) -> Result<HttpResponse, ApiError> {
    let password = body.password.checked()?;
    gatekeeper.charge_own(&request, caller.user).await?;
    let secret = OneTimeSecret::from_text(&body.challenge);
    let linked = use_case.execute((caller.user, caller.session), &password, secret, &body.signature, &client.0).await;
    let wallet = note(&metrics, "wallet_link", linked)?;
    Ok(private_as(StatusCode::CREATED, WalletBody::from(&wallet)))
}

/// The wallets that sign in to your account.
#[utoipa::path(
    get,
    path = "/api/v2/auth/wallets",
    tag = "auth",
    responses(
        (status = 200, description = "Your wallets, linked first first", body = [WalletBody], links(
            ("unlink" = (operation_id = "unlink_wallet", parameters(("id" = "$response.body#/0/id"))))
        ))
    ),
    security(("bearer" = []))
)]
pub(in crate::http) async fn list_wallets(caller: SignedIn, use_case: Data<ListWallets>) -> Result<HttpResponse, ApiError> {
    let wallets = use_case.execute(caller.user).await?;
    Ok(private(wallets.iter().map(WalletBody::from).collect::<Vec<_>>()))
}

/// Unlink a wallet from your account.
///
/// Sessions that were opened with it go on.
#[utoipa::path(
    delete,
    path = "/api/v2/auth/wallets/{id}",
    tag = "auth",
    params(("id" = Uuid, Path, description = "One of your wallets")),
    responses(
        (status = 200, description = "The wallet signs in to your account no more", body = MessageBody),
        (status = 403, description = "`second_factor_required`"),
        (status = 404, description = "You have no such wallet")
    ),
    security(("bearer" = []))
)]
pub(in crate::http) async fn unlink_wallet(
    caller: SignedIn,
    metrics: Data<Metrics>,
    use_case: Data<UnlinkWallet>,
    client: Client,
    id: Path<Uuid>,
) -> Result<HttpResponse, ApiError> {
    let unlinked = use_case.execute((caller.user, caller.session), WalletId(id.into_inner()), &client.0).await;
    note(&metrics, "wallet_unlink", unlinked)?;
    Ok(message("The wallet is unlinked."))
}
