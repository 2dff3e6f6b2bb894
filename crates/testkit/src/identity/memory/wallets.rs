use std::collections::BTreeMap;

use async_trait::async_trait;
use coinlink_domain::identity::{SecretDigest, UserId, Wallet, WalletAddress, WalletChallenge, WalletId, WalletPurpose};
use coinlink_ports::{
    identity::{WalletList, Wallets},
    shared::StoreError,
};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{MemoryIdentity, MemoryTx};
use crate::shared::{
    faults::unavailable,
    memory::{conflict, micros},
};

/// What is kept of wallets.
#[derive(Clone, Default)]
pub(super) struct KeptWallets {
    wallets: BTreeMap<WalletId, Wallet>,
    challenges: BTreeMap<Uuid, WalletChallenge>,
}

impl MemoryIdentity {
    /// Committed challenges by id.
    pub fn wallet_challenges(&self) -> Vec<WalletChallenge> {
        self.committed().wallets.challenges.values().cloned().collect()
    }

    /// Adds a challenge or replaces it, while no transaction is open.
    pub fn put_wallet_challenge(&self, challenge: &WalletChallenge) {
        self.committed().wallets.challenges.insert(challenge.id, challenge.clone());
    }
}

#[async_trait]
impl Wallets for MemoryTx {
    async fn add_challenge(&mut self, challenge: &WalletChallenge) -> Result<(), StoreError> {
        self.call(|draft| {
            if let WalletPurpose::Link(user, _) = challenge.purpose {
                draft.accounts.get(&user).ok_or_else(|| unavailable("no such account"))?;
            }
            if draft.wallets.challenges.contains_key(&challenge.id) {
                return Err(conflict("wallet_challenges.id"));
            }
            let (issued_at, expires_at) = (micros(challenge.issued_at), micros(challenge.expires_at));
            draft.wallets.challenges.insert(challenge.id, WalletChallenge { issued_at, expires_at, ..challenge.clone() });
            Ok(())
        })
    }

    async fn take_challenge(&mut self, id: Uuid, digest: SecretDigest) -> Result<Option<WalletChallenge>, StoreError> {
        self.call(|draft| {
            let found = draft.wallets.challenges.get(&id).is_some_and(|challenge| challenge.digest == digest);
            Ok(if found { draft.wallets.challenges.remove(&id) } else { None })
        })
    }

    async fn add(&mut self, wallet: &Wallet) -> Result<(), StoreError> {
        self.call(|draft| {
            draft.accounts.get(&wallet.user).ok_or_else(|| unavailable("no such account"))?;
            let kept = &mut draft.wallets.wallets;
            if kept.contains_key(&wallet.id) {
                return Err(conflict("wallets.id"));
            }
            if kept.values().any(|other| is_same(&other.address, &wallet.address)) {
                return Err(conflict("wallets.network, wallets.address"));
            }
            let (created_at, last_used_at) = (micros(wallet.created_at), wallet.last_used_at.map(micros));
            kept.insert(wallet.id, Wallet { created_at, last_used_at, ..wallet.clone() });
            Ok(())
        })
    }

    async fn count(&mut self, user: UserId) -> Result<u64, StoreError> {
        self.call(|draft| Ok(draft.wallets.wallets.values().filter(|wallet| wallet.user == user).count() as u64))
    }

    async fn by_address(&mut self, address: &WalletAddress) -> Result<Option<Wallet>, StoreError> {
        self.call(|draft| Ok(draft.wallets.wallets.values().find(|wallet| is_same(&wallet.address, address)).cloned()))
    }

    async fn touch(&mut self, id: WalletId, now: OffsetDateTime) -> Result<bool, StoreError> {
        self.call(|draft| {
            let found = draft.wallets.wallets.get_mut(&id);
            Ok(found.map(|wallet| wallet.last_used_at = Some(micros(now))).is_some())
        })
    }

    async fn remove(&mut self, user: UserId, id: WalletId) -> Result<Option<Wallet>, StoreError> {
        self.call(|draft| {
            let is_theirs = draft.wallets.wallets.get(&id).is_some_and(|wallet| wallet.user == user);
            Ok(if is_theirs { draft.wallets.wallets.remove(&id) } else { None })
        })
    }

    async fn purge(&mut self, user: UserId) -> Result<u64, StoreError> {
        self.call(|draft| {
            let kept = &mut draft.wallets;
            kept.challenges.retain(|_, challenge| !matches!(challenge.purpose, WalletPurpose::Link(asked, _) if asked == user));
            let before = kept.wallets.len();
            kept.wallets.retain(|_, wallet| wallet.user != user);
            Ok((before - kept.wallets.len()) as u64)
        })
    }
}

fn is_same(one: &WalletAddress, other: &WalletAddress) -> bool {
    one.network() == other.network() && one.as_str() == other.as_str()
}

#[async_trait]
impl WalletList for MemoryIdentity {
    async fn wallets(&self, user: UserId) -> Result<Vec<Wallet>, StoreError> {
        self.read(|state| {
            let mut wallets: Vec<_> = state.wallets.wallets.values().filter(|wallet| wallet.user == user).cloned().collect();
            wallets.sort_by_key(|wallet| (wallet.created_at, wallet.id));
            wallets
        })
    }

    async fn prune_challenges(&self, before: OffsetDateTime, limit: u64) -> Result<u64, StoreError> {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let over = |challenge: &&WalletChallenge| challenge.expires_at < micros(before);
        self.change(|state| {
            let challenges = &mut state.wallets.challenges;
            let ids: Vec<_> = challenges.values().filter(over).map(|challenge| challenge.id).take(limit).collect();
            challenges.retain(|id, _| !ids.contains(id));
            ids.len() as u64
        })
        .await
    }
}
