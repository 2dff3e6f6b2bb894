//! BIP-322, the simple form: the witness stack of the first input of a transaction that spends an output nobody made.

use bitcoin::{
    Address, Amount, CompressedPublicKey, EcdsaSighashType, OutPoint, ScriptBuf, Sequence, TapSighashType, Transaction, TxIn,
    TxOut, Witness, XOnlyPublicKey,
    absolute::LockTime,
    hashes::{Hash as _, HashEngine as _, sha256},
    opcodes::{OP_0, all::OP_RETURN},
    script,
    secp256k1::{Message, Secp256k1, Verification, ecdsa, schnorr},
    sighash::{Prevouts, SighashCache},
    transaction::Version,
};
use coinlink_domain::identity::AddressKind;

/// The length of a key in the only form a witness may have it.
const COMPRESSED: usize = 33;
const TAG: &[u8] = b"BIP0322-signed-message";

/// The tagged hash (BIP-340) of a message.
fn message_hash(message: &str) -> [u8; 32] {
    let tag = sha256::Hash::hash(TAG);
    let mut engine = sha256::Hash::engine();
    engine.input(tag.as_byte_array());
    engine.input(tag.as_byte_array());
    engine.input(message.as_bytes());
    sha256::Hash::from_engine(engine).to_byte_array()
}

/// The transaction whose only output the address can spend, and which can never be: its input is nobody's.
fn to_spend(address: &Address, message: &str) -> Transaction {
    let script_sig = script::Builder::new().push_opcode(OP_0).push_slice(message_hash(message)).into_script();
    Transaction {
        version: Version(0),
        lock_time: LockTime::ZERO,
        input: vec![TxIn { previous_output: OutPoint::null(), script_sig, sequence: Sequence::ZERO, witness: Witness::new() }],
        output: vec![TxOut { value: Amount::ZERO, script_pubkey: address.script_pubkey() }],
    }
}

/// The transaction that is signed.
fn to_sign(to_spend: &Transaction) -> Transaction {
    Transaction {
        version: Version(0),
        lock_time: LockTime::ZERO,
        input: vec![TxIn {
            previous_output: OutPoint::new(to_spend.compute_txid(), 0),
            script_sig: ScriptBuf::new(),
            sequence: Sequence::ZERO,
            witness: Witness::new(),
        }],
        output: vec![TxOut { value: Amount::ZERO, script_pubkey: script::Builder::new().push_opcode(OP_RETURN).into_script() }],
    }
}

/// The items of a witness stack of `N`, encoded as transactions have it. Of what is taken here no item needs a length of more than
/// one byte, so nothing is set aside for what is only claimed to follow.
fn items<const N: usize>(bytes: &[u8]) -> Option<[&[u8]; N]> {
    let (&count, mut rest) = bytes.split_first()?;
    if usize::from(count) != N {
        return None;
    }
    let mut found: [&[u8]; N] = [&[]; N];
    for item in &mut found {
        let (&length, after) = rest.split_first()?;
        // From here on a length has more bytes.
        if length >= 0xfd {
            return None;
        }
        (*item, rest) = after.split_at_checked(usize::from(length))?;
    }
    rest.is_empty().then_some(found)
}

/// `Some` where the witness is the address's on this message.
pub(crate) fn verify<C: Verification>(
    secp: &Secp256k1<C>,
    (address, kind): (&Address, AddressKind),
    message: &str,
    witness: &[u8],
) -> Option<()> {
    match kind {
        AddressKind::P2wpkh | AddressKind::P2shP2wpkh => verify_key_hash(secp, (address, kind), message, items(witness)?),
        AddressKind::P2tr => verify_taproot(secp, address, message, items(witness)?),
        // Has no witness: it takes the full form, or BIP-137.
        AddressKind::P2pkh => None,
    }
}

fn verify_key_hash<C: Verification>(
    secp: &Secp256k1<C>,
    (address, kind): (&Address, AddressKind),
    message: &str,
    [signature, key]: [&[u8]; 2],
) -> Option<()> {
    // Read from the 65 bytes of its other form, a key would still hash to the address: nodes hash the bytes as they are.
    let key = CompressedPublicKey::from_slice(key).ok().filter(|_| key.len() == COMPRESSED)?;
    let program = ScriptBuf::new_p2wpkh(&key.wpubkey_hash());
    let paid_to = if kind == AddressKind::P2wpkh { program.clone() } else { ScriptBuf::new_p2sh(&program.script_hash()) };
    if paid_to != address.script_pubkey() {
        return None;
    }
    let (&sighash_type, der) = signature.split_last()?;
    if u32::from(sighash_type) != EcdsaSighashType::All.to_u32() {
        return None;
    }
    let signature = strict_signature(der)?;
    let to_sign = to_sign(&to_spend(address, message));
    let sighash = SighashCache::new(&to_sign).p2wpkh_signature_hash(0, &program, Amount::ZERO, EcdsaSighashType::All).ok()?;
    secp.verify_ecdsa(&Message::from_digest(sighash.to_byte_array()), &signature, &key.0).ok()
}

/// A signature in its one encoding, with the lower of its two `s` (`STRICTENC` and `LOW_S` in BIP-322).
fn strict_signature(der: &[u8]) -> Option<ecdsa::Signature> {
    let signature = ecdsa::Signature::from_der(der).ok()?;
    let mut low = signature;
    low.normalize_s();
    (low == signature && *signature.serialize_der() == *der).then_some(signature)
}

fn verify_taproot<C: Verification>(secp: &Secp256k1<C>, address: &Address, message: &str, [signature]: [&[u8]; 1]) -> Option<()> {
    // 64 bytes sign with the default, which is ALL; the 65th may say ALL (BIP-341 forbids that it says the default).
    let (signature, sighash_type) = match signature.split_at_checked(64)? {
        (signature, []) => (signature, TapSighashType::Default),
        (signature, [all]) if *all == TapSighashType::All as u8 => (signature, TapSighashType::All),
        _ => return None,
    };
    let signature = schnorr::Signature::from_slice(signature).ok()?;
    let script = address.script_pubkey();
    let key = XOnlyPublicKey::from_slice(script.as_bytes().get(2..)?).ok()?;
    let to_spend = to_spend(address, message);
    let to_sign = to_sign(&to_spend);
    let prevouts = Prevouts::All(&to_spend.output);
    let sighash = SighashCache::new(&to_sign).taproot_key_spend_signature_hash(0, &prevouts, sighash_type).ok()?;
    secp.verify_schnorr(&signature, &Message::from_digest(sighash.to_byte_array()), &key).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use bitcoin::{Network, consensus::encode};
    use proptest::prelude::*;

    /// `tx_hashes` of BIP-322's basic test vectors.
    #[test]
    fn hashes_of_messages_and_transactions_are_those_of_the_bip() {
        let vectors: serde_json::Value =
            serde_json::from_str(include_str!("../tests/fixtures/bip322_basic_vectors.json")).unwrap();
        let cases = vectors["tx_hashes"].as_array().unwrap();
        assert!(cases.len() >= 3);
        for case in cases {
            let text = |name: &str| case[name].as_str().unwrap();
            let address: Address<_> = text("address").parse().unwrap();
            let address = address.require_network(Network::Bitcoin).unwrap();
            let to_spend = to_spend(&address, text("message"));
            let hash = sha256::Hash::from_byte_array(message_hash(text("message")));
            assert_eq!(hash.to_string(), text("message_hash"));
            assert_eq!(to_spend.compute_txid().to_string(), text("to_spend_tx_hash"));
            assert_eq!(to_sign(&to_spend).compute_txid().to_string(), text("to_sign_tx_hash"));
        }
    }

    proptest! {
        #[test]
        fn a_stack_is_read_as_transactions_encode_it(items_in in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..253), 2)) {
            let encoded = encode::serialize(&Witness::from_slice(&items_in));
            prop_assert_eq!(items::<2>(&encoded).map(|items| items.map(<[u8]>::to_vec).to_vec()), Some(items_in));
            prop_assert_eq!(items::<1>(&encoded), None);
        }

        #[test]
        fn what_is_read_is_what_transactions_read(bytes in prop::collection::vec(prop_oneof![0_u8..4, any::<u8>()], 0..40)) {
            if let Some(found) = items::<2>(&bytes) {
                let witness: Witness = encode::deserialize(&bytes).unwrap();
                prop_assert_eq!(witness.to_vec(), found.map(<[u8]>::to_vec).to_vec());
            }
        }
    }
}
