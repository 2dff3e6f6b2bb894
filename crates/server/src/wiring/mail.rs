//! Where letters go.

use std::sync::Arc;

use coinlink_application::notifications::{DeliverMail, PruneMail};
use coinlink_mail::{FileMail, SmtpMail, SmtpSettings, Stationery};
use coinlink_ports::{
    notifications::{MailQueue, MailSender, NotificationsStore},
    shared::SecretBox,
};
use coinlink_postgres::{Database, SqlMailQueue, SqlNotificationsStore};
use secrecy::ExposeSecret as _;

use super::Surroundings;
use crate::{
    config::{Mode, Settings},
    jobs::MailJob,
    serve::StartError,
    telemetry::Metrics,
};

/// What delivers letters and removes old ones.
pub fn mail(
    settings: &Settings,
    database: &Database,
    secrets: &Arc<dyn SecretBox>,
    metrics: &Metrics,
    around: &Surroundings,
) -> Result<(MailJob, PruneMail), StartError> {
    let queue: Arc<dyn MailQueue> = Arc::new(SqlMailQueue::new(database.clone(), Arc::clone(secrets)));
    let clock = Arc::clone(&around.clock);
    let notifications: Arc<dyn NotificationsStore> = Arc::new(SqlNotificationsStore::new(database.clone(), Arc::clone(secrets)));
    let deliver = |sender| Arc::new(DeliverMail::new(Arc::clone(&queue), sender, Arc::clone(&notifications), Arc::clone(&clock)));
    let deliver = sender(settings)?.map(deliver);
    let in_jobs = SqlMailQueue::new(database.for_jobs(), Arc::clone(secrets));
    let prune = PruneMail { queue: Arc::new(in_jobs), clock: Arc::clone(&clock) };
    Ok((MailJob { deliver, queue, clock, metrics: metrics.clone() }, prune))
}

/// To the SMTP server that is set; without one, `dev` puts letters into files, and on a server they wait.
fn sender(settings: &Settings) -> Result<Option<Arc<dyn MailSender>>, StartError> {
    let reply_to = Some(settings.mail.reply_to.as_str()).filter(|mailbox| !mailbox.is_empty());
    let stationery = || Stationery::new(&settings.mail.from, reply_to).map(Arc::new);
    Ok(match (&settings.mail.smtp_url, settings.mode) {
        (Some(url), _) => Some(Arc::new(SmtpMail::new(SmtpSettings::parse(url.expose_secret())?, stationery()?)?)),
        (None, Mode::Dev) => Some(Arc::new(FileMail::new(settings.server.data_dir.join("mail"), stationery()?))),
        (None, Mode::Serve) => {
            tracing::warn!("SMTP_URL is not set: mail waits in the outbox and reaches nobody");
            None
        }
    })
}
