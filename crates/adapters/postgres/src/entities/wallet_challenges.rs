use sea_orm::entity::prelude::*;

use crate::exact::Moment;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "wallet_challenges")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub digest: Vec<u8>,
    pub network: String,
    pub address: String,
    pub kind: String,
    pub domain: String,
    pub uri: String,
    pub nonce: Vec<u8>,
    #[sea_orm(save_as = "timestamptz_text")]
    pub issued_at: Moment,
    #[sea_orm(save_as = "timestamptz_text")]
    pub expires_at: Moment,
    pub user_id: Option<Uuid>,
    pub session_id: Option<Uuid>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
