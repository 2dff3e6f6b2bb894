use sea_orm::entity::prelude::*;

use crate::exact::Moment;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "webhooks")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub user_id: Uuid,
    pub url: String,
    pub host: String,
    pub key_id: String,
    pub secret: Vec<u8>,
    #[sea_orm(save_as = "timestamptz_text")]
    pub created_at: Moment,
    pub failures: i64,
    #[sea_orm(save_as = "timestamptz_text")]
    pub disabled_at: Option<Moment>,
    #[sea_orm(save_as = "timestamptz_text")]
    pub last_call_at: Option<Moment>,
    #[sea_orm(save_as = "timestamptz_text")]
    pub last_success_at: Option<Moment>,
    pub last_error: Option<String>,
    #[sea_orm(save_as = "timestamptz_text")]
    pub served_at: Option<Moment>,
    pub test_id: Option<Uuid>,
    #[sea_orm(save_as = "timestamptz_text")]
    pub tested_at: Option<Moment>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
