use async_trait::async_trait;
use coinlink_ports::{
    identity::{ApiKeys, IdentityTx, MailLinks, SecondFactors, Sessions, SignInGuards, SignInTickets, Users, Wallets},
    shared::{AuditLog, MailOutbox, StoreError},
};

pub(super) use crate::shared::transaction::SqlTx;

#[async_trait]
impl IdentityTx for SqlTx {
    fn users(&mut self) -> &mut dyn Users {
        self
    }

    fn sessions(&mut self) -> &mut dyn Sessions {
        self
    }

    fn guards(&mut self) -> &mut dyn SignInGuards {
        self
    }

    fn api_keys(&mut self) -> &mut dyn ApiKeys {
        self
    }

    fn audit(&mut self) -> &mut dyn AuditLog {
        self
    }

    fn mail(&mut self) -> &mut dyn MailOutbox {
        self
    }

    fn second_factors(&mut self) -> &mut dyn SecondFactors {
        self
    }

    fn tickets(&mut self) -> &mut dyn SignInTickets {
        self
    }

    fn mail_links(&mut self) -> &mut dyn MailLinks {
        self
    }

    fn wallets(&mut self) -> &mut dyn Wallets {
        self
    }

    async fn commit(mut self: Box<Self>) -> Result<(), StoreError> {
        self.end().await
    }
}
