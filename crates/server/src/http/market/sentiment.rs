//! `GET /api/bitcoin/sentiment`: the market's mood and what it is made of. `POST /api/bitcoin/analyze`: the mood of a text.

use actix_web::{HttpResponse, web::Data};
use coinlink_application::market::{AnalyzeText, AnalyzeTextError, ReadSentiment};
use coinlink_domain::market::sentiment::{InputName, LEXICON_VERSION, MAX_CHARS, Reading, Sentiment, SentimentInput};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    http::{ApiError, Conditional, conditional::Unchanged, error_codes, json_object::JsonObject, private::private},
    wire::{exact, rfc3339},
};

/// Its slowest part is of a day, its fastest moves a little in a minute.
const CACHE: &str = "public, max-age=60";
/// Prices come every few seconds once they come at all.
const RETRY_SECS: u32 = 5;

/// A mood, for the document.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
#[expect(dead_code, reason = "bodies hold the mood's own name")]
pub(in crate::http) enum MoodName {
    VeryNegative,
    Negative,
    Neutral,
    Positive,
    VeryPositive,
}

/// An input, for the document.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
#[expect(dead_code, reason = "bodies hold the input's own name")]
pub(in crate::http) enum InputKind {
    Headlines,
    FearGreed,
    Momentum,
}

/// The market's mood.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct SentimentBody {
    /// The mood.
    data: SentimentData,
    /// When it was put together, RFC 3339: the same for ten seconds, unless an input is newer.
    #[schema(format = DateTime)]
    timestamp: String,
}

/// The market's mood, and what it is made of.
#[derive(Serialize, ToSchema)]
struct SentimentData {
    /// From -1 to 1: the mean of the inputs by their weights.
    #[serde(serialize_with = "exact")]
    #[schema(value_type = f64, minimum = -1, maximum = 1)]
    score: Decimal,
    /// The score in a word: from 0.15 on positive, from 0.6 on very positive, and the same below zero.
    #[schema(value_type = MoodName)]
    label: &'static str,
    /// From 0 to 1: how much of what should be known is known and fresh, times how far the inputs agree.
    #[serde(serialize_with = "exact")]
    #[schema(value_type = f64, minimum = 0, maximum = 1)]
    confidence: Decimal,
    /// How it is made: `weighted_mean`.
    method: &'static str,
    /// The list of words that headlines are read by.
    version: &'static str,
    /// Where it is made: `coinlink`. Each input names its own source.
    source: &'static str,
    /// What it is made of.
    #[schema(min_items = 1, max_items = 3)]
    inputs: Vec<InputBody>,
    /// What is not known, so that the others weigh more.
    #[schema(value_type = Vec<InputKind>, max_items = 2)]
    missing: Vec<&'static str>,
}

/// One input.
#[derive(Serialize, ToSchema)]
struct InputBody {
    /// `headlines`: recent news by the list of words. `fear_greed`: alternative.me's index. `momentum`: bitcoin's change over 24 hours.
    #[schema(value_type = InputKind)]
    name: &'static str,
    /// Its share of the whole; those of all inputs are 1 together. What is stale has half of its share.
    #[serde(serialize_with = "exact")]
    #[schema(value_type = f64, minimum = 0, maximum = 1)]
    weight: Decimal,
    /// From -1 to 1.
    #[serde(serialize_with = "exact")]
    #[schema(value_type = f64, minimum = -1, maximum = 1)]
    score: Decimal,
    /// Its mood in a word; of `fear_greed` the provider's own.
    label: String,
    /// What the score is made from: how many headlines said something, the index from 0 to 100, or percent.
    #[serde(serialize_with = "exact")]
    #[schema(value_type = f64)]
    value: Decimal,
    /// Who says so.
    source: &'static str,
    /// When it was so, RFC 3339.
    #[schema(format = DateTime)]
    as_of: String,
    /// Seconds between `as_of` and `timestamp`.
    #[schema(minimum = 0)]
    age_seconds: i64,
    /// Older than it should be.
    stale: bool,
}

impl From<&Sentiment> for SentimentBody {
    fn from(sentiment: &Sentiment) -> Self {
        let mood = sentiment.mood;
        let data = SentimentData {
            score: mood.score.value(),
            label: mood.score.mood().name(),
            confidence: mood.confidence,
            method: "weighted_mean",
            version: LEXICON_VERSION,
            source: "coinlink",
            inputs: sentiment.inputs.iter().map(InputBody::from).collect(),
            missing: sentiment.missing.iter().copied().map(InputName::name).collect(),
        };
        Self { data, timestamp: rfc3339(sentiment.at) }
    }
}

impl From<&SentimentInput> for InputBody {
    fn from(SentimentInput { evidence, weight, age }: &SentimentInput) -> Self {
        Self {
            name: evidence.name.name(),
            weight: *weight,
            score: evidence.score.value(),
            label: evidence.label.to_string(),
            value: evidence.value,
            source: evidence.source,
            as_of: rfc3339(evidence.as_of),
            age_seconds: age.whole_seconds(),
            stale: evidence.stale,
        }
    }
}

/// The market's mood.
///
/// Recent headlines, the Fear & Greed index and bitcoin's change over 24 hours, each with its weight. What is not known is named.
#[utoipa::path(
    get,
    path = "/api/bitcoin/sentiment",
    tag = "market",
    responses(
        (status = 200, description = "The mood", body = SentimentBody),
        Unchanged,
        (status = 503, description = "`not_known_yet`: none of the inputs was ever known")
    )
)]
pub(in crate::http) async fn sentiment(use_case: Data<ReadSentiment>) -> Result<Conditional, ApiError> {
    match use_case.execute() {
        Some(sentiment) => Ok(Conditional::shared("sentiment", &SentimentBody::from(&sentiment), CACHE)),
        None => Err(ApiError::new(error_codes::NOT_KNOWN_YET).retry_after(RETRY_SECS)),
    }
}

/// A text to read.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"text": "Bitcoin rallies to a new high as ETF inflows grow"}))]
pub(in crate::http) struct AnalyzeBody {
    /// English; 1 to 10,000 characters, and not of space and control characters alone.
    #[schema(min_length = 1, max_length = 10000, pattern = "[^\\x00-\\x20\\x7f-\\x9f\\s]")]
    text: String,
}

/// A text's mood.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct AnalysisBody {
    /// The score in a word.
    #[schema(value_type = MoodName)]
    sentiment: &'static str,
    /// From -1 to 1.
    #[serde(serialize_with = "exact")]
    #[schema(value_type = f64, minimum = -1, maximum = 1)]
    score: Decimal,
    /// 0 where no word of the list was found, towards 1 the more of them agree.
    #[serde(serialize_with = "exact")]
    #[schema(value_type = f64, minimum = 0, maximum = 1)]
    confidence: Decimal,
    /// The words that counted, as they were found.
    #[schema(max_items = 20)]
    keywords: Vec<String>,
    /// `baseline`: a list of words and how they are read together.
    model: &'static str,
    /// The version of the list.
    version: &'static str,
}

impl From<Reading> for AnalysisBody {
    fn from(reading: Reading) -> Self {
        Self {
            sentiment: reading.score.mood().name(),
            score: reading.score.value(),
            confidence: reading.confidence,
            keywords: reading.keywords,
            model: "baseline",
            version: LEXICON_VERSION,
        }
    }
}

/// The mood of a text about markets.
///
/// By a list of English words: the same text always gets the same answer. Nothing is kept of it.
#[utoipa::path(
    post,
    path = "/api/bitcoin/analyze",
    tag = "market",
    request_body = AnalyzeBody,
    responses(
        (status = 200, description = "Its mood", body = AnalysisBody),
        (status = 400, description = "`invalid_json`, `invalid_input`: no text, or too much of it")
    )
)]
pub(in crate::http) async fn analyze(
    JsonObject(body): JsonObject<AnalyzeBody>,
    use_case: Data<AnalyzeText>,
) -> Result<HttpResponse, ApiError> {
    let refused = |why: String| ApiError::invalid_input("text", why);
    let reading = use_case.execute(&body.text).map_err(|error| match error {
        AnalyzeTextError::Empty => refused("is empty".to_owned()),
        AnalyzeTextError::TooLong => refused(format!("has more than {MAX_CHARS} characters")),
    })?;
    Ok(private(AnalysisBody::from(reading)))
}
