//! Makes true what a tick decided: each firing together with what its user is told, and last how far was evaluated.

use coinlink_domain::{
    market::Tick,
    notifications::{
        NotificationId,
        alerts::{AlertRule, AlertRuleId, Decided, FiredAlert, Firing},
    },
};
use coinlink_ports::{notifications::NotificationsTx, shared::StoreError};

use super::{
    evaluate_alerts::{EvaluateAlerts, Led},
    follow_rules,
};
use crate::notifications::leave_fired;

/// Firings in one transaction.
const FIRINGS: usize = 50;
/// Rules that are armed in one transaction.
const ARMED: usize = 5_000;

/// What came of a tick.
#[derive(Default)]
pub(super) struct Recorded {
    pub(super) fired: usize,
    /// Somebody else has evaluated the tick, or a later one.
    pub(super) overtaken: bool,
}

const OVERTAKEN: Recorded = Recorded { fired: 0, overtaken: true };

impl EvaluateAlerts {
    /// Decides, and stores what is decided in transactions of bounded size, so that whoever comes after a crash finds each firing
    /// done or not begun. That the tick was evaluated is stored last: until then it is evaluated again.
    pub(super) async fn record(&self, led: &mut Led, tick: &Tick) -> Result<Recorded, StoreError> {
        let Decided { fired, armed } = led.book.decide(tick);
        let mut recorded = Recorded::default();
        for firings in fired.chunks(FIRINGS) {
            let Some(count) = self.fire(led, tick, firings).await? else { return Ok(OVERTAKEN) };
            recorded.fired += count;
        }
        for rules in armed.chunks(ARMED) {
            if !self.arm(led, tick, rules).await? {
                return Ok(OVERTAKEN);
            }
        }
        let mut tx = self.parts.store.begin().await?;
        if !tx.alerts().note_evaluated(tick.id).await? {
            return Ok(OVERTAKEN);
        }
        tx.commit().await?;
        Ok(recorded)
    }

    /// How many fired; `None` where somebody else was faster.
    async fn fire(&self, led: &mut Led, tick: &Tick, firings: &[Firing]) -> Result<Option<usize>, StoreError> {
        match self.fire_together(led, tick, firings).await {
            // One of them cannot be stored: it must not keep the others from it.
            Err(error) if firings.len() > 1 && !matches!(error, StoreError::Unavailable(_)) => {}
            done => return done,
        }
        let mut count = 0;
        for firing in firings {
            match self.fire_together(led, tick, std::slice::from_ref(firing)).await {
                Ok(Some(fired)) => count += fired,
                Ok(None) => return Ok(None),
                Err(error @ StoreError::Unavailable(_)) => return Err(error),
                Err(error) => tracing::error!(rule = %firing.rule.id, %error, "an alert cannot fire"),
            }
        }
        Ok(Some(count))
    }

    async fn fire_together(&self, led: &mut Led, tick: &Tick, firings: &[Firing]) -> Result<Option<usize>, StoreError> {
        let Some(mut tx) = self.begin(tick).await? else { return Ok(None) };
        let (mut fired, mut others): (Vec<AlertRule>, Vec<AlertRuleId>) = (Vec::new(), Vec::new());
        for firing in firings {
            let rule = firing.rule.fired(tick.id, tick.timestamp);
            let alert = FiredAlert::new(firing, tick, NotificationId(self.parts.entropy.id()));
            if tx.alerts().fire(&rule, &alert).await? {
                leave_fired(&mut *tx, &alert.notification(), &alert, self.parts.clock.now()).await?;
                fired.push(rule);
            } else {
                others.push(rule.id);
            }
        }
        tx.commit().await?;
        let count = fired.len();
        for rule in fired {
            led.book.put(rule);
        }
        follow_rules::reload(&self.parts, led, &others).await?;
        Ok(Some(count))
    }

    async fn arm(&self, led: &mut Led, tick: &Tick, rules: &[AlertRule]) -> Result<bool, StoreError> {
        let Some(mut tx) = self.begin(tick).await? else { return Ok(false) };
        let armed: Vec<AlertRule> = rules.iter().map(AlertRule::armed).collect();
        let count = tx.alerts().arm(&armed).await?;
        tx.commit().await?;
        if count == armed.len() as u64 {
            for rule in armed {
                led.book.put(rule);
            }
        } else {
            let ids: Vec<AlertRuleId> = rules.iter().map(|rule| rule.id).collect();
            follow_rules::reload(&self.parts, led, &ids).await?;
        }
        Ok(true)
    }

    /// A transaction of the only evaluator there is until it ends; `None` where another one has evaluated this tick.
    async fn begin(&self, tick: &Tick) -> Result<Option<Box<dyn NotificationsTx>>, StoreError> {
        let mut tx = self.parts.store.begin().await?;
        let evaluated = tx.alerts().evaluated().await?;
        Ok(evaluated.is_none_or(|evaluated| evaluated < tick.id).then_some(tx))
    }
}
