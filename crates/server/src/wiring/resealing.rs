//! What is stored encrypted follows the newest key.

use std::sync::Arc;

use coinlink_application::{identity::IdentityUseCases, notifications::NotificationsUseCases};
use coinlink_ports::shared::{Clock, SecretBox as _};
use coinlink_postgres::{Database, SqlSecretPrints};

use super::secret_box;
use crate::{config::Settings, jobs::Resealing, serve::StartError};

/// What of it there is to do.
pub fn resealing(
    settings: &Settings,
    identity: &IdentityUseCases,
    notifications: &NotificationsUseCases,
    database: &Database,
    clock: &Arc<dyn Clock>,
) -> Result<Resealing, StartError> {
    let keys = secret_box(settings)?;
    Ok(Resealing {
        factors: Arc::clone(&identity.second_factor.reseal),
        webhooks: Arc::clone(&notifications.reseal_webhooks),
        stored: SqlSecretPrints::new(database.clone()),
        // The newest may be named among the earlier ones, too.
        earlier: keys.ids().filter(|id| *id != keys.newest_key()).map(str::to_owned).collect(),
        clock: Arc::clone(clock),
    })
}
