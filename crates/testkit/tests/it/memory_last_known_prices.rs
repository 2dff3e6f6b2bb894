coinlink_testkit::last_known_prices_contract!(Box::new(coinlink_testkit::market::MemoryLastKnownPrices::default()));
