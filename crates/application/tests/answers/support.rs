//! A fixed market to ask about.

use std::{num::NonZeroU32, sync::Arc};

use coinlink_application::{
    assistant::{Answer, AnswerParts, AnswerQuestion, Asked},
    market::{MarketAdapters, MarketUseCases},
};
use coinlink_domain::{
    assistant::{Speaker, Turn},
    market::{
        Article, Bulletin, BulletinPeriods, FearGreed, MarketTotals, News, NewsSource, Percent, Price, Quote, Source, Symbol,
        Tick, TickId, TickItem, Trending, TrendingAsset,
        candles::{Candle, CandleOrigin, CandleRecord, Interval},
    },
    shared::user_id::UserId,
};
use coinlink_ports::{
    assistant::Assistant,
    market::CandleStore as _,
    shared::{Clock, Pause},
};
use coinlink_testkit::{
    market::{MemoryCandles, NOON, ShownPrices},
    notifications::MemoryNotifications,
    shared::{StoppedClock, TokioPause},
};
use rust_decimal::Decimal;
use time::{Duration, OffsetDateTime};

/// Symbol, name, price, change, high, low, volume, market capitalisation; empty where the source does not say.
type Row = (&'static str, &'static str, &'static str, &'static str, &'static str, &'static str, &'static str, &'static str);

/// The list, in the order of rank.
pub(crate) const MARKET: [Row; 10] = [
    ("BTC", "Bitcoin", "97012.344", "1.254", "98000.5", "95500", "35200000000", "1921000000000"),
    ("ETH", "Ethereum", "3500", "-0.8", "3600", "3400.25", "18000000000", "421000000000"),
    ("USDT", "Tether", "1.0002", "90", "", "", "", ""),
    ("XRP", "", "2.2", "", "", "", "", ""),
    ("SOL", "Solana", "146.02", "5.5", "150", "138", "3100000000", "70000000000"),
    ("DOGE", "Dogecoin", "0.12345678", "-3.214", "0.13", "0.12", "", ""),
    ("LINK", "Chainlink", "14.5", "2", "", "", "", ""),
    ("NEAR", "NEAR Protocol", "3.1", "-7.77", "", "", "", ""),
    ("SHIB", "Shiba Inu", "0.000005938674704566297", "12.3", "", "", "", ""),
    ("ADA", "Cardano", "0.45", "0.1", "", "", "", ""),
];

/// How old the list is.
pub(crate) const AGE: Duration = Duration::seconds(3);

pub(crate) fn number(text: &str) -> Decimal {
    text.parse().unwrap()
}

fn price(text: &str) -> Price {
    Price::try_new(number(text)).unwrap()
}

fn said<T>(text: &str, read: impl Fn(&str) -> T) -> Option<T> {
    (!text.is_empty()).then(|| read(text))
}

fn symbol(text: &str) -> Symbol {
    Symbol::try_new(text).unwrap()
}

/// The list of the table. Cardano's line is another source's, and older than it should be.
pub(crate) fn tick() -> Tick {
    let item = |(place, row): (usize, &Row)| {
        let &(symbol, name, usd, change, high, low, volume, cap) = row;
        let is_old = symbol == "ADA";
        let (source, as_of) =
            if is_old { (Source::Kraken, NOON - Duration::minutes(12)) } else { (Source::CoinGecko, NOON - AGE) };
        let quote = Quote {
            name: said(name, |text| text.into()),
            rank: NonZeroU32::new(u32::try_from(place).unwrap() + 1),
            change_24h: said(change, |text| Percent::new(number(text))),
            high_24h: said(high, price),
            low_24h: said(low, price),
            volume_24h: said(volume, number),
            market_cap: said(cap, number),
            ..Quote::bare(self::symbol(symbol), price(usd), source, as_of)
        };
        TickItem { quote, stale: is_old }
    };
    Tick {
        id: TickId { epoch: 1, seq: 1 },
        timestamp: NOON,
        source: Some(Source::CoinGecko),
        as_of: Some(NOON - AGE),
        stale: false,
        held: None,
        items: MARKET.iter().enumerate().map(item).collect(),
    }
}

/// The assistant and what it knows.
pub(crate) struct Desk {
    pub(crate) prices: Arc<ShownPrices>,
    pub(crate) market: MarketUseCases,
    pub(crate) alerts: MemoryNotifications,
    pub(crate) candles: Arc<MemoryCandles>,
    pub(crate) clock: Arc<StoppedClock>,
    answers: AnswerQuestion,
}

impl Desk {
    /// That knows nothing, with this model.
    pub(crate) fn empty(model: Option<Arc<dyn Assistant>>, pause: Arc<dyn Pause>) -> Self {
        let clock = Arc::new(StoppedClock::at(NOON));
        let (prices, candles) = (Arc::<ShownPrices>::default(), Arc::<MemoryCandles>::default());
        let market = MarketUseCases::new(MarketAdapters {
            prices: Arc::clone(&prices) as _,
            candles: Arc::clone(&candles) as _,
            periods: BulletinPeriods::default(),
            asks_for_news: true,
            clock: Arc::clone(&clock) as _,
        });
        let alerts = MemoryNotifications::default();
        let answers = AnswerQuestion::new(AnswerParts {
            market: market.clone(),
            alerts: Arc::new(alerts.clone()),
            model,
            clock: Arc::clone(&clock) as Arc<dyn Clock>,
            pause,
        });
        Self { prices, market, alerts, candles, clock, answers }
    }

    /// That knows the market of the table.
    pub(crate) fn with(model: Option<Arc<dyn Assistant>>) -> Self {
        let desk = Self::empty(model, Arc::new(TokioPause));
        desk.learn();
        desk
    }

    pub(crate) fn learn(&self) {
        self.prices.show(tick());
        let fetched_at = NOON - Duration::minutes(4);
        let article = |title: &str, hours: i64| Article {
            title: title.into(),
            url: "https://news.example/1".into(),
            publisher: "The Daily Block".into(),
            summary: None,
            published_at: Some(NOON - Duration::hours(hours)),
        };
        let articles = [
            article("Bitcoin miners switch off old machines", 3),
            article("Regulators <b>publish</b> a paper", 5),
            article("Solana validators vote on fees", 7),
            article("Exchanges report a quiet week", 9),
        ];
        let bulletins = &self.market.bulletins;
        bulletins.take_news(Bulletin { content: News { source: NewsSource::NewsApi, articles: articles.into() }, fetched_at });
        let index = FearGreed { value: 72, label: "Greed".into(), as_of: NOON - Duration::hours(12), next_at: None };
        bulletins.take_fear_greed(Bulletin { content: index, fetched_at });
        let totals = MarketTotals {
            market_cap: number("3412000000000"),
            volume_24h: number("152300000000"),
            bitcoin_dominance: Percent::new(number("56.314")),
            active_assets: 17_321,
            as_of: NOON - Duration::minutes(5),
            source: Source::CoinGecko,
        };
        bulletins.take_totals(Bulletin { content: totals, fetched_at });
        let searched = TrendingAsset {
            id: "pepe".into(),
            symbol: symbol("PEPE"),
            name: "Pepe".into(),
            price: Some(price("0.0000123")),
            change_24h: Some(Percent::new(number("4.2"))),
            rank: Some(31),
        };
        bulletins
            .take_trending(Bulletin { content: Trending { assets: [searched].into(), source: Source::CoinGecko }, fetched_at });
    }

    /// A week of Bitcoin's hours: from 90,000 on, once at 99,999.5, once at 88,000.
    pub(crate) async fn remember_a_week(&self) {
        let hour = |n: i64| {
            let candle = Candle {
                high: price(if n == 60 { "99999.5" } else { "97000" }),
                low: price(if n == 90 { "88000" } else { "90000" }),
                ..Candle::first(Interval::Hour.open_of(NOON) - Duration::hours(n), price("90000"))
            };
            CandleRecord { symbol: symbol("BTC"), candle, origin: CandleOrigin::Ticks }
        };
        self.candles.record(Interval::Hour, &(0..=168).map(hour).collect::<Vec<_>>()).await.unwrap();
    }

    /// Three minutes of Bitcoin, all at its price of now.
    pub(crate) async fn remember_three_minutes(&self) {
        let minute = |n: i64| {
            let candle = Candle::first(Interval::Minute.open_of(NOON) - Duration::minutes(n), price(MARKET[0].2));
            CandleRecord { symbol: symbol("BTC"), candle, origin: CandleOrigin::Ticks }
        };
        self.candles.record(Interval::Minute, &(0..=3).map(minute).collect::<Vec<_>>()).await.unwrap();
    }

    /// What a server knows that started in the last minute: that minute, and what is made of it.
    pub(crate) async fn remember_the_last_minute(&self) {
        for interval in Interval::ALL {
            let candle = Candle::first(interval.open_of(NOON - Duration::SECOND), price("96000"));
            let candle = CandleRecord { symbol: symbol("BTC"), candle, origin: CandleOrigin::Ticks };
            self.candles.record(interval, &[candle]).await.unwrap();
        }
    }

    pub(crate) async fn ask(&self, text: &str) -> Answer {
        self.ask_as(None, text, &[]).await
    }

    pub(crate) async fn ask_after(&self, history: Vec<Turn>, text: &str) -> Answer {
        self.answers.execute(Asked { text: text.into(), alerts_of: None, history }).await
    }

    pub(crate) async fn ask_as(&self, user: Option<UserId>, text: &str, before: &[&str]) -> Answer {
        let turn = |text: &&str| Turn { speaker: Speaker::User, text: (*text).into(), at: NOON };
        self.answers.execute(Asked { text: text.into(), alerts_of: user, history: before.iter().map(turn).collect() }).await
    }
}

/// How old what is answered is.
pub(crate) fn as_of(age: Duration) -> OffsetDateTime {
    NOON - age
}
