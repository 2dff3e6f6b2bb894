use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE, URL_SAFE_NO_PAD},
};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Map, Value, json};
use sha2::{Sha256, Sha384, Sha512};

const HEADER: &str = r#"{"alg":"HS256","typ":"at+jwt"}"#;
/// What stands for how the good token was signed in the headers below.
const BY_SECRET: &str = r#""alg":"HS256""#;
const ALPHABET: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// Tokens that must all be refused as invalid, by name, most of them signed with the true `secret`: only the first and the
/// most obvious line of defence is down.
///
/// `claims` are those of a token that would be good now: `iss aud sub sid gen iat nbf exp jti`, of which issuer and audience
/// are replaced.
///
/// # Panics
/// Where `claims` are no object.
pub fn forged_access_tokens(secret: &[u8], issuer: &str, audience: &str, claims: &Value) -> Vec<(String, String)> {
    let signer = TokenSigner {
        signed_by: BY_SECRET.to_owned(),
        known: secret,
        sign: &|message| hs256(secret, message),
        stranger: &|message| hs256(b"another key of at least 32 bytes!", message),
    };
    forged_tokens_of(&signer, issuer, audience, claims)
}

/// Who signs tokens, for [`forged_tokens_of`].
pub struct TokenSigner<'a> {
    /// What the header of a good token says of it, such as `"alg":"EdDSA","kid":"…"`.
    pub signed_by: String,
    /// What an attacker can take for a secret: the secret itself, or a public key.
    pub known: &'a [u8],
    /// The true signature.
    pub sign: &'a dyn Fn(&[u8]) -> Vec<u8>,
    /// The signature of another key of the same kind.
    pub stranger: &'a dyn Fn(&[u8]) -> Vec<u8>,
}

/// As [`forged_access_tokens`], for tokens that are signed in another way.
///
/// # Panics
/// Where `claims` are no object.
pub fn forged_tokens_of(signer: &TokenSigner<'_>, issuer: &str, audience: &str, claims: &Value) -> Vec<(String, String)> {
    let mut claims = claims.as_object().expect("claims are an object").clone();
    claims.insert("iss".into(), issuer.into());
    claims.insert("aud".into(), audience.into());
    let forge = Forge { signer, claims };
    let mut forged = forge.algorithms();
    forged.extend(forge.headers());
    forged.extend(forge.signatures());
    forged.extend(forge.encodings());
    forged.extend(forge.claims());
    forged
}

type Forged = Vec<(String, String)>;

struct Forge<'a> {
    signer: &'a TokenSigner<'a>,
    claims: Map<String, Value>,
}

impl Forge<'_> {
    fn payload(&self) -> String {
        Value::Object(self.claims.clone()).to_string()
    }

    /// The header of the good token.
    fn header(&self) -> String {
        HEADER.replace(BY_SECRET, &self.signer.signed_by)
    }

    fn sign(&self, header: &str, payload: &str) -> String {
        sign_parts(self.signer.sign, &encode(header.as_bytes()), &encode(payload.as_bytes()))
    }

    /// The good token with other claims.
    fn with(&self, name: &str, value: Value) -> String {
        let mut claims = self.claims.clone();
        claims.insert(name.into(), value);
        self.sign(&self.header(), &Value::Object(claims).to_string())
    }

    /// The good claims under another header.
    fn under(&self, header: &str) -> String {
        self.sign(&header.replace(BY_SECRET, &self.signer.signed_by), &self.payload())
    }

    fn algorithms(&self) -> Forged {
        let mut forged = Forged::new();
        for alg in ["none", "None", "NONE", "nOnE", "", "HS384", "HS512", "RS256", "PS256", "ES256", "ES256K", "EdDSA", "hs256"] {
            let header = json!({ "alg": alg, "typ": "at+jwt" }).to_string();
            forged.push((format!("alg {alg:?}"), self.under(&header)));
            forged.push((format!("alg {alg:?}, no signature"), format!("{}.", message(&header, &self.payload()))));
        }
        for header in [r#"{"typ":"at+jwt"}"#, r#"{"alg":null,"typ":"at+jwt"}"#, r#"{"alg":["HS256"],"typ":"at+jwt"}"#] {
            forged.push((format!("header {header}"), self.under(header)));
        }
        let longer = |alg: &str| message(&json!({ "alg": alg, "typ": "at+jwt" }).to_string(), &self.payload());
        let (of_384, of_512) = (longer("HS384"), longer("HS512"));
        let mut mac = Hmac::<Sha384>::new_from_slice(self.signer.known).expect("HMAC takes any key");
        mac.update(of_384.as_bytes());
        forged.push(("a true HS384".into(), format!("{of_384}.{}", encode(&mac.finalize().into_bytes()))));
        let mut mac = Hmac::<Sha512>::new_from_slice(self.signer.known).expect("HMAC takes any key");
        mac.update(of_512.as_bytes());
        forged.push(("a true HS512".into(), format!("{of_512}.{}", encode(&mac.finalize().into_bytes()))));
        forged
    }

    fn headers(&self) -> Forged {
        let mut forged = Forged::new();
        let jwk = json!({ "kty": "oct", "k": encode(self.signer.known) });
        let additions = [
            ("jwk", jwk),
            ("jku", json!("https://attacker.example/keys.json")),
            ("x5u", json!("https://attacker.example/cert.pem")),
            ("x5c", json!(["MIIB"])),
            ("x5t", json!("AA")),
            ("crit", json!(["exp"])),
            ("crit", json!([])),
            ("b64", json!(false)),
            ("zip", json!("DEF")),
            ("cty", json!("JWT")),
            ("enc", json!("A256GCM")),
            ("kid", json!("")),
            ("kid", json!("../../../../dev/null")),
            ("kid", json!("x' UNION SELECT 'key' --")),
            ("kid", json!({ "a": 1 })),
            ("exp", json!(1)),
            ("nonsense", json!(true)),
        ];
        for (name, value) in additions {
            let header = format!(r#"{{"alg":"HS256","typ":"at+jwt","{name}":{value}}}"#);
            forged.push((format!("header {header}"), self.under(&header)));
        }
        for header in [
            r#"{"alg":"HS256","typ":"JWT"}"#,
            r#"{"alg":"HS256","typ":"jwt"}"#,
            r#"{"alg":"HS256","typ":"AT+JWT"}"#,
            r#"{"alg":"HS256","typ":"application/at+jwt"}"#,
            r#"{"alg":"HS256","typ":"refresh+jwt"}"#,
            r#"{"alg":"HS256","typ":""}"#,
            r#"{"alg":"HS256","typ":null}"#,
            r#"{"alg":"HS256"}"#,
            r#"{"alg":"HS256","alg":"HS256","typ":"at+jwt"}"#,
            r#"{"alg":"none","alg":"HS256","typ":"at+jwt"}"#,
            r#"{"alg":"HS256","typ":"JWT","typ":"at+jwt"}"#,
            r#"["HS256","at+jwt"]"#,
            r#"{"alg":"HS256","typ":"at+jwt"}{}"#,
            r#"{"alg":"HS256","typ":"at+jwt""#,
            "null",
            "",
        ] {
            forged.push((format!("header {header}"), self.under(header)));
        }
        forged
    }

    fn signatures(&self) -> Forged {
        let good = self.under(HEADER);
        let (message, signature) = good.rsplit_once('.').expect("a token has dots");
        let tampered = self.with("sub", json!("00000000-0000-7000-8000-000000000001"));
        let tampered = tampered.rsplit_once('.').expect("a token has dots").0;
        vec![
            (
                "signed with another key".into(),
                sign_parts(self.signer.stranger, &encode(self.header().as_bytes()), &encode(self.payload().as_bytes())),
            ),
            ("signed with no key".into(), by_hs256(b"", &self.header(), &self.payload())),
            (
                "signed with the secret in hex".into(),
                by_hs256(hex(self.signer.known).as_bytes(), &self.header(), &self.payload()),
            ),
            ("claims changed after signing".into(), format!("{tampered}.{signature}")),
            ("signature stripped".into(), message.to_owned()),
            ("signature empty".into(), format!("{message}.")),
            ("signature of zeros".into(), format!("{message}.{}", encode(&vec![0; (self.signer.sign)(b"").len()]))),
            ("signature null".into(), format!("{message}.null")),
            ("signature cut to half".into(), format!("{message}.{}", &signature[..22])),
            ("signature twice".into(), format!("{message}.{signature}{signature}")),
        ]
    }

    fn encodings(&self) -> Forged {
        let good = self.under(HEADER);
        let parts: Vec<&str> = good.split('.').collect();
        let [header, payload, signature] = parts[..] else { unreachable!("a token has three parts") };
        let (front, last) = signature.split_at(signature.len() - 1);
        let last = ALPHABET.find(last).expect("base64url has one alphabet");
        let sibling = char::from(ALPHABET.as_bytes()[last ^ 1]);
        // A space more, or there would be nothing to pad.
        let padded = URL_SAFE.encode(to_be_padded(self.header()));
        // A byte that both alphabets write differently, so that the standard one is told apart.
        let standard = STANDARD.encode(format!("{} \u{3e}\u{3f}\u{7f}", self.header()));
        let mut forged = vec![
            ("an extra dot in front".into(), format!(".{good}")),
            ("an extra dot behind".into(), format!("{good}.")),
            ("an extra part".into(), format!("{good}.{payload}")),
            ("an empty payload".into(), format!("{header}..{signature}")),
            ("only dots".into(), "..".into()),
            ("nothing".into(), String::new()),
            ("padded header".into(), sign_parts(self.signer.sign, &padded, payload)),
            ("padded signature".into(), format!("{good}=")),
            ("standard alphabet".into(), sign_parts(self.signer.sign, &standard, payload)),
            ("a character of no alphabet".into(), sign_parts(self.signer.sign, &format!("{header}*"), payload)),
            ("a line break".into(), format!("{header}\n.{payload}.{signature}")),
            ("a zero byte".into(), format!("{good}\0")),
            ("a space in front".into(), format!(" {good}")),
            ("a letter from elsewhere".into(), format!("{header}.{payload}.{front}\u{410}")),
            ("another spelling of the last character".into(), format!("{header}.{payload}.{front}{sibling}")),
            ("flattened JSON".into(), json!({ "payload": payload, "protected": header, "signature": signature }).to_string()),
            (
                "general JSON".into(),
                json!({ "payload": payload, "signatures": [{ "protected": header, "signature": signature }] }).to_string(),
            ),
            ("a megabyte".into(), self.sign(&self.header(), &format!("{}{}", " ".repeat(1 << 20), self.payload()))),
            ("a megabyte of dots".into(), ".".repeat(1 << 20)),
            ("a nested payload".into(), self.sign(&self.header(), &"[".repeat(1_000))),
        ];
        let compressed = encode(br#"{"alg":"dir","enc":"A256GCM","zip":"DEF"}"#);
        forged.push((
            "a compressed JWE".into(),
            format!("{compressed}..{}.{}.{}", encode(&[0; 12]), encode(&[0; 64]), encode(&[0; 16])),
        ));
        let order = ["iss", "aud", "sub", "sid", "gen", "iat", "nbf", "exp", "jti"];
        let values = Value::from_iter(order.map(|name| self.claims[name].clone()));
        forged.push(("claims as a list".into(), self.sign(&self.header(), &values.to_string())));
        for payload in ["", "null", "[]", "{}", "42", "\u{feff}{}", r#""text""#] {
            forged.push((format!("payload {payload:?}"), self.sign(&self.header(), payload)));
        }
        forged
    }

    fn claims(&self) -> Forged {
        let mut forged = Forged::new();
        for (name, value) in &self.claims {
            let mut claims = self.claims.clone();
            claims.remove(name);
            let missing = Value::Object(claims).to_string();
            forged.push((format!("no {name}"), self.sign(&self.header(), &missing)));
            let twice = format!("{{{}:{value},{}", Value::from(name.as_str()), &self.payload()[1..]);
            forged.push((format!("{name} twice"), self.sign(&self.header(), &twice)));
            for bad in [json!(null), json!([value]), json!({ "a": value }), json!(true), json!(1.5), json!("")] {
                forged.push((format!("{name} {bad}"), self.with(name, bad)));
            }
        }
        for name in ["exp", "nbf", "iat", "gen"] {
            let number = &self.claims[name];
            for bad in [json!(number.to_string()), json!(-1), json!(u64::MAX), json!(i64::MAX), json!(1e300)] {
                forged.push((format!("{name} {bad}"), self.with(name, bad)));
            }
            for spelling in [format!("{number}.0"), format!("{number}e0"), "NaN".into(), "9".repeat(400)] {
                let odd = self.payload().replace(&format!("\"{name}\":{number}"), &format!("\"{name}\":{spelling}"));
                forged.push((format!("{name} {spelling}"), self.sign(&self.header(), &odd)));
            }
        }
        let exp = self.claims["exp"].as_u64().unwrap_or_default();
        let iat = self.claims["iat"].as_u64().unwrap_or_default();
        let sub = self.claims["sub"].as_str().unwrap_or_default();
        let (issuer, audience) = (&self.claims["iss"], &self.claims["aud"]);
        for (name, bad) in [
            ("exp", json!(iat.saturating_sub(1))),
            ("exp", json!(exp + 366 * 86_400)),
            ("iat", json!(exp + 1)),
            ("nbf", json!(exp + 1)),
            ("iss", json!("somebody-else")),
            ("iss", json!([issuer, "somebody-else"])),
            ("iss", json!(format!("{}/", issuer.as_str().unwrap_or_default()))),
            ("aud", json!("somebody-else")),
            ("aud", json!([audience, "somebody-else"])),
            ("aud", json!(audience.as_str().unwrap_or_default().to_uppercase())),
            ("sub", json!("nobody")),
            ("sub", json!(sub.replace('-', ""))),
            ("sub", json!(format!("{{{sub}}}"))),
            ("sub", json!(format!("urn:uuid:{sub}"))),
            ("sub", json!(format!("{sub}\u{0}"))),
            ("sub", json!("' OR 1=1 --")),
            ("sid", json!("x".repeat(36))),
            ("jti", json!("x")),
        ] {
            forged.push((format!("{name} {bad}"), self.with(name, bad)));
        }
        forged
    }
}

/// Filled up with blanks until its encoding needs padding.
fn to_be_padded(mut header: String) -> String {
    while header.len().is_multiple_of(3) {
        header.push(' ');
    }
    header
}

fn hs256(secret: &[u8], message: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).expect("HMAC takes any key");
    mac.update(message);
    mac.finalize().into_bytes().to_vec()
}

fn by_hs256(secret: &[u8], header: &str, payload: &str) -> String {
    sign_parts(&|message| hs256(secret, message), &encode(header.as_bytes()), &encode(payload.as_bytes()))
}

fn sign_parts(sign: &dyn Fn(&[u8]) -> Vec<u8>, header: &str, payload: &str) -> String {
    format!("{header}.{payload}.{}", encode(&sign(format!("{header}.{payload}").as_bytes())))
}

fn message(header: &str, payload: &str) -> String {
    format!("{}.{}", encode(header.as_bytes()), encode(payload.as_bytes()))
}

fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]).filter_map(|half| char::from_digit(half.into(), 16)).collect()
}
