//! The contract on each database, and decimals of every kind.

use coinlink_postgres::SqlLastKnownPrices;

use crate::databases::on_each_database;

on_each_database!(last_known_prices_contract, place => place.with(SqlLastKnownPrices::new).await);

mod decimals {
    #![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use coinlink_domain::market::{Percent, Price, Quote};
    use coinlink_ports::market::LastKnownPrices;
    use coinlink_testkit::market::a_quote;
    use proptest::prelude::*;
    use rust_decimal::Decimal;
    use tokio::runtime::Runtime;

    use super::SqlLastKnownPrices;
    use crate::databases::{Place, on_postgres, on_sqlite};

    fn any_decimal() -> impl Strategy<Value = Decimal> {
        (any::<u32>(), any::<u32>(), any::<u32>(), any::<bool>(), 0..=28_u32)
            .prop_map(|(low, middle, high, negative, scale)| Decimal::from_parts(low, middle, high, negative, scale))
    }

    fn any_quotes() -> impl Strategy<Value = Vec<Quote>> {
        prop::collection::vec((any_decimal(), any_decimal(), any_decimal()), 1..50).prop_map(|figures| {
            let quotes = figures.into_iter().enumerate().filter_map(|(n, (price, change, volume))| {
                let price = Price::try_new(price.abs()).ok()?;
                let bare = a_quote(&format!("S{n:03}"), "1");
                Some(Quote { price, change_24h: Some(Percent::new(change)), volume_24h: Some(volume), ..bare })
            });
            quotes.collect()
        })
    }

    /// Equal in value and in every digit written: `1.10` is not `1.1` here.
    fn digits(quotes: &[Quote]) -> Vec<[String; 3]> {
        let text = |decimal: Option<Decimal>| decimal.map(|decimal| decimal.to_string()).unwrap_or_default();
        quotes.iter().map(|q| [q.price.usd().to_string(), text(q.change_24h.map(Percent::value)), text(q.volume_24h)]).collect()
    }

    fn survive(runtime: &Runtime, store: &dyn LastKnownPrices, quotes: &[Quote]) -> Result<(), TestCaseError> {
        let recalled = runtime.block_on(async {
            store.remember(quotes).await.unwrap();
            let mut recalled = store.recall().await.unwrap();
            recalled.retain(|kept| quotes.iter().any(|quote| quote.symbol == kept.symbol));
            recalled
        });
        prop_assert_eq!(digits(&recalled), digits(quotes));
        Ok(())
    }

    fn any_decimal_survives(place: impl Future<Output = Place>) {
        let runtime = Runtime::new().unwrap();
        let store = runtime.block_on(async { place.await.with(SqlLastKnownPrices::new).await });
        proptest!(|(quotes in any_quotes())| survive(&runtime, &*store, &quotes)?);
    }

    #[test]
    fn any_decimal_survives_on_postgres() {
        any_decimal_survives(on_postgres());
    }

    #[test]
    fn any_decimal_survives_on_sqlite() {
        any_decimal_survives(on_sqlite());
    }
}
