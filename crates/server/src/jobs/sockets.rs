//! What is written to sockets beside ticks: private events, headlines and prompts. Encoded here, once for all who get it.

use std::{
    collections::{HashSet, VecDeque},
    sync::Arc,
    time::Duration as StdDuration,
};

use coinlink_application::market::Bulletins;
use coinlink_domain::{
    assistant::Prompt,
    market::{Article, News, NewsSource, primers},
    notifications::NotificationId,
};
use coinlink_ports::{
    notifications::{LiveEvent, LiveEvents},
    shared::Clock,
};
use time::{Duration, OffsetDateTime};

use super::upkeep::beats;
use crate::{
    wire,
    ws::{Feeds, Headlines, Private, frame},
};

/// Between attempts to listen.
const LISTEN_AGAIN: StdDuration = StdDuration::from_millis(500);
/// How long one wait for an event may be.
const PATIENCE: Duration = Duration::seconds(5);
/// Events remembered, so that one that comes twice is shown once.
const REMEMBERED: usize = 4_096;
/// Between looks at the headlines.
const LOOK_EVERY: StdDuration = StdDuration::from_secs(1);
/// Between two showings of prompts.
const PROMPTS_EVERY: Duration = Duration::MINUTE;
/// Headlines told at once.
const MOST_HEADLINES: usize = 5;

/// Events that were told already.
#[derive(Default)]
struct Told {
    names: HashSet<(NotificationId, bool)>,
    order: VecDeque<(NotificationId, bool)>,
}

impl Told {
    /// Whether this is the first time, as far as is remembered.
    fn is_news(&mut self, event: &LiveEvent) -> bool {
        let name = match event {
            LiveEvent::Notice(notification) => (notification.id, false),
            LiveEvent::AlertFired(fired) => (fired.notification, true),
        };
        if !self.names.insert(name) {
            return false;
        }
        self.order.push_back(name);
        if self.order.len() > REMEMBERED
            && let Some(oldest) = self.order.pop_front()
        {
            self.names.remove(&oldest);
        }
        true
    }
}

/// Tells the sockets on this node what happens to their users, wherever it was noticed.
pub async fn tell_live_events(live: Arc<dyn LiveEvents>, feeds: Arc<Feeds>, clock: Arc<dyn Clock>) {
    let mut told = Told::default();
    let mut deaf = false;
    loop {
        match live.subscribe().await {
            Ok(mut listener) => {
                if std::mem::take(&mut deaf) {
                    tracing::info!("private events arrive again");
                }
                let error = loop {
                    match listener.next(PATIENCE).await {
                        Ok(Some((user, event))) if told.is_news(&event) => {
                            let frames = wire::live_frames(&event, clock.now());
                            feeds.tell(Private { user, frames: frames.iter().map(|json| frame::text(json)).collect() });
                        }
                        Ok(None | Some(_)) => {}
                        Err(error) => break error,
                    }
                };
                tracing::warn!(%error, "private events do not arrive");
                deaf = true;
            }
            Err(error) => {
                if !std::mem::replace(&mut deaf, true) {
                    tracing::warn!(%error, "private events do not arrive");
                }
            }
        }
        tokio::time::sleep(LISTEN_AGAIN).await;
    }
}

/// What is told of `news` after `before`. Primers are no news: who is there when headlines give way to them hears nothing.
fn headlines(before: Option<&News>, news: &News, now: OffsetDateTime) -> Headlines {
    let known: HashSet<&str> = before.iter().flat_map(|before| before.articles.iter()).map(|article| &*article.url).collect();
    let is_new = |article: &&Article| !known.contains(&*article.url);
    let encode = |article: &Article| frame::text(&wire::market_news(article, news.source, now));
    let may_be_new = before.is_none() || news.source != NewsSource::Curated;
    Headlines {
        newest: news.articles.iter().take(MOST_HEADLINES).map(encode).collect(),
        new: news.articles.iter().filter(|_| may_be_new).filter(is_new).take(MOST_HEADLINES).map(encode).collect(),
    }
}

/// Tells those who joined `market_news` of headlines when there are new ones; who joins gets the newest, or primers where there are none.
pub async fn tell_news(bulletins: Arc<Bulletins>, feeds: Arc<Feeds>, clock: Arc<dyn Clock>) {
    let mut every = beats(LOOK_EVERY);
    let mut last: Option<News> = None;
    loop {
        every.tick().await;
        let news = bulletins.news().map_or_else(primers, |bulletin| bulletin.content.clone());
        if last.as_ref() != Some(&news) {
            feeds.tell_news(headlines(last.as_ref(), &news, clock.now()));
            last = Some(news);
        }
    }
}

/// How prices stand: `None` while none came, else whether they are old.
type PricesStand = Option<bool>;

/// The prompts shown last.
#[derive(Default)]
struct Shown {
    prompts: Arc<[Prompt]>,
    prices: PricesStand,
    /// On the monotonic clock.
    at: Option<Duration>,
}

impl Shown {
    /// Whether these are to be shown now: they differ, and either what the last ones said of prices is no longer so, or those were
    /// shown long enough. Then they are the last ones.
    fn gives_way_to(&mut self, prompts: &Arc<[Prompt]>, prices: PricesStand, now: Duration) -> bool {
        if prompts.is_empty() {
            return false;
        }
        if self.prompts == *prompts {
            self.prices = prices;
            return false;
        }
        if self.prices == prices && self.at.is_some_and(|at| now - at < PROMPTS_EVERY) {
            return false;
        }
        *self = Self { prompts: Arc::clone(prompts), prices, at: Some(now) };
        true
    }
}

/// Shows everybody what the assistant brings up: at once when there is something to bring up, and when prices come, grow old or come
/// back; else when it changes, at most once a minute.
pub async fn show_prompts(
    prices: impl Fn() -> PricesStand + Send,
    current: impl Fn() -> Arc<[Prompt]> + Send,
    feeds: Arc<Feeds>,
    clock: Arc<dyn Clock>,
) {
    let mut every = beats(LOOK_EVERY);
    let mut shown = Shown::default();
    loop {
        every.tick().await;
        // Before the prompts: what changes in between is seen at the next look.
        let stand = prices();
        let prompts = current();
        if shown.gives_way_to(&prompts, stand, clock.monotonic()) {
            feeds.show_prompts(frame::text(&wire::prompt_feed(&prompts, clock.now())));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use coinlink_domain::assistant::PromptKind;

    fn saying(content: &str) -> Arc<[Prompt]> {
        let at = OffsetDateTime::UNIX_EPOCH;
        Arc::new([Prompt { kind: PromptKind::Report, subtype: "market", title: "Market".into(), content: content.into(), at }])
    }

    fn news_of(names: &[&str]) -> News {
        let article =
            |name: &&str| Article { url: format!("https://news.example/{name}").into(), ..primers().articles[0].clone() };
        News { source: NewsSource::NewsApi, articles: names.iter().map(article).collect() }
    }

    #[test]
    fn who_joins_gets_the_newest_and_who_is_there_what_is_new() {
        let told = |before: Option<&News>, news: &News| {
            let Headlines { newest, new } = headlines(before, news, OffsetDateTime::UNIX_EPOCH);
            (newest.len(), new.len())
        };
        let (primers, first) = (primers(), news_of(&["a", "b", "c"]));
        assert_eq!(told(None, &primers), (5, 5), "who joined before the first look");
        assert_eq!(told(Some(&primers), &first), (3, 3), "headlines take the place of primers");
        let more = news_of(&["d", "a", "b", "c"]);
        assert_eq!(told(Some(&first), &more), (4, 1));
        assert_eq!(told(Some(&more), &first), (3, 0));
        assert_eq!(told(Some(&first), &primers), (5, 0), "primers are no news");
        assert_eq!(told(None, &news_of(&["1", "2", "3", "4", "5", "6"])), (5, 5));
    }

    #[test]
    fn prompts_that_say_what_is_not_so_of_prices_give_way_at_once() {
        let mut shown = Shown::default();
        let mut gives_way = |content: &str, prices, secs| shown.gives_way_to(&saying(content), prices, Duration::seconds(secs));
        assert!(gives_way("no prices yet", None, 0));
        assert!(!gives_way("no prices yet, and a headline", None, 30), "for a minute");
        assert!(gives_way("64,000", Some(false), 31), "there are prices");
        assert!(!gives_way("64,001", Some(false), 32));
        assert!(gives_way("old: 64,001", Some(true), 33), "they are old");
        assert!(gives_way("64,002", Some(false), 34), "and came back");
        assert!(!gives_way("64,003", Some(false), 93));
        assert!(gives_way("64,003", Some(false), 94));
        assert!(!gives_way("64,003", Some(false), 200), "nothing new");
    }

    #[test]
    fn what_was_said_while_prices_changed_is_corrected_at_the_next_look() {
        let mut shown = Shown::default();
        // The first price came between the two looks.
        assert!(shown.gives_way_to(&saying("64,000"), None, Duration::ZERO));
        assert!(!shown.gives_way_to(&saying("64,000"), Some(false), Duration::SECOND), "it is shown already");
        assert!(!shown.gives_way_to(&saying("64,001"), Some(false), Duration::SECOND));
        assert!(shown.gives_way_to(&saying("old"), Some(true), Duration::seconds(2)));
        assert!(!shown.gives_way_to(&[].into(), None, Duration::seconds(3)));
    }
}
