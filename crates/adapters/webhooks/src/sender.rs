use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use async_trait::async_trait;
use coinlink_domain::notifications::signature;
use coinlink_ports::notifications::{SendError, WebhookAddress, WebhookCall, WebhookRefused, WebhookSender};
use reqwest::{
    Client, StatusCode,
    dns::{Addrs, Name, Resolve, Resolving},
    header::CONTENT_TYPE,
    redirect::Policy,
};
use url::Host;

use crate::{
    address::{self, AllowedNetworks, Checked, Way},
    body::body,
    lookup::{Lookup, SystemLookup},
};

/// From looking the name up to the answer's head.
const WITHIN: Duration = Duration::from_secs(5);
const USER_AGENT: &str = concat!("CoinLink-Webhooks/", env!("CARGO_PKG_VERSION"));

/// The client cannot be made.
#[derive(Debug, thiserror::Error)]
#[error("webhooks cannot be called: {0}")]
pub struct StartError(#[from] reqwest::Error);

/// A name stands for an address that nothing may be sent to.
#[derive(Debug, thiserror::Error)]
#[error("the host has an address that is not in the public internet")]
struct NotPublic;

/// A name stands for an address beside those networks that it has to be in.
#[derive(Debug, thiserror::Error)]
#[error("the host has an address outside the networks that http and other ports are allowed for")]
struct NotAllowed;

/// A name stands for nothing.
#[derive(Debug, thiserror::Error)]
#[error("the host has no address")]
struct NoAddress;

/// Names are looked up in the same step in which their addresses are checked, and connections are made to just these: a name that
/// says something else a moment later gains nothing.
struct CheckedAddresses {
    lookup: Arc<dyn Lookup>,
    allowed: AllowedNetworks,
    way: Way,
}

impl Resolve for CheckedAddresses {
    fn resolve(&self, name: Name) -> Resolving {
        let (lookup, allowed, way) = (Arc::clone(&self.lookup), self.allowed.clone(), self.way);
        Box::pin(async move {
            let found = lookup.lookup(name.as_str()).await?;
            if found.is_empty() {
                return Err(NoAddress.into());
            }
            // One is enough to refuse: which of them would be taken is not for the name to say.
            if !found.iter().all(|address: &IpAddr| allowed.may_reach(*address, way)) {
                return Err(if way == Way::Public { NotPublic.into() } else { NotAllowed.into() });
            }
            let addresses = found.into_iter().map(|address| SocketAddr::new(address, 0));
            Ok(Box::new(addresses) as Addrs)
        })
    }
}

/// Calls webhooks over HTTP.
pub struct HttpWebhooks {
    allowed: AllowedNetworks,
    lookup: Arc<dyn Lookup>,
    public: Client,
    inner: Client,
}

impl HttpWebhooks {
    /// Into the public internet and these networks.
    pub fn new(allowed: AllowedNetworks) -> Result<Self, StartError> {
        Self::with_lookup(allowed, Arc::new(SystemLookup))
    }

    /// The same, with another way to look names up.
    pub fn with_lookup(allowed: AllowedNetworks, lookup: Arc<dyn Lookup>) -> Result<Self, StartError> {
        let public = client(CheckedAddresses { lookup: Arc::clone(&lookup), allowed: allowed.clone(), way: Way::Public })?;
        let inner = client(CheckedAddresses { lookup: Arc::clone(&lookup), allowed: allowed.clone(), way: Way::Allowed })?;
        Ok(Self { allowed, lookup, public, inner })
    }

    async fn is_allowed(&self, name: &str) -> bool {
        let found = tokio::time::timeout(WITHIN, self.lookup.lookup(name)).await;
        let found = found.ok().and_then(Result::ok).unwrap_or_default();
        !found.is_empty() && found.iter().all(|address| self.allowed.may_reach(*address, Way::Allowed))
    }
}

fn client(resolver: CheckedAddresses) -> Result<Client, StartError> {
    let client = Client::builder().dns_resolver(Arc::new(resolver)).redirect(Policy::none()).no_proxy();
    let client = client.user_agent(USER_AGENT).timeout(WITHIN).http1_only().pool_max_idle_per_host(0);
    Ok(client.no_gzip().referer(false).build()?)
}

#[async_trait]
impl WebhookSender for HttpWebhooks {
    async fn address(&self, url: &str) -> Result<WebhookAddress, WebhookRefused> {
        let checked = address::check(url, &self.allowed)?;
        // Only where networks are allowed: there it would otherwise be told by failures alone that this one is not.
        if let (Way::Allowed, Some(Host::Domain(name))) = (checked.way, checked.url.host())
            && !self.is_allowed(name).await
        {
            return Err(WebhookRefused::NotAllowed);
        }
        address::address(checked)
    }

    async fn send(&self, call: WebhookCall<'_>) -> Result<(), SendError> {
        let permanent = |why: String| SendError::Permanent(why);
        // Also what was taken when it was made: networks that were allowed then may not be now.
        let Checked { url, way } = address::check(call.url, &self.allowed).map_err(|why| permanent(why.to_string()))?;
        let body = body(call.notification).map_err(|_| permanent("the notification cannot be written".to_owned()))?;
        let client = if way == Way::Public { &self.public } else { &self.inner };
        let request = client
            .post(url)
            .header(CONTENT_TYPE, "application/json")
            .header("X-CoinLink-Id", call.notification.id.to_string())
            .header("X-CoinLink-Signature", signature(call.secret, call.at, &body))
            .body(body);
        // The body of the answer is dropped unread, and the connection with it.
        let answer = request.send().await.map_err(|error| why_not(&error))?;
        verdict(answer.status())
    }
}

fn verdict(status: StatusCode) -> Result<(), SendError> {
    match status {
        status if status.is_success() => Ok(()),
        StatusCode::GONE => Err(SendError::Permanent("it answers 410: it is gone".to_owned())),
        status if status.is_redirection() => {
            Err(SendError::Temporary(format!("it answers {}: redirects are not followed", status.as_u16())))
        }
        status => Err(SendError::Temporary(format!("it answers {}", status.as_u16()))),
    }
}

/// Without the address, which may hold a secret.
fn why_not(error: &reqwest::Error) -> SendError {
    let mut cause: Option<&dyn std::error::Error> = Some(error);
    while let Some(at) = cause {
        if at.is::<NotPublic>() {
            return SendError::Permanent(NotPublic.to_string());
        }
        if at.is::<NotAllowed>() {
            return SendError::Permanent(NotAllowed.to_string());
        }
        if at.is::<NoAddress>() {
            return SendError::Temporary(NoAddress.to_string());
        }
        cause = at.source();
    }
    let why = if error.is_timeout() {
        "no answer within 5 seconds"
    } else if error.is_connect() {
        "no connection"
    } else {
        "no answer that can be read"
    };
    SendError::Temporary(why.to_owned())
}
