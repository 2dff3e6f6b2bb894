//! What is stored encrypted follows the newest key, and whether an earlier one is still needed is told.

use std::{fmt::Display, sync::Arc};

use coinlink_application::{identity::ResealSecrets, notifications::ResealWebhooks};
use coinlink_ports::shared::Clock;
use coinlink_postgres::{SealedCounts, SqlSecretPrints};

use super::upkeep::{BREATH, PRUNE_EVERY, Told, beats};
use crate::telemetry::Metrics;

/// What of it there is to do.
pub struct Resealing {
    /// Secrets of second factors.
    pub factors: Arc<ResealSecrets>,
    /// Secrets of webhooks.
    pub webhooks: Arc<ResealWebhooks>,
    /// Counts what earlier keys encrypted. What is neither of the two ends by itself.
    pub stored: SqlSecretPrints,
    /// The ids of the earlier keys that this node has.
    pub earlier: Vec<String>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
}

/// Seals anew what was sealed with an earlier key.
pub async fn reseal_secrets(reseal: Resealing, metrics: Metrics) {
    let Resealing { factors, webhooks, stored, earlier, clock } = reseal;
    let earlier: Vec<&str> = earlier.iter().map(String::as_str).collect();
    let mut of_factors = Told::of(&metrics, "reseal_secrets", "sealing secrets anew");
    let mut of_webhooks = Told::of(&metrics, "reseal_webhooks", "sealing secrets of webhooks anew");
    let mut of_left = Told::of(&metrics, "count_earlier_keys", "counting what earlier keys encrypted");
    let mut beats = beats(PRUNE_EVERY);
    loop {
        beats.tick().await;
        one_after_the_other(&mut of_factors, |after| factors.execute(after)).await;
        one_after_the_other(&mut of_webhooks, |after| webhooks.execute(after)).await;
        if !earlier.is_empty()
            && let Some(left) = of_left.tell(stored.sealed_with(&earlier, clock.now()).await)
        {
            tell_what_is_left(left);
        }
    }
}

async fn one_after_the_other<Id, E: Display, Part: Future<Output = Result<Option<Id>, E>>>(
    told: &mut Told,
    part: impl Fn(Option<Id>) -> Part,
) {
    let mut after = None;
    while let Some(Some(reached)) = told.tell(part(after).await) {
        after = Some(reached);
        tokio::time::sleep(BREATH).await;
    }
}

/// An operator who replaces the key waits for this.
fn tell_what_is_left(left: SealedCounts) {
    let SealedCounts { second_factors, webhooks, letters, links } = left;
    if left == SealedCounts::default() {
        tracing::info!("nothing that is stored is encrypted with TOTP_ENCRYPTION_KEY_PREVIOUS");
    } else {
        let what = "some of what is stored is still encrypted with TOTP_ENCRYPTION_KEY_PREVIOUS";
        tracing::info!(second_factors, webhooks, letters, links, "{what}");
    }
}
