use std::{collections::HashMap, sync::Mutex};

use async_trait::async_trait;
use coinlink_domain::shared::mail::OutgoingMail;
use coinlink_ports::notifications::{MailSender, SendError};

use crate::shared::lock;

/// Keeps the letters it is handed, and refuses those to addresses it was told to refuse.
#[derive(Default)]
pub struct RecordingMail {
    sent: Mutex<Vec<OutgoingMail>>,
    refused: Mutex<HashMap<String, SendError>>,
}

impl RecordingMail {
    /// Letters to `address` are refused, until [`RecordingMail::accept`].
    pub fn refuse(&self, address: &str, error: SendError) {
        lock(&self.refused).insert(address.to_owned(), error);
    }

    /// Letters to `address` are taken again.
    pub fn accept(&self, address: &str) {
        lock(&self.refused).remove(address);
    }

    /// What was handed over, in order.
    pub fn sent(&self) -> Vec<OutgoingMail> {
        lock(&self.sent).clone()
    }
}

#[async_trait]
impl MailSender for RecordingMail {
    async fn send(&self, mail: &OutgoingMail) -> Result<(), SendError> {
        if let Some(error) = lock(&self.refused).get(&mail.to) {
            return Err(error.clone());
        }
        lock(&self.sent).push(mail.clone());
        Ok(())
    }
}
