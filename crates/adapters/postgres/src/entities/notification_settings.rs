use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "notification_settings")]
#[expect(clippy::struct_excessive_bools, reason = "switches that have nothing to do with one another")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub user_id: Uuid,
    pub email_enabled: bool,
    pub push_enabled: bool,
    pub price_alerts: bool,
    pub news_updates: bool,
    pub system_alerts: bool,
    pub trade_updates: bool,
    pub security_alerts: bool,
    pub quiet_start: Option<String>,
    pub quiet_end: Option<String>,
    pub clock_minutes: i16,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
