//! The same signatures as npm's bip322-js 3.0.0 judged them: either both say the same, or the BIP says why not. The verdicts are
//! made by `tests/wallets/make.mjs`; `just wallets` makes them anew and fails when they differ from those that are kept.
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::collections::BTreeMap;

use coinlink_domain::identity::Network;
use coinlink_ports::identity::WalletSignatures as _;
use coinlink_wallets::{BitcoinSignatures, Headers};
use serde::Deserialize;

#[derive(Deserialize)]
struct Case {
    network: String,
    kind: String,
    name: String,
    address: String,
    message: String,
    signature: String,
    strict: String,
    lenient: String,
}

/// Where the two differ: names of cases, kinds of addresses (none: all), and what the BIP says.
struct Difference {
    names: &'static [&'static str],
    kinds: &'static [&'static str],
    headers: &'static [Headers],
    /// Ours; theirs is the other.
    right: bool,
    why: &'static str,
}

const BOTH: &[Headers] = &[Headers::Exact, Headers::Lenient];
const LENIENT: &[Headers] = &[Headers::Lenient];

const DIFFERENCES: &[Difference] = &[
    Difference {
        names: &["bip322 prefix smp"],
        kinds: &[],
        headers: BOTH,
        right: true,
        why: "BIP-322 now puts `smp` before a simple signature; bip322-js does not know it",
    },
    Difference {
        names: &[
            "bip137 address of another network",
            "bip137 uncompressed address of another network",
            "bip322 address of another network",
        ],
        kinds: &[],
        headers: BOTH,
        right: false,
        why: "a challenge is for one network, and so is its address; bip322-js takes the same key on any",
    },
    Difference {
        names: &[
            "bip137 an asterisk",
            "bip137 line feed after",
            "bip137 line feed within",
            "bip137 more padding",
            "bip137 no padding",
            "bip137 space before",
            "bip137 url alphabet",
            "bip137 uncompressed an asterisk",
            "bip137 uncompressed line feed after",
            "bip137 uncompressed line feed within",
            "bip137 uncompressed more padding",
            "bip137 uncompressed no padding",
            "bip137 uncompressed space before",
            "bip137 uncompressed url alphabet",
            "bip322 an asterisk",
            "bip322 line feed after",
            "bip322 line feed within",
            "bip322 more padding",
            "bip322 no padding",
            "bip322 space before",
            "bip322 url alphabet",
        ],
        kinds: &[],
        headers: BOTH,
        right: false,
        why: "both BIPs say base64, which is RFC 4648 with its padding; bip322-js skips what is none (BIP-322's vectors call that an error)",
    },
    Difference {
        names: &["bip322 a byte too many"],
        kinds: &[],
        headers: BOTH,
        right: false,
        why: "BIP-322: a simple signature is the witness stack as consensus encodes it, all of it; bip322-js does not look at what follows",
    },
    Difference {
        names: &["bip322 called none"],
        kinds: &["p2wpkh", "p2sh-p2wpkh"],
        headers: BOTH,
        right: false,
        why: "BIP-322: all signatures must use SIGHASH_ALL; bip322-js does not look at the type, and verifies as if it were that one",
    },
    Difference {
        names: &["bip322 default spelt out"],
        kinds: &["p2tr"],
        headers: BOTH,
        right: false,
        why: "BIP-341: a 65th byte of zero is invalid, so that no signature has two forms",
    },
    Difference {
        names: &[
            "bip137 header 27",
            "bip137 header 31",
            "bip137 header 35",
            "bip137 header 39",
            "bip137 high s",
            "bip137 address of kind p2tr",
            "bip137 uncompressed address of kind p2tr",
        ],
        kinds: &[],
        headers: LENIENT,
        right: false,
        why: "BIP-137 has no header for taproot, and an uncompressed key's hash is another address than the compressed one's: headers \
              27 to 30 name an uncompressed key; bip322-js tries both forms and all addresses of the key",
    },
    Difference {
        names: &[
            "bip137 uncompressed header 31",
            "bip137 uncompressed header 35",
            "bip137 uncompressed header 39",
            "bip137 uncompressed address of kind p2sh-p2wpkh",
            "bip137 uncompressed address of kind p2wpkh",
        ],
        kinds: &["p2pkh"],
        headers: LENIENT,
        right: false,
        why: "BIP-137: headers 31 and up name a compressed key and 27 to 30 an uncompressed one, which no segwit address is made of",
    },
];

fn is_right(signatures: &BitcoinSignatures, case: &Case) -> bool {
    let network = Network::from_name(&case.network).unwrap();
    let address = signatures.parse(network, &case.address);
    address.is_ok_and(|address| signatures.verify(&address, &case.message, &case.signature).is_ok())
}

#[test]
fn bip322_js_says_the_same_or_the_bip_says_why_not() {
    let cases: Vec<Case> =
        include_str!("fixtures/bip322_js_verdicts.jsonl").lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(cases.len() > 900, "{}", cases.len());
    let mut unexplained: BTreeMap<String, usize> = BTreeMap::new();
    let mut explained = vec![0; DIFFERENCES.len()];
    let mut right = 0;
    for (headers, theirs) in
        [(Headers::Exact, (|case| &case.strict) as fn(&Case) -> &String), (Headers::Lenient, |case| &case.lenient)]
    {
        let signatures = BitcoinSignatures::new(headers);
        for case in &cases {
            let ours = is_right(&signatures, case);
            right += usize::from(ours);
            if ours == (theirs(case) == "right") {
                continue;
            }
            let known = DIFFERENCES.iter().position(|known| {
                known.right == ours
                    && known.headers.contains(&headers)
                    && known.names.contains(&case.name.as_str())
                    && (known.kinds.is_empty() || known.kinds.contains(&case.kind.as_str()))
            });
            match known {
                Some(known) => explained[known] += 1,
                None => *unexplained.entry(format!("{headers:?} {} {} ours {ours}", case.kind, case.name)).or_default() += 1,
            }
        }
    }
    assert_eq!(unexplained, BTreeMap::new());
    for (difference, seen) in DIFFERENCES.iter().zip(explained) {
        assert!(seen > 0, "no longer seen: {}", difference.why);
    }
    assert!(right > 200, "{right} were right");
}
