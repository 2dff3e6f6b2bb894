use sea_orm::entity::prelude::*;

use crate::exact::Moment;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "chat_exchanges")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub user_id: Uuid,
    pub question: String,
    #[sea_orm(save_as = "timestamptz_text")]
    pub asked_at: Moment,
    pub answer: String,
    #[sea_orm(save_as = "timestamptz_text")]
    pub answered_at: Moment,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
