//! When a frame's body was received, as the frame says it.

use memchr::memmem;
use std::time::{SystemTime, UNIX_EPOCH};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

const FIELD: &[u8] = b"\"timestamp\":\"";

/// The frame's fields after its list are shorter than this.
const TAIL: usize = 512;

/// Microseconds since 1970, by the wall clock that the servers read too.
pub(crate) fn now_us() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |elapsed| u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX))
}

/// Where the frame's own timestamp stands in it, without the quotes.
pub(crate) fn place(frame: &[u8]) -> Option<std::ops::Range<usize>> {
    let tail = frame.len().saturating_sub(TAIL);
    let start = tail + memmem::rfind(&frame[tail..], FIELD)? + FIELD.len();
    let length = memchr::memchr(b'"', &frame[start..])?;
    Some(start..start + length)
}

/// Reads frames' timestamps. Thousands of frames in a row say the same, so the last answer is kept.
#[derive(Default)]
pub(crate) struct Stamps {
    text: Vec<u8>,
    us: u64,
}

impl Stamps {
    /// Microseconds since 1970 at which `frame` was published.
    pub(crate) fn of(&mut self, frame: &[u8]) -> Option<u64> {
        let text = &frame[place(frame)?];
        if text != self.text {
            let at = OffsetDateTime::parse(std::str::from_utf8(text).ok()?, &Rfc3339).ok()?;
            self.us = u64::try_from(at.unix_timestamp_nanos() / 1_000).ok()?;
            self.text = text.to_vec();
        }
        Some(self.us)
    }
}

/// Puts the time of publication into a recorded frame.
pub(crate) struct Template {
    before: String,
    after: String,
}

impl Template {
    pub(crate) fn new(frame: &str) -> Option<Self> {
        let place = place(frame.as_bytes())?;
        Some(Self { before: frame[..place.start].to_owned(), after: frame[place.end..].to_owned() })
    }

    /// The frame, published now.
    pub(crate) fn stamped(&self) -> String {
        let now = OffsetDateTime::now_utc();
        let now = now.replace_microsecond(now.microsecond()).unwrap_or(now);
        let now = now.format(&Rfc3339).unwrap_or_default();
        [self.before.as_str(), &now, &self.after].concat()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_frames_own_timestamp_counts_not_an_items() {
        let frame = br#"{"data":[{"timestamp":"2000-01-01T00:00:00Z"}],"timestamp":"2026-01-01T00:00:00.000007Z","seq":1}"#;
        assert_eq!(Stamps::default().of(frame), Some(1_767_225_600_000_007));
    }

    #[test]
    fn a_stamped_frame_is_dated_now() {
        let template = Template::new(r#"{"data":[],"timestamp":"2026-01-01T00:00:00Z","seq":1}"#).unwrap();
        let before = now_us();
        let stamped = Stamps::default().of(template.stamped().as_bytes()).unwrap();
        assert!((before..=now_us()).contains(&stamped));
    }

    proptest! {
        #[test]
        fn no_bytes_panic_it(frame in prop::collection::vec(any::<u8>(), 0..2000), text in ".{0,30}") {
            let mut stamps = Stamps::default();
            stamps.of(&frame);
            stamps.of(format!("{{\"timestamp\":\"{text}").as_bytes());
        }
    }
}
