use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use coinlink_domain::{
    identity::{SecondFactor, SecretDigest, SignInTicket, UserId},
    shared::sealed::Sealed,
};
use coinlink_ports::{
    identity::{SecondFactorStore, SecondFactors, SignInTickets},
    shared::StoreError,
};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{MemoryIdentity, MemoryTx};
use crate::shared::{faults::unavailable, memory::micros};

/// Factors, their recovery codes, and tickets with how often they were tried.
#[derive(Clone, Default)]
pub(super) struct Factors {
    of: BTreeMap<UserId, SecondFactor>,
    codes: BTreeMap<UserId, BTreeSet<[u8; 32]>>,
    tickets: BTreeMap<Uuid, (SignInTicket, u32)>,
}

impl Factors {
    /// Accounts whose factor is confirmed.
    pub(super) fn confirmed(&self) -> usize {
        self.of.values().filter(|factor| factor.is_on()).count()
    }

    fn left(&self, user: UserId) -> u64 {
        self.codes.get(&user).map_or(0, |codes| codes.len() as u64)
    }
}

impl MemoryIdentity {
    /// How many tickets there are.
    pub fn tickets(&self) -> usize {
        self.committed().factors.tickets.len()
    }
}

#[async_trait]
impl SecondFactors for MemoryTx {
    async fn lock(&mut self, user: UserId) -> Result<Option<SecondFactor>, StoreError> {
        self.call(|draft| Ok(draft.factors.of.get(&user).cloned()))
    }

    async fn set_up(&mut self, factor: &SecondFactor) -> Result<bool, StoreError> {
        self.call(|draft| {
            draft.accounts.get(&factor.user).ok_or_else(|| unavailable("no such account"))?;
            if draft.factors.of.get(&factor.user).is_some_and(SecondFactor::is_on) {
                return Ok(false);
            }
            let kept = SecondFactor::new(factor.user, factor.secret.clone(), micros(factor.set_up_at));
            draft.factors.of.insert(factor.user, kept);
            Ok(true)
        })
    }

    async fn confirm(&mut self, user: UserId, step: u64, now: OffsetDateTime) -> Result<bool, StoreError> {
        self.call(|draft| {
            let Some(factor) = draft.factors.of.get_mut(&user).filter(|factor| !factor.is_on()) else { return Ok(false) };
            (factor.confirmed_at, factor.last_step) = (Some(micros(now)), Some(step));
            Ok(true)
        })
    }

    async fn claim_step(&mut self, user: UserId, step: u64) -> Result<bool, StoreError> {
        self.call(|draft| {
            let unused = |factor: &&mut SecondFactor| factor.last_step.is_none_or(|last| last < step);
            let Some(factor) = draft.factors.of.get_mut(&user).filter(unused) else { return Ok(false) };
            factor.last_step = Some(step);
            Ok(true)
        })
    }

    async fn remove(&mut self, user: UserId) -> Result<bool, StoreError> {
        self.call(|draft| {
            draft.factors.codes.remove(&user);
            Ok(draft.factors.of.remove(&user).is_some())
        })
    }

    async fn replace_codes(&mut self, user: UserId, codes: &[SecretDigest]) -> Result<(), StoreError> {
        self.call(|draft| {
            draft.factors.of.get(&user).ok_or_else(|| unavailable("no such factor"))?;
            draft.factors.codes.insert(user, codes.iter().map(|code| code.0).collect());
            Ok(())
        })
    }

    async fn spend_code(&mut self, user: UserId, code: &SecretDigest) -> Result<bool, StoreError> {
        self.call(|draft| Ok(draft.factors.codes.get_mut(&user).is_some_and(|codes| codes.remove(&code.0))))
    }

    async fn codes_left(&mut self, user: UserId) -> Result<u64, StoreError> {
        self.call(|draft| Ok(draft.factors.left(user)))
    }

    async fn reseal(&mut self, user: UserId, from: &Sealed, to: &Sealed) -> Result<bool, StoreError> {
        self.call(|draft| {
            let found = draft.factors.of.get_mut(&user).filter(|factor| factor.secret == *from);
            let Some(factor) = found else { return Ok(false) };
            factor.secret = to.clone();
            Ok(true)
        })
    }
}

#[async_trait]
impl SignInTickets for MemoryTx {
    async fn add(&mut self, ticket: &SignInTicket) -> Result<(), StoreError> {
        self.call(|draft| {
            draft.accounts.get(&ticket.user).ok_or_else(|| unavailable("no such account"))?;
            let kept = SignInTicket { created_at: micros(ticket.created_at), ..ticket.clone() };
            draft.factors.tickets.insert(ticket.id, (kept, 0));
            Ok(())
        })
    }

    async fn try_once(
        &mut self,
        id: Uuid,
        digest: &SecretDigest,
        now: OffsetDateTime,
    ) -> Result<Option<SignInTicket>, StoreError> {
        self.call(|draft| {
            let good = |(ticket, tries): &&mut (SignInTicket, u32)| {
                ticket.digest == *digest && *tries < SignInTicket::TRIES && micros(now) < ticket.expires_at()
            };
            let Some((ticket, tries)) = draft.factors.tickets.get_mut(&id).filter(good) else { return Ok(None) };
            *tries += 1;
            Ok(Some(ticket.clone()))
        })
    }

    async fn spend(&mut self, id: Uuid) -> Result<bool, StoreError> {
        self.call(|draft| Ok(draft.factors.tickets.remove(&id).is_some()))
    }
}

#[async_trait]
impl SecondFactorStore for MemoryIdentity {
    async fn second_factor(&self, user: UserId) -> Result<Option<SecondFactor>, StoreError> {
        self.read(|state| state.factors.of.get(&user).cloned())
    }

    async fn recovery_codes_left(&self, user: UserId) -> Result<u64, StoreError> {
        self.read(|state| state.factors.left(user))
    }

    async fn sealed_before(&self, newest: &str, after: Option<UserId>, limit: u64) -> Result<Vec<(UserId, Sealed)>, StoreError> {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        self.read(|state| {
            let old = state.factors.of.values().filter(|factor| factor.secret.key_id != newest);
            let old = old.filter(|factor| after.is_none_or(|after| factor.user > after));
            old.map(|factor| (factor.user, factor.secret.clone())).take(limit).collect()
        })
    }

    async fn prune_tickets(&self, before: OffsetDateTime, limit: u64) -> Result<u64, StoreError> {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        self.change(|state| {
            let tickets = &mut state.factors.tickets;
            let old = tickets.values().filter(|(ticket, _)| ticket.created_at < micros(before)).map(|(ticket, _)| ticket.id);
            let old: Vec<_> = old.take(limit).collect();
            tickets.retain(|id, _| !old.contains(id));
            old.len() as u64
        })
        .await
    }
}
