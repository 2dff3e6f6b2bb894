//! Accounts and sessions: the contract on each database, and what only a real one can get wrong.

mod corruption;
mod faults;
mod place;
mod rows;
mod text;

mod postgres {
    coinlink_testkit::identity_store_contract!(crate::identity::place::on_postgres().await.it);
}

mod sqlite {
    coinlink_testkit::identity_store_contract!(crate::identity::place::on_sqlite().await.it);
}
