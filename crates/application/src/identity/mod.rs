//! Use cases of accounts and sessions.

mod administration;
mod api_keys;
mod audit;
mod authenticate;
mod by_address;
mod change_password;
mod change_role;
mod end_sessions;
mod issue_tokens;
mod mail_links;
mod open_session;
mod owed_guesses;
mod own_account;
mod own_password;
mod prune;
mod refresh_session;
mod revoked_sessions;
mod second_factor;
mod sign_in;
mod sign_out;
mod sign_up;
mod socket_access;
mod turns;
mod use_cases;
mod verified_email;
mod wallets;

pub use administration::{
    AccountPage, AdminRefusal, AdministerAccounts, AdministerError, Administered, AdministrationUseCases, Administrator,
    AuthorizeAdmin, ReadAccounts,
};
pub use api_keys::{
    ApiKeyPage, ApiKeyUseCases, CreateApiKey, CreateApiKeyError, KeyRefusal, KeyUses, KnownKeys, ListApiKeys, NewApiKey,
    NoteKeyUses, RevokeApiKey, VerifiedKey, VerifyApiKey,
};
pub use authenticate::{Authenticate, Standing};
pub use by_address::ByAddressError;
pub use change_password::{ChangePassword, ChangePasswordError};
pub use change_role::{ChangeRole, ChangeRoleError, RoleChange};
pub use end_sessions::EndSession;
pub use issue_tokens::{IssueTokens, RefreshSecret, Tokens};
pub use mail_links::{
    AskForMail, ChangeEmail, ChangeEmailError, Letters, LinkError, LinkUseCases, LinkView, LookAtLink, OpenLink, Opening,
    ResetPassword, ResetPasswordError, UndoEmailChange, UndoEmailChangeError, VerifyEmail, VerifyEmailError,
};
pub use open_session::{OpenSession, OpenSessionError, Shown};
pub use owed_guesses::OwedGuesses;
pub use own_account::{AccountStats, Actor, Change, OwnAccount, ProfileChange};
pub use prune::PruneIdentity;
pub use refresh_session::{RefreshError, RefreshSession};
pub use revoked_sessions::{EndedSessions, FollowRevocations, RevokedSessions};
pub use second_factor::{
    CompleteSignIn, ConfirmSecondFactor, DisableSecondFactor, FactorProof, RenewRecoveryCodes, ResealSecrets, ResetSecondFactor,
    SecondFactorError, SecondFactorParts, SecondFactorState, SecondFactorStatus, SecondFactorUseCases, SetUpSecondFactor, StepUp,
};
pub use sign_in::{SecondFactorTicket, SignIn, SignInError, SignInOutcome};
pub use sign_out::{SignOut, SignOutEverywhere};
pub use sign_up::{DeviceSecret, NewAccount, SignUp, SignUpError, SignedIn};
pub use socket_access::{SocketAccess, SocketHolder, SocketRefusal};
pub use use_cases::{IdentityAdapters, IdentityUseCases};
pub use verified_email::VerifiedEmail;
pub use wallets::{
    AskWallet, AskWalletError, LinkWallet, LinkWalletError, ListWallets, SignInWithWallet, UnlinkWallet, UnlinkWalletError,
    WalletAsked, WalletSignInError, WalletUseCases,
};
