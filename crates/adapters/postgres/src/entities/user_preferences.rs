use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "user_preferences")]
#[expect(clippy::struct_excessive_bools, reason = "five switches that have nothing to do with one another")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub user_id: Uuid,
    pub theme: String,
    pub language: String,
    pub currency: String,
    pub notifications_enabled: bool,
    pub email_alerts: bool,
    pub price_alerts: bool,
    pub news_notifications: bool,
    pub sound_enabled: bool,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
