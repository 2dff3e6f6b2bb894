//! The public test vectors of BIP-322. Where they are from stands in the files.
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use coinlink_domain::identity::Network;
use coinlink_ports::identity::{AddressError, SignatureFit, WalletSignatures as _};
use coinlink_wallets::{BitcoinSignatures, Headers};
use serde::Deserialize;

#[derive(Deserialize)]
struct Vectors {
    simple: Vec<Simple>,
    error: Vec<Refused>,
}

#[derive(Deserialize)]
struct Simple {
    message: String,
    address: String,
    taken: bool,
    signatures: Vec<String>,
}

#[derive(Deserialize)]
struct Refused {
    description: String,
    message: String,
    address: String,
    signature: String,
}

fn vectors() -> [Vectors; 2] {
    [include_str!("fixtures/bip322_basic_vectors.json"), include_str!("fixtures/bip322_generated_vectors.json")]
        .map(|text| serde_json::from_str(text).unwrap())
}

#[test]
fn simple_signatures_are_right_with_and_without_their_prefix() {
    let signatures = BitcoinSignatures::new(Headers::Exact);
    let mut seen = 0;
    for case in vectors().into_iter().flat_map(|vectors| vectors.simple) {
        let address = signatures.parse(Network::Mainnet, &case.address);
        if !case.taken {
            assert_eq!(address, Err(AddressError::Unsupported), "{}", case.address);
            continue;
        }
        let address = address.unwrap();
        assert!(!case.signatures.is_empty());
        for signature in &case.signatures {
            let bare = signature.strip_prefix("smp").unwrap_or(signature);
            for text in [bare.to_owned(), format!("smp{bare}")] {
                assert_eq!(signatures.verify(&address, &case.message, &text), Ok(SignatureFit::Exact), "{text}");
                assert!(signatures.verify(&address, &format!("{} ", case.message), &text).is_err());
                seen += 1;
            }
        }
    }
    assert!(seen >= 20, "{seen}");
}

#[test]
fn what_the_vectors_call_an_error_is_one() {
    let signatures = BitcoinSignatures::new(Headers::Lenient);
    let mut seen = 0;
    for case in vectors().into_iter().flat_map(|vectors| vectors.error) {
        // One of them is about an address of a kind that is not taken.
        let Ok(address) = signatures.parse(Network::Mainnet, &case.address) else { continue };
        assert!(signatures.verify(&address, &case.message, &case.signature).is_err(), "{}", case.description);
        seen += 1;
    }
    assert!(seen >= 12, "{seen}");
}
