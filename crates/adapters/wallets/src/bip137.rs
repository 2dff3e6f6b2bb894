//! BIP-137: a header and a compact signature, from which the key is recovered.

use bitcoin::{
    Address, CompressedPublicKey, PubkeyHash, ScriptBuf,
    hashes::Hash as _,
    key::PublicKey,
    secp256k1::{
        Message, Secp256k1, Verification,
        ecdsa::{RecoverableSignature, RecoveryId},
    },
    sign_message::signed_msg_hash,
};
use coinlink_domain::identity::AddressKind;
use coinlink_ports::identity::SignatureFit;

use crate::Headers;

/// One byte of header, 32 of `r`, 32 of `s`.
pub(crate) const LENGTH: usize = 65;
/// The first header; four for each of [`HEADERS`], one for each key that a signature may come from.
const FIRST: u8 = 27;
/// What headers name, in their order, and whether the key is compressed.
const HEADERS: [(AddressKind, bool); 4] =
    [(AddressKind::P2pkh, false), (AddressKind::P2pkh, true), (AddressKind::P2shP2wpkh, true), (AddressKind::P2wpkh, true)];

/// How the signature fits, where it does. `s` may be high: whoever recovers a key, as Bitcoin Core does, takes either.
pub(crate) fn verify<C: Verification>(
    secp: &Secp256k1<C>,
    headers: Headers,
    (address, kind): (&Address, AddressKind),
    message: &str,
    [header, compact @ ..]: &[u8; LENGTH],
) -> Option<SignatureFit> {
    let header = header.checked_sub(FIRST)?;
    let &(named, compressed) = HEADERS.get(usize::from(header / 4))?;
    let fit = match headers {
        _ if named == kind => SignatureFit::Exact,
        Headers::Lenient if compressed => SignatureFit::OtherHeader,
        _ => return None,
    };
    let recovery = RecoveryId::from_i32(i32::from(header % 4)).ok()?;
    let signature = RecoverableSignature::from_compact(compact, recovery).ok()?;
    let digest = Message::from_digest(signed_msg_hash(message).to_byte_array());
    let key = secp.recover_ecdsa(&digest, &signature).ok()?;
    let script = match kind {
        AddressKind::P2pkh => ScriptBuf::new_p2pkh(&PubkeyHash::from(PublicKey { inner: key, compressed })),
        AddressKind::P2wpkh => ScriptBuf::new_p2wpkh(&CompressedPublicKey(key).wpubkey_hash()),
        AddressKind::P2shP2wpkh => {
            ScriptBuf::new_p2sh(&ScriptBuf::new_p2wpkh(&CompressedPublicKey(key).wpubkey_hash()).script_hash())
        }
        // BIP-137 has no header for it.
        AddressKind::P2tr => return None,
    };
    (script == address.script_pubkey()).then_some(fit)
}
