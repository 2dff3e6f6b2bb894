use std::sync::Arc;

use coinlink_credentials::{JwtAccessTokens, KeyFolder, NewKey, PasetoDeviceTokens, PasetoRefreshTokens, SigningKeys};
use coinlink_domain::identity::{ClientInfo, FamilyKey, Session, SessionId, StoredPassword, UserId, signing_keys::KeyState};
use coinlink_ports::{
    identity::{AccessGrant, AccessRefusal, AccessTokens as _, DeviceTokens as _, PublicKeys as _, RefreshTokens as _},
    shared::Clock as _,
};
use coinlink_testkit::shared::StoppedClock;
use jsonwebtoken::{DecodingKey, Validation, jwk::Jwk};
use serde_json::{Value, json};
use time::Duration;

use super::support::{ID, KEEP, NOON, POLICY, Place, SECRET, TTL, claims_at, grant_at, header_of, jwk, settings, signed};

#[test]
fn a_token_names_its_key_and_the_same_grant_has_the_same_token_on_every_node() {
    for (new, alg) in [(NewKey::EdDsa, "EdDSA"), (NewKey::Rs256(3072), "RS256")] {
        let place = Place::with(new);
        let token = place.tokens().mint(&grant_at(NOON)).unwrap();
        assert_eq!(header_of(&token.0), json!({ "alg": alg, "kid": place.first.id, "typ": "at+jwt" }));
        assert!(place.tokens().mint(&grant_at(NOON)).unwrap() == token);
        assert_eq!(place.tokens().verify(&token.0, NOON), Ok(grant_at(NOON)));
        let other = AccessGrant { generation: 4, ..grant_at(NOON) };
        assert!(place.tokens().mint(&other).unwrap() != token);
    }
}

#[test]
fn whoever_has_the_public_keys_can_check_a_token_with_a_library_of_theirs() {
    for new in [NewKey::EdDsa, NewKey::Rs256(3072)] {
        let place = Place::with(new);
        let token = place.tokens().mint(&grant_at(NOON)).unwrap().0;
        let [key] = &place.keys().known()[..] else { panic!() };
        let jwk: Jwk = serde_json::from_value(jwk(key)).unwrap();
        let mut validation = Validation::new(header_of(&token)["alg"].as_str().unwrap().parse().unwrap());
        validation.set_audience(&["coinlink-app"]);
        validation.validate_exp = false;
        let data = jsonwebtoken::decode::<Value>(&token, &DecodingKey::from_jwk(&jwk).unwrap(), &validation).unwrap();
        assert_eq!((data.claims["sub"].as_str(), data.claims["gen"].as_u64()), (Some(ID.to_string().as_str()), Some(3)));
    }
}

#[test]
fn a_token_that_was_made_with_the_key_elsewhere_is_good() {
    let place = Place::with(NewKey::EdDsa);
    let header = json!({ "typ": "at+jwt", "kid": place.first.id, "alg": "EdDSA" });
    let token = signed(&header, &claims_at(NOON), place.signer(&place.first.id));
    assert_eq!(place.tokens().verify(&token, NOON), Ok(grant_at(NOON)));
}

#[test]
fn what_the_shared_secret_signed_is_good_only_where_it_is_still_believed() {
    let place = Place::with(NewKey::EdDsa);
    let old = JwtAccessTokens::new(&settings()).unwrap();
    let token = old.mint(&grant_at(NOON)).unwrap().0;
    let moving = JwtAccessTokens::with_keys(&settings(), place.keys(), true).unwrap();
    assert_eq!(moving.verify(&token, NOON), Ok(grant_at(NOON)));
    assert_eq!(place.tokens().verify(&token, NOON), Err(AccessRefusal::Invalid));
    let new = moving.mint(&grant_at(NOON)).unwrap().0;
    assert_eq!(header_of(&new)["alg"], "EdDSA", "it signs with keys in any case");
    assert_eq!(old.verify(&new, NOON), Err(AccessRefusal::Invalid), "a node without keys believes none");
}

#[test]
fn the_secret_signs_on_until_the_time_of_the_first_key_so_that_nodes_can_learn_of_it_one_by_one() {
    let (root, clock) = (tempfile::tempdir().unwrap(), Arc::new(StoppedClock::at(NOON)));
    let folder = KeyFolder::at(root.path());
    let first = folder.generate(NewKey::EdDsa, Duration::HOUR, NOON).unwrap();
    assert_eq!(first.state, KeyState::Published);
    let keys = Arc::new(SigningKeys::open(folder, clock.clone()).unwrap());
    let old = JwtAccessTokens::new(&settings()).unwrap();
    let new = JwtAccessTokens::with_keys(&settings(), keys.clone(), true).unwrap();
    let before = grant_at(NOON + Duration::minutes(59));
    assert!(
        new.mint(&before).unwrap() == old.mint(&before).unwrap(),
        "a node that knows the key and one that does not sign alike"
    );
    assert_eq!(header_of(&new.mint(&grant_at(NOON + Duration::HOUR)).unwrap().0)["kid"], first.id.as_str());
    assert_eq!(keys.known().len(), 1, "others know it by then");
    let without_secret = JwtAccessTokens::with_keys(&settings(), keys, false).unwrap();
    assert_eq!(header_of(&without_secret.mint(&before).unwrap().0)["alg"], "EdDSA");
}

#[test]
fn no_kind_of_token_passes_for_another_where_keys_sign() {
    for new in [NewKey::EdDsa, NewKey::Rs256(3072)] {
        let place = Place::with(new);
        let (refresh, devices) =
            (PasetoRefreshTokens::new(&SECRET.into()).unwrap(), PasetoDeviceTokens::new(&SECRET.into()).unwrap());
        let session = Session::start(SessionId(ID), UserId(ID), FamilyKey([7; 32]), ClientInfo::default(), NOON);
        let password = StoredPassword { pepper_id: "0".repeat(16), hash: "-".repeat(60) };
        let kinds = [
            place.tokens().mint(&grant_at(NOON)).unwrap().0,
            refresh.seal(&session).unwrap(),
            devices.mint(UserId(ID), ID, &password).unwrap(),
        ];
        for (at, token) in kinds.iter().enumerate() {
            let taken =
                [place.tokens().verify(token, NOON).is_ok(), refresh.open(token).is_some(), devices.open(token).is_some()];
            assert_eq!(taken, [0, 1, 2].map(|kind| kind == at), "{token}");
        }
    }
}

#[test]
fn a_rotation_is_seen_by_nobody_whatever_node_answers() {
    let place = Place::with(NewKey::EdDsa);
    // One hears of the new key at once, the other only just before it signs.
    let (quick, slow) = (place.keys(), place.keys());
    let nodes = [&quick, &slow].map(|keys| JwtAccessTokens::with_keys(&settings(), keys.clone(), false).unwrap());
    let next = place.rotate();
    assert!(quick.refresh().unwrap());
    let mut held = Vec::new();
    let mut signed_by = Vec::new();
    for second in (0..30 * 60).step_by(7) {
        let now = NOON + Duration::seconds(second);
        place.clock.set(now);
        if now >= next.period.signs_from - Duration::seconds(8) {
            slow.refresh().unwrap();
        }
        for node in &nodes {
            held.push(node.mint(&grant_at(now)).unwrap().0);
        }
        assert_eq!(held[held.len() - 1], held[held.len() - 2], "both nodes sign alike");
        signed_by.push(header_of(held.last().unwrap())["kid"].as_str().unwrap().to_owned());
        held.retain(|token| {
            let verdicts = [0, 1].map(|node| nodes[node].verify(token, now));
            let expired = verdicts == [const { Err(AccessRefusal::Expired) }; 2];
            assert!(expired || verdicts.iter().all(Result::is_ok), "{verdicts:?} at {second} s");
            !expired
        });
    }
    signed_by.dedup();
    assert_eq!(signed_by, [place.first.id.clone(), next.id]);
}

#[test]
fn a_token_that_is_answered_again_after_a_rotation_is_the_same_token() {
    let place = Place::with(NewKey::EdDsa);
    let last = grant_at(NOON + POLICY.publish - Duration::SECOND);
    let before = place.tokens().mint(&last).unwrap();
    place.rotate();
    place.clock.advance(POLICY.publish + Duration::seconds(30));
    assert!(place.tokens().mint(&last).unwrap() == before);
}

#[test]
fn what_a_retired_key_signed_has_expired_whatever_it_says_of_itself() {
    let place = Place::with(NewKey::EdDsa);
    let old = place.tokens().mint(&grant_at(NOON)).unwrap().0;
    place.rotate();
    let retired = NOON + POLICY.publish + POLICY.overlap;
    let header = json!({ "typ": "at+jwt", "kid": place.first.id, "alg": "EdDSA" });
    let late = signed(&header, &claims_at(retired), place.signer(&place.first.id));
    for token in [&old, &late] {
        assert_eq!(place.tokens().verify(token, retired), Err(AccessRefusal::Expired), "so that clients refresh");
    }
    assert_eq!(place.tokens().verify(&late, retired - Duration::SECOND), Ok(grant_at(retired)), "within the leeway");
    place.folder().prune(retired).unwrap();
    assert_eq!(place.tokens().verify(&old, retired), Err(AccessRefusal::Invalid), "nobody knows the key any more");
}

#[test]
fn whatever_a_revoked_key_signed_is_refused_and_another_one_signs() {
    for waits in [false, true] {
        let place = Place::with(NewKey::EdDsa);
        let stolen = place.tokens().mint(&grant_at(NOON)).unwrap().0;
        let next = waits.then(|| place.rotate());
        let pem = place.root.path().join(format!("{}.pem", place.first.id));
        let thief = place.signer(&place.first.id);
        let signing = place.folder().revoke(&place.first.id, POLICY.overlap, place.clock.now()).unwrap();
        assert!(signing.id != place.first.id && next.is_none_or(|next| next.id == signing.id));
        assert!(!pem.exists());
        let keys = place.keys();
        let tokens = JwtAccessTokens::with_keys(&settings(), keys.clone(), false).unwrap();
        let header = json!({ "typ": "at+jwt", "kid": place.first.id, "alg": "EdDSA" });
        let forged = signed(&header, &claims_at(NOON + Duration::HOUR), thief);
        let nonsense = signed(&header, &json!({}), |_| vec![7; 64]);
        for token in [&stolen, &forged, &nonsense] {
            assert_eq!(tokens.verify(token, NOON), Err(AccessRefusal::Expired), "so that clients refresh");
        }
        assert_eq!(keys.known().iter().filter(|key| key.id == place.first.id).count(), 0, "nobody is shown it");
        let fresh = tokens.mint(&grant_at(NOON)).unwrap().0;
        assert_eq!(
            (header_of(&fresh)["kid"].as_str(), tokens.verify(&fresh, NOON)),
            (Some(signing.id.as_str()), Ok(grant_at(NOON)))
        );
        assert!(place.folder().rotate(None, POLICY, KEEP, NOON + TTL).is_ok());
        let over = NOON + POLICY.overlap;
        assert_eq!(place.folder().prune(over - Duration::SECOND).unwrap(), Vec::<String>::new());
        assert_eq!(place.folder().prune(over).unwrap(), std::slice::from_ref(&place.first.id));
        assert_eq!(place.tokens().verify(&stolen, over), Err(AccessRefusal::Invalid), "nobody knows its name any more");
    }
}
