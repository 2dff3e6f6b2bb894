use sea_orm::entity::prelude::*;

use crate::exact::Moment;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "sessions")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub user_id: Uuid,
    pub family_key: Vec<u8>,
    pub generation: i64,
    pub confirmed: bool,
    pub replays: i64,
    pub retry_key: Option<Vec<u8>>,
    #[sea_orm(save_as = "timestamptz_text")]
    pub created_at: Moment,
    #[sea_orm(save_as = "timestamptz_text")]
    pub rotated_at: Moment,
    pub ip: Option<String>,
    pub user_agent: Option<String>,
    #[sea_orm(save_as = "timestamptz_text")]
    pub second_factor_at: Option<Moment>,
    #[sea_orm(save_as = "timestamptz_text")]
    pub ended_at: Option<Moment>,
    pub end_reason: Option<String>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
