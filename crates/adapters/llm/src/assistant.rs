use std::{collections::VecDeque, sync::Arc};

use async_trait::async_trait;
use coinlink_domain::shared::upstream_failure::{FailureClass, UpstreamFailure};
use coinlink_ports::{
    assistant::{AnswerPieces, Assistant, ModelRequest},
    shared::Clock,
};
use coinlink_upstream::{ApiKey, HeaderName, InvalidSettings, Streamed, Upstream, UpstreamSettings};
use secrecy::{ExposeSecret as _, SecretString};

use crate::{
    settings::LlmSettings,
    sse::Events,
    wire::{End, Event, event, read_error, request},
};

const NAME: &str = "llm";

/// A language model behind HTTP.
pub struct LlmAssistant {
    upstream: Upstream,
    model: String,
}

impl LlmAssistant {
    /// Asks nobody yet.
    pub fn new(settings: LlmSettings, clock: Arc<dyn Clock>) -> Result<Self, InvalidSettings> {
        if settings.model.trim().is_empty() {
            return Err(InvalidSettings { name: NAME, problem: "no model is named" });
        }
        let key = settings.key.map(|key| ApiKey {
            header: HeaderName::from_static("authorization"),
            value: SecretString::from(format!("Bearer {}", key.expose_secret())),
        });
        let upstream = UpstreamSettings {
            key,
            timeout: settings.timeout,
            permits: LlmSettings::PERMITS,
            max_body: LlmSettings::MAX_BODY,
            ..UpstreamSettings::new(NAME, settings.base_url, read_error)
        };
        Ok(Self { upstream: Upstream::new(upstream, clock)?, model: settings.model })
    }
}

#[async_trait]
impl Assistant for LlmAssistant {
    fn model(&self) -> &str {
        &self.model
    }

    async fn answer(&self, asked: &ModelRequest) -> Result<Box<dyn AnswerPieces>, UpstreamFailure> {
        let body = request(&self.model, asked)
            .map_err(|_| UpstreamFailure::new(FailureClass::Data, "llm: the question cannot be written as JSON"))?;
        let stream = self.upstream.post_streaming(&["chat", "completions"], body).await?;
        Ok(Box::new(Pieces { stream, events: Events::default(), waiting: VecDeque::new(), end: None, ended: false }))
    }
}

struct Pieces {
    stream: Streamed,
    events: Events,
    waiting: VecDeque<Event>,
    /// The model said how its answer ends.
    end: Option<End>,
    /// Nothing more is told.
    ended: bool,
}

/// What comes of an event.
enum Told {
    Nothing,
    Piece(Result<String, UpstreamFailure>),
    End,
}

impl Pieces {
    /// What an event brings.
    fn step(&mut self, event: Event) -> Told {
        match event {
            Event::Piece(text, end) => {
                self.end = self.end.or(end);
                if text.is_empty() { Told::Nothing } else { Told::Piece(Ok(text)) }
            }
            Event::Done => {
                // Some endpoints say no more than this at the end.
                self.end = self.end.or(Some(End::Whole));
                Told::End
            }
            Event::Failed => Told::Piece(Err(self.stream.unusable("it failed while it answered"))),
            Event::Unreadable => Told::Piece(Err(self.stream.unusable("an event that was not agreed"))),
        }
    }

    /// The stream is over.
    fn finish(&self) -> Option<Result<String, UpstreamFailure>> {
        match self.end {
            Some(End::Stopped) => Some(Err(UpstreamFailure::new(FailureClass::Data, "llm: the model stopped before the end"))),
            Some(End::Whole) => None,
            None => Some(Err(self.stream.unusable("the answer broke off"))),
        }
    }

    async fn read(&mut self) -> Option<Result<String, UpstreamFailure>> {
        loop {
            while let Some(event) = self.waiting.pop_front() {
                match self.step(event) {
                    Told::Nothing => {}
                    Told::Piece(piece) => return Some(piece),
                    Told::End => return self.finish(),
                }
            }
            let bytes = match self.stream.next().await {
                Ok(Some(bytes)) => bytes,
                Ok(None) => return self.finish(),
                Err(failure) => return Some(Err(failure)),
            };
            match self.events.take(&bytes) {
                Ok(found) => self.waiting.extend(found.iter().map(|data| event(data))),
                Err(_) => return Some(Err(self.stream.unusable("events that are too long, or too many"))),
            }
        }
    }
}

#[async_trait]
impl AnswerPieces for Pieces {
    async fn next(&mut self) -> Option<Result<String, UpstreamFailure>> {
        if self.ended {
            return None;
        }
        let told = self.read().await;
        self.ended = !matches!(told, Some(Ok(_)));
        told
    }
}
