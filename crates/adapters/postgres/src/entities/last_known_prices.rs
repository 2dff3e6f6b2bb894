use sea_orm::entity::prelude::*;

use crate::exact::{Exact, Moment};

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "last_known_prices")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub symbol: String,
    pub name: Option<String>,
    pub rank: Option<i32>,
    #[sea_orm(save_as = "numeric_text", select_as = "text")]
    pub price: Exact,
    #[sea_orm(column_name = "change_24h", save_as = "numeric_text", select_as = "text")]
    pub change_24h: Option<Exact>,
    #[sea_orm(column_name = "high_24h", save_as = "numeric_text", select_as = "text")]
    pub high_24h: Option<Exact>,
    #[sea_orm(column_name = "low_24h", save_as = "numeric_text", select_as = "text")]
    pub low_24h: Option<Exact>,
    #[sea_orm(column_name = "volume_24h", save_as = "numeric_text", select_as = "text")]
    pub volume_24h: Option<Exact>,
    #[sea_orm(save_as = "numeric_text", select_as = "text")]
    pub market_cap: Option<Exact>,
    pub source: String,
    #[sea_orm(save_as = "timestamptz_text")]
    pub as_of: Moment,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
