//! The market's mood from several inputs, each with its weight: what is old weighs half, what is missing nothing, and both are told.

use std::sync::Arc;

use rust_decimal::Decimal;
use time::{Duration, OffsetDateTime};

use super::{
    super::{Article, FearGreed, News, NewsSource, Percent},
    Score, lexicon,
    score::places,
};

/// What the market's mood is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum InputName {
    /// The mood of recent headlines, by the list of words.
    Headlines,
    /// Alternative.me's index.
    FearGreed,
    /// Bitcoin's change over 24 hours.
    Momentum,
}

impl InputName {
    /// All of them, in the order they are told.
    pub const ALL: [Self; 3] = [Self::Headlines, Self::FearGreed, Self::Momentum];

    /// The name on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Headlines => "headlines",
            Self::FearGreed => "fear_greed",
            Self::Momentum => "momentum",
        }
    }

    /// Its share of the mood when all inputs are there and fresh, in hundredths.
    #[must_use]
    pub const fn share(self) -> u32 {
        match self {
            Self::Headlines => 40,
            Self::FearGreed => 35,
            Self::Momentum => 25,
        }
    }
}

/// What one input says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    /// Which input.
    pub name: InputName,
    /// Its mood.
    pub score: Score,
    /// Its mood in a word: the provider's own, where it has one.
    pub label: Arc<str>,
    /// Who says so.
    pub source: &'static str,
    /// How old it is by its source.
    pub as_of: OffsetDateTime,
    /// Older than it should be: it weighs half.
    pub stale: bool,
    /// The figure it is made from: headlines, points of the index, percent.
    pub value: Decimal,
}

/// One input, and how much it weighs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SentimentInput {
    /// What it says.
    pub evidence: Evidence,
    /// Its share of the whole, to four decimal places.
    pub weight: Decimal,
    /// Its age.
    pub age: Duration,
}

/// A score and how sure it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MarketMood {
    /// The mood.
    pub score: Score,
    /// How much of what should be known is known and fresh, times how much it agrees: 0 to 1.
    pub confidence: Decimal,
}

/// The market's mood and what it is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sentiment {
    /// The whole.
    pub mood: MarketMood,
    /// What it is made of, in the order of [`InputName::ALL`]; never empty.
    pub inputs: Vec<SentimentInput>,
    /// What is not known.
    pub missing: Vec<InputName>,
    /// The moment it is told for.
    pub at: OffsetDateTime,
}

/// Headlines older than this are no news.
const RECENT: Duration = Duration::hours(72);
/// Clocks of publishers may be ahead by this much.
const AHEAD: Duration = Duration::hours(1);
/// The most headlines that count, the newest.
const MOST_HEADLINES: usize = 50;
/// News are fetched every quarter of an hour.
const NEWS_FRESH: Duration = Duration::hours(1);
/// The index is one of a day; some hours may pass before the next one.
const INDEX_FRESH: Duration = Duration::hours(36);
/// After it the index says nothing of today.
const INDEX_KEPT: Duration = Duration::days(7);
/// A change over 24 hours says nothing a day later.
const MOMENTUM_KEPT: Duration = Duration::hours(24);
/// The change of a day that is as good as can be, in percent.
const FULL_CHANGE: Decimal = Decimal::TEN;

/// What recent headlines say together: the mean of those that say something. Primers are no news; `None` where no headline says anything.
#[must_use]
pub fn of_headlines(news: &News, fetched_at: OffsetDateTime, now: OffsetDateTime) -> Option<Evidence> {
    if news.source == NewsSource::Curated {
        return None;
    }
    let mut recent: Vec<_> = news.articles.iter().filter_map(|article| Some((recent_at(article, now)?, article))).collect();
    recent.sort_by(|(a_at, a), (b_at, b)| b_at.cmp(a_at).then_with(|| a.title.cmp(&b.title)));
    recent.truncate(MOST_HEADLINES);
    let newest = recent.first()?.0;
    let readings = recent.iter().map(|(_, article)| lexicon::read(&article.title));
    let scores: Vec<_> = readings.filter(lexicon::Reading::says_something).map(|reading| reading.score.value()).collect();
    let count = Decimal::from(scores.len());
    let score = Score::new(scores.iter().sum::<Decimal>().checked_div(count)?);
    Some(Evidence {
        name: InputName::Headlines,
        score,
        label: score.mood().name().into(),
        source: "newsapi",
        as_of: newest.min(now),
        stale: now - fetched_at > NEWS_FRESH,
        value: count,
    })
}

fn recent_at(article: &Article, now: OffsetDateTime) -> Option<OffsetDateTime> {
    article.published_at.filter(|at| *at <= now + AHEAD && now - *at <= RECENT)
}

/// What the index says: 50 is neither fear nor greed.
#[must_use]
pub fn of_fear_greed(index: &FearGreed, now: OffsetDateTime) -> Option<Evidence> {
    let age = now - index.as_of;
    let fifty = Decimal::from(50);
    let value = Decimal::from(index.value);
    (age <= INDEX_KEPT).then(|| Evidence {
        name: InputName::FearGreed,
        score: Score::new((value - fifty) / fifty),
        label: Arc::clone(&index.label),
        source: "alternative.me",
        as_of: index.as_of,
        stale: age > INDEX_FRESH,
        value,
    })
}

/// What a change over 24 hours says: ten percent are as good as can be.
#[must_use]
pub fn of_momentum(
    change: Percent,
    source: super::super::Source,
    (as_of, stale): (OffsetDateTime, bool),
    now: OffsetDateTime,
) -> Option<Evidence> {
    let value = change.value();
    let score = Score::new(value.clamp(-FULL_CHANGE, FULL_CHANGE) / FULL_CHANGE);
    (now - as_of <= MOMENTUM_KEPT).then(|| Evidence {
        name: InputName::Momentum,
        score,
        label: score.mood().name().into(),
        source: source.name(),
        as_of,
        stale,
        value,
    })
}

/// The market's mood by `evidence`, at most one of each name; `None` where there is none.
#[must_use]
pub fn compose(evidence: Vec<Evidence>, now: OffsetDateTime) -> Option<Sentiment> {
    let mut known: Vec<_> = evidence.into_iter().map(|evidence| (half_shares(&evidence), evidence)).collect();
    known.sort_by_key(|(_, evidence)| evidence.name);
    known.dedup_by_key(|(_, evidence)| evidence.name);
    let total: Decimal = known.iter().map(|(shares, _)| *shares).sum();
    let sum: Decimal = known.iter().map(|(shares, evidence)| *shares * evidence.score.value()).sum();
    let all: Decimal = known.iter().map(|(shares, evidence)| *shares * evidence.score.value().abs()).sum();
    let score = Score::new(sum.checked_div(total)?);
    // Where all say that it is neither, they agree.
    let agreement = sum.abs().checked_div(all).unwrap_or(Decimal::ONE);
    let whole: u32 = InputName::ALL.iter().map(|name| 2 * name.share()).sum();
    let confidence = places(total / Decimal::from(whole) * agreement);
    let missing = InputName::ALL.into_iter().filter(|name| known.iter().all(|(_, evidence)| evidence.name != *name)).collect();
    let inputs = known.into_iter().map(|(shares, evidence)| SentimentInput {
        weight: places(shares / total),
        age: (now - evidence.as_of).max(Duration::ZERO),
        evidence,
    });
    Some(Sentiment { mood: MarketMood { score, confidence }, inputs: inputs.collect(), missing, at: now })
}

/// Halves of hundredths: what is stale has one of the two.
fn half_shares(evidence: &Evidence) -> Decimal {
    Decimal::from(evidence.name.share() * if evidence.stale { 1 } else { 2 })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::market::{Source, sentiment::Mood};
    use proptest::prelude::*;
    use time::macros::datetime;

    const NOW: OffsetDateTime = datetime!(2026-01-02 12:00 UTC);

    fn article(title: &str, published_at: Option<OffsetDateTime>) -> Article {
        Article {
            title: title.into(),
            url: "https://example.com/".into(),
            publisher: "Example".into(),
            summary: None,
            published_at,
        }
    }

    fn news(source: NewsSource, articles: Vec<Article>) -> News {
        News { source, articles: articles.into() }
    }

    fn index(value: u8, age: Duration) -> Option<Evidence> {
        of_fear_greed(&FearGreed { value, label: "Greed".into(), as_of: NOW - age, next_at: None }, NOW)
    }

    fn momentum(percent: &str, age: Duration) -> Option<Evidence> {
        of_momentum(Percent::new(percent.parse().unwrap()), Source::CoinGecko, (NOW - age, false), NOW)
    }

    fn headlines(titles: &[&str]) -> Option<Evidence> {
        let articles = titles.iter().map(|title| article(title, Some(NOW - Duration::HOUR))).collect();
        of_headlines(&news(NewsSource::NewsApi, articles), NOW, NOW)
    }

    fn told(evidence: &Evidence) -> (String, &str, bool) {
        (evidence.score.value().to_string(), &evidence.label, evidence.stale)
    }

    #[test]
    fn primers_and_old_undated_or_future_articles_are_no_news() {
        let good = "Bitcoin soars";
        let recent = Some(NOW - Duration::HOUR);
        assert_eq!(of_headlines(&news(NewsSource::Curated, vec![article(good, recent)]), NOW, NOW), None);
        for at in [None, Some(NOW - Duration::hours(73)), Some(NOW + Duration::hours(2))] {
            assert_eq!(of_headlines(&news(NewsSource::NewsApi, vec![article(good, at)]), NOW, NOW), None, "{at:?}");
        }
        assert!(of_headlines(&news(NewsSource::NewsApi, vec![article(good, recent)]), NOW, NOW).is_some());
    }

    #[test]
    fn headlines_that_say_nothing_are_not_counted() {
        let alone = headlines(&["Bitcoin soars"]).unwrap();
        let among = headlines(&["What to know this week", "Bitcoin soars", "Museum shows Roman coins"]).unwrap();
        assert_eq!((told(&alone), alone.value), (told(&among), among.value));
        assert_eq!(told(&alone), ("0.4286".to_owned(), "positive", false));
        assert_eq!(headlines(&["Museum shows Roman coins"]), None);
        assert_eq!(headlines(&["Bitcoin soars", "Ether plunges"]).unwrap().score, Score::NEUTRAL);
    }

    #[test]
    fn news_that_were_not_fetched_for_an_hour_are_stale() {
        let news = news(NewsSource::NewsApi, vec![article("Bitcoin soars", Some(NOW - Duration::hours(30)))]);
        assert!(!of_headlines(&news, NOW - Duration::HOUR, NOW).unwrap().stale);
        assert!(of_headlines(&news, NOW - Duration::minutes(61), NOW).unwrap().stale);
    }

    #[test]
    fn the_index_keeps_its_own_word_and_its_middle_is_neither() {
        for (value, score) in [(0, "-1"), (20, "-0.6"), (50, "0"), (75, "0.5"), (100, "1")] {
            assert_eq!(told(&index(value, Duration::HOUR).unwrap()), (score.to_owned(), "Greed", false), "{value}");
        }
        assert!(index(50, Duration::hours(37)).unwrap().stale);
        assert_eq!(index(50, Duration::days(8)), None);
    }

    #[test]
    fn ten_percent_in_a_day_are_as_good_as_can_be() {
        for (percent, score, label) in [("2.5", "0.25", "positive"), ("-25", "-1", "very_negative"), ("0", "0", "neutral")] {
            assert_eq!(told(&momentum(percent, Duration::MINUTE).unwrap()), (score.to_owned(), label, false), "{percent}");
        }
        assert_eq!(momentum("1", Duration::hours(25)), None);
    }

    #[test]
    fn all_three_weigh_their_shares() {
        let evidence = [index(75, Duration::HOUR), momentum("2", Duration::MINUTE), headlines(&["Bitcoin soars"])];
        let sentiment = compose(evidence.into_iter().flatten().collect(), NOW).unwrap();
        // 0.4 x 0.4286 + 0.35 x 0.5 + 0.25 x 0.2
        assert_eq!(sentiment.mood.score.value().to_string(), "0.3964");
        assert_eq!((sentiment.mood.confidence, sentiment.mood.score.mood()), (Decimal::ONE, Mood::Positive));
        let weights: Vec<_> = sentiment.inputs.iter().map(|input| (input.evidence.name, input.weight.to_string())).collect();
        let of = |name, weight: &str| (name, weight.to_owned());
        assert_eq!(weights, [of(InputName::Headlines, "0.4"), of(InputName::FearGreed, "0.35"), of(InputName::Momentum, "0.25")]);
        assert_eq!((sentiment.missing, sentiment.inputs[1].age), (vec![], Duration::HOUR));
    }

    #[test]
    fn what_is_missing_is_named_and_the_others_weigh_more() {
        let evidence = [index(75, Duration::HOUR), momentum("-2", Duration::MINUTE)];
        let sentiment = compose(evidence.into_iter().flatten().collect(), NOW).unwrap();
        // 0.35/0.6 x 0.5 - 0.25/0.6 x 0.2; known are 60 of 100, of which 0.125 of 0.225 agree.
        assert_eq!(sentiment.mood.score.value().to_string(), "0.2083");
        assert_eq!(sentiment.mood.confidence.to_string(), "0.3333");
        assert_eq!(sentiment.missing, [InputName::Headlines]);
        assert_eq!(sentiment.inputs.iter().map(|input| input.weight.to_string()).collect::<Vec<_>>(), ["0.5833", "0.4167"]);
        assert_eq!(compose(vec![], NOW), None);
    }

    #[test]
    fn what_is_stale_weighs_half_and_is_less_sure() {
        let evidence = || [index(100, Duration::hours(40)), momentum("10", Duration::MINUTE)].into_iter().flatten().collect();
        let sentiment = compose(evidence(), NOW).unwrap();
        // 17.5 and 25 of what is known, 42.5 of 100.
        assert_eq!(sentiment.inputs[0].weight.to_string(), "0.4118");
        assert_eq!((sentiment.inputs[0].evidence.stale, sentiment.mood.confidence.to_string().as_str()), (true, "0.425"));
    }

    proptest! {
        #[test]
        fn weights_make_one_and_the_score_lies_between_the_inputs(
            value in prop::option::of(0..=100_u8), hours in 0..200_i64, percent in prop::option::of(-5_000..5_000_i64), good in any::<bool>(),
        ) {
            let evidence: Vec<_> = [
                value.and_then(|value| index(value, Duration::hours(hours))),
                percent.and_then(|percent| momentum(&Decimal::new(percent, 2).to_string(), Duration::hours(hours))),
                headlines(&[if good { "Bitcoin soars" } else { "Museum shows coins" }]),
            ].into_iter().flatten().collect();
            let scores: Vec<_> = evidence.iter().map(|evidence| evidence.score).collect();
            let Some(sentiment) = compose(evidence, NOW) else { return Ok(()) };
            let sum: Decimal = sentiment.inputs.iter().map(|input| input.weight).sum();
            prop_assert!((sum - Decimal::ONE).abs() <= Decimal::new(2, 4));
            prop_assert!(scores.iter().min() <= Some(&sentiment.mood.score) && Some(&sentiment.mood.score) <= scores.iter().max());
            prop_assert!(sentiment.mood.confidence >= Decimal::ZERO && sentiment.mood.confidence <= Decimal::ONE);
            prop_assert_eq!(sentiment.inputs.len() + sentiment.missing.len(), 3);
        }
    }
}
