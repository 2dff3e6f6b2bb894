//! Talking with the assistant, and what it brings up by itself.
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::sync::Arc;

use coinlink_application::{
    assistant::{AssistantAdapters, AssistantUseCases, Chatted, Talker},
    market::{MarketAdapters, MarketUseCases},
};
use coinlink_domain::{
    assistant::{Exchange, FEWEST_PROMPTS, Message, Speaker, VisitorSession},
    market::{BulletinPeriods, Source, Tick, TickId, TickItem},
    shared::user_id::UserId,
};
use coinlink_embedded::EmbeddedConversations;
use coinlink_ports::assistant::VisitorConversations;
use coinlink_testkit::{
    assistant::{LostVisitorConversations, MemoryFeedback, MemoryUserConversations},
    market::{MemoryCandles, NOON, ShownPrices, a_quote},
    notifications::MemoryNotifications,
    shared::{CountingEntropy, StoppedClock, TokioPause},
};
use futures_util::future::join_all;
use time::Duration;
use uuid::Uuid;

const ADA: Talker = Talker::User(UserId(Uuid::from_u128(1)));

struct Place {
    clock: Arc<StoppedClock>,
    prices: Arc<ShownPrices>,
    users: Arc<MemoryUserConversations>,
    it: AssistantUseCases,
}

impl Place {
    fn new() -> Self {
        let clock = Arc::new(StoppedClock::at(NOON));
        Self::with(Arc::new(EmbeddedConversations::new(clock.clone())), clock)
    }

    fn with(visitors: Arc<dyn VisitorConversations>, clock: Arc<StoppedClock>) -> Self {
        let (prices, users) = (Arc::new(ShownPrices::default()), Arc::new(MemoryUserConversations::default()));
        let market = MarketUseCases::new(MarketAdapters {
            prices: prices.clone(),
            candles: Arc::new(MemoryCandles::default()),
            periods: BulletinPeriods::default(),
            asks_for_news: false,
            clock: clock.clone(),
        });
        let it = AssistantUseCases::new(AssistantAdapters {
            market,
            clock: clock.clone(),
            entropy: Arc::new(CountingEntropy::default()),
            pause: Arc::new(TokioPause),
            alerts: Arc::new(MemoryNotifications::default()),
            model: None,
            users: users.clone(),
            visitors,
            feedback: Arc::new(MemoryFeedback::default()),
        });
        Self { clock, prices, users, it }
    }

    fn show(&self, price: &str) {
        self.prices.show(Tick {
            id: TickId { epoch: 1, seq: 1 },
            timestamp: NOON,
            source: Some(Source::CoinGecko),
            as_of: Some(NOON),
            stale: false,
            held: None,
            items: [TickItem { quote: a_quote("BTC", price), stale: false }].into(),
        });
    }

    async fn say(&self, talker: Talker, text: &str) -> Chatted {
        self.it.chat.execute(talker, &Message::try_new(text).unwrap()).await
    }

    async fn history(&self, talker: Talker, limit: usize) -> Vec<String> {
        let said = self.it.read.execute(talker, limit).await.unwrap();
        said.into_iter().map(|turn| format!("{}: {}", turn.speaker.name(), turn.text)).collect()
    }
}

fn visitor(n: u8) -> Talker {
    Talker::Visitor(VisitorSession::generated([n; 32]).conversation())
}

#[tokio::test]
async fn what_is_said_is_answered_and_remembered_for_who_said_it_alone() {
    let place = Place::new();
    place.show("97012.5");
    for talker in [ADA, visitor(1)] {
        let chatted = place.say(talker, "  What is the price of BTC?\u{0} ").await;
        assert!(chatted.remembered && chatted.exchange.answer.text.contains("97,012.5"), "{chatted:?}");
        place.clock.advance(Duration::SECOND);
        place.say(talker, "Thanks").await;
        let said = place.it.read.execute(talker, 50).await.unwrap();
        assert_eq!(said.len(), 4);
        assert_eq!((said[0].speaker, &*said[0].text), (Speaker::User, "What is the price of BTC?"));
        assert_eq!(said[1], chatted.exchange.answer);
        assert_eq!(place.history(talker, 3).await.len(), 3, "from the newest back");
        assert_eq!(place.history(talker, 3).await[0], format!("assistant: {}", chatted.exchange.answer.text));
    }
    let stranger = Talker::User(UserId(Uuid::from_u128(2)));
    assert_eq!((place.history(stranger, 50).await, place.history(visitor(2), 50).await), (Vec::new(), Vec::new()));
    place.it.forget.execute(visitor(1)).await.unwrap();
    assert_eq!((place.history(visitor(1), 50).await.len(), place.history(ADA, 50).await.len()), (0, 4));
}

#[tokio::test]
async fn fifty_at_once_leave_every_question_followed_by_its_answer() {
    let place = Place::new();
    for talker in [ADA, visitor(1)] {
        let said = join_all((0..50).map(|n| {
            let place = &place;
            async move { place.say(talker, &format!("Question {n}")).await }
        }))
        .await;
        let kept = place.it.read.execute(talker, 1_000).await.unwrap();
        let most = if talker == ADA { 100 } else { 2 * Exchange::KEPT_OF_VISITOR };
        assert_eq!(kept.len(), most);
        for turns in kept.chunks(2) {
            let whole = said.iter().find(|said| said.exchange.question.text == turns[0].text).unwrap();
            assert_eq!([&turns[0], &turns[1]], whole.exchange.turns());
        }
    }
}

#[tokio::test]
async fn it_answers_while_what_was_said_cannot_be_reached_and_says_that_it_will_not_remember() {
    let place = Place::with(Arc::new(LostVisitorConversations), Arc::new(StoppedClock::at(NOON)));
    place.show("97012.5");
    place.users.is_away(true);
    for talker in [ADA, visitor(1)] {
        let chatted = place.say(talker, "BTC price?").await;
        assert!(!chatted.remembered && chatted.exchange.answer.text.contains("97,012.5"), "{chatted:?}");
        assert!(place.it.read.execute(talker, 50).await.is_err() && place.it.forget.execute(talker).await.is_err());
    }
    place.users.is_away(false);
    assert!(place.say(ADA, "BTC price?").await.remembered);
}

#[tokio::test]
async fn prompts_follow_what_is_known_and_are_the_same_as_long_as_it_is() {
    let place = Place::new();
    let before = place.it.prompts.current();
    assert!(before.len() >= FEWEST_PROMPTS && before[0].content.contains("No prices"), "{before:?}");
    place.show("97012.5");
    let shown = place.it.prompts.current();
    assert_eq!(&*shown[0].content, "BTC $97,012.50");
    place.clock.advance(Duration::SECOND);
    assert_eq!(place.it.prompts.current(), shown);
}

#[tokio::test]
async fn no_prompt_is_older_than_the_node_unless_what_it_says_is() {
    let began = NOON + Duration::seconds(42);
    let clock = Arc::new(StoppedClock::at(began));
    let place = Place::with(Arc::new(EmbeddedConversations::new(clock.clone())), clock);
    assert!(place.it.prompts.current().iter().all(|prompt| prompt.at == began));
    place.clock.advance(Duration::seconds(20));
    assert!(place.it.prompts.current().iter().all(|prompt| prompt.at == NOON + Duration::MINUTE), "the minute, from then on");
}
