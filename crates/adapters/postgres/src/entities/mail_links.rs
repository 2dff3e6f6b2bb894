use sea_orm::entity::prelude::*;

use crate::exact::Moment;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "mail_links")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub user_id: Uuid,
    pub purpose: String,
    pub email: String,
    pub other_email: Option<String>,
    pub secret: Vec<u8>,
    pub code: Vec<u8>,
    pub key_id: Option<String>,
    pub kept: Option<Vec<u8>>,
    pub browser: Option<Vec<u8>>,
    pub session_id: Option<Uuid>,
    pub failures: i64,
    #[sea_orm(save_as = "timestamptz_text")]
    pub created_at: Moment,
    #[sea_orm(save_as = "timestamptz_text")]
    pub expires_at: Moment,
    #[sea_orm(save_as = "timestamptz_text")]
    pub ended_at: Option<Moment>,
    #[sea_orm(save_as = "timestamptz_text")]
    pub paused_until: Option<Moment>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
