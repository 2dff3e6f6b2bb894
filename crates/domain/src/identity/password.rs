//! Passwords: which ones an account may have.

use std::{fmt, sync::LazyLock};

use zeroize::Zeroizing;

use super::Email;

/// A password as it was typed. Never printed; wiped from memory when dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(Zeroizing<String>);

/// What is kept of a password: a salted, peppered hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredPassword {
    /// Which pepper went into it.
    pub pepper_id: String,
    /// bcrypt's own notation, which holds cost and salt: `$2b$12$…`.
    pub hash: String,
}

/// Why an account may not have a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PasswordFault {
    /// Under 12 characters.
    #[error("has fewer than 12 characters (15 or more are better)")]
    TooShort,
    /// Over 512 characters.
    #[error("has more than 512 characters")]
    TooLong,
    /// Holds a control character, which no keyboard types by intention.
    #[error("holds a control character")]
    ControlCharacter,
    /// Without an upper-case letter.
    #[error("has no upper-case letter")]
    NoUpper,
    /// Without a lower-case letter.
    #[error("has no lower-case letter")]
    NoLower,
    /// Without a digit.
    #[error("has no digit")]
    NoDigit,
    /// Letters and digits only.
    #[error("has no character that is neither letter nor digit")]
    NoSpecial,
    /// One of the first that anybody tries, under a thin disguise.
    #[error("is a common password, perhaps with figures around it")]
    Common,
    /// Holds what stands before the @ of the account's address.
    #[error("holds the name in your address")]
    ContainsAddress,
    /// Holds what this product is called.
    #[error("holds the name of this service")]
    ContainsProduct,
}

/// Base words of passwords seen most often in leaks, sorted: the 10,000 most frequent distinct ones of five letters or more
/// that the list of the crate `zxcvbn` 3.1.1 (MIT) leaves after [`base_word`].
static COMMON: LazyLock<Vec<&str>> = LazyLock::new(|| include_str!("common_passwords.txt").lines().collect());

/// A shorter name is too likely to be part of a good password by chance.
const SHORTEST_NAME: usize = 4;

impl Password {
    /// The fewest characters (Unicode code points).
    pub const MIN_CHARS: usize = 12;
    /// The most characters (Unicode code points).
    pub const MAX_CHARS: usize = 512;
    /// What nobody's password may hold, however it is disguised: who guesses here begins with it.
    pub const WORDS_OF_THE_PRODUCT: [&str; 1] = ["coinlink"];

    /// As typed: neither trimmed nor changed.
    #[must_use]
    pub fn new(typed: String) -> Self {
        Self(Zeroizing::new(typed))
    }

    /// The secret itself, for whoever hashes it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether the account of `email` may have it; all that speaks against it.
    pub fn check(&self, email: &Email) -> Result<(), Vec<PasswordFault>> {
        let text = self.expose();
        let length = text.chars().count();
        let has = |kind: fn(char) -> bool| text.chars().any(kind);
        let name = email.local_part();
        let faults: Vec<PasswordFault> = [
            (length < Self::MIN_CHARS, PasswordFault::TooShort),
            (length > Self::MAX_CHARS, PasswordFault::TooLong),
            (has(char::is_control), PasswordFault::ControlCharacter),
            (!has(char::is_uppercase), PasswordFault::NoUpper),
            (!has(char::is_lowercase), PasswordFault::NoLower),
            (!has(|c| c.is_ascii_digit()), PasswordFault::NoDigit),
            (!has(|c| !c.is_alphanumeric()), PasswordFault::NoSpecial),
            (length <= Self::MAX_CHARS && is_common(text), PasswordFault::Common),
            (name.len() >= SHORTEST_NAME && text.to_lowercase().contains(name), PasswordFault::ContainsAddress),
            (length <= Self::MAX_CHARS && holds_the_product(text), PasswordFault::ContainsProduct),
        ]
        .into_iter()
        .filter_map(|(found, fault)| found.then_some(fault))
        .collect();
        if faults.is_empty() { Ok(()) } else { Err(faults) }
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}

/// Whether the password is a common word, perhaps twice over, behind figures, capitals and the usual replacements.
fn is_common(text: &str) -> bool {
    let base = base_word(text);
    let listed = |word: &str| COMMON.binary_search(&word).is_ok();
    let half = base.len() / 2;
    // All letters of a base word are ASCII, so that any byte is the border of a character.
    listed(&base) || (base.len().is_multiple_of(2) && base[..half] == base[half..] && listed(&base[..half]))
}

/// Whether one of the product's words is in it, with figures for letters or something between them as well.
fn holds_the_product(text: &str) -> bool {
    let letters = letters_of(&text.to_lowercase());
    Password::WORDS_OF_THE_PRODUCT.iter().any(|word| letters.contains(word))
}

/// `P@ssw0rd2024!` is `password`: lower-cased, without what is no letter at its ends, replacements undone, and of what is left
/// only the letters a to z.
fn base_word(text: &str) -> String {
    let lower = text.to_lowercase();
    letters_of(lower.trim_matches(|c: char| !c.is_alphabetic()))
}

/// The letters a to z of a text in lower case, those that figures and signs stand for included.
fn letters_of(lower: &str) -> String {
    let folded = |c: char| match c {
        '@' | '4' => 'a',
        '0' => 'o',
        '3' => 'e',
        '$' | '5' => 's',
        '1' | '!' => 'i',
        '7' => 't',
        other => other,
    };
    lower.chars().map(folded).filter(char::is_ascii_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn faults(password: &str) -> Vec<PasswordFault> {
        let email = Email::try_new("lovelace@example.org").unwrap();
        Password::new(password.to_owned()).check(&email).err().unwrap_or_default()
    }

    #[test]
    fn good_ones_of_every_alphabet_pass() {
        for good in ["Correct-horse-9-battery", "Ünïcode-Пароль-7", "aA1 with spaces too", &format!("aA1{}", "🔑".repeat(64))]
        {
            assert_eq!(faults(good), [], "{good}");
        }
    }

    #[test]
    fn each_rule_speaks_for_itself_and_all_that_apply_are_told() {
        assert_eq!(faults("aB3-aB3-aB3"), [PasswordFault::TooShort]);
        assert_eq!(faults(&format!("aB3-{}", "x".repeat(509))), [PasswordFault::TooLong]);
        assert_eq!(faults("qzvwk jxkqp B3\u{0}"), [PasswordFault::ControlCharacter]);
        assert_eq!(faults("qzvwk-jxkqp-3"), [PasswordFault::NoUpper]);
        assert_eq!(faults("QZVWK-JXKQP-3"), [PasswordFault::NoLower]);
        assert_eq!(faults("qzvwk-Jxkqp-b"), [PasswordFault::NoDigit]);
        assert_eq!(faults("qzvwkJxkqp333"), [PasswordFault::NoSpecial]);
        assert_eq!(faults("My-LOVELACE-diary-1"), [PasswordFault::ContainsAddress]);
        assert_eq!(
            faults("abc"),
            [PasswordFault::TooShort, PasswordFault::NoUpper, PasswordFault::NoDigit, PasswordFault::NoSpecial]
        );
    }

    #[test]
    fn common_words_do_not_pass_in_disguise() {
        for bad in ["Password2024!", "P@ssw0rd!!!123", "12345Qwertyuiop!", "PasswordPassword1!"] {
            assert_eq!(faults(bad), [PasswordFault::Common], "{bad}");
        }
        assert_eq!(faults("Sunflower-password-99"), [], "two words are not one");
    }

    #[test]
    fn the_list_is_sorted_and_holds_base_words_only() {
        assert!(COMMON.len() >= 3_000 && COMMON.is_sorted());
        assert!(COMMON.iter().all(|word| word.len() >= 5 && base_word(word) == **word));
    }

    #[test]
    fn a_short_name_may_be_part_of_a_password() {
        let email = Email::try_new("al@example.org").unwrap();
        assert_eq!(Password::new("Royal-palace-77".into()).check(&email), Ok(()));
    }

    #[test]
    fn the_name_of_the_product_does_not_pass_in_disguise_either() {
        for bad in ["My-CoinLink-login-9", "C0inL1nk-account-Rx", "coin-LINK for Trading 7", "Xk9-qz.COINLINK"] {
            assert_eq!(faults(bad), [PasswordFault::ContainsProduct], "{bad}");
        }
        for good in ["Coins-and-Links-42", "Linked-coin-Purse-8"] {
            assert_eq!(faults(good), [], "{good}");
        }
    }

    #[test]
    fn words_of_the_product_are_as_passwords_are_compared_with_them() {
        assert!(Password::WORDS_OF_THE_PRODUCT.iter().all(|word| word.len() > 4 && base_word(word) == **word));
    }

    #[test]
    fn it_is_never_printed() {
        assert_eq!(format!("{:?}", Password::new("Correct-horse-9".into())), "Password(…)");
    }

    proptest! {
        #[test]
        fn no_text_panics(text in any::<String>()) {
            let _ = faults(&text);
        }
    }
}
