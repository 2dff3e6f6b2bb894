use std::sync::Arc;

use super::{AskWallet, LinkWallet, ListWallets, SignInWithWallet, UnlinkWallet, WalletParts};
use crate::identity::{EndedSessions, IdentityAdapters, Letters, OpenSession, own_password::OwnPassword};

/// Every use case of wallets.
#[derive(Clone)]
pub struct WalletUseCases {
    /// Makes what a wallet is asked to sign.
    pub ask: Arc<AskWallet>,
    /// Signs in with a signature.
    pub sign_in: Arc<SignInWithWallet>,
    /// Links a wallet.
    pub link: Arc<LinkWallet>,
    /// Shows the wallets of an account.
    pub list: Arc<ListWallets>,
    /// Unlinks a wallet.
    pub unlink: Arc<UnlinkWallet>,
}

impl WalletUseCases {
    pub(in crate::identity) fn new(
        adapters: &IdentityAdapters,
        own: &OwnPassword,
        letters: &Letters,
        ended: &EndedSessions,
        sessions: &OpenSession,
    ) -> Self {
        let parts = WalletParts::new(adapters, letters);
        let (sessions, ended) = (sessions.clone(), ended.clone());
        Self {
            ask: Arc::new(AskWallet { parts: parts.clone() }),
            sign_in: Arc::new(SignInWithWallet { parts: parts.clone(), sessions, ended }),
            link: Arc::new(LinkWallet { parts: parts.clone(), password: own.clone() }),
            list: Arc::new(ListWallets { list: adapters.wallets.clone() }),
            unlink: Arc::new(UnlinkWallet { parts }),
        }
    }
}
