use sea_orm::entity::prelude::*;

use crate::exact::Moment;

/// A time of which a provider has no candles.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "candle_gaps")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub symbol: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub interval: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub source: String,
    /// Part of the table's key too; `sea-orm` takes no type of ours for one, and nothing here goes by it.
    #[sea_orm(save_as = "timestamptz_text")]
    pub from_at: Moment,
    #[sea_orm(save_as = "timestamptz_text")]
    pub to_at: Moment,
    #[sea_orm(save_as = "timestamptz_text")]
    pub noted_at: Moment,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
