use sea_orm::entity::prelude::*;

use crate::exact::Moment;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "audit_retirements")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub first_seal: i64,
    pub last_seal: i64,
    pub month: String,
    pub chain_hash: Vec<u8>,
    pub mac: Vec<u8>,
    #[sea_orm(save_as = "timestamptz_text")]
    pub at: Moment,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
