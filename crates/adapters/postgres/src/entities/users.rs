use sea_orm::entity::prelude::*;

use crate::exact::Moment;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "users")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub email: String,
    pub claimed_email: Option<String>,
    pub pepper_id: String,
    pub password_hash: String,
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    pub role: String,
    pub is_active: bool,
    pub is_verified: bool,
    #[sea_orm(save_as = "timestamptz_text")]
    pub created_at: Moment,
    #[sea_orm(save_as = "timestamptz_text")]
    pub updated_at: Moment,
    #[sea_orm(save_as = "timestamptz_text")]
    pub last_login_at: Option<Moment>,
    pub logins: i64,
    #[sea_orm(save_as = "timestamptz_text")]
    pub secured_at: Option<Moment>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
