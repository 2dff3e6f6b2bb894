use sea_orm::entity::prelude::*;

use crate::exact::Moment;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "notification_deliveries")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub notification_id: Uuid,
    pub user_id: Uuid,
    pub channel: String,
    pub webhook_id: Option<Uuid>,
    pub fired: Option<String>,
    pub state: String,
    pub attempts: i64,
    #[sea_orm(save_as = "timestamptz_text")]
    pub due_at: Moment,
    pub error: Option<String>,
    #[sea_orm(save_as = "timestamptz_text")]
    pub ended_at: Option<Moment>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
