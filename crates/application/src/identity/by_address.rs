use coinlink_domain::identity::Email;
use coinlink_ports::{
    identity::{Account, IdentityTx},
    shared::StoreError,
};

/// More are not counted.
const MOST: u64 = 100;

/// No account is meant by an address.
#[derive(Debug, thiserror::Error)]
pub enum ByAddressError {
    /// Nobody has it.
    #[error("there is no account with this address")]
    NoAccount,
    /// Nobody owns it, since nobody showed that it is theirs.
    #[error("no account owns this address: {}", claimed(*.0))]
    Claimed(usize),
    /// The store is not there.
    #[error(transparent)]
    Store(#[from] StoreError),
}

fn claimed(accounts: usize) -> String {
    match accounts {
        1 => "1 account claims it and has not verified it".to_owned(),
        _ => format!("{accounts} accounts claim it and none of them has verified it"),
    }
}

/// The account that owns `email`, held until the transaction ends. Which of several that merely claim it is meant is not guessed.
pub(super) async fn lock(tx: &mut dyn IdentityTx, email: &Email) -> Result<Account, ByAddressError> {
    if let Some(account) = tx.users().lock_by_email(email).await? {
        return Ok(account);
    }
    match tx.users().lock_claimants(email, MOST).await?.len() {
        0 => Err(ByAddressError::NoAccount),
        claimants => Err(ByAddressError::Claimed(claimants)),
    }
}
