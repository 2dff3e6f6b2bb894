//! Notifications as tests use them.

use coinlink_domain::{
    notifications::{Notification, NotificationId, NotificationKind, Priority, Webhook, WebhookCalls, WebhookId},
    shared::{sealed::Sealed, user_id::UserId},
};
use time::{Duration, OffsetDateTime, macros::datetime};
use uuid::Uuid;

const NOON: OffsetDateTime = datetime!(2026-11-21 12:00:00.000001 UTC);

/// Notification number `n` of a user, left `n` seconds after noon of the day of the tests.
pub fn a_notification(user: UserId, n: u32) -> Notification {
    Notification {
        id: NotificationId(Uuid::from_u128(user.0.as_u128() ^ (u128::from(n) << 64))),
        user,
        kind: NotificationKind::PriceAlert,
        title: format!("BTC is above ${n}"),
        message: "BTC reached \"65,000\" <b>&\n é".to_owned(),
        priority: Priority::High,
        is_read: false,
        created_at: NOON + Duration::seconds(n.into()),
        expires_at: None,
        action_url: Some("/alerts".to_owned()),
        facts: vec![("symbol".to_owned(), "BTC".to_owned()), ("price".to_owned(), "65000.10".to_owned())],
    }
}

/// Webhook number `n` of a user.
pub fn a_webhook(user: UserId, n: u32) -> Webhook {
    let id = WebhookId(Uuid::from_u128(user.0.as_u128() ^ (u128::from(n) << 96)));
    Webhook {
        id,
        user,
        url: format!("https://hooks{n}.example.org/in?k={n}"),
        host: format!("hooks{n}.example.org"),
        secret: Sealed { key_id: "00000001".to_owned(), bytes: vec![1, 2, 3] },
        created_at: NOON + Duration::seconds(n.into()),
        failures: 0,
        disabled_at: None,
        calls: WebhookCalls::default(),
    }
}
