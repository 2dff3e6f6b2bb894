use proptest::prelude::*;
use time::macros::datetime;
use uuid::Uuid;

use super::*;

const NOW: OffsetDateTime = datetime!(2026-01-01 0:00 UTC);

fn policy() -> SessionPolicy {
    SessionPolicy::default()
}

fn session() -> Session {
    Session::start(SessionId(Uuid::nil()), UserId(Uuid::nil()), FamilyKey([7; 32]), ClientInfo::default(), NOW)
}

fn rotated() -> Session {
    let mut session = session();
    assert_eq!(session.present(1, None, NOW, &policy()), Ok(Presented::Rotated));
    session
}

fn secs(secs: i64) -> OffsetDateTime {
    NOW + Duration::seconds(secs)
}

#[test]
fn the_newest_token_rotates_and_its_parent_gets_the_same_successor_within_the_grace() {
    let mut session = rotated();
    assert_eq!(session.generation, 2);
    assert_eq!(session.present(1, None, secs(9), &policy()), Ok(Presented::Replayed));
    assert_eq!(session.generation, 2);
}

#[test]
fn the_grace_ends_at_a_fixed_moment_and_after_it_the_parent_ends_the_family() {
    let mut session = rotated();
    for second in [3, 6, 9] {
        assert_eq!(session.present(1, None, secs(second), &policy()), Ok(Presented::Replayed));
    }
    assert_eq!(session.present(1, None, secs(10), &policy()), Ok(Presented::Reused));
    assert_eq!(session.ended, Some(Ending { at: secs(10), reason: EndReason::TokenReused }));
    assert_eq!(session.present(2, None, secs(11), &policy()), Err(RefreshRefusal::Ended(EndReason::TokenReused)));
}

#[test]
fn a_sixth_replay_is_refused_and_the_session_goes_on() {
    let mut session = rotated();
    for _ in 0..5 {
        assert_eq!(session.present(1, None, secs(1), &policy()), Ok(Presented::Replayed));
    }
    assert_eq!(session.present(1, None, secs(1), &policy()), Err(RefreshRefusal::TooManyReplays));
    assert_eq!(session.present(2, None, secs(2), &policy()), Ok(Presented::Rotated));
}

#[test]
fn using_the_successors_access_token_closes_the_grace() {
    let mut session = rotated();
    assert!(!session.confirm(1), "the parent's access token proves nothing");
    assert!(session.confirm(2));
    assert!(!session.confirm(2), "once");
    assert_eq!(session.present(1, None, secs(1), &policy()), Ok(Presented::Reused));
}

#[test]
fn presenting_the_successor_closes_the_grace() {
    let mut session = rotated();
    assert_eq!(session.present(2, None, secs(1), &policy()), Ok(Presented::Rotated));
    assert_eq!(session.present(1, None, secs(1), &policy()), Ok(Presented::Reused));
}

#[test]
fn a_named_request_is_answered_again_for_five_minutes_even_once_confirmed() {
    let mut session = session();
    let key = Some(RetryKey([1; 32]));
    assert_eq!(session.present(1, key, NOW, &policy()), Ok(Presented::Rotated));
    session.confirm(2);
    for second in [1, 60, 299] {
        for _ in 0..10 {
            assert_eq!(session.present(1, key, secs(second), &policy()), Ok(Presented::Replayed));
        }
    }
    assert_eq!(session.present(1, key, secs(300), &policy()), Ok(Presented::Reused));
}

#[test]
fn another_name_or_none_gets_no_more_than_the_grace() {
    for other in [None, Some(RetryKey([2; 32]))] {
        let mut session = session();
        assert_eq!(session.present(1, Some(RetryKey([1; 32])), NOW, &policy()), Ok(Presented::Rotated));
        assert_eq!(session.present(1, other, secs(11), &policy()), Ok(Presented::Reused));
    }
}

#[test]
fn only_a_rotated_token_ends_the_family() {
    for reason in EndReason::ALL {
        let mut session = rotated();
        assert!(session.end(reason, NOW));
        for generation in [0, 1, 2, 3] {
            assert_eq!(session.present(generation, None, secs(60), &policy()), Err(RefreshRefusal::Ended(reason)));
        }
        assert_eq!(session.ended, Some(Ending { at: NOW, reason }), "the first reason stays");
    }
    let mut expired = rotated();
    let week = NOW + Duration::days(7);
    assert_eq!(expired.present(1, None, week, &policy()), Err(RefreshRefusal::Expired));
    assert_eq!(expired.ended, None);
}

#[test]
fn generations_that_were_never_made_are_refused_without_harm() {
    let mut session = rotated();
    for generation in [0, 3, u32::MAX] {
        assert_eq!(session.present(generation, None, NOW, &policy()), Err(RefreshRefusal::UnknownGeneration));
    }
    assert_eq!(session.ended, None);
}

#[test]
fn idleness_slides_and_age_does_not() {
    let mut session = session();
    let mut now = NOW;
    for generation in 1..=5 {
        now += Duration::days(6);
        let outcome = session.present(generation, None, now, &policy());
        let expected = if generation < 5 { Ok(Presented::Rotated) } else { Err(RefreshRefusal::Expired) };
        assert_eq!(outcome, expected, "day {}", (now - NOW).whole_days());
    }
}

#[test]
fn those_refreshed_least_recently_make_room() {
    let live: Vec<Session> = (0..5_u8)
        .map(|n| Session { id: SessionId(Uuid::from_u128(n.into())), rotated_at: secs((n * 7 % 5).into()), ..session() })
        .collect();
    let policy = SessionPolicy { max_sessions: 3, ..policy() };
    let evicted: Vec<i64> = to_evict(live.clone(), &policy).iter().map(|s| (s.rotated_at - NOW).whole_seconds()).collect();
    assert_eq!(evicted, [0, 1, 2]);
    assert_eq!(to_evict(live[..2].to_vec(), &policy), []);
}

#[test]
fn what_a_client_calls_itself_is_cut_and_cleaned() {
    let client = ClientInfo::new(None, Some(&format!("a\u{0}\r\nb{}", "é".repeat(500))));
    let text = client.user_agent.unwrap();
    assert!(text.starts_with("abé") && text.chars().count() == 400);
    assert_eq!(ClientInfo::new(None, Some("\n")).user_agent, None);
}

#[test]
fn a_device_is_told_by_its_usual_marks() {
    for (user_agent, device) in [
        ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox on Linux"),
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36 Edg/140.0",
            "Edge on Windows",
        ),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Version/18.0 Mobile/15E148 Safari/604.1",
            "Safari on iPhone",
        ),
        ("curl/8.10.1", "unknown device"),
        ("Call-0900-555-now to keep your coins", "unknown device"),
        ("CoinLink for Android", "Android"),
    ] {
        assert_eq!(ClientInfo::new(None, Some(user_agent)).device(), device);
    }
    assert_eq!(ClientInfo::default().device(), "unknown device");
}

#[test]
fn a_request_is_named_by_visible_characters() {
    assert_eq!(RetryKey::of("7b0c-1"), RetryKey::of("7b0c-1"));
    assert_ne!(RetryKey::of("7b0c-1"), RetryKey::of("7b0c-2"));
    for name in ["", "a b", "é", "a\n", &"x".repeat(256)] {
        assert_eq!(RetryKey::of(name), None, "{name:?}");
    }
}

#[test]
fn a_reason_is_found_by_its_name() {
    assert!(EndReason::ALL.into_iter().all(|reason| EndReason::from_name(reason.name()) == Some(reason)));
}

/// One of two who hold a copy of the same refresh token does something.
#[derive(Debug, Clone, Copy)]
enum Move {
    Refresh(usize),
    UseAccessToken(usize),
    Wait(i64),
}

fn moves() -> impl Strategy<Value = Vec<Move>> {
    let one = prop_oneof![
        (0..2_usize).prop_map(Move::Refresh),
        (0..2_usize).prop_map(Move::UseAccessToken),
        (1..15_i64).prop_map(Move::Wait),
    ];
    prop::collection::vec(one, 1..60)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// A thief and a client who begin with copies of one token: as soon as one of them has used an access token of a
    /// generation that the other does not hold, the other gets nothing any more.
    #[test]
    fn a_thief_and_a_client_never_both_go_on(moves in moves()) {
        let policy = policy();
        let mut session = session();
        let mut held = [1_u32; 2];
        let mut now = NOW;
        for step in moves {
            match step {
                Move::Wait(seconds) => now += Duration::seconds(seconds),
                Move::UseAccessToken(who) => {
                    session.confirm(held[who]);
                }
                Move::Refresh(who) => {
                    let (before, other) = (session.clone(), held[1 - who]);
                    let outcome = session.present(held[who], None, now, &policy);
                    match outcome {
                        Ok(Presented::Rotated) => {
                            prop_assert_eq!(held[who], before.generation);
                            prop_assert_eq!(session.generation, before.generation + 1);
                            held[who] = session.generation;
                        }
                        Ok(Presented::Replayed) => {
                            prop_assert_eq!(held[who] + 1, before.generation);
                            prop_assert!(!before.confirmed, "the other one's tokens had arrived");
                            prop_assert!(now < before.rotated_at + policy.grace);
                            prop_assert_eq!(other, before.generation);
                            held[who] = session.generation;
                        }
                        Ok(Presented::Reused) => {
                            prop_assert!(held[who] < before.generation);
                            prop_assert!(session.ended.is_some());
                        }
                        Err(RefreshRefusal::TooManyReplays) => prop_assert!(before.replays == policy.max_replays),
                        Err(refusal) => prop_assert!(before.ended.is_some(), "{refusal:?}"),
                    }
                    prop_assert!(session.generation - before.generation <= 1);
                }
            }
            prop_assert!(session.replays <= policy.max_replays);
        }
    }
}
