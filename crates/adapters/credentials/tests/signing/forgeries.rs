use coinlink_credentials::{JwtAccessTokens, NewKey};
use coinlink_ports::identity::{AccessRefusal, AccessTokens as _, PublicKeyMaterial, PublicKeys as _};
use coinlink_testkit::identity::{TokenSigner, forged_access_tokens, forged_tokens_of};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::support::{KEEP, NOON, POLICY, Place, SECRET, claims_at, grant_at, jwk, settings, signed, text};

const BOTH: [NewKey; 2] = [NewKey::EdDsa, NewKey::Rs256(3072)];

fn alg(new: NewKey) -> &'static str {
    if new == NewKey::EdDsa { "EdDSA" } else { "RS256" }
}

/// What was taken for good.
fn good(tokens: &JwtAccessTokens, forged: Vec<(String, String)>) -> Vec<String> {
    let taken = |(name, token): (String, String)| (tokens.verify(&token, NOON) != Err(AccessRefusal::Invalid)).then_some(name);
    forged.into_iter().filter_map(taken).collect()
}

#[test]
fn every_known_forgery_is_refused_as_invalid_where_keys_sign() {
    for new in BOTH {
        let (place, elsewhere) = (Place::with(new), Place::with(new));
        let (keys, kid) = (place.keys(), &place.first.id);
        let public = jwk(&keys.known()[0]).to_string();
        let signer = TokenSigner {
            signed_by: format!(r#""alg":"{}","kid":"{kid}""#, alg(new)),
            known: public.as_bytes(),
            sign: &place.signer(kid),
            stranger: &elsewhere.signer(&elsewhere.first.id),
        };
        let forged = forged_tokens_of(&signer, "coinlink-api", "coinlink-app", &claims_at(NOON));
        assert!(forged.len() > 200, "{}", forged.len());
        for believes_secret in [false, true] {
            let tokens = JwtAccessTokens::with_keys(&settings(), keys.clone(), believes_secret).unwrap();
            assert_eq!(good(&tokens, forged.clone()), Vec::<String>::new());
        }
    }
}

/// What everybody knows of a key, in every form that could be taken for a secret.
fn public_bytes(place: &Place) -> Vec<(&'static str, Vec<u8>)> {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    let [key] = &place.keys().known()[..] else { panic!() };
    let (raw, der) = match &key.material {
        PublicKeyMaterial::Ed25519 { x } => {
            (x.clone(), [&[0x30, 0x2a, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 3, 0x21, 0][..], x].concat())
        }
        PublicKeyMaterial::Rsa { n, e } => {
            // RFC 8017, A.1.1, and RFC 5280 around it.
            let of = |tag: u8, bytes: &[u8]| {
                let length = u16::try_from(bytes.len()).unwrap().to_be_bytes();
                [&[tag, 0x82, length[0], length[1]], bytes].concat()
            };
            let pair = of(0x30, &[of(2, &[&[0], &n[..]].concat()), of(2, e)].concat());
            let named = [0x30, 0x0d, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1, 5, 0];
            (n.clone(), of(0x30, &[&named[..], &of(3, &[&[0], &pair[..]].concat())].concat()))
        }
    };
    let body = STANDARD.encode(&der);
    let lines: Vec<_> = body.as_bytes().chunks(64).map(|line| String::from_utf8_lossy(line).into_owned()).collect();
    let pem = format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", lines.join("\n"));
    let jwk = jwk(key);
    vec![
        ("raw", raw.clone()),
        ("raw in base64url", text(&raw).into_bytes()),
        ("DER", der.clone()),
        ("DER in base64", body.into_bytes()),
        ("PEM", pem.clone().into_bytes()),
        ("PEM without its last line break", pem.trim_end().as_bytes().to_vec()),
        ("JWK", jwk.to_string().into_bytes()),
        ("JWKS", json!({ "keys": [jwk] }).to_string().into_bytes()),
        ("name", key.id.clone().into_bytes()),
    ]
}

#[test]
fn what_everybody_knows_of_a_key_is_no_secret_to_sign_with() {
    for new in BOTH {
        let place = Place::with(new);
        let claims = claims_at(NOON);
        for believes_secret in [false, true] {
            let tokens = JwtAccessTokens::with_keys(&settings(), place.keys(), believes_secret).unwrap();
            for (form, bytes) in public_bytes(&place) {
                let headers = [
                    json!({ "alg": "HS256", "typ": "at+jwt" }),
                    json!({ "alg": "HS256", "typ": "at+jwt", "kid": place.first.id }),
                    json!({ "alg": alg(new), "typ": "at+jwt", "kid": place.first.id }),
                ];
                for header in headers {
                    let token = signed(&header, &claims, |message| by_hmac(&bytes, message));
                    assert_eq!(tokens.verify(&token, NOON), Err(AccessRefusal::Invalid), "{form} under {header}");
                }
            }
            let (_, pem) = public_bytes(&place).into_iter().find(|(form, _)| *form == "PEM").unwrap();
            let forged = forged_access_tokens(&pem, "coinlink-api", "coinlink-app", &claims);
            assert_eq!(good(&tokens, forged), Vec::<String>::new());
        }
    }
}

#[test]
fn a_true_signature_under_another_name_or_algorithm_is_refused() {
    for new in BOTH {
        let place = Place::with(new);
        let kid = place.first.id.as_str();
        let next = place.folder().rotate(Some(BOTH[usize::from(new == BOTH[0])]), POLICY, KEEP, NOON).unwrap();
        let (tokens, claims) = (place.tokens(), claims_at(NOON));
        let header = |alg: &str, kid: Value| json!({ "alg": alg, "typ": "at+jwt", "kid": kid });
        let of = |header: &Value| tokens.verify(&signed(header, &claims, place.signer(kid)), NOON);
        assert_eq!(of(&header(alg(new), json!(kid))), Ok(grant_at(NOON)));
        for name in [
            json!(next.id),
            json!(kid.to_uppercase()),
            json!(format!("{kid}.pem")),
            json!(format!("./{kid}")),
            json!(format!("../{}/{kid}", place.root.path().file_name().unwrap().to_string_lossy())),
            json!("../../../../../dev/null"),
            json!("keys.json"),
            json!("' OR '1'='1"),
            json!(format!("{kid}' --")),
            json!("$(id)|id"),
            json!(format!("{kid}\u{0}")),
            json!(format!(" {kid}")),
            json!(""),
            json!("0".repeat(32)),
            json!("x".repeat(1_000)),
            json!(null),
            json!(0),
            json!([kid]),
            json!({ "kid": kid }),
        ] {
            assert_eq!(of(&header(alg(new), name.clone())), Err(AccessRefusal::Invalid), "{name}");
        }
        for other in ["none", "HS256", "EdDSA", "RS256", "PS256", "RS384", "RS512", "ES256", "Ed25519", ""] {
            if other != alg(new) {
                assert_eq!(of(&header(other, json!(kid))), Err(AccessRefusal::Invalid), "{other}");
                assert_eq!(of(&header(other, json!(next.id))), Err(AccessRefusal::Invalid), "{other} of another key");
            }
        }
        assert_eq!(of(&json!({ "alg": alg(new), "typ": "at+jwt" })), Err(AccessRefusal::Invalid), "no name");
    }
}

#[test]
fn the_secret_signs_nothing_in_the_name_of_a_key() {
    let place = Place::with(NewKey::EdDsa);
    let tokens = JwtAccessTokens::with_keys(&settings(), place.keys(), true).unwrap();
    for alg in ["HS256", "EdDSA"] {
        let signed_by = format!(r#""alg":"{alg}","kid":"{}""#, place.first.id);
        let (sign, stranger) = (|message: &[u8]| by_hmac(SECRET.as_bytes(), message), |_: &[u8]| vec![7; 32]);
        let signer = TokenSigner { signed_by, known: SECRET.as_bytes(), sign: &sign, stranger: &stranger };
        let forged = forged_tokens_of(&signer, "coinlink-api", "coinlink-app", &claims_at(NOON));
        assert_eq!(good(&tokens, forged), Vec::<String>::new());
        let header = json!({ "alg": alg, "typ": "at+jwt", "kid": place.first.id });
        let token = signed(&header, &claims_at(NOON), sign);
        assert_eq!(tokens.verify(&token, NOON), Err(AccessRefusal::Invalid), "{alg}");
    }
}

fn by_hmac(secret: &[u8], message: &[u8]) -> Vec<u8> {
    use hmac::{Hmac, KeyInit as _, Mac as _};
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(secret).unwrap();
    mac.update(message);
    mac.finalize().into_bytes().to_vec()
}

#[test]
fn a_key_that_a_token_brings_along_is_not_looked_at() {
    for new in BOTH {
        let (place, attacker) = (Place::with(new), Place::with(new));
        let [theirs] = &attacker.keys().known()[..] else { panic!() };
        let tokens = place.tokens();
        for kid in [&place.first.id, &attacker.first.id] {
            for (name, value) in [
                ("jwk", jwk(theirs)),
                ("jku", json!("https://attacker.example/.well-known/jwks.json")),
                ("x5u", json!("https://attacker.example/cert.pem")),
                ("x5c", json!(["MIIB"])),
                ("crit", json!(["jwk"])),
            ] {
                let mut header = json!({ "alg": alg(new), "typ": "at+jwt", "kid": kid });
                header[name] = value;
                let token = signed(&header, &claims_at(NOON), attacker.signer(&attacker.first.id));
                assert_eq!(tokens.verify(&token, NOON), Err(AccessRefusal::Invalid), "{header}");
            }
        }
    }
}

proptest! {
    #[test]
    fn no_parts_panic_where_keys_sign(kid in "[0-9a-f]{32}|.{0,40}", payload in any::<Vec<u8>>(), length in 0_usize..600) {
        thread_local!(static PLACE: (Place, JwtAccessTokens) = {
            let place = Place::with(NewKey::EdDsa);
            let tokens = place.tokens();
            (place, tokens)
        });
        PLACE.with(|(place, tokens)| {
            for kid in [&kid, &place.first.id] {
                for alg in ["EdDSA", "RS256", "HS256"] {
                    let header = json!({ "alg": alg, "typ": "at+jwt", "kid": kid }).to_string();
                    let token = [header.as_bytes(), &payload, &vec![7; length]].map(text).join(".");
                    prop_assert_eq!(tokens.verify(&token, NOON), Err(AccessRefusal::Invalid));
                }
            }
            Ok(())
        })?;
    }

    #[test]
    fn no_character_of_a_signed_token_can_be_changed(at in any::<prop::sample::Index>(), to in "[A-Za-z0-9_.=-]") {
        thread_local!(static HELD: (JwtAccessTokens, String) = {
            let tokens = Place::with(NewKey::EdDsa).tokens();
            let token = tokens.mint(&grant_at(NOON)).unwrap().0;
            (tokens, token)
        });
        HELD.with(|(tokens, token)| {
            let at = at.index(token.len());
            let changed = format!("{}{to}{}", &token[..at], &token[at + 1..]);
            prop_assert_eq!(tokens.verify(&changed, NOON).is_ok(), changed == *token);
            Ok(())
        })?;
    }
}
