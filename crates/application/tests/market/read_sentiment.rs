//! The market's mood from what one node knows.

use std::{num::NonZeroU32, sync::Arc};

use coinlink_application::market::{Bulletins, ReadSentiment};
use coinlink_domain::market::{
    Article, Bulletin, FearGreed, News, NewsSource, Percent, Price, Quote, Source, Symbol, Tick, TickId, TickItem,
    sentiment::{InputName, Sentiment},
};
use coinlink_ports::shared::Clock as _;
use coinlink_testkit::{market::ShownPrices, shared::StoppedClock};
use time::{Duration, OffsetDateTime, macros::datetime};

pub(super) const NOW: OffsetDateTime = datetime!(2026-01-02 12:00 UTC);

/// A list of `symbols`, each changed by `change` percent.
pub(super) fn tick(symbols: &[&str], change: Option<&str>, as_of: OffsetDateTime) -> Tick {
    let items = symbols.iter().zip(1..).map(|(symbol, rank)| {
        let price = Price::try_new("97012.5".parse().unwrap()).unwrap();
        let quote = Quote::bare(Symbol::try_new(symbol).unwrap(), price, Source::CoinGecko, as_of);
        let change_24h = change.map(|change| Percent::new(change.parse().unwrap()));
        TickItem { quote: Quote { rank: NonZeroU32::new(rank), change_24h, ..quote }, stale: false }
    });
    Tick {
        id: TickId { epoch: 7, seq: 1 },
        timestamp: as_of,
        source: Some(Source::CoinGecko),
        as_of: Some(as_of),
        stale: false,
        held: None,
        items: items.collect(),
    }
}

struct Node {
    bulletins: Arc<Bulletins>,
    shown: Arc<ShownPrices>,
    clock: Arc<StoppedClock>,
}

impl Node {
    fn new() -> Self {
        Self { bulletins: Arc::default(), shown: Arc::default(), clock: Arc::new(StoppedClock::at(NOW)) }
    }

    fn read(&self) -> Option<Sentiment> {
        let (bulletins, shown, clock) = (Arc::clone(&self.bulletins), Arc::clone(&self.shown), Arc::clone(&self.clock));
        ReadSentiment::new(bulletins, shown, clock).execute()
    }

    fn news(&self, source: NewsSource, title: &str) {
        let published_at = Some(NOW - Duration::HOUR);
        let article = Article {
            title: title.into(),
            url: "https://example.com/".into(),
            publisher: "Example".into(),
            summary: None,
            published_at,
        };
        let content = News { source, articles: [article].into() };
        self.bulletins.take_news(Bulletin { content, fetched_at: self.clock.now() });
    }

    fn index(&self, value: u8) {
        let content = FearGreed { value, label: "Greed".into(), as_of: NOW - Duration::hours(12), next_at: None };
        self.bulletins.take_fear_greed(Bulletin { content, fetched_at: NOW });
    }
}

fn names(sentiment: &Sentiment) -> Vec<InputName> {
    sentiment.inputs.iter().map(|input| input.evidence.name).collect()
}

#[test]
fn where_nothing_is_known_there_is_no_mood() {
    let node = Node::new();
    assert_eq!(node.read(), None);
    node.news(NewsSource::Curated, "Bitcoin soars");
    node.shown.show(tick(&["ETH"], Some("5"), NOW));
    assert_eq!(node.read(), None, "primers are no news, and another asset is not bitcoin");
    node.shown.show(tick(&["BTC"], None, NOW));
    assert_eq!(node.read(), None, "a price alone is no change");
}

#[test]
fn the_mood_is_made_of_what_is_known_and_says_what_is_not() {
    let node = Node::new();
    node.shown.show(tick(&["BTC"], Some("5"), NOW));
    let alone = node.read().unwrap();
    assert_eq!((names(&alone), alone.mood.score.value().to_string()), (vec![InputName::Momentum], "0.5".to_owned()));
    assert_eq!(alone.missing, [InputName::Headlines, InputName::FearGreed]);
    assert_eq!(alone.mood.confidence.to_string(), "0.25", "a quarter of what should be known");
    node.index(75);
    node.news(NewsSource::NewsApi, "Bitcoin soars");
    let whole = node.read().unwrap();
    assert_eq!((names(&whole), whole.missing.len()), (InputName::ALL.to_vec(), 0));
    // 0.4 x 0.4286 + 0.35 x 0.5 + 0.25 x 0.5
    assert_eq!(whole.mood.score.value().to_string(), "0.4714");
    assert_eq!(node.read(), Some(whole), "the same is read again");
}

#[test]
fn a_stale_price_and_news_that_are_not_fetched_any_more_weigh_half() {
    let node = Node::new();
    node.shown.show(Tick { stale: true, ..tick(&["BTC"], Some("5"), NOW) });
    node.news(NewsSource::NewsApi, "Bitcoin plunges");
    node.index(50);
    node.clock.advance(Duration::hours(2));
    let sentiment = node.read().unwrap();
    let stale: Vec<_> = sentiment.inputs.iter().map(|input| input.evidence.stale).collect();
    assert_eq!(stale, [true, false, true]);
    // Halves: 20, 35 and 12.5 of 67.5.
    let weights: Vec<_> = sentiment.inputs.iter().map(|input| input.weight.to_string()).collect();
    assert_eq!(weights, ["0.2963", "0.5185", "0.1852"]);
}

#[test]
fn a_change_of_yesterday_is_missing() {
    let node = Node::new();
    node.index(75);
    node.shown.show(tick(&["BTC"], Some("5"), NOW));
    node.clock.advance(Duration::hours(25));
    let sentiment = node.read().unwrap();
    assert_eq!((names(&sentiment), sentiment.missing[1]), (vec![InputName::FearGreed], InputName::Momentum));
}

#[test]
fn whoever_asks_within_ten_seconds_is_told_the_same() {
    let node = Node::new();
    node.index(75);
    let first = node.read();
    node.clock.advance(Duration::milliseconds(9_999));
    assert_eq!(node.read(), first);
    node.clock.advance(Duration::milliseconds(1));
    assert_ne!(node.read(), first);
}

#[test]
fn the_mood_is_no_older_than_what_it_is_made_of() {
    let node = Node::new();
    node.clock.advance(Duration::seconds(7));
    node.shown.show(tick(&["BTC"], Some("5"), NOW + Duration::seconds(5)));
    let sentiment = node.read().unwrap();
    assert_eq!((sentiment.at, sentiment.inputs[0].age), (NOW + Duration::seconds(5), Duration::ZERO));
    node.shown.show(tick(&["BTC"], Some("5"), NOW + Duration::hours(1)));
    assert_eq!(node.read().unwrap().at, NOW + Duration::seconds(7), "nothing is of the future");
}
