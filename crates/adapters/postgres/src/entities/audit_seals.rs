use sea_orm::entity::prelude::*;

use crate::exact::Moment;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "audit_seals")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub seq: i64,
    pub audit_id: Uuid,
    #[sea_orm(save_as = "timestamptz_text")]
    pub entry_at: Moment,
    #[sea_orm(save_as = "timestamptz_text")]
    pub sealed_at: Moment,
    pub entry_hash: Vec<u8>,
    pub chain_hash: Vec<u8>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
