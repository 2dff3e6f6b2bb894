//! What the owner of an account is told of its wallets.

use coinlink_domain::{
    identity::{ClientInfo, User, WalletAddress},
    shared::mail::OutgoingMail,
};
use coinlink_ports::shared::Entropy;
use time::{OffsetDateTime, UtcOffset, format_description::well_known::Rfc3339};

pub(super) const LINKED: &str = "wallet_linked";
pub(super) const UNLINKED: &str = "wallet_unlinked";

/// That something was done to a wallet, when, and from where.
pub(super) fn notice(
    entropy: &dyn Entropy,
    user: &User,
    (template, address): (&'static str, &WalletAddress),
    client: &ClientInfo,
    now: OffsetDateTime,
) -> OutgoingMail {
    let when = now.to_offset(UtcOffset::UTC).replace_nanosecond(0).unwrap_or(now).format(&Rfc3339).unwrap_or_default();
    OutgoingMail::new(entropy.id(), user.email.as_str(), template, now)
        .with("when", when)
        .with("ip", client.ip.map_or_else(|| "unknown".to_owned(), |ip| ip.to_string()))
        .with("address", address.as_str())
}
