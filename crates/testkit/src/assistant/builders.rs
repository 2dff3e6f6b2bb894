#![expect(clippy::unwrap_used, reason = "builders are test code")]

use coinlink_domain::{
    assistant::{About, Exchange, Feedback, Note, Rating, Speaker, Turn},
    shared::user_id::UserId,
};
use time::{Duration, OffsetDateTime, macros::datetime};
use uuid::Uuid;

const NOON: OffsetDateTime = datetime!(2026-11-21 12:00:00.000001 UTC);

/// Exchange number `n` of a day: what is asked has every sign that some store might take for its own.
pub fn an_exchange(n: u32) -> Exchange {
    let asked = NOON + Duration::seconds(n.into());
    let turn = |speaker, text: String, at| Turn { speaker, text: text.into(), at };
    Exchange {
        id: Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0000 + u128::from(n)),
        question: turn(Speaker::User, format!("{n}: \"ä\n\t'; DROP TABLE users; -- {{}} 🚀"), asked),
        answer: turn(Speaker::Assistant, format!("Answer {n}\nof two lines"), asked + Duration::microseconds(1_500)),
    }
}

/// Feedback number `n` of a day.
pub fn feedback(n: u32, user: Option<UserId>) -> Feedback {
    let has_words = n.is_multiple_of(2);
    Feedback {
        id: Uuid::from_u128(0x0190_0000_0000_7000_9000_0000_0000_0000 + u128::from(n)),
        user,
        rating: Rating::try_new(i64::from(n % 5) + 1).unwrap(),
        note: has_words.then(|| Note::try_new("schön;\n'quoted' 🚀").unwrap().unwrap()),
        about: has_words.then(|| About::try_new("chat").unwrap().unwrap()),
        created_at: NOON + Duration::seconds(n.into()),
    }
}
