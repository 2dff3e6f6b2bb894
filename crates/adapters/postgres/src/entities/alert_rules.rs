use sea_orm::entity::prelude::*;

use crate::exact::{Exact, Moment};

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "alert_rules")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub user_id: Uuid,
    pub symbol: String,
    pub condition: String,
    #[sea_orm(save_as = "numeric_text", select_as = "text")]
    pub target: Exact,
    pub window_seconds: Option<i64>,
    pub is_active: bool,
    #[sea_orm(save_as = "timestamptz_text")]
    pub created_at: Moment,
    #[sea_orm(save_as = "timestamptz_text")]
    pub last_triggered: Option<Moment>,
    pub last_epoch: Option<i64>,
    pub last_seq: Option<i64>,
    pub trigger_count: i64,
    pub arming: String,
    #[sea_orm(save_as = "timestamptz_text")]
    pub since: Moment,
    pub revision: i64,
    #[sea_orm(save_as = "timestamptz_text")]
    pub changed_at: Moment,
    #[sea_orm(save_as = "timestamptz_text")]
    pub deleted_at: Option<Moment>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
