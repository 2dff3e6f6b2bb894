//! Answers from a language model behind any endpoint that speaks the `/chat/completions` of `OpenAI`, streamed.
//!
//! Facts: <https://platform.openai.com/docs/api-reference/chat/streaming>; vLLM, llama.cpp, Ollama and LM Studio answer alike.

mod assistant;
mod settings;
mod sse;
mod wire;

pub use assistant::LlmAssistant;
pub use settings::LlmSettings;
