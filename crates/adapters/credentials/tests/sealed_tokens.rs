#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::collections::HashSet;

use coinlink_credentials::{CredentialsError, PasetoDeviceTokens, PasetoRefreshTokens};
use coinlink_domain::identity::{ClientInfo, FamilyKey, Session, SessionId, StoredPassword, UserId};
use coinlink_ports::identity::{DeviceTokens as _, PresentedDevice, PresentedRefreshToken, RefreshTokens as _};
use proptest::prelude::*;
use secrecy::SecretString;
use time::macros::datetime;
use uuid::Uuid;

const SECRET: &str = "a secret of at least thirty-two bytes";

fn refresh() -> PasetoRefreshTokens {
    PasetoRefreshTokens::new(&SecretString::from(SECRET)).unwrap()
}

fn devices() -> PasetoDeviceTokens {
    PasetoDeviceTokens::new(&SecretString::from(SECRET)).unwrap()
}

fn stored(hash: &str) -> StoredPassword {
    StoredPassword { pepper_id: "0".repeat(16), hash: hash.into() }
}

fn session(id: u128, generation: u32) -> Session {
    let now = datetime!(2026-01-01 12:00 UTC);
    let (id, user) = (SessionId(Uuid::from_u128(id)), UserId(Uuid::from_u128(1)));
    let mut session = Session::start(id, user, FamilyKey([7; 32]), ClientInfo::default(), now);
    session.generation = generation;
    session
}

#[test]
fn a_refresh_token_says_session_and_generation_and_its_family_proves_it() {
    let session = session(42, 7);
    let token = refresh().seal(&session).unwrap();
    let opened = refresh().open(&token).unwrap();
    assert_eq!((opened.session, opened.generation), (session.id, 7));
    assert!(refresh().proves(&opened, &session.family_key));
    assert!(!refresh().proves(&opened, &FamilyKey([8; 32])));
    assert!(!refresh().proves(&PresentedRefreshToken { generation: 8, ..opened }, &session.family_key));
    assert!(!refresh().proves(&PresentedRefreshToken { session: SessionId(Uuid::nil()), ..opened }, &session.family_key));
}

#[test]
fn the_same_generation_has_the_same_token_on_every_node_and_no_two_share_a_nonce() {
    let tokens: Vec<String> =
        (1..=20).flat_map(|id| (1..=20).map(move |generation| refresh().seal(&session(id, generation)).unwrap())).collect();
    let again = refresh().seal(&session(20, 20)).unwrap();
    assert_eq!(tokens.last(), Some(&again));
    // "v4.local." and the 43 characters of 32 bytes, of which the last one is shared with what follows.
    let nonces: HashSet<&str> = tokens.iter().map(|token| &token[9..9 + 42]).collect();
    assert_eq!(nonces.len(), 400);
}

#[test]
fn nothing_of_a_token_can_be_read_outside() {
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
    let session = session(0x0190_0000_0000_7000_8000_0000_0000_0007, 7);
    let token = refresh().seal(&session).unwrap();
    let body = URL_SAFE_NO_PAD.decode(token.strip_prefix("v4.local.").unwrap()).unwrap();
    let id = session.id.to_string();
    for secret in [id.as_bytes(), session.id.0.as_bytes(), &id.as_bytes()[..8]] {
        assert!(!body.windows(secret.len()).any(|window| window == secret));
    }
}

#[test]
fn a_device_token_says_whose_device_it_is() {
    let (user, device, password) = (UserId(Uuid::from_u128(1)), Uuid::from_u128(2), stored("$2b$12$a"));
    let token = devices().mint(user, device, &password).unwrap();
    let opened = devices().open(&token).unwrap();
    assert_eq!((opened.user, opened.device), (user, device));
    assert_eq!(token, devices().mint(user, device, &password).unwrap());
    assert!(refresh().open(&token).is_none());
    assert!(devices().open(&refresh().seal(&session(1, 1)).unwrap()).is_none());
}

#[test]
fn a_device_token_belongs_to_its_account_and_its_password_only() {
    let (user, device, password) = (UserId(Uuid::from_u128(1)), Uuid::from_u128(2), stored("$2b$12$a"));
    let opened = devices().open(&devices().mint(user, device, &password).unwrap()).unwrap();
    assert!(devices().belongs(&opened, &password));
    for changed in ["$2b$12$b", "$2b$12$", "$2b$12$aa", ""] {
        assert!(!devices().belongs(&opened, &stored(changed)), "{changed}");
    }
    let another = UserId(Uuid::from_u128(3));
    for claimed in [
        PresentedDevice { user: another, ..opened },
        PresentedDevice { device: another.0, ..opened },
        PresentedDevice { user: UserId(device), device: user.0, ..opened },
        PresentedDevice { proof: [0; 16], ..opened },
    ] {
        assert!(!devices().belongs(&claimed, &password), "{claimed:?}");
    }
    let of_another = devices().open(&devices().mint(another, device, &password).unwrap()).unwrap();
    assert!(of_another.proof != opened.proof, "even where two accounts claim the same hash");
    let others = PasetoDeviceTokens::new(&SecretString::from("another secret of thirty-two bytes")).unwrap();
    assert!(!others.belongs(&opened, &password));
}

#[test]
fn a_device_token_prints_no_proof() {
    let opened = PresentedDevice { user: UserId(Uuid::nil()), device: Uuid::nil(), proof: [0xab; 16] };
    let printed = format!("{opened:?}");
    assert!(printed.contains("user") && !printed.contains("171") && !printed.contains("proof"), "{printed}");
}

#[test]
fn another_secret_opens_nothing_and_a_short_one_is_refused() {
    let others = SecretString::from("another secret of thirty-two bytes");
    let token = refresh().seal(&session(1, 1)).unwrap();
    assert!(PasetoRefreshTokens::new(&others).unwrap().open(&token).is_none());
    let short = SecretString::from("x".repeat(31));
    assert!(matches!(PasetoRefreshTokens::new(&short), Err(CredentialsError::ShortSecret)));
    assert!(matches!(PasetoDeviceTokens::new(&short), Err(CredentialsError::ShortSecret)));
}

#[test]
fn every_other_spelling_of_a_token_is_refused() {
    let token = refresh().seal(&session(1, 1)).unwrap();
    let body = token.strip_prefix("v4.local.").unwrap();
    for other in [
        format!("{token}."),
        format!("{token}.Zm9v"),
        format!("{token}.Zm9v.Zm9v"),
        format!("{token}="),
        format!("{token}\n"),
        format!(" {token}"),
        format!("V4.local.{body}"),
        format!("v4.public.{body}"),
        format!("v3.local.{body}"),
        format!("v4.local.{}", body.to_lowercase()),
        format!("v4.local.{}", &body[..80]),
        format!("v4.local.{}", "A".repeat(900)),
        format!("v4.local.{}", "A".repeat(1 << 20)),
        ".".repeat(1 << 20),
        "v4.local.".into(),
        body.into(),
        String::new(),
    ] {
        assert!(refresh().open(&other).is_none(), "{}", &other[..other.len().min(300)]);
    }
}

proptest! {
    #[test]
    fn no_text_panics(text in any::<String>()) {
        prop_assert!(refresh().open(&text).is_none());
        prop_assert!(devices().open(&text).is_none());
        let named = format!("v4.local.{text}");
        prop_assert!(refresh().open(&named).is_none());
    }

    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
        let token = format!("v4.local.{}", URL_SAFE_NO_PAD.encode(bytes));
        prop_assert!(refresh().open(&token).is_none());
        prop_assert!(devices().open(&token).is_none());
    }

    #[test]
    fn every_session_and_generation_survives(id in any::<u128>(), generation in any::<u32>(), key in any::<[u8; 32]>()) {
        let mut session = session(id, generation);
        session.family_key = FamilyKey(key);
        let opened = refresh().open(&refresh().seal(&session).unwrap()).unwrap();
        prop_assert_eq!((opened.session, opened.generation), (session.id, generation));
        prop_assert!(refresh().proves(&opened, &session.family_key));
    }

    #[test]
    fn every_account_device_and_stored_text_survives(user in any::<u128>(), device in any::<u128>(), hash in any::<String>(), other in any::<String>()) {
        let (user, device) = (UserId(Uuid::from_u128(user)), Uuid::from_u128(device));
        let opened = devices().open(&devices().mint(user, device, &stored(&hash)).unwrap()).unwrap();
        prop_assert_eq!((opened.user, opened.device), (user, device));
        prop_assert!(devices().belongs(&opened, &stored(&hash)));
        prop_assert_eq!(devices().belongs(&opened, &stored(&other)), hash == other);
    }

    #[test]
    fn nothing_drawn_belongs(user in any::<u128>(), device in any::<u128>(), proof in any::<[u8; 16]>(), hash in any::<String>()) {
        let presented = PresentedDevice { user: UserId(Uuid::from_u128(user)), device: Uuid::from_u128(device), proof };
        prop_assert!(!devices().belongs(&presented, &stored(&hash)));
    }

    #[test]
    fn no_character_of_a_token_can_be_changed(at in any::<prop::sample::Index>(), to in "[A-Za-z0-9_.=-]") {
        let token = refresh().seal(&session(1, 1)).unwrap();
        let at = at.index(token.len());
        let changed = format!("{}{to}{}", &token[..at], &token[at + 1..]);
        prop_assert_eq!(refresh().open(&changed).is_some(), changed == token);
    }
}
