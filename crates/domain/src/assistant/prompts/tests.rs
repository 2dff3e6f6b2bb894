use std::num::NonZeroU32;

use super::*;
use crate::market::{Article, Percent, Price, Quote, Source, Symbol, TickId, TrendingAsset};
use proptest::prelude::*;
use time::{Duration, macros::datetime};

const NOW: OffsetDateTime = datetime!(2026-01-01 12:00 UTC);
const NOTHING: Scene<'static> = Scene { prices: None, news: None, fear_greed: None, totals: None, trending: None, now: NOW };

fn decimal(text: &str) -> Decimal {
    Decimal::from_str_exact(text).unwrap()
}

fn item(symbol: &str, price: &str, change: Option<&str>, stale: bool) -> TickItem {
    let price = Price::try_new(decimal(price)).unwrap();
    let change_24h = change.map(|change| Percent::new(decimal(change)));
    let quote = Quote::bare(Symbol::try_new(symbol).unwrap(), price, Source::CoinGecko, NOW);
    TickItem { quote: Quote { change_24h, rank: NonZeroU32::new(1), ..quote }, stale }
}

fn tick(items: Vec<TickItem>) -> Tick {
    let as_of = (!items.is_empty()).then_some(NOW);
    let id = TickId { epoch: 1, seq: 1 };
    Tick { id, timestamp: NOW, source: Some(Source::CoinGecko), as_of, stale: false, held: None, items: items.into() }
}

fn contents(scene: &Scene<'_>) -> Vec<String> {
    prompts(scene).iter().map(|prompt| prompt.content.to_string()).collect()
}

#[test]
fn where_nothing_is_known_it_says_so_and_brings_up_questions_without_a_figure() {
    let made = prompts(&NOTHING);
    assert_eq!((made[0].kind, &*made[0].content), (PromptKind::Alert, "No prices have been received yet."));
    assert_eq!(made.len(), 1 + FEWEST_PROMPTS);
    assert!(made[1..].iter().all(|prompt| prompt.kind == PromptKind::Insight));
    assert!(!made.iter().any(|prompt| prompt.content.contains(['$', '%'])), "{made:?}");
}

#[test]
fn the_most_important_comes_first() {
    let tick = tick(vec![
        item("BTC", "104718.105", Some("-6.204"), false),
        item("ETH", "3300", Some("1.5"), false),
        item("PEPE", "0.0000123456", Some("12.5"), false),
        item("ADA", "0.5", None, false),
    ]);
    let mood = FearGreed { value: 23, label: "Extreme Fear".into(), as_of: NOW, next_at: None };
    let totals = MarketTotals {
        market_cap: decimal("3214567890123"),
        volume_24h: Decimal::ONE,
        bitcoin_dominance: Percent::new(decimal("57.04")),
        active_assets: 1,
        as_of: NOW,
        source: Source::CoinGecko,
    };
    let article = |title: &str| Article {
        title: title.into(),
        url: "https://example.org".into(),
        publisher: "The Paper".into(),
        summary: None,
        published_at: Some(NOW - Duration::HOUR),
    };
    let news = News { source: NewsSource::NewsApi, articles: ["One", "Two", "Three", "Four"].map(article).into() };
    let asset = TrendingAsset {
        id: "pepe".into(),
        symbol: Symbol::try_new("PEPE").unwrap(),
        name: "Pepe".into(),
        price: None,
        change_24h: None,
        rank: None,
    };
    let trending = Trending { assets: [asset].into(), source: Source::CoinGecko };
    let scene = Scene {
        prices: Some((&tick, false)),
        news: Some(&news),
        fear_greed: Some(&mood),
        totals: Some(&totals),
        trending: Some(&trending),
        now: NOW,
    };
    let made = contents(&scene);
    let expected = [
        "PEPE is up 12.50% in 24 hours, at $0.0000123.",
        "BTC is down 6.20% in 24 hours, at $104,718.11.",
        "BTC $104,718.11 (-6.20%)\nETH $3,300.00 (+1.50%)\nAll assets: $3.21 trillion, of which bitcoin 57.04%",
        "The Fear & Greed index is 23 of 100: Extreme Fear.",
        "PEPE +12.50%, ETH +1.50%",
        "BTC -6.20%",
        "One",
        "Two",
        "Three",
        "Searched for most: PEPE",
    ];
    assert_eq!(made[..10], expected);
    assert_eq!(made.len(), 10 + FEWEST_PROMPTS);
    let headline = &prompts(&scene)[6];
    assert_eq!((headline.kind, &*headline.title, headline.at), (PromptKind::Report, "News: The Paper", NOW - Duration::HOUR));
}

#[test]
fn old_prices_are_said_to_be_old_and_move_nobody() {
    let tick = tick(vec![item("BTC", "97012", Some("-9"), true)]);
    let made = contents(&Scene { prices: Some((&tick, true)), ..NOTHING });
    assert_eq!(made[0], "Prices are as of 2026-01-01 12:00 UTC: no newer ones came.");
    assert_eq!(made[1], "BTC $97,012.00 (-9.00%), an old price");
    assert_eq!(made.len(), 2 + FEWEST_PROMPTS);
}

proptest! {
    #[test]
    fn there_are_always_twelve_and_none_is_empty(
        lines in prop::collection::vec((0_usize..60, 1_i64..i64::MAX, 0_u32..20, prop::option::of(any::<i32>()), any::<bool>()), 0..20),
        stale: bool,
    ) {
        let items = lines.into_iter().map(|(symbol, price, scale, change, stale)| {
            let change = change.map(|change| Decimal::new(change.into(), 4).to_string());
            item(&format!("S{symbol}"), &Decimal::new(price, scale).to_string(), change.as_deref(), stale)
        });
        let tick = tick(items.collect());
        let made = prompts(&Scene { prices: Some((&tick, stale)), ..NOTHING });
        prop_assert!(made.len() >= FEWEST_PROMPTS);
        prop_assert!(made.iter().all(|prompt| !prompt.title.is_empty() && !prompt.content.is_empty()));
    }
}

#[test]
fn where_prices_are_made_up_the_first_prompt_says_so() {
    let mut made_up = tick(vec![item("BTC", "64000", Some("9"), false)]);
    let first = |tick: &Tick| prompts(&Scene { prices: Some((tick, true)), ..NOTHING }).swap_remove(0);
    assert_eq!(&*first(&made_up).title, "Prices are not current");
    let of = |item: &TickItem| TickItem { quote: Quote { source: Source::Simulated, ..item.quote.clone() }, stale: item.stale };
    made_up.items = made_up.items.iter().map(of).collect();
    let first = first(&made_up);
    assert_eq!((first.kind, &*first.title), (PromptKind::Alert, "Simulated prices"));
    assert!(first.content.contains("no real market"), "{first:?}");
}
