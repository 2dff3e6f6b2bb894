use sea_orm::entity::prelude::*;

use crate::exact::Moment;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "notifications")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub user_id: Uuid,
    pub kind: String,
    pub title: String,
    pub message: String,
    pub priority: String,
    pub is_read: bool,
    #[sea_orm(save_as = "timestamptz_text")]
    pub created_at: Moment,
    #[sea_orm(save_as = "timestamptz_text")]
    pub expires_at: Option<Moment>,
    pub action_url: Option<String>,
    pub facts: String,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
