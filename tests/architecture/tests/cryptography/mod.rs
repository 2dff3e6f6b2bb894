//! Which cryptography there is: what the sources use, what `Cargo.lock` brings along, and that `docs/cryptography.md` says both.

mod uses;

use std::collections::{BTreeMap, BTreeSet};

use coinlink_architecture_tests::{read, root};
use toml::{Table, Value};
use uses::uses_of;

/// A library, the algorithms that are used of it, as they are called there, and what else is.
struct Library {
    name: &'static str,
    algorithms: &'static [&'static str],
    beside: &'static [&'static str],
}

const LIBRARIES: &[Library] = &[
    Library { name: "sha2", algorithms: &["Sha256"], beside: &["Digest"] },
    Library { name: "hmac", algorithms: &["Hmac"], beside: &["KeyInit", "Mac"] },
    Library { name: "hkdf", algorithms: &["Hkdf"], beside: &[] },
    Library { name: "chacha20poly1305", algorithms: &["XChaCha20Poly1305"], beside: &["Aead", "KeyInit", "Payload", "XNonce"] },
    Library {
        name: "rusty_paseto",
        algorithms: &["V4", "Local"],
        beside: &["ImplicitAssertion", "Key", "Paseto", "PasetoNonce", "PasetoSymmetricKey", "Payload"],
    },
    Library { name: "bcrypt", algorithms: &["non_truncating_hash_with_salt"], beside: &["BcryptResult", "HashParts"] },
    Library {
        name: "jsonwebtoken",
        algorithms: &["Algorithm::HS256", "Algorithm::EdDSA", "Algorithm::RS256"],
        beside: &["Algorithm", "DecodingKey", "EncodingKey", "Error", "Header", "Validation", "decode", "encode"],
    },
    Library {
        name: "aws_lc_rs",
        algorithms: &["Ed25519KeyPair", "RSA_PKCS1_SHA256", "KeySize::Rsa3072", "KeySize::Rsa4096"],
        beside: &["AsDer", "KeyPair", "KeySize", "Pkcs8V1Der", "SystemRandom"],
    },
    Library { name: "totp_rs", algorithms: &["Algorithm::SHA1"], beside: &["Algorithm", "Builder", "Totp", "TotpError"] },
    Library {
        name: "bitcoin",
        algorithms: &["Secp256k1", "ecdsa", "schnorr", "sha256"],
        beside: &[
            "Address",
            "AddressType",
            "Amount",
            "Bitcoin",
            "CompressedPublicKey",
            "EcdsaSighashType",
            "Hash",
            "HashEngine",
            "LockTime",
            "Message",
            "Network",
            "NetworkUnchecked",
            "OP_0",
            "OP_RETURN",
            "OutPoint",
            "Prevouts",
            "PubkeyHash",
            "PublicKey",
            "RecoverableSignature",
            "RecoveryId",
            "Regtest",
            "ScriptBuf",
            "Sequence",
            "SighashCache",
            "Signet",
            "TapSighashType",
            "Testnet",
            "Transaction",
            "TxIn",
            "TxOut",
            "Verification",
            "VerifyOnly",
            "Version",
            "Witness",
            "XOnlyPublicKey",
            "script",
            "signed_msg_hash",
        ],
    },
    Library { name: "rustls", algorithms: &["default_provider"], beside: &["get_default"] },
];

/// What each library is used for by the crates that are shipped: names of it, and folders of crates.
fn used() -> BTreeMap<String, (BTreeSet<String>, BTreeSet<String>)> {
    let names: Vec<&str> = LIBRARIES.iter().map(|library| library.name).collect();
    let mut used: BTreeMap<String, (BTreeSet<String>, BTreeSet<String>)> = BTreeMap::new();
    for (file, source) in crate::shipped_sources() {
        let (folder, _) = file.split_once("/src/").expect("a source is in src");
        for (library, name) in uses_of(&source, &names) {
            let (of_it, by) = used.entry(library).or_default();
            of_it.insert(name);
            by.insert(folder.rsplit('/').next().unwrap_or(folder).to_owned());
        }
    }
    used
}

#[test]
fn only_algorithms_of_the_list_are_used() {
    let used = used();
    let mut wrong = Vec::new();
    for library in LIBRARIES {
        let listed: BTreeSet<&str> = library.algorithms.iter().chain(library.beside).copied().collect();
        let found: BTreeSet<&str> = used.get(library.name).into_iter().flat_map(|(names, _)| names).map(String::as_str).collect();
        wrong.extend(found.difference(&listed).map(|name| format!("{}::{name} is not listed", library.name)));
        wrong.extend(listed.difference(&found).map(|name| format!("{}::{name} is listed and not used", library.name)));
    }
    assert_eq!(wrong, Vec::<String>::new());
}

fn page() -> String {
    read(&root().join("docs/cryptography.md"))
}

/// The rows of the table under a title, each cut into its cells.
fn table<'a>(page: &'a str, title: &str) -> Vec<Vec<&'a str>> {
    let part = page.split(&format!("\n## {title}\n")).nth(1).unwrap_or_else(|| panic!("there is no part {title}"));
    let part = part.split("\n## ").next().unwrap_or(part);
    let rows = part.lines().filter(|line| line.starts_with("| ")).skip(1);
    rows.map(|row| row.trim_matches('|').split(" | ").map(str::trim).collect()).collect()
}

fn quoted(cell: &str) -> BTreeSet<&str> {
    cell.split('`').skip(1).step_by(2).collect()
}

#[test]
fn the_page_of_cryptography_lists_every_algorithm_and_who_uses_it() {
    let (page, used) = (page(), used());
    let rows = table(&page, "Algorithms");
    for library in LIBRARIES {
        let crate_name = library.name.replace('_', "-");
        let names = [library.name, &crate_name];
        let of_it: Vec<_> = rows.iter().filter(|row| names.iter().any(|name| row[2] == format!("`{name}`"))).collect();
        let said: BTreeSet<&str> = of_it.iter().flat_map(|row| quoted(row[3])).collect();
        assert_eq!(said, library.algorithms.iter().copied().collect(), "{}: what is used of it", library.name);
        let by: BTreeSet<&str> = of_it.iter().flat_map(|row| quoted(row[4])).collect();
        assert_eq!(by, used[library.name].1.iter().map(String::as_str).collect(), "{}: who uses it", library.name);
    }
    let known: usize =
        rows.iter().filter(|row| LIBRARIES.iter().any(|it| row[2].trim_matches('`').replace('-', "_") == it.name)).count();
    assert_eq!(known, rows.len(), "a row of a library that is not used");
}

/// Whoever depends on one of these is a cipher, a hash or a signature, or made of some.
const TRAITS: [&str; 7] = ["aead", "cipher", "crypto-common", "digest", "password-hash", "signature", "universal-hash"];
/// Those that do without.
const APART: [&str; 18] = [
    "aws-lc-rs",
    "aws-lc-sys",
    "bitcoin_hashes",
    "blake3",
    "boring",
    "curve25519-dalek",
    "ed25519",
    "libsodium-sys",
    "md5",
    "native-tls",
    "openssl",
    "openssl-sys",
    "ring",
    "rustls",
    "secp256k1",
    "secp256k1-sys",
    "sha1_smol",
    "tiny-keccak",
];

#[test]
fn the_page_of_cryptography_lists_what_libraries_bring_along() {
    let lock: Table = read(&root().join("Cargo.lock")).parse().expect("the lock file is TOML");
    let mut found = BTreeSet::new();
    for package in lock["package"].as_array().expect("packages") {
        let name = package["name"].as_str().expect("a name");
        let needs = package.get("dependencies").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
        let is_made_of_some = needs.filter_map(|needed| needed.split(' ').next()).any(|needed| TRAITS.contains(&needed));
        let ours = package.get("source").is_none() || LIBRARIES.iter().any(|library| library.name == name.replace('-', "_"));
        if (is_made_of_some || APART.contains(&name)) && !ours && !TRAITS.contains(&name) {
            found.insert(name);
        }
    }
    assert!(found.contains("blake2"), "{found:?}");
    let page = page();
    let listed: BTreeSet<&str> = table(&page, "What libraries bring along").iter().flat_map(|row| quoted(row[0])).collect();
    assert_eq!(listed, found, "docs/cryptography.md lists what is in Cargo.lock");
}

#[test]
fn the_page_of_cryptography_tells_every_key_how_long_it_lives_and_how_it_is_replaced() {
    let defaults = read(&root().join("config/default.toml"));
    let page = page();
    let rows = table(&page, "Keys");
    // Those that other systems give, and that open something there, are not keys of ours; docs/connections.md has them.
    let foreign = ["_URL", "_API_KEY", "API_SECRET", "SENTRY_DSN", "OTLP_HEADERS", "COINBASE", "CoinGecko", "newsapi"];
    let mut keys = 0;
    for line in defaults.lines().filter(|line| line.contains("(secret)")) {
        let name =
            line.split("# ").nth(1).and_then(|said| said.split([' ', '.', ',']).next()).expect("a setting has its variable");
        if foreign.iter().any(|word| name.contains(word)) {
            continue;
        }
        let row = rows.iter().find(|row| quoted(row[0]).contains(name)).unwrap_or_else(|| panic!("{name} is in no row"));
        assert!(row.len() == 5 && row.iter().all(|cell| !cell.is_empty()), "{name}: {row:?}");
        keys += 1;
    }
    assert!(keys >= 4, "only {keys} keys were found");
    let runbook = read(&root().join("docs/runbooks/rotate-keys.md"));
    for name in ["JWT_SECRET_KEY", "JWT_KEYS_DIR", "TOTP_ENCRYPTION_KEY", "PASSWORD_PEPPER"] {
        let row = rows.iter().find(|row| quoted(row[0]).contains(name)).unwrap_or_else(|| panic!("{name} is in no row"));
        let told = runbook.lines().find(|line| line.starts_with("| ") && line.contains(&format!("`{name}`")));
        let often = told.and_then(|line| line.trim_matches('|').rsplit(" | ").next()).expect("the runbook says how often").trim();
        assert_eq!(row[3], often, "{name}: how often, as docs/runbooks/rotate-keys.md says");
    }
}

/// Files that draw random numbers: what for, and whether anybody's guess of them would open something.
const DRAWN: &[(&str, &str, bool)] = &[
    (
        "crates/adapters/embedded/src/system.rs",
        "keys, tickets, codes and links, by the port `Entropy`; and dice that spread load",
        true,
    ),
    ("crates/adapters/credentials/src/secret_box.rs", "nonces", true),
    ("crates/adapters/credentials/src/passwords/mod.rs", "salts", true),
    ("crates/adapters/credentials/src/access/signing/key.rs", "private keys", true),
    ("crates/server/src/config/dev_secrets.rs", "secrets of dev", true),
    ("crates/server/src/command/verify/person.rs", "the password of an account that is made for a check", true),
    ("crates/server/src/telemetry/trace_context.rs", "ids of traces", false),
    ("crates/adapters/coinbase/src/live/feed.rs", "how long to wait", false),
    ("crates/application/src/identity/api_keys/bad_keys.rs", "where counters are", false),
    ("crates/adapters/embedded/src/gate/mod.rs", "where counters are", false),
    ("crates/adapters/embedded/src/gate/expiring.rs", "where entries are", false),
];

#[test]
fn secrets_are_drawn_from_the_systems_randomness_alone() {
    let (mut found, mut wrong) = (BTreeSet::new(), Vec::new());
    for (file, source) in crate::shipped_sources() {
        // Parsing takes its time.
        if !["rand", "Random", "new_v4"].iter().any(|word| source.contains(word)) {
            continue;
        }
        let uses = uses_of(&source, &["getrandom", "aws_lc_rs", "std", "uuid", "rand", "fastrand"]);
        let has = |library: &str, name: &str| uses.contains(&(library.to_owned(), name.to_owned()));
        let of_the_system = has("getrandom", "fill") || has("aws_lc_rs", "SystemRandom");
        let draws = of_the_system || has("getrandom", "u64") || has("std", "RandomState");
        if uses.iter().any(|(library, _)| library == "rand" || library == "fastrand") || source.contains("new_v4") {
            wrong.push(format!("{file} has numbers of another generator"));
        }
        if !draws {
            continue;
        }
        match DRAWN.iter().find(|(path, ..)| *path == file) {
            Some((.., true)) if !of_the_system => wrong.push(format!("{file} draws secrets of what is for spreading load")),
            Some(_) => _ = found.insert(file),
            None => wrong.push(format!("{file} draws numbers: say in DRAWN what for")),
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
    let listed: BTreeSet<String> = DRAWN.iter().map(|(file, ..)| (*file).to_owned()).collect();
    assert_eq!(found, listed, "these need no mention any more");
    // What everything of the port is made of: 256 bits, of the system.
    let port = read(&root().join("crates/ports/src/shared/entropy.rs"));
    assert!(port.contains("fn key(&self) -> [u8; 32];"));
    let workspace: Table = read(&root().join("Cargo.toml")).parse().expect("the root manifest is TOML");
    let dependencies = workspace["workspace"]["dependencies"].as_table().expect("dependencies");
    for other in ["rand", "rand_core", "fastrand", "oorandom", "nanorand"] {
        assert!(!dependencies.contains_key(other), "{other} can be used in place of the system's randomness");
    }
    // Ids are no secrets: they tell when they were made.
    let features = dependencies["uuid"].get("features").and_then(Value::as_array).expect("features");
    assert_eq!(features.iter().filter_map(Value::as_str).collect::<Vec<_>>(), ["v7"]);
}
