use coinlink_domain::identity::{Email, EndReason, Preferences, SessionId, SessionPolicy, UserId};
use coinlink_ports::{
    identity::{Account, IdentityTx},
    shared::StoreError,
};
use time::OffsetDateTime;

use super::super::end_sessions;

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
    (account.user.first_name, account.user.last_name) = (None, None);
    tx.users().save_preferences(user, &Preferences::default()).await?;
    let ended = end_sessions::all_but(tx, user, None, EndReason::Reclaimed, now, policy).await?;
    tx.second_factors().remove(user).await?;
    tx.wallets().purge(user).await?;
    tx.api_keys().purge(user, now).await?;
    tx.mail_links().void(user, OffsetDateTime::UNIX_EPOCH, now).await?;
    Ok(ended)
}

/// Switches off the accounts that claim an address which `owner` has shown to be theirs: nobody else will ever show that. To
/// be called before the owner's account is held: accounts are held in the order of their ids.
pub(super) async fn displace_claimants(
    tx: &mut dyn IdentityTx,
    email: &Email,
    owner: UserId,
    now: OffsetDateTime,
    policy: &SessionPolicy,
) -> Result<Vec<SessionId>, StoreError> {
    let mut ended = Vec::new();
    loop {
        let claimants = tx.users().lock_claimants(email, AT_ONCE).await?;
        let others: Vec<_> = claimants.into_iter().filter(|account| account.user.id != owner).collect();
        if others.is_empty() {
            return Ok(ended);
        }
        for mut account in others {
            account.user.is_active = false;
            account.user.updated_at = now;
            ended.extend(reclaim(tx, &mut account, now, policy).await?);
            tx.users().save(&account).await?;
        }
    }
}
