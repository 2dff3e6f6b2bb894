use coinlink_domain::shared::upstream_failure::{FailureClass, UpstreamFailure};
use reqwest::Response;
use tokio::sync::OwnedSemaphorePermit;

/// A successful answer whose body is read as it comes. It may take its time: whoever reads it bounds that.
#[derive(Debug)]
pub struct Streamed {
    name: &'static str,
    response: Response,
    left: usize,
    _permit: OwnedSemaphorePermit,
}

impl Streamed {
    pub(crate) fn new(name: &'static str, response: Response, max_body: usize, permit: OwnedSemaphorePermit) -> Self {
        Self { name, response, left: max_body, _permit: permit }
    }

    /// The next bytes; `None` at the end. Longer than what may be read is a failure.
    pub async fn next(&mut self) -> Result<Option<Vec<u8>>, UpstreamFailure> {
        let chunk = self.response.chunk().await.map_err(|_| self.unusable("the answer broke off"))?;
        let Some(chunk) = chunk else { return Ok(None) };
        self.left = self.left.checked_sub(chunk.len()).ok_or_else(|| self.unusable("the answer is too long"))?;
        Ok(Some(chunk.to_vec()))
    }

    /// An answer that says it succeeded and is not what was agreed.
    pub fn unusable(&self, why: &str) -> UpstreamFailure {
        UpstreamFailure::new(FailureClass::Transient { retryable: false }, format!("{}: {why}", self.name))
    }
}
