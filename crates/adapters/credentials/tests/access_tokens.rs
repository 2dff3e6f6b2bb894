#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use coinlink_credentials::{CredentialsError, JwtAccessTokens, JwtSettings, PasetoDeviceTokens, PasetoRefreshTokens};
use coinlink_domain::identity::{ClientInfo, FamilyKey, LEEWAY, Session, SessionId, StoredPassword, UserId};
use coinlink_ports::identity::{AccessGrant, AccessRefusal, AccessTokens as _, DeviceTokens as _, RefreshTokens as _};
use coinlink_testkit::identity::forged_access_tokens;
use proptest::prelude::*;
use secrecy::SecretString;
use serde_json::{Value, json};
use time::{Duration, OffsetDateTime, macros::datetime};
use uuid::Uuid;

const SECRET: &str = "a secret of at least thirty-two bytes";
const NOW: OffsetDateTime = datetime!(2026-01-01 12:00 UTC);
const USER: Uuid = Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0007);
const SESSION: Uuid = Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0008);

fn settings() -> JwtSettings {
    JwtSettings { secret: SECRET.into(), issuer: "coinlink-api".into(), audience: "coinlink-app".into(), leeway: LEEWAY }
}

fn tokens() -> JwtAccessTokens {
    JwtAccessTokens::new(&settings()).unwrap()
}

fn grant() -> AccessGrant {
    AccessGrant {
        user: UserId(USER),
        session: SessionId(SESSION),
        generation: 3,
        issued_at: NOW,
        expires_at: NOW + Duration::minutes(15),
    }
}

fn template() -> Value {
    let (iat, exp) = (NOW.unix_timestamp(), grant().expires_at.unix_timestamp());
    json!({ "iss": "", "aud": "", "sub": USER.to_string(), "sid": SESSION.to_string(), "gen": 3, "iat": iat, "nbf": iat, "exp": exp, "jti": USER.to_string() })
}

/// Header and claims, as any reader sees them.
fn parts(token: &str) -> (Value, Value) {
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
    let part = |at: usize| {
        let text = token.split('.').nth(at).unwrap();
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).unwrap()).unwrap()
    };
    (part(0), part(1))
}

#[test]
fn a_token_grants_what_was_granted_and_the_same_grant_has_the_same_token_everywhere() {
    let token = tokens().mint(&grant()).unwrap();
    assert_eq!(tokens().verify(&token.0, NOW), Ok(grant()));
    assert!(tokens().mint(&grant()).unwrap() == token);
    for other in [
        AccessGrant { generation: 4, ..grant() },
        AccessGrant { user: UserId(SESSION), ..grant() },
        AccessGrant { session: SessionId(USER), ..grant() },
        AccessGrant { expires_at: NOW + Duration::minutes(16), ..grant() },
    ] {
        let other = tokens().mint(&other).unwrap();
        assert_ne!(parts(&other.0).1["jti"], parts(&token.0).1["jti"]);
    }
}

#[test]
fn header_and_claims_are_exactly_those_of_the_profile() {
    let (header, claims) = parts(&tokens().mint(&grant()).unwrap().0);
    assert_eq!(header, json!({ "alg": "HS256", "typ": "at+jwt" }));
    let mut expected = template();
    expected["iss"] = "coinlink-api".into();
    expected["aud"] = "coinlink-app".into();
    let id: Uuid = claims["jti"].as_str().unwrap().parse().unwrap();
    assert_eq!(id.get_version_num(), 8);
    expected["jti"] = id.to_string().into();
    assert_eq!(claims, expected);
}

#[test]
fn every_known_forgery_is_refused_as_invalid() {
    let forged = forged_access_tokens(SECRET.as_bytes(), "coinlink-api", "coinlink-app", &template());
    assert!(forged.len() > 200, "{}", forged.len());
    let tokens = tokens();
    let good: Vec<String> = forged
        .iter()
        .filter(|(_, token)| tokens.verify(token, NOW) != Err(AccessRefusal::Invalid))
        .map(|(name, token)| format!("{name}: {:?}", tokens.verify(token, NOW)))
        .collect();
    assert_eq!(good, Vec::<String>::new());
}

#[test]
fn a_token_that_another_service_made_with_the_same_secret_in_its_own_order_is_good() {
    let mut claims = template();
    claims["iss"] = "coinlink-api".into();
    claims["aud"] = "coinlink-app".into();
    claims["scope"] = "something we do not know".into();
    let header = jsonwebtoken::Header { typ: Some("at+jwt".into()), ..Default::default() };
    let key = jsonwebtoken::EncodingKey::from_secret(SECRET.as_bytes());
    let token = jsonwebtoken::encode(&header, &claims, &key).unwrap();
    assert_eq!(tokens().verify(&token, NOW), Ok(grant()));
}

#[test]
fn a_forged_token_is_invalid_even_where_it_has_expired_too() {
    for (name, token) in forged_access_tokens(SECRET.as_bytes(), "coinlink-api", "coinlink-app", &template()) {
        assert_eq!(tokens().verify(&token, NOW + Duration::days(9)), Err(AccessRefusal::Invalid), "{name}");
    }
}

#[test]
fn leeway_ends_at_the_sixtieth_second_on_both_sides() {
    let token = tokens().mint(&grant()).unwrap().0;
    let (from, until) = (grant().issued_at, grant().expires_at);
    let at = |now| tokens().verify(&token, now);
    assert_eq!(at(until + Duration::seconds(59)), Ok(grant()));
    assert_eq!(at(until + Duration::seconds(60) - Duration::NANOSECOND), Ok(grant()));
    assert_eq!(at(until + Duration::seconds(60)), Err(AccessRefusal::Expired));
    assert_eq!(at(from - Duration::seconds(60)), Ok(grant()));
    assert_eq!(at(from - Duration::seconds(60) - Duration::NANOSECOND), Err(AccessRefusal::NotYetValid));
    assert_eq!(at(from - Duration::seconds(61)), Err(AccessRefusal::NotYetValid));
    assert_eq!(at(OffsetDateTime::UNIX_EPOCH), Err(AccessRefusal::NotYetValid));
    assert_eq!(at(datetime!(9999-12-31 23:59:59 UTC)), Err(AccessRefusal::Expired));
}

#[test]
fn no_kind_of_token_passes_for_another() {
    let secret = SecretString::from(SECRET);
    let (refresh, devices) = (PasetoRefreshTokens::new(&secret).unwrap(), PasetoDeviceTokens::new(&secret).unwrap());
    let session = Session::start(SessionId(SESSION), UserId(USER), FamilyKey([7; 32]), ClientInfo::default(), NOW);
    let access_token = tokens().mint(&grant()).unwrap().0;
    let refresh_token = refresh.seal(&session).unwrap();
    let password = StoredPassword { pepper_id: "0".repeat(16), hash: "-".repeat(60) };
    let device_token = devices.mint(UserId(USER), SESSION, &password).unwrap();
    for (token, good) in
        [(&access_token, [true, false, false]), (&refresh_token, [false, true, false]), (&device_token, [false, false, true])]
    {
        let taken = [tokens().verify(token, NOW).is_ok(), refresh.open(token).is_some(), devices.open(token).is_some()];
        assert_eq!(taken, good, "{token}");
    }
}

#[test]
fn what_would_not_be_accepted_is_not_signed() {
    for expires_at in [NOW, NOW - Duration::SECOND, NOW + Duration::hours(24) + Duration::SECOND] {
        assert!(tokens().mint(&AccessGrant { expires_at, ..grant() }).is_err());
    }
    let before_1970 =
        AccessGrant { issued_at: datetime!(1969-12-31 23:59 UTC), expires_at: OffsetDateTime::UNIX_EPOCH, ..grant() };
    assert!(tokens().mint(&before_1970).is_err());
}

#[test]
fn settings_that_would_let_anybody_in_are_refused() {
    let refused = |change: fn(&mut JwtSettings)| {
        let mut settings = settings();
        change(&mut settings);
        JwtAccessTokens::new(&settings).err()
    };
    assert!(matches!(refused(|it| it.secret = "x".repeat(31).into()), Some(CredentialsError::ShortSecret)));
    assert!(matches!(refused(|it| it.issuer.clear()), Some(CredentialsError::Nameless)));
    assert!(matches!(refused(|it| it.audience.clear()), Some(CredentialsError::Nameless)));
    assert!(matches!(refused(|it| it.leeway = Duration::minutes(6)), Some(CredentialsError::Leeway)));
    assert!(matches!(refused(|it| it.leeway = -Duration::SECOND), Some(CredentialsError::Leeway)));
}

proptest! {
    #[test]
    fn no_text_panics(text in any::<String>()) {
        prop_assert_eq!(tokens().verify(&text, NOW), Err(AccessRefusal::Invalid));
    }

    #[test]
    fn no_parts_panic(header in any::<Vec<u8>>(), payload in any::<Vec<u8>>(), signature in any::<[u8; 32]>()) {
        use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
        let token = [&header[..], &payload, &signature].map(|part| URL_SAFE_NO_PAD.encode(part)).join(".");
        prop_assert_eq!(tokens().verify(&token, NOW), Err(AccessRefusal::Invalid));
    }

    #[test]
    fn signed_claims_of_any_number_never_panic(iat in any::<i64>(), nbf in any::<i64>(), exp in any::<i64>(), now in 0_i64..=253_402_300_799) {
        let mut claims = template();
        (claims["iat"], claims["nbf"], claims["exp"]) = (iat.into(), nbf.into(), exp.into());
        claims["iss"] = "coinlink-api".into();
        claims["aud"] = "coinlink-app".into();
        let header = jsonwebtoken::Header { typ: Some("at+jwt".into()), ..Default::default() };
        let key = jsonwebtoken::EncodingKey::from_secret(SECRET.as_bytes());
        let token = jsonwebtoken::encode(&header, &claims, &key).unwrap();
        let _ = tokens().verify(&token, OffsetDateTime::from_unix_timestamp(now).unwrap());
    }

    #[test]
    fn no_character_of_a_token_can_be_changed(at in any::<prop::sample::Index>(), to in "[A-Za-z0-9_.=-]") {
        let token = tokens().mint(&grant()).unwrap().0;
        let at = at.index(token.len());
        let changed = format!("{}{to}{}", &token[..at], &token[at + 1..]);
        prop_assert_eq!(tokens().verify(&changed, NOW).is_ok(), changed == token);
    }
}
