//! Secrets of webhooks follow the newest key.

use std::sync::Arc;

use coinlink_application::notifications::ResealWebhooks;
use coinlink_domain::{
    notifications::{Webhook, WebhookId},
    shared::user_id::UserId,
};
use coinlink_ports::{notifications::NotificationsStore as _, shared::SecretBox as _};
use coinlink_testkit::{
    notifications::{MemoryNotifications, a_webhook},
    shared::PlainSecretBox,
};
use uuid::Uuid;

/// One webhook each of so many users, whose secret is the user's number.
async fn with_webhooks(count: u128, key: &PlainSecretBox) -> (MemoryNotifications, Vec<Webhook>) {
    let store = MemoryNotifications::default();
    let mut hooks = Vec::new();
    let mut tx = store.begin().await.unwrap();
    for n in 1..=count {
        let hook = a_webhook(UserId(Uuid::from_u128(n)), 1);
        let secret = key.seal(&Webhook::secret_context(hook.id), &n.to_be_bytes()).unwrap();
        hooks.push(Webhook { secret, ..hook });
        tx.reaches().add_webhook(&hooks[hooks.len() - 1]).await.unwrap();
    }
    tx.commit().await.unwrap();
    (store, hooks)
}

fn resealing(store: &MemoryNotifications, secrets: &PlainSecretBox) -> ResealWebhooks {
    ResealWebhooks { store: Arc::new(store.clone()), secrets: Arc::new(secrets.clone()) }
}

/// How many parts it took.
async fn run(reseal: &ResealWebhooks) -> u32 {
    let (mut after, mut parts) = (None::<WebhookId>, 0);
    while let Some(reached) = reseal.execute(after).await.unwrap() {
        (after, parts) = (Some(reached), parts + 1);
    }
    parts
}

async fn kept(store: &MemoryNotifications, user: UserId) -> Webhook {
    store.webhooks(user).await.unwrap().remove(0)
}

#[tokio::test]
async fn every_webhooks_secret_of_an_earlier_key_is_sealed_anew_in_parts_and_stays_what_it_is() {
    let old = PlainSecretBox::default();
    let (store, hooks) = with_webhooks(250, &old).await;
    let new = old.rotated("00000002");
    let reseal = resealing(&store, &new);
    assert_eq!(run(&reseal).await, 3);
    for (n, hook) in (1_u128..).zip(hooks) {
        let kept = kept(&store, hook.user).await;
        assert_eq!(new.open(&Webhook::secret_context(hook.id), &kept.secret).unwrap(), n.to_be_bytes());
        assert_eq!(kept.secret.key_id, "00000002");
        assert_eq!(Webhook { secret: hook.secret.clone(), ..kept }, hook, "nothing else of it changed");
    }
    assert_eq!(run(&reseal).await, 0, "nothing is left to do");
}

/// One whose key is gone is left as it is, and holds nobody up.
#[tokio::test]
async fn a_webhooks_secret_that_cannot_be_read_is_passed_over() {
    let gone = PlainSecretBox::default().rotated("000000ff");
    let (store, hooks) = with_webhooks(2, &gone).await;
    let readable = Webhook { id: WebhookId(Uuid::max()), ..a_webhook(UserId(Uuid::from_u128(3)), 1) };
    let old = PlainSecretBox::default();
    let secret = old.seal(&Webhook::secret_context(readable.id), b"three").unwrap();
    let mut tx = store.begin().await.unwrap();
    tx.reaches().add_webhook(&Webhook { secret, ..readable.clone() }).await.unwrap();
    tx.commit().await.unwrap();
    let new = old.rotated("00000002");
    assert_eq!(run(&resealing(&store, &new)).await, 1);
    for hook in hooks {
        assert_eq!(kept(&store, hook.user).await, hook);
    }
    let kept = kept(&store, readable.user).await.secret;
    assert_eq!(new.open(&Webhook::secret_context(readable.id), &kept).unwrap(), b"three");
    assert_eq!(kept.key_id, "00000002");
}
