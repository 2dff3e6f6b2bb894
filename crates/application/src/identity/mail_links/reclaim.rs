use coinlink_domain::identity::{ClientInfo, Email, EndReason, Preferences, Role, SessionId, SessionPolicy, UserId};
use coinlink_ports::{
    identity::{Account, IdentityTx},
    shared::{Entropy, StoreError},
};
use time::OffsetDateTime;

use super::super::{audit, end_sessions};

/// Claimants in one call: others wait for no more than that.
const AT_ONCE: u64 = 200;

/// Takes an account from whoever had it before its owner showed to receive its mail: sessions end, and whatever could open it
/// again goes, with what they wrote into it. The account's password is the caller's to replace; the caller saves the account,
/// commits, and then announces the sessions.
pub(super) async fn reclaim(
    tx: &mut dyn IdentityTx,
    account: &mut Account,
    now: OffsetDateTime,
    policy: &SessionPolicy,
) -> Result<Vec<SessionId>, StoreError> {
    let user = account.user.id;
    account.user.secured_at = Some(now);
    (account.user.first_name, account.user.last_name) = (None, None);
    tx.users().save_preferences(user, &Preferences::default()).await?;
    let ended = end_sessions::all_but(tx, user, None, EndReason::Reclaimed, now, policy).await?;
    tx.second_factors().remove(user).await?;
    tx.wallets().purge(user).await?;
    tx.api_keys().purge(user, now).await?;
    tx.mail_links().void(user, OffsetDateTime::UNIX_EPOCH, now).await?;
    Ok(ended)
}

/// Somebody shows that an address is theirs.
pub(super) struct Displacement<'a> {
    /// Whose it is.
    pub(super) owner: UserId,
    /// Who asks.
    pub(super) client: &'a ClientInfo,
    /// When.
    pub(super) now: OffsetDateTime,
    /// How long sessions live.
    pub(super) policy: &'a SessionPolicy,
    /// Ids of audit entries.
    pub(super) entropy: &'a dyn Entropy,
}

/// Switches off the accounts that claim an address which its owner has shown to be theirs: nobody else will ever show that. To
/// be called before the owner's account is held: accounts are held in the order of their ids.
pub(super) async fn displace_claimants(
    tx: &mut dyn IdentityTx,
    email: &Email,
    act: &Displacement<'_>,
) -> Result<Vec<SessionId>, StoreError> {
    let mut ended = Vec::new();
    loop {
        let claimants = tx.users().lock_claimants(email, AT_ONCE).await?;
        let others: Vec<_> = claimants.into_iter().filter(|account| account.user.id != act.owner).collect();
        if others.is_empty() {
            return Ok(ended);
        }
        for mut account in others {
            ended.extend(displace(tx, &mut account, act).await?);
        }
    }
}

/// Switches an account off. A role that was given to it was meant for the owner of the address, and goes with it, be it the last
/// administrator's: whoever shows to receive the mail wins, and whoever runs the server grants the role anew. An audit entry says so.
pub(super) async fn displace(
    tx: &mut dyn IdentityTx,
    account: &mut Account,
    act: &Displacement<'_>,
) -> Result<Vec<SessionId>, StoreError> {
    account.user.is_active = false;
    account.user.updated_at = act.now;
    let ended = reclaim(tx, account, act.now, act.policy).await?;
    let was = std::mem::replace(&mut account.user.role, Role::User);
    tx.users().save(account).await?;
    if was != Role::User {
        let entry = audit::on_user(act.entropy, act.now, audit::ADMIN_REVOKE, act.client)
            .by(act.owner.0)
            .on(account.user.id.to_string())
            .detail("by", "owner_of_the_address")
            .detail("sessions", ended.len().to_string());
        tx.audit().record(&entry).await?;
    }
    Ok(ended)
}
