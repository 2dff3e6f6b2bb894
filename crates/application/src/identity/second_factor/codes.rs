use coinlink_domain::identity::{RecoveryCode, SecondFactor, SecretDigest, UserId};
use coinlink_ports::{
    identity::IdentityTx,
    shared::{Entropy, StoreError},
};

/// Gives an account new recovery codes in the place of all it had. What is answered is shown once and kept nowhere.
pub(super) async fn renew(tx: &mut dyn IdentityTx, user: UserId, entropy: &dyn Entropy) -> Result<Vec<RecoveryCode>, StoreError> {
    let codes: Vec<RecoveryCode> = (0..SecondFactor::RECOVERY_CODES).map(|_| draw(entropy)).collect();
    let digests: Vec<SecretDigest> = codes.iter().map(RecoveryCode::digest).collect();
    tx.second_factors().replace_codes(user, &digests).await?;
    Ok(codes)
}

fn draw(entropy: &dyn Entropy) -> RecoveryCode {
    let [_, code] = *entropy.key().as_chunks::<16>().0 else { unreachable!("a key of 32 bytes has two halves") };
    RecoveryCode(code)
}
