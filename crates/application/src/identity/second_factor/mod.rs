//! What is asked beside the first factor: setting it up, showing it, and doing without it.

mod codes;
mod complete_sign_in;
mod confirm;
mod disable;
mod error;
mod fresh;
mod parts;
mod renew_codes;
mod reseal;
mod reset;
mod set_up;
mod status;
mod step_up;
mod use_cases;

pub use complete_sign_in::CompleteSignIn;
pub use confirm::ConfirmSecondFactor;
pub use disable::DisableSecondFactor;
pub use error::SecondFactorError;
pub use parts::{FactorProof, SecondFactorParts};
pub use renew_codes::RenewRecoveryCodes;
pub use reseal::ResealSecrets;
pub use reset::ResetSecondFactor;
pub use set_up::SetUpSecondFactor;
pub use status::{SecondFactorState, SecondFactorStatus};
pub use step_up::StepUp;
pub use use_cases::SecondFactorUseCases;

pub(super) use fresh::{FactorError, require_fresh};
