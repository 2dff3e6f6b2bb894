//! What is told of a failure. Once the server knows the letter, its answers may repeat addresses and what the letter says: of
//! those only the numbers are told.

use std::error::Error as _;

use coinlink_ports::notifications::SendError;
use lettre::transport::smtp::Error;

/// No reason is longer, characters.
const LONGEST: usize = 200;

/// Before the server was told anything of a letter.
pub(super) fn of_the_connection(what: &str, error: &Error) -> SendError {
    let mut told = format!("{what} failed: {error}");
    let mut source = error.source();
    while let Some(error) = source {
        let more = error.to_string();
        if !told.contains(&more) {
            told = format!("{told}: {more}");
        }
        source = error.source();
    }
    SendError::Temporary(told.chars().map(|c| if c.is_control() { ' ' } else { c }).take(LONGEST).collect())
}

/// After that. Refused for good is only what is `about_letter`.
pub(super) fn of_the_letter(what: &str, error: &Error, about_letter: bool) -> SendError {
    match error.status() {
        Some(code) => {
            let more = error.source().map(ToString::to_string).and_then(|text| enhanced(&text)).unwrap_or_default();
            let told = format!("the SMTP server refused {what}: {code}{more}");
            if about_letter && error.is_permanent() { SendError::Permanent(told) } else { SendError::Temporary(told) }
        }
        None if error.is_client() => SendError::Temporary(format!("the SMTP server offers no way to {what}")),
        None if error.is_response() => SendError::Temporary(format!("the SMTP server's answer to {what} cannot be read")),
        None => SendError::Temporary(format!("the connection to the SMTP server was lost at {what}")),
    }
}

/// ` 5.1.1` of an answer that begins so (RFC 3463).
fn enhanced(text: &str) -> Option<String> {
    let first = text.split_whitespace().next()?;
    let parts: Vec<&str> = first.split('.').collect();
    let digits = |part: &&str| (1..=3).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
    (parts.len() == 3 && parts.iter().all(digits)).then(|| format!(" {first}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_an_answer_only_numbers_are_told() {
        assert_eq!(enhanced("5.1.1 <ada@example.org> is unknown").as_deref(), Some(" 5.1.1"));
        for other in ["no such user", "", "5.1", "5.1.1.1 x", "5.1.1111", "5.x.1"] {
            assert_eq!(enhanced(other), None, "{other}");
        }
    }
}
