//! What is written to sockets beside ticks: private events, headlines and prompts. Encoded here, once for all who get it.

use std::{
    collections::{HashSet, VecDeque},
    sync::Arc,
    time::Duration as StdDuration,
};

use bytes::Bytes;
use coinlink_application::market::Bulletins;
use coinlink_domain::{
    assistant::Prompt,
    market::{Bulletin, News},
    notifications::NotificationId,
};
use coinlink_ports::{
    notifications::{LiveEvent, LiveEvents},
    shared::Clock,
};
use time::Duration;

use super::upkeep::beats;
use crate::{
    wire,
    ws::{Feeds, Private, frame},
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

/// The headlines of `news` that were not among those of `before`, the newest first.
fn new_headlines(before: Option<&Bulletin<News>>, news: &Bulletin<News>, clock: &dyn Clock) -> Arc<[Bytes]> {
    let known: HashSet<&str> =
        before.iter().flat_map(|before| before.content.articles.iter()).map(|article| &*article.url).collect();
    let new = news.content.articles.iter().filter(|article| !known.contains(&*article.url)).take(MOST_HEADLINES);
    new.map(|article| frame::text(&wire::market_news(article, news.content.source, clock.now()))).collect()
}

/// Tells those who joined `market_news` of headlines when there are new ones.
pub async fn tell_news(bulletins: Arc<Bulletins>, feeds: Arc<Feeds>, clock: Arc<dyn Clock>) {
    let mut every = beats(LOOK_EVERY);
    let mut last: Option<Arc<Bulletin<News>>> = None;
    loop {
        every.tick().await;
        let Some(news) = bulletins.news() else { continue };
        if last.as_ref().is_some_and(|last| Arc::ptr_eq(last, &news)) {
            continue;
        }
        let frames = new_headlines(last.as_deref(), &news, &*clock);
        if !frames.is_empty() {
            feeds.tell_news(frames);
        }
        last = Some(news);
    }
}

/// Shows everybody what the assistant brings up: at once when there is something to bring up, then when that changes, at most once
/// a minute.
pub async fn show_prompts(current: impl Fn() -> Arc<[Prompt]> + Send, feeds: Arc<Feeds>, clock: Arc<dyn Clock>) {
    let mut every = beats(LOOK_EVERY);
    let mut last: Option<(Arc<[Prompt]>, Duration)> = None;
    loop {
        every.tick().await;
        let now = clock.monotonic();
        if last.as_ref().is_some_and(|(_, at)| now - *at < PROMPTS_EVERY) {
            continue;
        }
        let prompts = current();
        if prompts.is_empty() || last.as_ref().is_some_and(|(last, _)| *last == prompts) {
            continue;
        }
        feeds.show_prompts(frame::text(&wire::prompt_feed(&prompts, clock.now())));
        last = Some((prompts, now));
    }
}
