use std::{
    collections::BTreeSet,
    fs,
    os::unix::fs::{MetadataExt as _, PermissionsExt as _},
};

use coinlink_credentials::{KeyAlgorithm, KeyFolder, KeyFolderError, NewKey, SigningKeys};
use coinlink_domain::identity::signing_keys::{KeyState, RotationPolicy};
use time::Duration;

use super::support::{KEEP, NOON, POLICY, Place};

fn states(place: &Place, at: Duration) -> Vec<KeyState> {
    place.folder().list(NOON + at).unwrap().iter().map(|key| key.state).collect()
}

#[test]
fn the_first_key_signs_at_once_and_only_its_owner_can_read_it() {
    let place = Place::with(NewKey::EdDsa);
    assert_eq!((place.first.state, place.first.algorithm), (KeyState::Signing, KeyAlgorithm::EdDsa));
    let mode = fs::metadata(place.root.path().join(format!("{}.pem", place.first.id))).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert!(
        matches!(place.folder().generate(NewKey::EdDsa, Duration::ZERO, NOON), Err(KeyFolderError::Some(_))),
        "there is one already"
    );
    assert_eq!(place.folder().list(NOON).unwrap(), std::slice::from_ref(&place.first));
}

#[test]
fn a_folder_is_made_where_there_is_none_and_one_without_keys_says_what_to_do() {
    let root = tempfile::tempdir().unwrap();
    let folder = KeyFolder::at(root.path().join("keys/of/ours"));
    let said = folder.list(NOON).unwrap_err().to_string();
    assert!(said.contains("keys generate"), "{said}");
    assert!(matches!(folder.rotate(None, POLICY, KEEP, NOON), Err(KeyFolderError::None(_))));
    folder.generate(NewKey::EdDsa, Duration::ZERO, NOON).unwrap();
    assert_eq!(fs::metadata(root.path().join("keys/of/ours")).unwrap().permissions().mode() & 0o777, 0o700);
}

#[test]
fn the_next_key_is_like_the_last_one_unless_another_kind_is_asked_for() {
    let place = Place::with(NewKey::EdDsa);
    assert_eq!(place.rotate().algorithm, KeyAlgorithm::EdDsa);
    let folder = place.folder();
    assert_eq!(folder.rotate(Some(NewKey::Rs256(3072)), POLICY, KEEP, NOON).unwrap().algorithm, KeyAlgorithm::Rs256);
    assert_eq!(place.rotate().algorithm, KeyAlgorithm::Rs256);
    assert_eq!(folder.list(NOON).unwrap().len(), 4);
}

#[test]
fn keys_go_from_published_to_retired_and_are_removed_in_the_end() {
    let place = Place::with(NewKey::EdDsa);
    let next = place.rotate();
    assert_eq!(states(&place, Duration::ZERO), [KeyState::Signing, KeyState::Published]);
    assert_eq!(states(&place, POLICY.publish), [KeyState::Retiring, KeyState::Signing]);
    let retired = POLICY.publish + POLICY.overlap;
    assert_eq!(states(&place, retired), [KeyState::Retired, KeyState::Signing]);
    assert_eq!(place.folder().prune(NOON + retired - Duration::SECOND).unwrap(), Vec::<String>::new());
    place.clock.advance(retired + KEEP - Duration::SECOND);
    place.rotate();
    assert_eq!(states(&place, retired).len(), 3, "who comes back after a weekend is told that the token has expired");
    place.clock.advance(Duration::SECOND);
    let third = place.rotate();
    let left: Vec<_> = place.folder().list(NOON).unwrap().into_iter().map(|key| key.id).collect();
    assert!(!left.contains(&place.first.id) && left.contains(&next.id) && left.contains(&third.id));
    assert!(!place.root.path().join(format!("{}.pem", place.first.id)).exists());
}

#[test]
fn of_rotations_at_the_same_moment_none_is_lost() {
    let place = Place::with(NewKey::EdDsa);
    let made: BTreeSet<String> = std::thread::scope(|scope| {
        let running: Vec<_> = (0..12).map(|_| scope.spawn(|| place.rotate().id)).collect();
        running.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let listed: BTreeSet<String> = place.folder().list(NOON).unwrap().into_iter().map(|key| key.id).collect();
    assert_eq!((made.len(), listed.len()), (12, 13));
    assert!(made.is_subset(&listed));
}

#[test]
fn a_key_that_others_can_read_is_refused() {
    let place = Place::with(NewKey::EdDsa);
    let path = place.root.path().join(format!("{}.pem", place.first.id));
    let by_root = fs::metadata(&path).unwrap().uid() == 0;
    for mode in [0o604, 0o644, 0o660, 0o666, 0o620] {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        let said = place.folder().list(NOON).unwrap_err().to_string();
        assert!(said.contains("chmod 600") && said.contains(&place.first.id), "{mode:o}: {said}");
    }
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    assert_eq!(place.folder().list(NOON).is_ok(), by_root, "secrets that a cluster mounts are root's and their group's");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o400)).unwrap();
    assert!(place.folder().list(NOON).is_ok());
}

#[test]
fn files_that_are_not_what_they_say_are_refused_by_name_and_never_shown() {
    let place = Place::with(NewKey::EdDsa);
    let path = place.root.path().join(format!("{}.pem", place.first.id));
    let (list, key) = (place.root.path().join("keys.json"), fs::read_to_string(&path).unwrap());
    let listed = fs::read_to_string(&list).unwrap();
    let other = Place::with(NewKey::EdDsa);
    let theirs = fs::read_to_string(other.root.path().join(format!("{}.pem", other.first.id))).unwrap();
    let body = key.lines().nth(1).unwrap();
    for text in [theirs, String::new(), key.replace(body, &body[1..]), "x".repeat(100_000), "\u{0}".into()] {
        fs::write(&path, &text).unwrap();
        let said = place.folder().list(NOON).unwrap_err().to_string();
        assert!(said.contains(&place.first.id) && !said.contains(body), "{said}");
    }
    fs::write(&path, &key).unwrap();
    for text in ["", "{}", "[]", &listed.replace("EdDSA", "RS256"), &listed.replace("EdDSA", "HS256"), &listed[1..]] {
        fs::write(&list, text).unwrap();
        assert!(SigningKeys::open(place.folder(), place.clock.clone()).is_err(), "{text}");
    }
    fs::remove_file(&path).unwrap();
    fs::write(&list, &listed).unwrap();
    assert!(matches!(place.folder().list(NOON), Err(KeyFolderError::Io { .. })));
}

#[test]
fn what_cannot_be_changed_is_left_as_it_was() {
    let place = Place::with(NewKey::EdDsa);
    assert!(matches!(place.folder().revoke("0123", POLICY.overlap, NOON), Err(KeyFolderError::Unknown(_))));
    assert!(matches!(place.folder().rotate(Some(NewKey::Rs256(1024)), POLICY, KEEP, NOON), Err(KeyFolderError::NotMade(_))));
    assert_eq!(place.folder().list(NOON).unwrap(), std::slice::from_ref(&place.first));
}

#[test]
fn a_revoked_key_is_listed_without_its_file_until_what_it_signed_has_expired_and_is_revoked_once() {
    let place = Place::with(NewKey::EdDsa);
    let signing = place.folder().revoke(&place.first.id, POLICY.overlap, NOON).unwrap();
    let listed = place.folder().list(NOON).unwrap();
    let shown: Vec<_> = listed.iter().map(|key| (&*key.id, key.state, key.period.retires_at)).collect();
    let until = NOON + POLICY.overlap;
    assert_eq!(shown, [(&*signing.id, KeyState::Signing, None), (&*place.first.id, KeyState::Revoked, Some(until))]);
    let again = place.folder().revoke(&place.first.id, POLICY.overlap, NOON);
    assert!(matches!(again, Err(KeyFolderError::Revoked(kid)) if kid == place.first.id));
    place.clock.set(until + KEEP - Duration::SECOND);
    place.rotate();
    assert_eq!(
        states(&place, Duration::ZERO).last(),
        Some(&KeyState::Revoked),
        "who comes back after a weekend is told to refresh"
    );
    place.clock.set(until + KEEP);
    place.rotate();
    assert!(place.folder().list(NOON).unwrap().iter().all(|key| key.state != KeyState::Revoked));
}

#[test]
fn a_key_may_be_told_to_sign_at_once() {
    let place = Place::with(NewKey::EdDsa);
    let at_once = RotationPolicy { publish: Duration::ZERO, ..POLICY };
    let next = place.folder().rotate(None, at_once, KEEP, NOON + Duration::MILLISECOND).unwrap();
    assert_eq!(next.period.signs_from, NOON + Duration::SECOND, "from the next whole second on");
    assert_eq!(states(&place, Duration::SECOND), [KeyState::Retiring, KeyState::Signing]);
}

/// Rotates until there are that many keys, or no more are added; how many there are.
fn crowded(place: &Place, keys: usize) -> usize {
    (1..keys).filter(|_| place.folder().rotate(None, POLICY, KEEP, NOON).is_ok()).count() + 1
}

#[test]
fn no_more_keys_are_added_than_are_read_again_and_the_refusal_leaves_them_as_they_were() {
    let place = Place::with(NewKey::EdDsa);
    assert_eq!(crowded(&place, 70), 64);
    let said = place.folder().rotate(None, POLICY, KEEP, NOON).unwrap_err().to_string();
    assert!(said.contains("there are 64 keys"), "{said}");
    let files =
        fs::read_dir(place.root.path()).unwrap().filter(|file| file.as_ref().unwrap().path().extension() == Some("pem".as_ref()));
    assert_eq!((files.count(), place.folder().list(NOON).unwrap().len()), (64, 64));
    assert!(SigningKeys::open(place.folder(), place.clock.clone()).is_ok());
}

#[test]
fn keys_that_have_retired_make_room_before_their_time_and_those_in_use_stay() {
    let place = Place::with(NewKey::EdDsa);
    crowded(&place, 64);
    let soon = NOON + POLICY.publish + POLICY.overlap;
    let first = place.folder().list(soon).unwrap().swap_remove(0);
    assert_eq!(first.state, KeyState::Retired, "it is kept for longer, for want of need");
    let made = place.folder().rotate(None, POLICY, KEEP, soon).unwrap();
    let listed: Vec<_> = place.folder().list(soon).unwrap();
    assert_eq!((listed.len(), listed.last().map(|key| &*key.id)), (64, Some(&*made.id)));
    assert!(listed.iter().all(|key| key.id != first.id));
}

#[test]
fn from_a_list_that_is_too_long_keys_are_taken_away_all_the_same() {
    let place = Place::with(NewKey::EdDsa);
    crowded(&place, 64);
    let path = place.root.path().join("keys.json");
    let mut list: serde_json::Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    let keys = list["keys"].as_array_mut().unwrap();
    for n in 0..16_u32 {
        let mut more = keys[0].clone();
        more["kid"] = format!("{n:032x}").into();
        more["retires_at"] = "2026-01-01T00:00:00Z".into();
        keys.push(more);
    }
    fs::write(&path, list.to_string()).unwrap();
    place.folder().revoke(&place.first.id, POLICY.overlap, NOON).unwrap();
    assert_eq!(place.folder().prune(NOON).unwrap().len(), 16);
    assert_eq!(place.folder().list(NOON).unwrap().iter().filter(|key| key.state != KeyState::Revoked).count(), 63);
}

#[test]
fn a_folder_that_others_can_write_is_refused_and_one_that_is_sticky_is_not() {
    let place = Place::with(NewKey::EdDsa);
    let list = place.root.path().join("keys.json");
    let set = |path: &std::path::Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    for (path, good) in [(place.root.path(), 0o755), (&*list, 0o644)] {
        for mode in [good | 0o020, good | 0o002] {
            set(path, mode);
            let said = place.folder().list(NOON).unwrap_err().to_string();
            assert!(said.contains("chmod go-w") && said.contains(path.to_str().unwrap()), "{said}");
            assert!(place.folder().rotate(None, POLICY, KEEP, NOON).is_err());
            assert!(SigningKeys::open(place.folder(), place.clock.clone()).is_err());
        }
        set(path, good);
        assert!(place.folder().list(NOON).is_ok());
    }
    set(place.root.path(), 0o1777);
    assert!(place.folder().list(NOON).is_ok(), "clusters mount secrets so");
}
