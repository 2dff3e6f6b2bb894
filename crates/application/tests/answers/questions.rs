//! A hundred questions, and the facts that their answers hold. Every expected figure follows from the table in `support`.

use coinlink_application::assistant::BASELINE;
use coinlink_domain::{
    assistant::{Reply, Scene, prompts},
    market::{Price, Symbol},
    notifications::alerts::{AlertCondition, AlertRule, AlertRuleId},
    shared::user_id::UserId,
};
use coinlink_ports::notifications::NotificationsStore as _;
use coinlink_testkit::market::NOON;
use rust_decimal::Decimal;
use time::Duration;
use uuid::Uuid;

use super::support::{AGE, Desk, MARKET, as_of, number};

/// What the front end shows of a row's price.
fn shown(symbol: &str) -> &'static str {
    match symbol {
        "BTC" => "$97,012.34",
        "ETH" => "$3,500.00",
        "XRP" => "$2.20",
        "SOL" => "$146.02",
        "DOGE" => "$0.1235",
        "LINK" => "$14.50",
        "NEAR" => "$3.10",
        "SHIB" => "$5.94e-6",
        "ADA" => "$0.4500",
        _ => unreachable!("no question asks for it"),
    }
}

/// A row's price.
fn usd(symbol: &str) -> Decimal {
    number(MARKET.iter().find(|row| row.0 == symbol).unwrap().2)
}

fn facts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

/// Price, age and source, as after every price.
fn priced(symbol: &str) -> Vec<String> {
    facts(&[shown(symbol), "3 s ago, CoinGecko"])
}

fn and(mut facts: Vec<String>, more: &[&str]) -> Vec<String> {
    facts.extend(more.iter().map(|text| (*text).to_owned()));
    facts
}

/// The questions.
fn questions() -> Vec<(&'static str, Vec<String>)> {
    let product = |amount: &str, symbol: &str| (number(amount) * usd(symbol)).round_dp(2);
    let grouped = |whole: &str, rest: Decimal| format!("${whole},{:06.2}", rest % Decimal::ONE_THOUSAND);
    let bitcoins_in_ether = (usd("BTC") / usd("ETH")).round_dp(6).normalize();
    vec![
        ("What is the price of Bitcoin?", and(priced("BTC"), &["Bitcoin (BTC)", "+1.25%"])),
        ("btc price", priced("BTC")),
        ("$BTC", priced("BTC")),
        ("how much is ETH", and(priced("ETH"), &["-0.80%"])),
        ("what's ethereum trading at right now?", priced("ETH")),
        ("price of solana and dogecoin", and(priced("SOL"), &[shown("DOGE"), "+5.50%", "-3.21%"])),
        ("shiba inu price", priced("SHIB")),
        ("LINK price please", priced("LINK")),
        ("how much is near", priced("NEAR")),
        ("what is xrp worth?", priced("XRP")),
        ("price of cardano", facts(&[shown("ADA"), "12 min ago, Kraken", "older than it should be"])),
        ("what's the price?", and(priced("BTC"), &["You named no asset"])),
        ("price of foocoin", facts(&["FOOCOIN", "not among the 10 assets"])),
        ("$PEPE price and btc", and(priced("BTC"), &["no price of PEPE"])),
        ("price of bitcoin in euros", and(priced("BTC"), &["US dollars only"])),
        ("how did BTC change today", and(priced("BTC"), &["+1.25% in 24 hours"])),
        ("is eth up or down", and(priced("ETH"), &["-0.80% in 24 hours"])),
        ("how is SOL doing", and(priced("SOL"), &["+5.50% in 24 hours"])),
        ("performance of near over 24h: NEAR", and(priced("NEAR"), &["-7.77% in 24 hours"])),
        ("how did bitcoin do over 7 days? change please", and(priced("BTC"), &["+7.79% in 7 days", "from $90,000.00"])),
        ("eth change this week", and(priced("ETH"), &["no history of 7 days for Ethereum", "-0.80% in 24 hours"])),
        ("did xrp change", and(priced("XRP"), &["do not know how XRP changed"])),
        ("24h high and low of bitcoin", and(priced("BTC"), &["high $98,000.50", "low $95,500.00"])),
        ("what is the range of ETH", and(priced("ETH"), &["high $3,600.00", "low $3,400.25"])),
        ("highest price of sol today", and(priced("SOL"), &["high $150.00"])),
        ("bitcoin's high and low in the last 7 days", and(priced("BTC"), &["high $99,999.50", "low $88,000.00", "last 7 days"])),
        ("range of link: LINK", and(priced("LINK"), &["do not know the range of Chainlink (LINK)"])),
        ("market cap of bitcoin", and(priced("BTC"), &["$1.92T", "#1"])),
        ("eth volume", and(priced("ETH"), &["$18.00B", "$421.00B"])),
        ("what rank is solana", and(priced("SOL"), &["#5"])),
        ("market cap of doge", and(priced("DOGE"), &["market cap not known", "#6"])),
        ("market summary", and(priced("BTC"), &["$3.41T", "$152.30B", "56.31%", "17321 assets", "72 of 100", shown("ETH")])),
        (
            "how is the crypto market today?",
            facts(&["$3.41T", "Of 8 assets 5 rose", "Best: SHIB (+12.30%)", "Worst: NEAR (-7.77%)"]),
        ),
        ("bitcoin dominance", facts(&["Bitcoin's share of the whole market: 56.31%", "5 min ago, CoinGecko"])),
        ("what is eth's market share?", facts(&["56.31%", "of Bitcoin only"])),
        ("top gainers", facts(&["Shiba Inu (SHIB): +12.30%", "Solana (SOL): +5.50%", "3 s ago, CoinGecko"])),
        ("top 1 gainers", facts(&["Rose most in 24 hours:\nShiba Inu (SHIB): +12.30% at $5.94e-6\nPrices of"])),
        ("biggest losers", facts(&["NEAR Protocol (NEAR): -7.77% at $3.10", "Dogecoin (DOGE): -3.21%"])),
        ("winners and losers", facts(&["SHIB", "NEAR", "Rose most", "Fell most"])),
        ("latest news", facts(&["Bitcoin miners switch off old machines (The Daily Block, 3 h ago)", "NewsAPI", "4 min ago"])),
        ("any news about solana?", facts(&["Solana validators vote on fees (The Daily Block, 7 h ago)"])),
        (
            "top 1 news",
            facts(&["The latest headlines:\nBitcoin miners switch off old machines (The Daily Block, 3 h ago)\nFetched"]),
        ),
        ("fear and greed index", facts(&["72 of 100", "Greed", "Alternative.me"])),
        ("what is the market sentiment?", and(priced("BTC"), &["72 of 100", "from -1 to 1"])),
        ("what is trending?", facts(&["Pepe (PEPE), $1.23e-5 (+4.20% in 24 hours)", "4 min ago from CoinGecko"])),
        ("compare btc and eth", and(priced("BTC"), &[shown("ETH"), "BTC did better than ETH, by 2.05 percentage points"])),
        ("SOL vs DOGE", and(priced("SOL"), &[shown("DOGE"), "SOL did better than DOGE, by 8.71 percentage points"])),
        ("which is better, bitcoin or xrp?", and(priced("BTC"), &[shown("XRP")])),
        (
            "how much is 2.5 ETH in USD",
            vec![grouped("8", product("2.5", "ETH")), "1 ETH = $3,500.00, 3 s ago, CoinGecko".to_owned()],
        ),
        ("1 BTC in ETH", vec![format!("1 BTC = {bitcoins_in_ether} ETH"), shown("ETH").to_owned()]),
        ("how many eth is one bitcoin", vec![format!("{bitcoins_in_ether} ETH")]),
        ("how much bitcoin can I get for $500", vec![format!("{} BTC", (number("500") / usd("BTC")).round_dp(8))]),
        ("convert 1000 doge to usd", vec![format!("${}", product("1000", "DOGE")), "1,000 DOGE".to_owned()]),
        ("Which alerts do I have?", facts(&["Alerts need an account"])),
        ("should I buy bitcoin now?", and(priced("BTC"), &["I cannot tell you what to do"])),
        ("will eth reach 10000 next year?", and(priced("ETH"), &["Nobody knows what a price will be"])),
        ("where does your data come from?", facts(&["CoinGecko", "3 s ago", "NewsAPI", "Alternative.me"])),
        ("how old is the bitcoin data", facts(&["3 s ago, CoinGecko"])),
        ("what can you do?", facts(&["What is the price of Bitcoin?", "Market summary"])),
        ("hello", and(priced("BTC"), &["Hello"])),
        ("thank you!", facts(&["You are welcome"])),
        ("write me a poem about the sea", facts(&["I did not understand that"])),
    ]
}

/// Questions about another time than now, on a week of Bitcoin's hours; now is noon of 2026-01-01.
fn questions_of_the_past() -> Vec<(&'static str, Vec<String>)> {
    let then = |more: &[&str]| and(priced("BTC"), more);
    vec![
        ("what was the price of bitcoin yesterday?", then(&["on 2025-12-31 (UTC): opened at $90,000.00, closed at $90,000.00"])),
        ("bitcoin price on 2024-01-01", then(&["no price of Bitcoin (BTC) of 2024-01-01"])),
        ("bitcoin price on December 29th, 2025", then(&["on 2025-12-29 (UTC): opened at $90,000.00"])),
        ("bitcoin on 28/12/2025", then(&["on 2025-12-28 (UTC): opened at $90,000.00"])),
        ("bitcoin on 02/03/2025", facts(&["cannot tell which time you mean", "2024-01-31"])),
        ("what was bitcoin worth last monday", facts(&["cannot tell which time you mean"])),
        ("btc price 1 hour ago", then(&["at 2026-01-01 11:00 UTC: $90,000.00", "+7.79% since then"])),
        ("what did BTC cost two days ago?", then(&["at 2025-12-30 12:00 UTC: $90,000.00"])),
        ("how did bitcoin do this week?", then(&["+7.79% in 7 days"])),
        ("how did solana do this week?", and(priced("SOL"), &["no history of 7 days for Solana", "+5.50% in 24 hours"])),
        ("BTC over 7 days?", then(&["+7.79% in 7 days", "from $90,000.00"])),
        ("bitcoin last 30 days", then(&["my history of it begins 7 d ago", "+7.79%"])),
        ("bitcoin's range last 30 days", then(&["my history of it begins 7 d ago", "high $99,999.50"])),
        ("how much was bitcoin in 2017", then(&["no price of Bitcoin (BTC) of 2017"])),
        ("btc in december 2025", then(&["in December 2025 (UTC): opened at $90,000.00"])),
        ("highest price of bitcoin yesterday", then(&["on 2025-12-31 (UTC)", "high $97,000.00"])),
        ("bitcoin price in 2030", then(&["Nobody knows what a price will be"])),
        ("price of btc in 3 months", then(&["Nobody knows what a price will be"])),
        ("btc price on 2031-05-06", then(&["Nobody knows what a price will be"])),
        ("$100 of bitcoin a year ago", facts(&["no price of BTC of then"])),
        ("2 btc in usd yesterday", facts(&["2 BTC = $180,000.00", "on 2025-12-31"])),
        ("all time high of bitcoin", then(&["high $99,999.50", "my history of it begins 7 d ago"])),
        ("ETH ath?", and(priced("ETH"), &["do not know the all-time high"])),
        ("market cap of bitcoin a year ago", facts(&["$1.92T", "not of the time you name"])),
        ("top gainers this week", facts(&["Rose most in 24 hours", "not of the time you name"])),
    ]
}

/// Amounts, unknown names, advice and wishes that are no questions.
fn odd_questions() -> Vec<(&'static str, Vec<String>)> {
    let sum = (usd("BTC") * number("2") + usd("ETH") * number("3")).round_dp(2) - number("204000");
    vec![
        ("1e9 btc", facts(&["1,000,000,000 BTC = $97,012,344,000,000.00"])),
        ("-5 btc", facts(&["more than nothing"])),
        ("99999999999999999999999999999 btc", facts(&["cannot read that amount"])),
        ("2 btc and 3 eth", facts(&["2 BTC = $194,024.69", "3 ETH = $10,500.00"])),
        ("worth of 2 btc and 3 eth", vec![format!("Together: $204,{:06.2}", sum)]),
        ("a million doge", facts(&["1,000,000 DOGE = $123,456.78"])),
        ("a hundred dogecoin in usd", facts(&["100 DOGE = $12.35"])),
        ("100 EUR in BTC", and(priced("BTC"), &["US dollars only", "cannot convert"])),
        ("how many satoshis in one bitcoin", facts(&["1 BTC = 100,000,000 satoshis"])),
        ("50000 sats in usd", facts(&["50,000 satoshis = $48.51"])),
        ("1 BTC in PEPE", facts(&["no price of PEPE"])),
        ("BTC and PEPE", and(priced("BTC"), &["no price of PEPE"])),
        ("bitcoin and pepe", and(priced("BTC"), &["no price of PEPE"])),
        ("price of a pizza", facts(&["no price of PIZZA"])),
        ("best coin to buy", facts(&["I cannot tell you what to do"])),
        ("Is now a good moment to get in on solana", and(priced("SOL"), &["I cannot tell you what to do"])),
        (
            "Set an alert for BTC above 100k",
            and(priced("BTC"), &["I cannot set, change or delete alerts", "/api/v2/user/alerts"]),
        ),
        ("alert me when eth falls below 3000", and(priced("ETH"), &["I cannot set, change or delete alerts"])),
        ("delete my alert", facts(&["I cannot set, change or delete alerts"])),
        ("How do I set a price alert?", facts(&["I cannot set, change or delete alerts"])),
        ("<script>alert(1)</script> price of btc", priced("BTC")),
        ("<img src=x onerror=alert(1)> price of btc", priced("BTC")),
    ]
}

#[tokio::test]
async fn a_hundred_questions_are_answered_with_the_facts() {
    let desk = Desk::with(None);
    desk.remember_a_week().await;
    let questions: Vec<_> = questions().into_iter().chain(questions_of_the_past()).chain(odd_questions()).collect();
    assert!(questions.len() >= 100);
    let mut wrong = Vec::new();
    for (question, facts) in questions {
        let answer = desk.ask(question).await;
        assert!(!facts.is_empty() && facts.iter().all(|fact| !fact.is_empty()), "{question}: nothing is expected");
        for fact in facts {
            if !answer.text.contains(&fact) {
                wrong.push(format!("{question}\nlacks: {fact}\nanswer: {}\n", answer.text));
            }
        }
        assert_eq!(answer.model, BASELINE);
        assert!(!answer.text.to_lowercase().contains("password"), "{question}");
        assert!(!answer.text.contains(['<', '>', '*', '`']), "{question}: {}", answer.text);
        let mut lines: Vec<&str> = answer.text.lines().collect();
        let all = lines.len();
        lines.dedup();
        assert_eq!(lines.len(), all, "{question}: the same line twice: {}", answer.text);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn every_question_that_prompts_bring_up_is_answered() {
    let desk = Desk::with(None);
    let scene = Scene { prices: None, news: None, fear_greed: None, totals: None, trending: None, now: NOON };
    let expected = [
        ("What is the price of bitcoin?", "$97,012.34"),
        ("What are the high and the low of bitcoin today?", "high $98,000.50, low $95,500.00"),
        ("How do I set a price alert?", "I cannot set, change or delete alerts"),
        ("Give me a summary of the market.", "$3.41T"),
        ("What is the market's sentiment?", "72 of 100"),
        ("What is in the news?", "Bitcoin miners switch off old machines"),
        ("Which coins gained most in the last 24 hours?", "Shiba Inu (SHIB): +12.30%"),
        ("Which coins lost most in the last 24 hours?", "NEAR Protocol (NEAR): -7.77%"),
        ("How did ETH change in the last 24 hours?", "-0.80% in 24 hours"),
        ("Compare BTC and ETH.", "BTC did better than ETH"),
        ("Which alerts do I have?", "Alerts need an account"),
        ("What can you tell me?", "You can ask me"),
    ];
    for prompt in prompts(&scene).iter().filter(|prompt| matches!(prompt.subtype, "question" | "alerts")) {
        let (_, fact) =
            expected.iter().find(|(asked, _)| *asked == &*prompt.content).expect("an answer is expected for each prompt");
        let answer = desk.ask(&prompt.content).await;
        assert!(answer.text.contains(fact), "{}\nlacks: {fact}\nanswer: {}", prompt.content, answer.text);
    }
}

#[tokio::test]
async fn a_change_over_a_shorter_history_is_told_as_that_of_the_shorter_time() {
    let desk = Desk::with(None);
    desk.remember_three_minutes().await;
    let answer = desk.ask("how did BTC change last hour").await;
    assert!(
        answer.text.contains("0.00% in the last 3 min") || answer.text.contains("0.00% in the last 180 s"),
        "{}",
        answer.text
    );
    assert!(!answer.text.contains("% in 1 hour"), "{}", answer.text);
    let answer = desk.ask("range of BTC in the last hour").await;
    assert!(!answer.text.contains("last 1 hour:"), "{}", answer.text);
}

#[tokio::test]
async fn a_server_that_has_just_started_does_not_take_its_hour_and_its_day_for_known() {
    let desk = Desk::with(None);
    desk.remember_the_last_minute().await;
    for (question, told) in [
        ("all-time high of BTC", "last 60 s: high $97,012.34, low $96,000.00; my history of it begins 60 s ago"),
        ("How did BTC change this year?", "+1.05% in the last 60 s, from $96,000.00: my history of it begins 60 s ago"),
        ("BTC 1 hour ago", "I know no price of Bitcoin (BTC) of 2026-01-01 11:00 UTC: my history does not hold it"),
        ("BTC 3 months ago", "my history does not hold it"),
        ("BTC on 2025-12-31", "my history does not hold it"),
        ("BTC 1 minute ago", "at 2026-01-01 11:59 UTC: $96,000.00"),
    ] {
        let answer = desk.ask(question).await.text;
        assert!(answer.contains(told), "{question}: {answer}");
    }
}

#[tokio::test]
async fn an_amount_that_cannot_be_counted_is_refused_and_never_dropped() {
    let desk = Desk::with(None);
    for (question, told) in [
        ("99999999999999999999999999999 BTC in USD", "I cannot read that amount"),
        ("1000000000000000000000000 BTC in ETH", "I cannot read that amount"),
        ("1.000.000 DOGE in USD", "I cannot read that amount"),
        ("$-5 of bitcoin", "more than nothing"),
        ("zero BTC in USD", "more than nothing"),
    ] {
        let answer = desk.ask(question).await.text;
        assert!(answer.contains(told) && !answer.contains("1 BTC ="), "{question}: {answer}");
    }
}

#[tokio::test]
async fn without_headlines_the_primers_are_named() {
    let desk = Desk::empty(None, std::sync::Arc::new(coinlink_testkit::shared::TokioPause));
    let answer = desk.ask("news").await;
    assert!(answer.text.contains("I know no headlines right now") && answer.text.contains("primers"), "{}", answer.text);
    assert!(answer.text.lines().count() > 3 && answer.as_of.is_none(), "{}", answer.text);
}

#[tokio::test]
async fn what_a_question_was_about_is_remembered_for_the_next_one() {
    let desk = Desk::with(None);
    let answer = desk.ask_as(None, "and ETH?", &["what is the range of bitcoin"]).await;
    assert!(answer.text.contains("high $3,600.00"), "{}", answer.text);
    let answer = desk.ask_as(None, "what about its volume?", &["price of eth"]).await;
    assert!(answer.text.contains("$18.00B"), "{}", answer.text);
    let answer = desk.ask_as(None, "what is its market cap?", &["price of eth"]).await;
    assert!(answer.text.contains("$421.00B"), "{}", answer.text);
    desk.remember_a_week().await;
    for (question, before, fact) in [
        ("and yesterday?", "price of btc", "on 2025-12-31 (UTC): opened at $90,000.00"),
        ("and over 7 days?", "price of btc", "+7.79% in 7 days"),
        ("and BTC?", "what was the price of eth yesterday", "on 2025-12-31 (UTC): opened at $90,000.00"),
    ] {
        let answer = desk.ask_as(None, question, &[before]).await;
        assert!(answer.text.contains(fact), "{question}: {}", answer.text);
    }
}

#[tokio::test]
async fn an_answer_says_how_old_its_oldest_figure_is() {
    let desk = Desk::with(None);
    assert_eq!(desk.ask("price of btc").await.as_of, Some(as_of(AGE)));
    assert_eq!(desk.ask("price of btc and cardano").await.as_of, Some(as_of(Duration::minutes(12))));
    assert_eq!(desk.ask("thanks").await.as_of, None);
}

#[tokio::test]
async fn what_is_not_known_is_said_to_be_unknown() {
    let desk = Desk::empty(None, std::sync::Arc::new(coinlink_testkit::shared::TokioPause));
    for (question, fact) in [
        ("price of btc", "I have no prices yet"),
        ("what's the price?", "I have no prices yet"),
        ("2 btc in usd", "I have no prices yet"),
        ("compare btc and eth", "I have no prices yet"),
        ("top gainers", "I have no prices yet"),
        ("market summary", "not known right now"),
        ("news", "I know no headlines"),
        ("fear and greed", "not known right now"),
        ("what's trending", "I do not know what people search for"),
        ("where does your data come from", "I have no prices yet"),
    ] {
        let answer = desk.ask(question).await;
        assert!(answer.text.contains(fact), "{question}: {}", answer.text);
        assert!(!answer.text.contains('$'), "{question}: {}", answer.text);
        assert_eq!(answer.as_of, None, "{question}");
    }
}

#[tokio::test]
async fn a_list_that_is_repeated_is_said_to_be_old() {
    let desk = Desk::with(None);
    let mut tick = super::support::tick();
    tick.stale = true;
    desk.prices.show(tick);
    desk.clock.advance(Duration::minutes(30));
    for question in
        ["price of btc", "range of btc", "change of btc", "volume of btc", "1 btc in usd", "compare btc and eth", "top gainers"]
    {
        let answer = desk.ask(question).await;
        assert!(
            answer.text.contains("30 min ago") && answer.text.contains("older than it should be"),
            "{question}: {}",
            answer.text
        );
    }
}

#[tokio::test]
async fn a_user_is_told_of_the_own_alerts_and_of_nobody_elses() {
    let desk = Desk::with(None);
    let (anna, berta) = (UserId(Uuid::from_u128(1)), UserId(Uuid::from_u128(2)));
    let mut tx = desk.alerts.begin().await.unwrap();
    for (id, user, symbol, condition) in [
        (1, anna, "BTC", AlertCondition::Above(Price::try_new(number("100000")).unwrap())),
        (2, anna, "ETH", AlertCondition::CrossesBelow(Price::try_new(number("3000")).unwrap())),
        (3, berta, "SOL", AlertCondition::Below(Price::try_new(number("1")).unwrap())),
    ] {
        let rule =
            AlertRule::new((AlertRuleId(Uuid::from_u128(id)), user), Symbol::try_new(symbol).unwrap(), condition, NOON, None);
        tx.alerts().add(&rule, NOON).await.unwrap();
    }
    tx.commit().await.unwrap();
    let answer = desk.ask_as(Some(anna), "which alerts do I have?", &[]).await;
    for fact in [
        "You have 2 alerts:",
        "BTC above $100,000.00, now $97,012.34, 3 s ago, CoinGecko",
        "ETH falls through $3,000.00, now $3,500.00",
    ] {
        assert!(answer.text.contains(fact), "{fact}: {}", answer.text);
    }
    assert!(!answer.text.contains("SOL"));
    let mut tick = super::support::tick();
    tick.stale = true;
    desk.prices.show(tick);
    let answer = desk.ask_as(Some(anna), "which alerts do I have?", &[]).await;
    assert!(answer.text.contains("older than it should be"), "{}", answer.text);
    let answer = desk.ask_as(Some(anna), "do I have an alert for solana?", &[]).await;
    assert_eq!(&*answer.text, "You have no alerts for SOL.");
    desk.alerts.fail_next();
    let answer = desk.ask_as(Some(anna), "my alerts", &[]).await;
    assert!(answer.text.contains("cannot read your alerts"), "{}", answer.text);
}

#[tokio::test]
async fn no_other_answer_holds_a_reply_that_is_empty() {
    assert!(Reply::default().text.is_empty(), "what the loop below is about");
    let desk = Desk::with(None);
    for word in [
        "price", "change", "range", "volume", "market", "gainers", "losers", "news", "mood", "trending", "alerts", "help", "",
        "?!", "\u{0}",
    ] {
        assert!(!desk.ask(word).await.text.is_empty(), "{word:?}");
    }
}
