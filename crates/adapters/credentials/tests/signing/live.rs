use std::{fs, future::ready, os::unix::fs::PermissionsExt as _};

use coinlink_credentials::{JwtAccessTokens, NewKey, SigningKeys};
use coinlink_ports::identity::{AccessRefusal, AccessTokens as _, PublicKeys as _};
use serde_json::json;
use time::Duration;
use uuid::Uuid;

use super::support::{NOON, POLICY, Place, claims_at, grant_at, settings, signed};

/// Whether somebody was asked to read the folder.
async fn is_wanted(keys: &SigningKeys) -> bool {
    tokio::select! {
        biased;
        () = keys.wanted() => true,
        () = ready(()) => false,
    }
}

fn unknown() -> String {
    let header = json!({ "alg": "EdDSA", "typ": "at+jwt", "kid": Uuid::now_v7().simple().to_string() });
    signed(&header, &claims_at(NOON), |_| vec![7; 64])
}

#[tokio::test]
async fn ten_thousand_names_that_nobody_knows_cost_one_look_in_thirty_seconds() {
    let place = Place::with(NewKey::EdDsa);
    let keys = place.keys();
    let tokens = JwtAccessTokens::with_keys(&settings(), keys.clone(), false).unwrap();
    let mut looks = 0;
    for second in 0..100 {
        for _ in 0..100 {
            assert_eq!(tokens.verify(&unknown(), NOON), Err(AccessRefusal::Invalid));
            looks += u32::from(is_wanted(&keys).await);
        }
        assert_eq!(looks, 1 + second / 30, "after {second} s");
        place.clock.advance(Duration::SECOND);
    }
    assert_eq!(keys.reads(), 0, "a request reads no file");
}

#[tokio::test]
async fn only_a_name_that_a_key_could_have_makes_anybody_look() {
    let place = Place::with(NewKey::EdDsa);
    let keys = place.keys();
    let tokens = JwtAccessTokens::with_keys(&settings(), keys.clone(), false).unwrap();
    for kid in ["../../etc/passwd", "", "'; DROP TABLE keys; --", place.first.id.as_str()] {
        let header = json!({ "alg": "EdDSA", "typ": "at+jwt", "kid": kid });
        assert_eq!(tokens.verify(&signed(&header, &claims_at(NOON), |_| vec![7; 64]), NOON), Err(AccessRefusal::Invalid));
    }
    assert!(!is_wanted(&keys).await);
    let _ = tokens.verify(&unknown(), NOON);
    assert!(is_wanted(&keys).await);
}

#[test]
fn a_changed_list_is_taken_over_and_an_unchanged_one_is_not_read_twice() {
    let place = Place::with(NewKey::EdDsa);
    let keys = place.keys();
    assert!(!keys.refresh().unwrap());
    place.rotate();
    assert!(keys.refresh().unwrap() && !keys.refresh().unwrap());
    assert_eq!(keys.reads(), 3);
}

#[test]
fn others_see_a_key_before_it_signs_and_until_it_retires() {
    let place = Place::with(NewKey::EdDsa);
    let keys = place.keys();
    let names = || keys.known().into_iter().map(|key| key.id).collect::<Vec<_>>();
    assert_eq!(names(), std::slice::from_ref(&place.first.id));
    let next = place.rotate();
    keys.refresh().unwrap();
    assert_eq!(names(), [place.first.id.clone(), next.id.clone()]);
    place.clock.advance(POLICY.publish + POLICY.overlap - Duration::SECOND);
    assert_eq!(names().len(), 2);
    place.clock.advance(Duration::SECOND);
    assert_eq!(names(), [next.id]);
}

#[test]
fn keys_stay_as_they_are_while_the_folder_cannot_be_used() {
    let place = Place::with(NewKey::EdDsa);
    let keys = place.keys();
    let tokens = JwtAccessTokens::with_keys(&settings(), keys.clone(), false).unwrap();
    let held = tokens.mint(&grant_at(NOON)).unwrap().0;
    let next = place.rotate();
    let path = |name: &str| place.root.path().join(name);
    let (list, pem) = (path("keys.json"), path(&format!("{}.pem", next.id)));
    let whole = fs::read(&list).unwrap();
    let still_good = |what: &str| {
        assert!(keys.refresh().is_err(), "{what}");
        assert_eq!(tokens.verify(&held, NOON), Ok(grant_at(NOON)), "{what}");
        assert_eq!(keys.known().len(), 1, "{what}");
    };
    fs::write(&list, &whole[..whole.len() / 2]).unwrap();
    still_good("half a list");
    fs::write(&list, br#"{"version":1,"keys":[]}"#).unwrap();
    still_good("an empty list");
    fs::remove_file(&list).unwrap();
    still_good("no list");
    fs::write(&list, &whole).unwrap();
    fs::set_permissions(&pem, fs::Permissions::from_mode(0o644)).unwrap();
    still_good("a key that others can read");
    fs::rename(&pem, path("moved")).unwrap();
    still_good("no key");
    fs::rename(path("moved"), &pem).unwrap();
    fs::set_permissions(&pem, fs::Permissions::from_mode(0o600)).unwrap();
    assert!(keys.refresh().unwrap());
    assert_eq!(keys.known().len(), 2);
}

#[test]
fn a_list_of_which_every_key_retires_is_not_taken_over_and_not_started_with() {
    let place = Place::with(NewKey::EdDsa);
    let tokens = place.tokens();
    let keys = place.keys();
    let path = place.root.path().join("keys.json");
    let list = fs::read_to_string(&path).unwrap();
    for end in ["2025-01-01T00:00:00Z", "2026-01-01T12:05:00Z"] {
        let mut ended: serde_json::Value = serde_json::from_str(&list).unwrap();
        ended["keys"][0]["retires_at"] = end.into();
        fs::write(&path, ended.to_string()).unwrap();
        let said = keys.refresh().unwrap_err().to_string();
        assert!(said.contains("none could sign") && said.contains("keys rotate"), "{said}");
        assert!(keys.refresh().is_err(), "and it stays so");
        assert!(SigningKeys::open(place.folder(), place.clock.clone()).is_err());
    }
    assert_eq!(keys.known().len(), 1);
    assert!(tokens.mint(&grant_at(NOON)).is_ok());
    place.rotate();
    assert!(keys.refresh().unwrap(), "what was said to be done helps");
}
