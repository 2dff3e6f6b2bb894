//! Leaves a notification: in the inbox, and on every way on which its user wants to be told.

use coinlink_domain::{
    notifications::{Channel, Delivery, Notification, NotificationKind, alerts::FiredAlert},
    shared::mail::OutgoingMail,
};
use coinlink_ports::{
    notifications::{NotificationsTx, Reach},
    shared::StoreError,
};
use time::{Duration, OffsetDateTime, UtcOffset, format_description::well_known::Rfc3339};

/// Letters of one template for one user within an hour. What is more than that lies in the inbox only, which the last letter says.
pub const MOST_LETTERS_AN_HOUR: u64 = 10;

const LAST_NOTE: &str = "This was the tenth letter within an hour: what comes next is in your inbox only.";

/// The letters that tell of a notification; each has the notification's id.
pub(super) const TEMPLATES: [&str; 3] = ["price_alert", "notification", "security_alert"];

/// Leaves `notification` within `tx`, at `now`: once it is committed the inbox has it, and sockets, webhooks and the address are
/// told, as far as the user wants. Mail and webhooks wait for the end of quiet hours.
pub async fn leave(tx: &mut dyn NotificationsTx, notification: &Notification, now: OffsetDateTime) -> Result<(), StoreError> {
    left(tx, notification, None, now).await
}

/// [`leave`] of what a rule that came true tells; sockets get the firing itself as well.
pub async fn leave_fired(
    tx: &mut dyn NotificationsTx,
    notification: &Notification,
    fired: &FiredAlert,
    now: OffsetDateTime,
) -> Result<(), StoreError> {
    left(tx, notification, Some(fired), now).await
}

async fn left(
    tx: &mut dyn NotificationsTx,
    notification: &Notification,
    fired: Option<&FiredAlert>,
    now: OffsetDateTime,
) -> Result<(), StoreError> {
    let Reach { is_active, address, settings, switches, webhooks } = tx.reaches().of(notification.user).await?;
    tx.inbox().add(notification).await?;
    // Whoever may not sign in any more is not told anything.
    if !is_active {
        return Ok(());
    }
    let kind = notification.kind;
    let wanted = settings.wants(kind) && switches.allow(kind);
    let undisturbed = settings.may_disturb_at(notification.priority, now);
    if wanted && settings.push_enabled {
        let to = |channel, due, fired| Delivery { notification: notification.id, user: notification.user, channel, fired, due };
        tx.inbox().send(&to(Channel::Socket, now, fired.cloned())).await?;
        for hook in webhooks {
            tx.inbox().send(&to(Channel::Webhook(hook), undisturbed, None)).await?;
        }
    }
    // Whoever got into an account must not be able to switch off what its owner hears of that.
    let letter_wanted = wanted && settings.email_enabled && switches.allow_letters(kind);
    if let Some(address) = address.filter(|_| letter_wanted || kind == NotificationKind::SecurityAlert) {
        post(tx, notification, address, undisturbed).await?;
    }
    Ok(())
}

async fn post(
    tx: &mut dyn NotificationsTx,
    notification: &Notification,
    address: String,
    due: OffsetDateTime,
) -> Result<(), StoreError> {
    let template = match notification.kind {
        NotificationKind::PriceAlert => "price_alert",
        NotificationKind::SecurityAlert => "security_alert",
        _ => "notification",
    };
    // Those that wait for the end of quiet hours count from then on, and keep none from being sent before it.
    let posted = tx.mail().posted_within(&address, template, due - Duration::HOUR, due).await?;
    if posted >= MOST_LETTERS_AN_HOUR {
        return Ok(());
    }
    // Only years before 0 and after 9999 cannot be written.
    let at = notification.created_at.to_offset(UtcOffset::UTC).format(&Rfc3339).unwrap_or_default();
    let note = if posted + 1 == MOST_LETTERS_AN_HOUR { LAST_NOTE } else { "" };
    let letter = OutgoingMail::new(notification.id.0, address, template, due)
        .with("title", &*notification.title)
        .with("message", &*notification.message)
        .with("when", at)
        .with("note", note);
    tx.mail().post(&letter).await
}
