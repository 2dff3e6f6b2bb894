//! Where a list goes on: text that only this server reads, and only for the list it was made for.

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use coinlink_domain::identity::{ApiKeyId, UserId};
use coinlink_ports::{
    identity::ApiKeyPlace,
    operations::{AlertPlace, LogPlace},
};
use time::OffsetDateTime;
use uuid::Uuid;

/// The text is no cursor of this list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::http) struct NoCursor;

/// A place in a list.
pub(in crate::http) trait Cursor: Sized {
    /// Tells the list from others. Another form of the same list's cursors gets another one.
    const KIND: u8;

    /// The place in bytes.
    fn bytes(&self) -> Vec<u8>;

    /// The place of these bytes.
    fn of(bytes: &[u8]) -> Option<Self>;

    /// As clients send it back.
    fn to_text(&self) -> String {
        let bytes: Vec<u8> = std::iter::once(Self::KIND).chain(self.bytes()).collect();
        BASE64_URL_SAFE_NO_PAD.encode(bytes)
    }

    /// What a client sent back.
    fn read(text: &str) -> Result<Self, NoCursor> {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(text).map_err(|_| NoCursor)?;
        match bytes.split_first() {
            Some((&kind, place)) if kind == Self::KIND => Self::of(place).ok_or(NoCursor),
            _ => Err(NoCursor),
        }
    }
}

impl Cursor for UserId {
    const KIND: u8 = b'u';

    fn bytes(&self) -> Vec<u8> {
        self.0.as_bytes().to_vec()
    }

    fn of(bytes: &[u8]) -> Option<Self> {
        Uuid::from_slice(bytes).ok().map(Self)
    }
}

impl Cursor for LogPlace {
    const KIND: u8 = b'a';

    fn bytes(&self) -> Vec<u8> {
        moment_and_id(self.at, self.id)
    }

    fn of(bytes: &[u8]) -> Option<Self> {
        of_moment_and_id(bytes).map(|(at, id)| Self { at, id })
    }
}

impl Cursor for ApiKeyPlace {
    const KIND: u8 = b'k';

    fn bytes(&self) -> Vec<u8> {
        moment_and_id(self.at, self.id.0)
    }

    fn of(bytes: &[u8]) -> Option<Self> {
        of_moment_and_id(bytes).map(|(at, id)| Self { at, id: ApiKeyId(id) })
    }
}

impl Cursor for AlertPlace {
    const KIND: u8 = b'm';

    fn bytes(&self) -> Vec<u8> {
        moment_and_id(self.at, self.id)
    }

    fn of(bytes: &[u8]) -> Option<Self> {
        of_moment_and_id(bytes).map(|(at, id)| Self { at, id })
    }
}

fn moment_and_id(at: OffsetDateTime, id: Uuid) -> Vec<u8> {
    let micros = at.unix_timestamp_nanos() / 1_000;
    // Every moment there is fits in 64 bits of microseconds.
    let micros = i64::try_from(micros).unwrap_or(i64::MAX);
    [&micros.to_be_bytes()[..], id.as_bytes()].concat()
}

fn of_moment_and_id(bytes: &[u8]) -> Option<(OffsetDateTime, Uuid)> {
    let (micros, id) = bytes.split_first_chunk()?;
    let nanos = i128::from(i64::from_be_bytes(*micros)) * 1_000;
    let at = OffsetDateTime::from_unix_timestamp_nanos(nanos).ok().filter(|at| (1..=9999).contains(&at.year()))?;
    Some((at, Uuid::from_slice(id).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_moment_that_no_database_has_is_no_place() {
        use time::macros::datetime;
        let read = |at| LogPlace::read(&LogPlace { at, id: Uuid::nil() }.to_text()).map(|place| place.at);
        for good in [datetime!(0001-01-01 0:00 UTC), datetime!(9999-12-31 23:59:59.999999 UTC)] {
            assert_eq!(read(good), Ok(good));
        }
        for bad in [datetime!(0000-12-31 23:59:59 UTC), datetime!(0000-01-01 0:00 UTC), datetime!(-0001-01-01 0:00 UTC)] {
            assert_eq!(read(bad), Err(NoCursor));
        }
    }

    proptest! {
        #[test]
        fn a_place_comes_back_as_it_was(id: u128, micros in 0_i64..253_402_300_799_999_999) {
            let id = Uuid::from_u128(id);
            let at = OffsetDateTime::from_unix_timestamp_nanos(i128::from(micros) * 1_000).unwrap();
            prop_assert_eq!(UserId::read(&UserId(id).to_text()), Ok(UserId(id)));
            let place = LogPlace { at, id };
            prop_assert_eq!(LogPlace::read(&place.to_text()), Ok(place));
            prop_assert_eq!(UserId::read(&place.to_text()), Err(NoCursor), "it is another list's");
            prop_assert_eq!(LogPlace::read(&UserId(id).to_text()), Err(NoCursor));
            let key = ApiKeyPlace { at, id: ApiKeyId(id) };
            prop_assert_eq!(ApiKeyPlace::read(&key.to_text()), Ok(key));
            prop_assert_eq!(ApiKeyPlace::read(&place.to_text()), Err(NoCursor));
            let alert = AlertPlace { at, id };
            prop_assert_eq!(AlertPlace::read(&alert.to_text()), Ok(alert));
            prop_assert_eq!(AlertPlace::read(&place.to_text()), Err(NoCursor));
        }

        #[test]
        fn no_text_panics_and_what_is_read_is_what_would_be_written(text in "[A-Za-z0-9_-]{0,60}|.{0,60}") {
            if let Ok(place) = LogPlace::read(&text) {
                prop_assert_eq!(place.to_text(), text.clone());
            }
            if let Ok(place) = ApiKeyPlace::read(&text) {
                prop_assert_eq!(place.to_text(), text.clone());
            }
            if let Ok(user) = UserId::read(&text) {
                prop_assert_eq!(user.to_text(), text);
            }
        }
    }
}
