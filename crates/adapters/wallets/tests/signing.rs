//! Signatures of wallets on every network, and what must not pass for one.

use coinlink_domain::identity::{AddressKind, Network, WalletAddress};
use coinlink_ports::identity::{AddressError, BadSignature, MAX_SIGNATURE_LEN, SignatureFit, WalletSignatures as _};
use coinlink_testkit::identity::BitcoinWallet;
use coinlink_wallets::{BitcoinSignatures, Headers};

const MESSAGE: &str = "api.example.com wants you to sign in\nNonce: 1";

fn exact() -> BitcoinSignatures {
    BitcoinSignatures::new(Headers::Exact)
}

#[test]
fn every_form_of_every_kind_is_taken_on_every_network() {
    let signatures = exact();
    let mut seen = 0;
    for network in Network::ALL {
        for kind in AddressKind::ALL {
            let wallet = BitcoinWallet::new(kind, network, "ada");
            let address = signatures.parse(network, &wallet.address()).unwrap();
            assert_eq!((address.as_str(), address.network(), address.kind()), (wallet.address().as_str(), network, kind));
            for (form, signature) in wallet.signatures(MESSAGE) {
                assert_eq!(
                    signatures.verify(&address, MESSAGE, &signature),
                    Ok(SignatureFit::Exact),
                    "{network:?} {kind:?} {form}"
                );
                seen += 1;
            }
        }
    }
    assert_eq!(seen, 4 * (1 + 3 + 3 + 2));
}

#[test]
fn a_signature_is_good_for_its_address_and_message_alone() {
    let signatures = exact();
    for kind in AddressKind::ALL {
        let wallet = BitcoinWallet::new(kind, Network::Mainnet, "ada");
        let own = signatures.parse(Network::Mainnet, &wallet.address()).unwrap();
        let other = BitcoinWallet::new(kind, Network::Mainnet, "eve").address();
        let other = signatures.parse(Network::Mainnet, &other).unwrap();
        for (form, signature) in wallet.signatures(MESSAGE) {
            assert_eq!(signatures.verify(&other, MESSAGE, &signature), Err(BadSignature), "{kind:?} {form}");
            for message in
                ["", "api.example.com", &MESSAGE.replace('1', "2"), &MESSAGE.replace('\n', "\r\n"), &format!("{MESSAGE}\n")]
            {
                assert_eq!(signatures.verify(&own, message, &signature), Err(BadSignature), "{kind:?} {form} {message:?}");
            }
        }
    }
}

#[test]
fn a_header_of_another_kind_is_taken_where_that_is_set_and_said() {
    let (exact, lenient) = (exact(), BitcoinSignatures::new(Headers::Lenient));
    for kind in AddressKind::ALL {
        let wallet = BitcoinWallet::new(kind, Network::Mainnet, "ada");
        let address = exact.parse(Network::Mainnet, &wallet.address()).unwrap();
        let own = match kind {
            AddressKind::P2pkh => 31,
            AddressKind::P2shP2wpkh => 35,
            AddressKind::P2wpkh => 39,
            AddressKind::P2tr => 0,
        };
        for header in [27, 31, 35, 39] {
            let signature = wallet.with_header(MESSAGE, header);
            let strictly = if header == own { Ok(SignatureFit::Exact) } else { Err(BadSignature) };
            assert_eq!(exact.verify(&address, MESSAGE, &signature), strictly, "{kind:?} {header}");
            let leniently = match header {
                _ if header == own => Ok(SignatureFit::Exact),
                31.. if kind != AddressKind::P2tr => Ok(SignatureFit::OtherHeader),
                _ => Err(BadSignature),
            };
            assert_eq!(lenient.verify(&address, MESSAGE, &signature), leniently, "{kind:?} {header}");
        }
    }
}

#[test]
fn an_address_is_read_for_its_network_in_its_one_spelling() {
    let signatures = exact();
    let on = |network, text: &str| signatures.parse(network, text).map(|address| address.as_str().to_owned());
    let address = "bc1q9vza2e8x573nczrlzms0wvx3gsqjx7vavgkx0l";
    assert_eq!(on(Network::Mainnet, &address.to_uppercase()).as_deref(), Ok(address));
    for network in [Network::Testnet, Network::Signet, Network::Regtest] {
        assert_eq!(on(network, address), Err(AddressError::OtherNetwork));
    }
    let test = BitcoinWallet::new(AddressKind::P2wpkh, Network::Testnet, "ada").address();
    assert_eq!(on(Network::Signet, &test).as_deref(), Ok(test.as_str()), "they look the same");
    assert_eq!(on(Network::Regtest, &test), Err(AddressError::OtherNetwork));
    let mixed = format!("{}{}", &address[..20], address[20..].to_uppercase());
    let wrong = format!("{}m", &address[..41]);
    for text in [
        "",
        " ",
        "1",
        "bc1",
        "0x52908400098527886E0F7030069857D2E4169EE7",
        &mixed,
        &wrong,
        &format!(" {address}"),
        &"1".repeat(101),
    ] {
        assert_eq!(on(Network::Mainnet, text), Err(AddressError::NotAnAddress), "{text:?}");
    }
    for script in [
        "bc1qp0ahvfh83088w49k405szqgg4f3pptr7p2g06tdxfjcd40z4lh4q95lsz9",
        "bc1zw508d6qejxtdg4y5r3zarvaryvaxxpcs",
        "bc1pfeessrawgf",
    ] {
        assert_eq!(on(Network::Mainnet, script), Err(AddressError::Unsupported), "{script}");
    }
}

#[test]
fn a_signature_that_is_too_long_is_not_looked_at_and_neither_is_an_address_that_is_none() {
    let signatures = exact();
    let wallet = BitcoinWallet::new(AddressKind::P2tr, Network::Mainnet, "ada");
    let address = signatures.parse(Network::Mainnet, &wallet.address()).unwrap();
    for length in [MAX_SIGNATURE_LEN, MAX_SIGNATURE_LEN + 1, 1 << 20] {
        assert_eq!(signatures.verify(&address, MESSAGE, &"A".repeat(length)), Err(BadSignature));
    }
    let stored = WalletAddress::checked("no address".to_owned(), Network::Mainnet, AddressKind::P2tr);
    assert_eq!(signatures.verify(&stored, MESSAGE, &wallet.sign(MESSAGE)), Err(BadSignature));
    // A taproot program that is no point of the curve: an address all the same.
    let nowhere = "bc1pqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqsk2uz8g";
    if let Ok(nowhere) = signatures.parse(Network::Mainnet, nowhere) {
        assert_eq!(signatures.verify(&nowhere, MESSAGE, &wallet.sign(MESSAGE)), Err(BadSignature));
    }
}
