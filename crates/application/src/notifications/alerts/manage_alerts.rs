//! What users do with their rules.

use std::sync::Arc;

use coinlink_domain::{
    market::{Price, Symbol},
    notifications::alerts::{AlertChange, AlertCondition, AlertRule, AlertRuleId, FiredAlert},
    shared::user_id::UserId,
};
use coinlink_ports::{
    market::CurrentPrices,
    notifications::{AlertCounts, AlertReads, NotificationsStore},
    shared::{Clock, Entropy, StoreError},
};
use time::OffsetDateTime;

/// Why a rule was not made or changed.
#[derive(Debug, thiserror::Error)]
pub enum ManageAlertError {
    /// No price is known of the asset.
    #[error("no price is known of {0}")]
    UnknownSymbol(Symbol),
    /// No prices are known at all yet.
    #[error("no prices are known yet")]
    NoPrices,
    /// The user has as many as may be.
    #[error("too many alert rules")]
    TooMany,
    /// The user has an active rule that waits for the same: both would fire together.
    #[error("there is such a rule already")]
    Exists,
    /// The user has no such rule.
    #[error("no such rule")]
    NotFound,
    /// There is no such account any more.
    #[error("no such account")]
    NoAccount,
    /// It could not be stored.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The price that is known of `symbol` and is not stale.
fn fresh_price(prices: &dyn CurrentPrices, symbol: &Symbol) -> Option<Price> {
    let current = prices.current().filter(|current| !current.stale && !current.tick.stale)?;
    let item = current.tick.item(symbol.as_str())?;
    (!item.stale).then_some(item.quote.price)
}

/// Whether one more active rule, or one more at all, may be.
fn has_room(counts: AlertCounts, is_new: bool) -> bool {
    counts.active < AlertRule::MAX_ACTIVE && (!is_new || counts.kept < AlertRule::MAX_KEPT)
}

/// Makes a rule.
pub struct CreateAlert {
    store: Arc<dyn NotificationsStore>,
    prices: Arc<dyn CurrentPrices>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
}

impl CreateAlert {
    /// In this store, of assets that have a price.
    #[must_use]
    pub fn new(
        store: Arc<dyn NotificationsStore>,
        prices: Arc<dyn CurrentPrices>,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Self {
        Self { store, prices, clock, entropy }
    }

    /// Makes a rule that is active. The evaluator hears of it before the next tick.
    #[tracing::instrument(skip_all, name = "create_alert")]
    pub async fn execute(&self, user: UserId, symbol: Symbol, condition: AlertCondition) -> Result<AlertRule, ManageAlertError> {
        let current = self.prices.current().ok_or(ManageAlertError::NoPrices)?;
        if current.tick.item(symbol.as_str()).is_none() {
            return Err(ManageAlertError::UnknownSymbol(symbol));
        }
        let mut tx = self.store.begin().await?;
        let counts = tx.alerts().count(user).await?.ok_or(ManageAlertError::NoAccount)?;
        if !has_room(counts, true) {
            return Err(ManageAlertError::TooMany);
        }
        if tx.alerts().active_of(user, &symbol).await?.iter().any(|rule| rule.condition == condition) {
            return Err(ManageAlertError::Exists);
        }
        let known = fresh_price(&*self.prices, &symbol);
        let (id, now) = (AlertRuleId(self.entropy.id()), self.clock.now());
        let rule = AlertRule::new((id, user), symbol, condition, now, known);
        tx.alerts().add(&rule, now).await?;
        tx.commit().await?;
        Ok(rule)
    }
}

/// Changes a rule.
pub struct ChangeAlert {
    store: Arc<dyn NotificationsStore>,
    prices: Arc<dyn CurrentPrices>,
    clock: Arc<dyn Clock>,
}

impl ChangeAlert {
    /// In this store.
    #[must_use]
    pub fn new(store: Arc<dyn NotificationsStore>, prices: Arc<dyn CurrentPrices>, clock: Arc<dyn Clock>) -> Self {
        Self { store, prices, clock }
    }

    /// Changes a rule of `user` by what `change` makes of it; what it answers as an error is handed back and nothing changes.
    #[tracing::instrument(skip_all, name = "change_alert")]
    pub async fn execute<E: From<ManageAlertError>>(
        &self,
        user: UserId,
        id: AlertRuleId,
        change: impl FnOnce(&AlertRule) -> Result<AlertChange, E> + Send,
    ) -> Result<AlertRule, E> {
        let store = |error: StoreError| E::from(ManageAlertError::Store(error));
        let mut tx = self.store.begin().await.map_err(store)?;
        // The account first, as whoever makes a rule holds it: nobody waits for the other.
        let counts = tx.alerts().count(user).await.map_err(store)?.ok_or(ManageAlertError::NoAccount)?;
        let rule = tx.alerts().lock(user, id).await.map_err(store)?.ok_or(ManageAlertError::NotFound)?;
        let change = change(&rule)?;
        if change.is_active == Some(true) && !rule.is_active && !has_room(counts, false) {
            return Err(ManageAlertError::TooMany.into());
        }
        let now = self.clock.now();
        let changed = rule.changed(change, now, fresh_price(&*self.prices, &rule.symbol));
        let is_new = changed.condition != rule.condition || !rule.is_active;
        if changed.is_active && is_new {
            let others = tx.alerts().active_of(user, &rule.symbol).await.map_err(store)?;
            if others.iter().any(|other| other.id != id && other.condition == changed.condition) {
                return Err(ManageAlertError::Exists.into());
            }
        }
        if !tx.alerts().save(&changed, now).await.map_err(store)? {
            return Err(ManageAlertError::NotFound.into());
        }
        tx.commit().await.map_err(store)?;
        Ok(changed)
    }
}

/// Deletes a rule.
pub struct DeleteAlert {
    store: Arc<dyn NotificationsStore>,
    clock: Arc<dyn Clock>,
}

impl DeleteAlert {
    /// In this store.
    #[must_use]
    pub fn new(store: Arc<dyn NotificationsStore>, clock: Arc<dyn Clock>) -> Self {
        Self { store, clock }
    }

    /// Deletes a rule of `user`. Whether there was one. What fired stays in the history.
    #[tracing::instrument(skip_all, name = "delete_alert")]
    pub async fn execute(&self, user: UserId, id: AlertRuleId) -> Result<bool, StoreError> {
        let mut tx = self.store.begin().await?;
        let deleted = tx.alerts().delete(user, id, self.clock.now()).await?;
        tx.commit().await?;
        Ok(deleted)
    }
}

/// Lists a user's rules.
pub struct ListAlerts {
    reads: Arc<dyn AlertReads>,
    clock: Arc<dyn Clock>,
}

impl ListAlerts {
    /// From this store.
    #[must_use]
    pub fn new(reads: Arc<dyn AlertReads>, clock: Arc<dyn Clock>) -> Self {
        Self { reads, clock }
    }

    /// What time it is, for whoever says when a list was made.
    #[must_use]
    pub fn now(&self) -> OffsetDateTime {
        self.clock.now()
    }

    /// Newest first; active ones only, or all.
    #[tracing::instrument(skip_all, name = "list_alerts")]
    pub async fn execute(&self, user: UserId, active_only: bool) -> Result<Vec<AlertRule>, StoreError> {
        self.reads.rules_of(user, active_only).await
    }
}

/// Lists what fired.
pub struct AlertHistory {
    reads: Arc<dyn AlertReads>,
    clock: Arc<dyn Clock>,
}

impl AlertHistory {
    /// From this store.
    #[must_use]
    pub fn new(reads: Arc<dyn AlertReads>, clock: Arc<dyn Clock>) -> Self {
        Self { reads, clock }
    }

    /// What time it is, for whoever says when a list was made.
    #[must_use]
    pub fn now(&self) -> OffsetDateTime {
        self.clock.now()
    }

    /// At most `limit` of a user's firings, newest first.
    #[tracing::instrument(skip_all, name = "alert_history")]
    pub async fn execute(&self, user: UserId, limit: u32) -> Result<Vec<FiredAlert>, StoreError> {
        self.reads.fired(user, limit).await
    }
}
