//! What every [`IdentityStore`] must do. Run by the fake and by the SQL store on each database.
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod accounts;
mod api_keys;
mod guards;
mod mail_links;
mod second_factors;
mod sessions;
mod transactions;
mod upkeep;
mod wallets;

use std::{any::Any, sync::Arc};

use coinlink_domain::identity::{Session, SessionId, User};
use coinlink_ports::identity::{Account, ApiKeyReads, IdentityStore, MailLinkStore, SecondFactorStore, WalletList};
use futures_util::future::{BoxFuture, join_all};
use uuid::Uuid;

use super::{a_session, an_account};

pub use accounts::*;
pub use api_keys::*;
pub use guards::*;
pub use mail_links::*;
pub use second_factors::*;
pub use sessions::*;
pub use transactions::*;
pub use upkeep::*;
pub use wallets::*;

/// The ids of audit entries or letters, once they are read.
pub type Audited = BoxFuture<'static, Vec<Uuid>>;

/// An empty store, and what a test has to know of it.
#[derive(Clone)]
pub struct IdentityUnderTest {
    /// The store.
    pub store: Arc<dyn IdentityStore>,
    /// The same store, where second factors are asked for outside of transactions.
    pub factors: Arc<dyn SecondFactorStore>,
    /// The same, where keys are read.
    pub keys: Arc<dyn ApiKeyReads>,
    /// The same, where links in mail are looked at.
    pub links: Arc<dyn MailLinkStore>,
    /// The same, where wallets are read.
    pub wallets: Arc<dyn WalletList>,
    /// Reads the ids of all audit entries that others see.
    pub audited: Arc<dyn Fn() -> Audited + Send + Sync>,
    /// Reads the ids of all letters that others see.
    pub mailed: Arc<dyn Fn() -> Audited + Send + Sync>,
    /// What has to stay as long as the store is used.
    pub place: Arc<dyn Any + Send + Sync>,
}

impl IdentityUnderTest {
    async fn added(&self, account: Account) -> Account {
        let mut tx = self.store.begin().await.unwrap();
        tx.users().add(&account).await.unwrap();
        tx.commit().await.unwrap();
        account
    }

    async fn a_user(&self, email: &str) -> User {
        self.added(an_account(email)).await.user
    }

    async fn signed_in(&self, session: Session) -> Session {
        let mut tx = self.store.begin().await.unwrap();
        tx.sessions().add(&session).await.unwrap();
        tx.commit().await.unwrap();
        session
    }

    async fn a_session(&self, email: &str) -> Session {
        let user = self.a_user(email).await.id;
        self.signed_in(a_session(user)).await
    }

    async fn kept(&self, id: SessionId) -> Session {
        self.store.session(id).await.unwrap().unwrap()
    }

    async fn save(&self, session: &Session) -> bool {
        let mut tx = self.store.begin().await.unwrap();
        let saved = tx.sessions().save(session).await.unwrap();
        tx.commit().await.unwrap();
        saved
    }
}

/// What `count` tasks answer that run at the same time.
async fn at_once<T: Send + 'static, F: Future<Output = T> + Send + 'static>(count: usize, task: impl Fn(usize) -> F) -> Vec<T> {
    let tasks: Vec<_> = (0..count).map(|n| tokio::spawn(task(n))).collect();
    join_all(tasks).await.into_iter().map(Result::unwrap).collect()
}

/// Runs the suite on `$store`, an expression of type [`IdentityUnderTest`] that is evaluated anew for each case.
#[macro_export]
macro_rules! identity_store_contract {
    ($($case:ident),+ $(,)? => $store:expr) => {
        $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $case() {
            $crate::identity::store_contract::$case($store).await;
        })+
    };
    ($store:expr) => {
        $crate::identity_store_contract!(
            what_was_never_added_is_not_there,
            an_account_is_found_as_it_was_added,
            saving_an_account_changes_all_but_its_id_and_creation,
            an_account_that_is_not_there_cannot_be_saved,
            names_of_all_kinds_survive,
            an_address_is_taken_once,
            an_address_may_be_claimed_by_many_and_owned_by_one,
            of_many_who_want_one_address_at_once_one_gets_it,
            preferences_are_replaced_whole,
            only_active_admins_are_held_in_the_order_of_their_ids,
            two_admins_who_remove_each_other_at_once_do_not_both_succeed,
            no_sign_in_is_lost_when_many_save_one_account_at_once,
            a_dropped_transaction_leaves_no_trace,
            what_is_not_committed_is_seen_by_nobody_else,
            a_transaction_sees_what_it_wrote,
            a_transaction_that_failed_once_does_nothing_more,
            dropped_transactions_hold_nothing_and_nobody_up,
            a_call_that_was_given_up_holds_nobody_up,
            audit_entries_are_seen_once_they_are_committed,
            letters_are_seen_once_they_are_committed,
            a_session_is_found_as_it_was_added,
            a_session_needs_an_account,
            no_generation_is_lost_when_many_refresh_at_once,
            what_a_replay_may_change_is_saved,
            a_session_that_is_over_stays_as_it_is,
            saving_a_session_keeps_its_owner_key_and_beginning,
            of_many_who_end_a_session_at_once_one_does,
            sessions_are_live_until_the_microsecond_they_expire,
            live_sessions_are_listed_by_refresh_and_held_by_id,
            however_many_sign_in_at_once_no_account_has_too_many_sessions,
            what_was_ended_is_told_by_the_stores_own_clock,
            a_confirmation_counts_for_the_newest_generation_only,
            a_confirmation_that_meets_a_refresh_confirms_the_older_generation_or_nothing,
            a_guess_is_counted_under_all_its_keys,
            while_one_key_is_delayed_nothing_is_counted_under_any,
            of_a_hundred_guesses_at_once_the_free_ones_and_one_more_are_admitted,
            guesses_that_share_some_keys_neither_deadlock_nor_get_lost,
            a_reservation_that_is_rolled_back_never_was,
            what_is_given_back_is_free_again,
            giving_back_what_was_forgotten_leaves_nothing_behind,
            pruning_forgets_what_is_over_and_nothing_else,
            pruning_takes_no_more_than_its_limit,
            a_link_is_found_as_it_was_sent,
            a_link_needs_an_account,
            what_of_a_link_may_change_is_saved,
            a_new_link_voids_the_older_ones_of_its_asker_and_purpose,
            a_new_link_voids_no_one_elses,
            a_link_is_held_by_one_at_a_time,
            voiding_spares_what_took_a_change_back_before,
            links_are_counted_by_address_purpose_and_time,
            old_links_are_pruned,
            the_link_of_a_session_that_goes_on_is_found,
            letters_are_counted_by_address_template_and_time,
            those_who_claim_an_address_are_found_a_few_at_a_time,
            a_key_is_found_as_it_was_added,
            a_key_needs_an_account_and_an_id_of_its_own,
            a_revoked_key_is_not_usable_and_is_revoked_once_and_by_its_owner,
            a_key_of_an_account_that_is_switched_off_is_not_usable,
            purging_revokes_every_key_of_one_account,
            keys_are_listed_newest_first_and_counted_until_the_microsecond_they_expire,
            a_list_of_keys_goes_on_where_a_page_ended,
            keys_are_counted_from_when_they_were_made_whatever_became_of_them,
            however_many_make_keys_at_once_no_account_has_too_many,
            a_use_is_noted_once_a_minute,
            keys_are_forgotten_some_time_after_they_were_revoked_or_expired,
            a_challenge_is_taken_as_it_was_added_and_once,
            whoever_does_not_hold_the_secret_takes_no_challenge,
            of_many_who_take_one_challenge_at_once_one_gets_it,
            a_challenge_that_was_taken_in_vain_comes_back_with_its_transaction,
            challenges_are_forgotten_once_they_expired,
            a_wallet_is_found_as_it_was_linked,
            a_wallet_needs_an_account,
            an_address_is_linked_once_on_each_network,
            of_many_who_link_one_address_at_once_one_does,
            wallets_are_listed_oldest_first_and_used_as_long_as_they_are_there,
            a_wallet_is_removed_by_its_owner_and_once,
            purging_removes_the_wallets_and_links_of_one_account,
            a_factor_is_found_as_it_was_set_up_and_the_next_takes_its_place,
            a_factor_that_is_confirmed_stays_until_it_is_removed,
            a_step_is_claimed_once_and_never_after_a_newer_one,
            a_claim_that_is_rolled_back_never_was,
            a_recovery_code_is_spent_once_by_its_own_account,
            new_recovery_codes_void_the_earlier_ones,
            a_secret_is_sealed_anew_only_where_it_is_still_the_same,
            secrets_of_earlier_keys_are_told_by_account,
            a_ticket_is_tried_five_times_within_its_time_and_by_its_secret_only,
            a_ticket_is_spent_once,
            old_tickets_are_forgotten_and_no_more_than_asked,
            => $store
        );
    };
}
