//! Which question a text is.

use super::*;

fn read(text: &str) -> Question {
    Question::read(text, None, &Directory::of(&[]))
}

#[test]
fn each_intent_is_known_by_its_words() {
    for (text, expected) in [
        ("what is the price of bitcoin", Intent::Price),
        ("how much is eth?", Intent::Price),
        ("what's BTC at", Intent::Unknown),
        ("how is SOL doing today", Intent::Change),
        ("is doge up or down", Intent::Change),
        ("24h high and low of btc", Intent::Range),
        ("market cap of xrp", Intent::Size),
        ("what rank is cardano", Intent::Size),
        ("market summary", Intent::Summary),
        ("how is the market", Intent::Summary),
        ("top gainers", Intent::Gainers),
        ("worst performers", Intent::Losers),
        ("biggest winners and losers", Intent::Movers),
        ("any news about bitcoin?", Intent::News),
        ("fear and greed index", Intent::Mood),
        ("what's trending", Intent::Trending),
        ("compare btc and eth", Intent::Compare),
        ("btc vs eth", Intent::Compare),
        ("how much is 2.5 ETH in USD", Intent::Convert),
        ("btc in eth", Intent::Convert),
        ("show my alerts", Intent::Alerts),
        ("should i buy bitcoin", Intent::Advice),
        ("will btc hit 100k", Intent::Forecast),
        ("where does your data come from", Intent::Origin),
        ("what can you do", Intent::Help),
        ("hello!", Intent::Greeting),
        ("thanks a lot", Intent::Thanks),
        ("write me a poem", Intent::Unknown),
        ("", Intent::Unknown),
    ] {
        assert_eq!(read(text).intent, expected, "{text}");
    }
}

#[test]
fn amounts_are_converted_from_what_they_are_of() {
    let asset = |symbol: &str| Unit::Asset(crate::market::Symbol::try_new(symbol).unwrap());
    for (text, amount, from, to) in [
        ("how much is 2.5 ETH in USD", "2.5", asset("ETH"), Unit::Dollars),
        ("1 BTC in ETH", "1", asset("BTC"), asset("ETH")),
        ("how many eth is 1 btc", "1", asset("BTC"), asset("ETH")),
        ("how much bitcoin can I get for $500", "500", Unit::Dollars, asset("BTC")),
        ("convert 1,000 usd to sol", "1000", Unit::Dollars, asset("SOL")),
        ("$5k of eth", "5000", Unit::Dollars, asset("ETH")),
        ("2 million doge", "2000000", asset("DOGE"), Unit::Dollars),
        ("half a bitcoin in dollars", "0.5", asset("BTC"), Unit::Dollars),
        ("what is one bitcoin worth", "1", asset("BTC"), Unit::Dollars),
        ("0.1btc", "0.1", asset("BTC"), Unit::Dollars),
        ("convert eth to btc", "1", asset("ETH"), asset("BTC")),
        ("how many eth in a btc", "1", asset("BTC"), asset("ETH")),
    ] {
        let question = read(text);
        let expected = Conversion { amount: amount.parse().unwrap(), from, to };
        assert_eq!((question.intent, question.conversion), (Intent::Convert, Some(expected)), "{text}");
    }
    for text in ["btc 24 h", "btc 7 days", "top 5 coins", "is btc above 100000"] {
        assert_ne!(read(text).intent, Intent::Convert, "{text}");
    }
}

#[test]
fn a_question_that_leans_on_the_one_before_is_read_in_its_light() {
    let directory = Directory::of(&[]);
    let follow = |text: &str, before: &str| Question::read(text, Some(before), &directory);
    let symbols = |question: &Question| question.assets.iter().map(|symbol| symbol.as_str().to_owned()).collect::<Vec<_>>();
    let eth = follow("and ETH?", "what is the range of bitcoin");
    assert_eq!((eth.intent, symbols(&eth)), (Intent::Range, vec!["ETH".to_owned()]));
    let range = follow("what about its range?", "price of sol");
    assert_eq!((range.intent, symbols(&range)), (Intent::Range, vec!["SOL".to_owned()]));
    let week = follow("over 7 days?", "how did btc change");
    assert_eq!((week.intent, week.period.map(Period::name)), (Intent::Change, Some("7 days".to_owned())));
    let own = follow("price of doge", "range of btc");
    assert_eq!((own.intent, symbols(&own)), (Intent::Price, vec!["DOGE".to_owned()]));
}

#[test]
fn counts_are_read_and_bounded() {
    assert_eq!(read("top 3 gainers").count, Some(3));
    assert_eq!(read("5 headlines please").count, Some(5));
    assert_eq!(read("top 1000 gainers").count, None);
    assert_eq!(read("top gainers in 24 hours").count, None);
}
