use std::fmt;

/// What an authenticator app shows: six digits.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct TotpCode(u32);

impl TotpCode {
    /// How many digits it has.
    pub const DIGITS: usize = 6;
    /// The longest text that is read.
    const MAX_TEXT: usize = 32;

    /// The code of this number; `None` where it has more digits.
    #[must_use]
    pub const fn new(number: u32) -> Option<Self> {
        if number < 1_000_000 { Some(Self(number)) } else { None }
    }

    /// Reads it as people type it: six digits, with blanks anywhere.
    #[must_use]
    pub fn from_text(text: &str) -> Option<Self> {
        if text.len() > Self::MAX_TEXT {
            return None;
        }
        let digits: String = text.chars().filter(|c| !c.is_whitespace()).collect();
        let is_code = digits.len() == Self::DIGITS && digits.bytes().all(|b| b.is_ascii_digit());
        is_code.then(|| digits.parse().ok().map(Self)).flatten()
    }

    /// The number.
    #[must_use]
    pub const fn number(self) -> u32 {
        self.0
    }
}

impl fmt::Debug for TotpCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TotpCode(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_code_is_read_with_blanks_and_its_leading_zeros() {
        for text in ["012345", "012 345", " 01 23 45 "] {
            assert_eq!(TotpCode::from_text(text), TotpCode::new(12_345), "{text:?}");
        }
        for text in ["", "12345", "1234567", "12345a", "+12345", "-12345", "１２３４５６", "12.345", &" ".repeat(100)] {
            assert_eq!(TotpCode::from_text(text), None, "{text:?}");
        }
        assert_eq!(TotpCode::new(1_000_000), None);
        assert!(!format!("{:?}", TotpCode::new(123_456)).contains("123"));
    }

    proptest! {
        #[test]
        fn no_text_panics_and_each_code_is_read_back(text in ".{0,40}", number in 0_u32..1_000_000) {
            let _ = TotpCode::from_text(&text);
            prop_assert_eq!(TotpCode::from_text(&format!("{number:06}")).map(TotpCode::number), Some(number));
        }
    }
}
