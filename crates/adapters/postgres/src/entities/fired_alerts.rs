use sea_orm::entity::prelude::*;

use crate::exact::{Exact, Moment};

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "fired_alerts")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub rule_id: Uuid,
    pub user_id: Uuid,
    pub symbol: String,
    pub condition: String,
    #[sea_orm(save_as = "numeric_text", select_as = "text")]
    pub target: Exact,
    pub window_seconds: Option<i64>,
    #[sea_orm(save_as = "numeric_text", select_as = "text")]
    pub price: Exact,
    #[sea_orm(save_as = "numeric_text", select_as = "text")]
    pub moved_from: Option<Exact>,
    pub source: Option<String>,
    pub epoch: i64,
    pub seq: i64,
    #[sea_orm(save_as = "timestamptz_text")]
    pub fired_at: Moment,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
