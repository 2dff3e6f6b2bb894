//! Wallets that sign in, and what they are asked to sign.

use coinlink_domain::identity::{
    AddressKind, Network, SecretDigest, SessionId, UserId, Wallet, WalletAddress, WalletChallenge, WalletId, WalletPurpose,
    WalletSite,
};
use coinlink_ports::shared::StoreError;
use time::Duration;
use uuid::Uuid;

use super::{
    super::{NOON, a_wallet},
    IdentityUnderTest, at_once,
};

fn a_challenge(purpose: WalletPurpose) -> WalletChallenge {
    let site = WalletSite::of("https://api.example.com", Network::Signet);
    let address = WalletAddress::checked("tb1qexample".to_owned(), Network::Signet, AddressKind::P2wpkh);
    let id = Uuid::now_v7();
    WalletChallenge::new((id, SecretDigest::of("test", id.as_bytes())), &site, address, purpose, id.into_bytes(), NOON)
}

impl IdentityUnderTest {
    async fn asked(&self, challenge: WalletChallenge) -> WalletChallenge {
        let mut tx = self.store.begin().await.unwrap();
        tx.wallets().add_challenge(&challenge).await.unwrap();
        tx.commit().await.unwrap();
        challenge
    }

    async fn taken(&self, id: Uuid, digest: SecretDigest) -> Option<WalletChallenge> {
        let mut tx = self.store.begin().await.unwrap();
        let taken = tx.wallets().take_challenge(id, digest).await.unwrap();
        tx.commit().await.unwrap();
        taken
    }

    async fn linked(&self, wallet: Wallet) -> Wallet {
        let mut tx = self.store.begin().await.unwrap();
        tx.wallets().add(&wallet).await.unwrap();
        tx.commit().await.unwrap();
        wallet
    }

    async fn wallet_at(&self, address: &WalletAddress) -> Option<Wallet> {
        self.store.begin().await.unwrap().wallets().by_address(address).await.unwrap()
    }

    async fn unlinked(&self, user: UserId, id: WalletId) -> Option<Wallet> {
        let mut tx = self.store.begin().await.unwrap();
        let removed = tx.wallets().remove(user, id).await.unwrap();
        tx.commit().await.unwrap();
        removed
    }
}

pub async fn a_challenge_is_taken_as_it_was_added_and_once(it: IdentityUnderTest) {
    let user = it.a_user("ada@example.org").await.id;
    for purpose in [WalletPurpose::SignIn, WalletPurpose::Link(user, SessionId(Uuid::now_v7()))] {
        let added = it.asked(a_challenge(purpose)).await;
        let taken = it.taken(added.id, added.digest).await.unwrap();
        assert_eq!(taken.message(), added.message());
        assert_eq!(taken, added);
        assert_eq!(it.taken(added.id, added.digest).await, None);
    }
}

pub async fn whoever_does_not_hold_the_secret_takes_no_challenge(it: IdentityUnderTest) {
    let added = it.asked(a_challenge(WalletPurpose::SignIn)).await;
    assert_eq!(it.taken(added.id, SecretDigest([1; 32])).await, None);
    assert_eq!(it.taken(Uuid::now_v7(), added.digest).await, None);
    assert_eq!(it.taken(added.id, added.digest).await, Some(added));
}

pub async fn of_many_who_take_one_challenge_at_once_one_gets_it(it: IdentityUnderTest) {
    let added = it.asked(a_challenge(WalletPurpose::SignIn)).await;
    let taken = at_once(50, |_| {
        let it = it.clone();
        async move { it.taken(added.id, added.digest).await }
    });
    assert_eq!(taken.await.into_iter().flatten().count(), 1);
}

pub async fn a_challenge_that_was_taken_in_vain_comes_back_with_its_transaction(it: IdentityUnderTest) {
    let added = it.asked(a_challenge(WalletPurpose::SignIn)).await;
    let mut tx = it.store.begin().await.unwrap();
    assert!(tx.wallets().take_challenge(added.id, added.digest).await.unwrap().is_some());
    drop(tx);
    assert_eq!(it.taken(added.id, added.digest).await, Some(added));
}

pub async fn challenges_are_forgotten_once_they_expired(it: IdentityUnderTest) {
    let mut kept = Vec::new();
    for seconds in 0..4 {
        let expires_at = NOON + Duration::seconds(seconds);
        kept.push(it.asked(WalletChallenge { expires_at, ..a_challenge(WalletPurpose::SignIn) }).await);
    }
    let before = NOON + Duration::seconds(2) + Duration::MICROSECOND;
    assert_eq!(it.wallets.prune_challenges(before, 0).await.unwrap(), 0);
    assert_eq!(it.wallets.prune_challenges(before, 2).await.unwrap(), 2);
    assert_eq!(it.wallets.prune_challenges(before, u64::MAX).await.unwrap(), 1);
    assert_eq!(it.wallets.prune_challenges(before, u64::MAX).await.unwrap(), 0);
    for (n, challenge) in kept.into_iter().enumerate() {
        assert_eq!(it.taken(challenge.id, challenge.digest).await.is_some(), n == 3);
    }
}

pub async fn a_wallet_is_found_as_it_was_linked(it: IdentityUnderTest) {
    let user = it.a_user("ada@example.org").await.id;
    for (n, (network, kind)) in Network::ALL.into_iter().zip(AddressKind::ALL).enumerate() {
        let address = WalletAddress::checked(format!("address{n}"), network, kind);
        let wallet = it.linked(Wallet { address, ..a_wallet(user, "unused") }).await;
        assert_eq!(it.wallet_at(&wallet.address).await, Some(wallet));
    }
    let nobody = WalletAddress::checked("nobody".to_owned(), Network::Mainnet, AddressKind::P2tr);
    assert_eq!(it.wallet_at(&nobody).await, None);
}

pub async fn a_wallet_needs_an_account(it: IdentityUnderTest) {
    let nobody = UserId(Uuid::now_v7());
    let mut tx = it.store.begin().await.unwrap();
    assert!(tx.wallets().add(&a_wallet(nobody, "one")).await.is_err());
    drop(tx);
    let mut tx = it.store.begin().await.unwrap();
    let link = a_challenge(WalletPurpose::Link(nobody, SessionId(Uuid::now_v7())));
    assert!(tx.wallets().add_challenge(&link).await.is_err());
}

pub async fn an_address_is_linked_once_on_each_network(it: IdentityUnderTest) {
    let (ada, bob) = (it.a_user("ada@example.org").await.id, it.a_user("bob@example.org").await.id);
    let on = |user, network| Wallet {
        address: WalletAddress::checked("tb1q".to_owned(), network, AddressKind::P2wpkh),
        ..a_wallet(user, "unused")
    };
    it.linked(on(ada, Network::Testnet)).await;
    for user in [ada, bob] {
        let mut tx = it.store.begin().await.unwrap();
        let again = tx.wallets().add(&on(user, Network::Testnet)).await;
        assert!(matches!(again, Err(StoreError::Conflict { .. })), "{again:?}");
    }
    it.linked(on(bob, Network::Signet)).await;
}

pub async fn of_many_who_link_one_address_at_once_one_does(it: IdentityUnderTest) {
    let (ada, bob) = (it.a_user("ada@example.org").await.id, it.a_user("bob@example.org").await.id);
    let linked = at_once(20, |n| {
        let it = it.clone();
        async move {
            let mut tx = it.store.begin().await.unwrap();
            let added = tx.wallets().add(&a_wallet(if n % 2 == 0 { ada } else { bob }, "one")).await;
            match added {
                Ok(()) => tx.commit().await.map(|()| true).unwrap(),
                Err(StoreError::Conflict { .. }) => false,
                Err(error) => panic!("{error}"),
            }
        }
    });
    assert_eq!(linked.await.into_iter().filter(|linked| *linked).count(), 1);
}

pub async fn wallets_are_listed_oldest_first_and_used_as_long_as_they_are_there(it: IdentityUnderTest) {
    let (ada, bob) = (it.a_user("ada@example.org").await.id, it.a_user("bob@example.org").await.id);
    let mut wallets = Vec::new();
    for n in 0..3 {
        let created_at = NOON + Duration::microseconds(n);
        wallets.push(it.linked(Wallet { created_at, ..a_wallet(ada, &format!("a{n}")) }).await);
    }
    it.linked(a_wallet(bob, "b")).await;
    let mut tx = it.store.begin().await.unwrap();
    assert!(tx.wallets().touch(wallets[1].id, NOON + Duration::SECOND).await.unwrap());
    assert!(!tx.wallets().touch(WalletId(Uuid::now_v7()), NOON).await.unwrap());
    tx.commit().await.unwrap();
    assert_eq!(it.store.begin().await.unwrap().wallets().count(ada).await.unwrap(), 3);
    wallets[1].last_used_at = Some(NOON + Duration::SECOND);
    assert_eq!(it.wallets.wallets(ada).await.unwrap(), wallets);
}

pub async fn a_wallet_is_removed_by_its_owner_and_once(it: IdentityUnderTest) {
    let (ada, bob) = (it.a_user("ada@example.org").await.id, it.a_user("bob@example.org").await.id);
    let (wallet, other) = (it.linked(a_wallet(ada, "one")).await, it.linked(a_wallet(ada, "two")).await);
    assert_eq!(it.unlinked(bob, wallet.id).await, None);
    assert_eq!(it.unlinked(ada, wallet.id).await, Some(wallet.clone()));
    assert_eq!(it.unlinked(ada, wallet.id).await, None);
    assert_eq!(it.wallets.wallets(ada).await.unwrap(), [other]);
    it.linked(Wallet { id: WalletId(Uuid::now_v7()), user: bob, ..wallet }).await;
}

pub async fn purging_removes_the_wallets_and_links_of_one_account(it: IdentityUnderTest) {
    let (ada, bob) = (it.a_user("ada@example.org").await.id, it.a_user("bob@example.org").await.id);
    it.linked(a_wallet(ada, "one")).await;
    it.linked(a_wallet(ada, "two")).await;
    let his = it.linked(a_wallet(bob, "three")).await;
    let link = |user| a_challenge(WalletPurpose::Link(user, SessionId(Uuid::now_v7())));
    let (hers, other, sign_in) =
        (it.asked(link(ada)).await, it.asked(link(bob)).await, it.asked(a_challenge(WalletPurpose::SignIn)).await);
    let mut tx = it.store.begin().await.unwrap();
    assert_eq!(tx.wallets().purge(ada).await.unwrap(), 2);
    tx.commit().await.unwrap();
    assert_eq!(it.wallets.wallets(ada).await.unwrap(), []);
    assert_eq!(it.wallets.wallets(bob).await.unwrap(), [his]);
    assert_eq!(it.taken(hers.id, hers.digest).await, None);
    assert!(it.taken(other.id, other.digest).await.is_some());
    assert!(it.taken(sign_in.id, sign_in.digest).await.is_some());
}
