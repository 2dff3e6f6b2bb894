//! What people think of what they got.

use std::sync::Arc;

use time::OffsetDateTime;
use uuid::Uuid;

use super::message::readable;
use crate::shared::user_id::UserId;

/// One to five stars.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rating(u8);

impl Rating {
    /// `None` for anything but 1 to 5.
    #[must_use]
    pub fn try_new(stars: i64) -> Option<Self> {
        u8::try_from(stars).ok().filter(|stars| (1..=5).contains(stars)).map(Self)
    }

    /// How many.
    #[must_use]
    pub const fn stars(self) -> u8 {
        self.0
    }
}

/// A few words, as [`super::Message`] is one; at most so many characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Words<const MAX: usize>(Arc<str>);

/// More characters than there may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("at most {max} characters")]
pub struct TooManyWords {
    /// How many there may be.
    pub max: usize,
}

impl<const MAX: usize> Words<MAX> {
    /// `None` where there is nothing to read.
    pub fn try_new(text: &str) -> Result<Option<Self>, TooManyWords> {
        let text = readable(text);
        match text.chars().count() {
            0 => Ok(None),
            chars if chars <= MAX => Ok(Some(Self(text.into()))),
            _ => Err(TooManyWords { max: MAX }),
        }
    }

    /// The words.
    #[must_use]
    pub const fn text(&self) -> &Arc<str> {
        &self.0
    }
}

/// Why somebody gave so many stars.
pub type Note = Words<500>;
/// What it is about: `chat`, or whatever a client calls it.
pub type About = Words<100>;

/// What somebody thinks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Feedback {
    /// Its id.
    pub id: Uuid,
    /// Who, where that is known.
    pub user: Option<UserId>,
    /// How good it is.
    pub rating: Rating,
    /// Why.
    pub note: Option<Note>,
    /// What.
    pub about: Option<About>,
    /// When it was said.
    pub created_at: OffsetDateTime,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_rating_is_one_to_five() {
        let taken: Vec<_> = (-1..8).filter_map(Rating::try_new).map(Rating::stars).collect();
        assert_eq!(taken, [1, 2, 3, 4, 5]);
        assert_eq!(Rating::try_new(i64::MAX), None);
        assert_eq!(Rating::try_new(257), None);
    }

    #[test]
    fn a_note_has_at_most_five_hundred_characters_that_can_be_read() {
        let note = |text: &str| Note::try_new(text).map(|note| note.map(|note| note.text().to_string()));
        let longest = "ü".repeat(500);
        assert_eq!(note(&format!(" {longest}\u{0} ")), Ok(Some(longest.clone())));
        assert_eq!(note(&format!("{longest}!")), Err(TooManyWords { max: 500 }));
        assert_eq!(note(" \u{7}\n"), Ok(None));
    }

    proptest! {
        #[test]
        fn no_text_panics(text in any::<String>()) {
            if let Ok(Some(about)) = About::try_new(&text) {
                prop_assert!((1..=100).contains(&about.text().chars().count()));
            }
        }
    }
}
