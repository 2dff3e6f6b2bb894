//! The fake holds the contract, and fails when it is told to.

use std::sync::Arc;

use coinlink_testkit::identity::{Audited, IdentityUnderTest, MemoryIdentity};

fn in_memory() -> IdentityUnderTest {
    let store = MemoryIdentity::default();
    let (kept, posted) = (store.clone(), store.clone());
    let audited = move || -> Audited {
        let ids = kept.audit().into_iter().map(|entry| entry.id).collect();
        Box::pin(std::future::ready(ids))
    };
    let mailed = move || -> Audited {
        let ids = posted.mails().into_iter().map(|mail| mail.id).collect();
        Box::pin(std::future::ready(ids))
    };
    IdentityUnderTest {
        keys: Arc::new(store.clone()),
        factors: Arc::new(store.clone()),
        links: Arc::new(store.clone()),
        wallets: Arc::new(store.clone()),
        store: Arc::new(store),
        audited: Arc::new(audited),
        mailed: Arc::new(mailed),
        place: Arc::new(()),
    }
}

mod contract {
    coinlink_testkit::identity_store_contract!(crate::memory_identity::in_memory());
}

mod faults {
    use coinlink_ports::{identity::IdentityStore, shared::StoreError};
    use coinlink_testkit::identity::{MemoryIdentity, a_session, an_account};

    async fn sign_up(store: &MemoryIdentity) -> Result<(), StoreError> {
        let account = an_account("ada@example.org");
        let mut tx = store.begin().await?;
        tx.users().add(&account).await?;
        tx.sessions().add(&a_session(account.user.id)).await?;
        tx.commit().await
    }

    #[tokio::test]
    async fn wherever_a_fault_strikes_nothing_or_everything_is_kept() {
        for calls in 0..4 {
            let store = MemoryIdentity::default();
            store.fail_after(calls);
            assert!(matches!(sign_up(&store).await, Err(StoreError::Unavailable(_))), "after {calls} calls");
            assert_eq!((store.users(), store.sessions()), (vec![], vec![]));
            store.recover();
            sign_up(&store).await.unwrap();
            assert_eq!((store.users().len(), store.sessions().len()), (1, 1));
        }
    }

    #[tokio::test]
    async fn one_fault_passes_by_itself() {
        let store = MemoryIdentity::with([an_account("bob@example.org")]);
        store.fail_next();
        assert!(sign_up(&store).await.is_err());
        let before = store.calls();
        sign_up(&store).await.unwrap();
        assert_eq!(store.calls() - before, 4);
    }

    /// In real time: a use case that opens a second transaction within its first hangs no test.
    #[tokio::test]
    async fn whoever_waits_for_an_open_transaction_gives_up() {
        let store = MemoryIdentity::default();
        let open = store.begin().await.unwrap();
        assert!(matches!(store.begin().await.err(), Some(StoreError::Unavailable(_))));
        open.commit().await.unwrap();
        sign_up(&store).await.unwrap();
    }
}
