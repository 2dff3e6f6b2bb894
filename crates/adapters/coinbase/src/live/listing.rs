use std::{
    collections::{BTreeSet, HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

use coinlink_domain::market::Symbol;
use coinlink_upstream::{Upstream, lenient};
use serde::Deserialize;
use tokio::time::Instant;

use crate::product::product_id;

/// How long what was learned of the listed products is believed.
pub(super) const BELIEVED: Duration = Duration::from_hours(1);

#[derive(Deserialize)]
struct Product {
    id: String,
    #[serde(default, deserialize_with = "lenient")]
    status: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    trading_disabled: Option<bool>,
}

impl Product {
    fn is_traded(&self) -> bool {
        self.status.as_deref().is_none_or(|status| status == "online") && self.trading_disabled != Some(true)
    }
}

/// Which products can be subscribed to: one that cannot would fail the whole subscription.
pub(super) struct Listing {
    rest: Arc<Upstream>,
    listed: Option<(Instant, HashSet<String>)>,
    refused: HashMap<String, Instant>,
}

impl Listing {
    pub(super) fn new(rest: Arc<Upstream>) -> Self {
        Self { rest, listed: None, refused: HashMap::new() }
    }

    /// Asks for the list of products where it is not known. Without one everything is tried, and refusals tell.
    pub(super) async fn learn(&mut self) {
        self.refused.retain(|_, since| since.elapsed() < BELIEVED);
        if self.listed.as_ref().is_some_and(|(since, _)| since.elapsed() < BELIEVED) {
            return;
        }
        let answer = self.rest.get(&["products"], &[]).await;
        match answer.and_then(|body| body.rows::<Product>()) {
            Ok(products) => {
                let traded: HashSet<_> = products.into_iter().filter(Product::is_traded).map(|product| product.id).collect();
                self.listed = (!traded.is_empty()).then(|| (Instant::now(), traded));
            }
            Err(failure) => {
                self.listed = None;
                tracing::info!(%failure, "the list of live products is unknown, subscribing to all");
            }
        }
    }

    /// The products of those symbols that have one.
    pub(super) fn products(&self, symbols: &[Symbol]) -> BTreeSet<String> {
        let listed = |product: &String| self.listed.as_ref().is_none_or(|(_, listed)| listed.contains(product));
        symbols.iter().map(product_id).filter(|product| listed(product) && !self.refused.contains_key(product)).collect()
    }

    /// Coinbase refused this product.
    pub(super) fn refuse(&mut self, product: String) {
        self.refused.insert(product, Instant::now());
    }
}
