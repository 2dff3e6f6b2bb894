use base64::{Engine as _, engine::general_purpose::STANDARD};
use bitcoin::{
    Address, Amount, CompressedPublicKey, EcdsaSighashType, KnownHrp, OutPoint, PublicKey, ScriptBuf, Sequence, TapSighashType,
    Transaction, TxIn, TxOut, Witness,
    absolute::LockTime,
    consensus::encode::serialize,
    hashes::{Hash as _, HashEngine as _, sha256},
    key::{Keypair, TapTweak as _},
    script,
    secp256k1::{All, Message, Secp256k1, SecretKey},
    sighash::{Prevouts, SighashCache},
    sign_message::signed_msg_hash,
    transaction::Version,
};
use coinlink_domain::identity::{AddressKind, Network};

/// A Bitcoin wallet with one key, that signs messages as real ones do.
#[derive(Debug, Clone)]
pub struct BitcoinWallet {
    secp: Secp256k1<All>,
    secret: SecretKey,
    kind: AddressKind,
    network: bitcoin::Network,
}

impl BitcoinWallet {
    /// With an address of this kind; the same name always has the same key.
    ///
    /// # Panics
    /// Where the name's digest is no key, which no name is known for.
    pub fn new(kind: AddressKind, network: Network, name: &str) -> Self {
        let network = match network {
            Network::Mainnet => bitcoin::Network::Bitcoin,
            Network::Testnet => bitcoin::Network::Testnet,
            Network::Signet => bitcoin::Network::Signet,
            Network::Regtest => bitcoin::Network::Regtest,
        };
        let digest = sha256::Hash::hash(format!("{kind:?} {name}").as_bytes());
        let secret = SecretKey::from_slice(digest.as_byte_array()).expect("a digest is a key");
        Self { secp: Secp256k1::new(), secret, kind, network }
    }

    /// Its address.
    pub fn address(&self) -> String {
        self.checked_address().to_string()
    }

    /// The message signed in every form that fits the address, with the name of the form.
    pub fn signatures(&self, message: &str) -> Vec<(&'static str, String)> {
        let witness = self.witness(message).map(|witness| STANDARD.encode(serialize(&witness)));
        let header = match self.kind {
            AddressKind::P2pkh => Some(31),
            AddressKind::P2shP2wpkh => Some(35),
            AddressKind::P2wpkh => Some(39),
            AddressKind::P2tr => None,
        };
        let prefixed = witness.as_ref().map(|simple| ("BIP-322 with its prefix", format!("smp{simple}")));
        let compact = header.map(|header| ("BIP-137", self.with_header(message, header)));
        compact.into_iter().chain(witness.map(|simple| ("BIP-322", simple))).chain(prefixed).collect()
    }

    /// The message signed in one of these forms.
    ///
    /// # Panics
    /// Never: every kind of address has one.
    pub fn sign(&self, message: &str) -> String {
        self.signatures(message).swap_remove(0).1
    }

    /// BIP-137 with the header for compressed keys that begins at `header`.
    pub fn with_header(&self, message: &str, header: u8) -> String {
        let digest = Message::from_digest(signed_msg_hash(message).to_byte_array());
        let (recovery, compact) = self.secp.sign_ecdsa_recoverable(&digest, &self.secret).serialize_compact();
        let recovery = u8::try_from(recovery.to_i32()).unwrap_or_default();
        STANDARD.encode([&[header + recovery], &compact[..]].concat())
    }

    fn public_key(&self) -> CompressedPublicKey {
        CompressedPublicKey(self.secret.public_key(&self.secp))
    }

    fn checked_address(&self) -> Address {
        let key = self.public_key();
        match self.kind {
            AddressKind::P2pkh => Address::p2pkh(PublicKey::from(key), self.network),
            AddressKind::P2shP2wpkh => Address::p2shwpkh(&key, self.network),
            AddressKind::P2wpkh => Address::p2wpkh(&key, KnownHrp::from(self.network)),
            AddressKind::P2tr => {
                let (internal, _) = self.secret.x_only_public_key(&self.secp);
                Address::p2tr(&self.secp, internal, None, KnownHrp::from(self.network))
            }
        }
    }

    /// BIP-322, the simple form.
    fn witness(&self, message: &str) -> Option<Witness> {
        let script_pubkey = self.checked_address().script_pubkey();
        let spend = spend(script_pubkey, message);
        let sign = Transaction {
            version: Version(0),
            lock_time: LockTime::ZERO,
            input: vec![input(OutPoint::new(spend.compute_txid(), 0), ScriptBuf::new())],
            output: vec![TxOut { value: Amount::ZERO, script_pubkey: ScriptBuf::from_bytes(vec![0x6a]) }],
        };
        let mut cache = SighashCache::new(&sign);
        match self.kind {
            AddressKind::P2pkh => None,
            AddressKind::P2tr => {
                let prevouts = Prevouts::All(&spend.output);
                let hash = cache.taproot_key_spend_signature_hash(0, &prevouts, TapSighashType::Default).ok()?;
                let tweaked = Keypair::from_secret_key(&self.secp, &self.secret).tap_tweak(&self.secp, None);
                let digest = Message::from_digest(hash.to_byte_array());
                let signature = self.secp.sign_schnorr_no_aux_rand(&digest, &tweaked.to_keypair());
                Some(Witness::from_slice(&[signature.serialize()]))
            }
            AddressKind::P2wpkh | AddressKind::P2shP2wpkh => {
                let key = self.public_key();
                let program = ScriptBuf::new_p2wpkh(&key.wpubkey_hash());
                let hash = cache.p2wpkh_signature_hash(0, &program, Amount::ZERO, EcdsaSighashType::All).ok()?;
                let signature = self.secp.sign_ecdsa(&Message::from_digest(hash.to_byte_array()), &self.secret);
                let signature = bitcoin::ecdsa::Signature::sighash_all(signature);
                Some(Witness::p2wpkh(&signature, &key.0))
            }
        }
    }
}

fn input(previous_output: OutPoint, script_sig: ScriptBuf) -> TxIn {
    TxIn { previous_output, script_sig, sequence: Sequence::ZERO, witness: Witness::new() }
}

fn spend(script_pubkey: ScriptBuf, message: &str) -> Transaction {
    let tag = sha256::Hash::hash(b"BIP0322-signed-message").to_byte_array();
    let mut engine = sha256::Hash::engine();
    for part in [&tag[..], &tag, message.as_bytes()] {
        engine.input(part);
    }
    let hash = sha256::Hash::from_engine(engine).to_byte_array();
    let script_sig = script::Builder::new().push_int(0).push_slice(hash).into_script();
    Transaction {
        version: Version(0),
        lock_time: LockTime::ZERO,
        input: vec![input(OutPoint::null(), script_sig)],
        output: vec![TxOut { value: Amount::ZERO, script_pubkey }],
    }
}
