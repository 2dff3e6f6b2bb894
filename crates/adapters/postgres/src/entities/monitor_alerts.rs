use sea_orm::entity::prelude::*;

use crate::exact::Moment;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "monitor_alerts")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub node: String,
    pub metric: String,
    pub severity: String,
    pub cause: String,
    pub value: f64,
    #[sea_orm(save_as = "timestamptz_text")]
    pub opened_at: Moment,
    #[sea_orm(save_as = "timestamptz_text")]
    pub changed_at: Moment,
    #[sea_orm(save_as = "timestamptz_text")]
    pub seen_at: Moment,
    pub acknowledged_by: Option<Uuid>,
    #[sea_orm(save_as = "timestamptz_text")]
    pub acknowledged_at: Option<Moment>,
    pub acknowledged_as: Option<String>,
    #[sea_orm(save_as = "timestamptz_text")]
    pub ended_at: Option<Moment>,
    pub resolution: Option<String>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
