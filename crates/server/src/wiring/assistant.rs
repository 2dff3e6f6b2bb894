//! The assistant.

use std::sync::Arc;

use coinlink_application::{
    assistant::{AssistantAdapters, AssistantUseCases, PruneFeedback},
    market::MarketUseCases,
};
use coinlink_embedded::SystemEntropy;
use coinlink_llm::{LlmAssistant, LlmSettings};
use coinlink_ports::{assistant::Assistant as LanguageModel, shared::Clock};
use coinlink_postgres::{SqlFeedback, SqlNotificationsStore, SqlUserConversations};
use tokio::task::JoinSet;

use super::ContextParts;
use crate::{config::Settings, jobs::prune_feedback, serve::StartError, telemetry::Metrics};

/// The assistant, put together.
pub struct Assistant {
    pub use_cases: AssistantUseCases,
    pub jobs: AssistantJobs,
}

/// What runs beside the requests.
pub struct AssistantJobs {
    prune: PruneFeedback,
    metrics: Metrics,
}

impl AssistantJobs {
    /// Starts them.
    pub fn spawn(self, jobs: &mut JoinSet<()>) {
        jobs.spawn(prune_feedback(self.prune, self.metrics));
    }
}

/// All of it.
pub fn assistant(market: &MarketUseCases, parts: &ContextParts<'_>) -> Result<Assistant, StartError> {
    let around = parts.around;
    let feedback = Arc::new(SqlFeedback::new(parts.database.clone()));
    let prune = PruneFeedback { store: Arc::new(SqlFeedback::new(parts.database.for_jobs())), clock: Arc::clone(&around.clock) };
    let adapters = AssistantAdapters {
        market: market.clone(),
        clock: Arc::clone(&around.clock),
        entropy: Arc::new(SystemEntropy),
        pause: Arc::clone(&around.pause),
        alerts: Arc::new(SqlNotificationsStore::new(parts.database.clone(), Arc::clone(parts.secrets))),
        model: model(parts.settings, &around.clock)?,
        users: Arc::new(SqlUserConversations::new(parts.database.clone())),
        visitors: Arc::clone(&parts.shared.visitors),
        feedback,
    };
    let use_cases = AssistantUseCases::new(adapters);
    Ok(Assistant { use_cases, jobs: AssistantJobs { prune, metrics: parts.metrics.clone() } })
}

/// The language model, where one is set.
fn model(settings: &Settings, clock: &Arc<dyn Clock>) -> Result<Option<Arc<dyn LanguageModel>>, StartError> {
    let set = &settings.assistant;
    if set.base_url.is_empty() {
        return Ok(None);
    }
    let llm = LlmSettings { key: set.api_key.clone(), ..LlmSettings::new(&set.base_url, &set.model) };
    Ok(Some(Arc::new(LlmAssistant::new(llm, Arc::clone(clock))?)))
}
