use std::sync::Arc;

use coinlink_application::identity::ResealSecrets;
use coinlink_domain::identity::SecondFactor;
use coinlink_ports::{
    identity::{IdentityStore as _, SecondFactorStore as _},
    shared::SecretBox as _,
};
use coinlink_testkit::{
    identity::{MemoryIdentity, NOON, an_account},
    shared::PlainSecretBox,
};

async fn with_secrets(count: u8, old: &PlainSecretBox) -> (MemoryIdentity, Vec<SecondFactor>) {
    let accounts: Vec<_> = (0..count).map(|n| an_account(&format!("u{n}@example.org"))).collect();
    let store = MemoryIdentity::with(accounts.clone());
    let mut factors = Vec::new();
    for (account, n) in accounts.iter().zip(0..) {
        let user = account.user.id;
        let factor = SecondFactor::new(user, old.seal(&SecondFactor::context(user), &[n; 20]).unwrap(), NOON);
        let mut tx = store.begin().await.unwrap();
        assert!(tx.second_factors().set_up(&factor).await.unwrap());
        tx.commit().await.unwrap();
        factors.push(factor);
    }
    (store, factors)
}

fn resealing(store: &MemoryIdentity, secrets: &PlainSecretBox) -> ResealSecrets {
    ResealSecrets { store: Arc::new(store.clone()), factors: Arc::new(store.clone()), secrets: Arc::new(secrets.clone()) }
}

#[tokio::test]
async fn every_secret_of_an_earlier_key_is_sealed_anew_and_stays_what_it_is() {
    let old = PlainSecretBox::default();
    let (store, factors) = with_secrets(250, &old).await;
    let new = old.rotated("00000002");
    let reseal = resealing(&store, &new);
    let (mut after, mut rounds) = (None, 0);
    while let Some(reached) = reseal.execute(after).await.unwrap() {
        (after, rounds) = (Some(reached), rounds + 1);
    }
    assert_eq!(rounds, 3, "in batches");
    for (factor, n) in factors.iter().zip(0..) {
        let kept = store.second_factor(factor.user).await.unwrap().unwrap();
        assert_eq!(kept.secret.key_id, "00000002");
        assert_eq!(new.open(&SecondFactor::context(factor.user), &kept.secret).unwrap(), [n; 20]);
    }
    assert_eq!(reseal.execute(None).await.unwrap(), None, "nothing is left to do");
}

/// One whose key is gone is left as it is, and holds nobody up.
#[tokio::test]
async fn a_secret_that_cannot_be_read_is_passed_over() {
    let gone = PlainSecretBox::default().rotated("000000ff");
    let (store, factors) = with_secrets(3, &gone).await;
    let reseal = resealing(&store, &PlainSecretBox::default());
    let last = factors.iter().map(|factor| factor.user).max();
    assert_eq!(reseal.execute(None).await.unwrap(), last);
    assert_eq!(reseal.execute(last).await.unwrap(), None);
    for factor in factors {
        assert_eq!(store.second_factor(factor.user).await.unwrap(), Some(factor));
    }
}
