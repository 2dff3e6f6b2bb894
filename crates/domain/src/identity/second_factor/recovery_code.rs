use std::fmt;

use crate::identity::SecretDigest;

/// The digits of Crockford's base 32 (<https://www.crockford.com/base32.html>).
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// 26 digits of 5 bits hold 128 bits, and two that are zero.
const DIGITS: usize = 26;

/// Does once what a code of the authenticator app does. 128 random bits; as text five groups of Crockford's base 32.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct RecoveryCode(pub [u8; 16]);

impl RecoveryCode {
    /// The longest text that is read.
    const MAX_TEXT: usize = 100;

    /// What is kept of it.
    #[must_use]
    pub fn digest(&self) -> SecretDigest {
        SecretDigest::of("recovery code", &self.0)
    }

    /// As it is shown, once: `XXXXX-XXXXX-XXXXX-XXXXX-XXXXXX`. Not [`fmt::Display`], so that it is not printed by mistake.
    #[must_use]
    pub fn to_text(&self) -> String {
        let number = u128::from_be_bytes(self.0);
        let mut text = String::with_capacity(DIGITS + 4);
        for digit in 0..DIGITS {
            if digit > 0 && digit % 5 == 0 && digit < 25 {
                text.push('-');
            }
            let shift = 5 * (DIGITS - 1 - digit);
            // Of a shift by 125 only three bits are left.
            let value = usize::try_from((number >> shift) & 31).unwrap_or_default();
            text.push(char::from(ALPHABET[value]));
        }
        text
    }

    /// Reads it as people copy it: in any case, with blanks and hyphens anywhere, O for 0, I and L for 1. `None` for any
    /// other text.
    #[must_use]
    pub fn from_text(text: &str) -> Option<Self> {
        if text.len() > Self::MAX_TEXT {
            return None;
        }
        let (mut number, mut digits) = (0_u128, 0);
        for char in text.chars().filter(|c| !c.is_whitespace() && *c != '-') {
            let value = value_of(char)?;
            // The first digit has only three bits: what does not fit is no code.
            if digits == DIGITS || number >> 123 != 0 {
                return None;
            }
            number = number << 5 | value;
            digits += 1;
        }
        (digits == DIGITS).then(|| Self(number.to_be_bytes()))
    }
}

fn value_of(char: char) -> Option<u128> {
    let digit = match char.to_ascii_uppercase() {
        'O' => '0',
        'I' | 'L' => '1',
        other => other,
    };
    let digit = u8::try_from(digit).ok()?;
    ALPHABET.iter().zip(0..).find_map(|(known, value)| (*known == digit).then_some(value))
}

impl fmt::Debug for RecoveryCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RecoveryCode(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_code_is_five_groups_of_digits_that_are_hard_to_confuse() {
        assert_eq!(RecoveryCode([0xff; 16]).to_text(), "7ZZZZ-ZZZZZ-ZZZZZ-ZZZZZ-ZZZZZZ");
        assert_eq!(RecoveryCode([0; 16]).to_text(), "00000-00000-00000-00000-000000");
        let one = RecoveryCode(1_u128.to_be_bytes());
        assert_eq!(one.to_text(), "00000-00000-00000-00000-000001");
        assert!(!format!("{one:?}").contains("00000"));
    }

    #[test]
    fn a_code_is_read_however_it_was_copied() {
        let one = Some(RecoveryCode(1_u128.to_be_bytes()));
        for text in ["00000-00000-00000-00000-000001", "ooooo ooooo OOOOO 00000 00000l", "0000000000000000000000000I"] {
            assert_eq!(RecoveryCode::from_text(text), one, "{text:?}");
        }
        let too_large = "8ZZZZ-ZZZZZ-ZZZZZ-ZZZZZ-ZZZZZZ";
        for text in ["", "00000", "0000000000000000000000000U", "000000000000000000000000011", too_large, &"-".repeat(500)] {
            assert_eq!(RecoveryCode::from_text(text), None, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn a_code_comes_back_as_it_was_shown(bytes in any::<[u8; 16]>()) {
            let code = RecoveryCode(bytes);
            prop_assert_eq!(RecoveryCode::from_text(&code.to_text()), Some(code));
            prop_assert_eq!(RecoveryCode::from_text(&code.to_text().to_lowercase().replace('-', " ")), Some(code));
        }

        #[test]
        fn no_text_panics(text in prop_oneof![".{0,60}", "[0-9A-Za-z -]{20,40}"]) {
            if let Some(code) = RecoveryCode::from_text(&text) {
                prop_assert_eq!(RecoveryCode::from_text(&code.to_text()), Some(code));
            }
        }
    }
}
