//! A hundred thousand addresses, messages and signatures that were changed somewhere: none panics, and none is taken for another.
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use base64::{Engine as _, engine::general_purpose::STANDARD};
use coinlink_domain::identity::{AddressKind, Network};
use coinlink_ports::identity::WalletSignatures as _;
use coinlink_testkit::identity::BitcoinWallet;
use coinlink_wallets::{BitcoinSignatures, Headers};
use proptest::{
    prelude::*,
    test_runner::{Config, TestRunner},
};

/// For each way of reading headers.
const CASES: u32 = 50_000;
const MESSAGE: &str = "Nonce: abababab";

/// One change to a list of bytes.
#[derive(Debug, Clone)]
enum Change {
    Flip(usize, u8),
    Set(usize, u8),
    Insert(usize, u8),
    Remove(usize),
    Cut(usize),
    Double(usize),
    Append(Vec<u8>),
}

fn change() -> impl Strategy<Value = Change> {
    let at = 0_usize..200;
    let byte = prop_oneof![Just(0_u8), Just(1), Just(0x7f), Just(0x80), Just(0xfd), Just(0xff), any::<u8>()];
    prop_oneof![
        (at.clone(), 0_u8..8).prop_map(|(at, bit)| Change::Flip(at, 1 << bit)),
        (at.clone(), byte.clone()).prop_map(|(at, byte)| Change::Set(at, byte)),
        (at.clone(), byte.clone()).prop_map(|(at, byte)| Change::Insert(at, byte)),
        at.clone().prop_map(Change::Remove),
        at.clone().prop_map(Change::Cut),
        at.prop_map(Change::Double),
        prop::collection::vec(byte, 0..40).prop_map(Change::Append),
    ]
}

impl Change {
    fn apply(&self, bytes: &mut Vec<u8>) {
        let place = |at: usize| at % bytes.len().max(1);
        match self {
            Self::Append(more) => bytes.extend(more),
            Self::Insert(at, byte) => bytes.insert(place(*at), *byte),
            _ if bytes.is_empty() => {}
            Self::Flip(at, bit) => *at_mut(bytes, *at) ^= bit,
            Self::Set(at, byte) => *at_mut(bytes, *at) = *byte,
            Self::Remove(at) => drop(bytes.remove(place(*at))),
            Self::Cut(at) => bytes.truncate(place(*at)),
            Self::Double(at) => bytes.extend_from_within(place(*at)..),
        }
    }
}

fn at_mut(bytes: &mut [u8], at: usize) -> &mut u8 {
    let length = bytes.len();
    &mut bytes[at % length]
}

fn apply(changes: &[Change], bytes: &mut Vec<u8>) {
    for change in changes {
        change.apply(bytes);
    }
}

fn changed(text: &str, changes: &[Change]) -> String {
    let mut bytes = text.as_bytes().to_vec();
    apply(changes, &mut bytes);
    String::from_utf8_lossy(&bytes).into_owned()
}

/// What is changed.
#[derive(Debug, Clone)]
enum Target {
    SignatureBytes(Vec<Change>),
    SignatureText(Vec<Change>),
    Anything(String),
    Message(Vec<Change>),
    Address(Vec<Change>),
    AnyAddress(String),
}

fn target() -> impl Strategy<Value = Target> {
    let changes = || prop::collection::vec(change(), 1..5);
    prop_oneof![
        6 => changes().prop_map(Target::SignatureBytes),
        2 => changes().prop_map(Target::SignatureText),
        1 => prop_oneof!["[ -~]{0,120}", ".{0,60}", "(smp|ful|pof)?[A-Za-z0-9+/]{0,200}={0,3}"].prop_map(Target::Anything),
        1 => changes().prop_map(Target::Message),
        1 => changes().prop_map(Target::Address),
        1 => prop_oneof!["(bc1[qp]|tb1q|[123mn])[a-zA-Z0-9]{0,80}", ".{0,110}"].prop_map(Target::AnyAddress),
    ]
}

#[test]
fn fifty_thousand_changed_inputs_neither_panic_nor_pass_for_another() {
    run(Headers::Exact);
}

#[test]
fn fifty_thousand_more_do_not_where_headers_are_taken_leniently() {
    run(Headers::Lenient);
}

fn run(headers: Headers) {
    let seeds: Vec<(String, String)> = AddressKind::ALL
        .into_iter()
        .flat_map(|kind| {
            let wallet = BitcoinWallet::new(kind, Network::Mainnet, "ada");
            wallet.signatures(MESSAGE).into_iter().map(move |(_, signature)| (wallet.address(), signature))
        })
        .collect();
    let verifier = BitcoinSignatures::new(headers);
    let config = Config { cases: CASES, failure_persistence: None, ..Config::default() };
    let cases = (0..seeds.len(), target());
    TestRunner::new(config)
        .run(&cases, |(seed, target)| {
            let (own_address, own) = &seeds[seed];
            let (mut address, mut message, mut signature) = (own_address.clone(), MESSAGE.to_owned(), own.clone());
            match &target {
                Target::SignatureBytes(changes) => {
                    let bare = own.strip_prefix("smp").unwrap_or(own);
                    let mut bytes = STANDARD.decode(bare).unwrap();
                    apply(changes, &mut bytes);
                    signature = STANDARD.encode(bytes);
                }
                Target::SignatureText(changes) => signature = changed(own, changes),
                Target::Anything(text) => signature.clone_from(text),
                Target::Message(changes) => message = changed(MESSAGE, changes),
                Target::Address(changes) => address = changed(own_address, changes),
                Target::AnyAddress(text) => address.clone_from(text),
            }
            let Ok(parsed) = verifier.parse(Network::Mainnet, &address) else { return Ok(()) };
            if verifier.verify(&parsed, &message, &signature).is_ok() {
                prop_assert_eq!(parsed.as_str(), own_address.as_str());
                prop_assert_eq!(&message, MESSAGE);
            }
            Ok(())
        })
        .unwrap();
}
