//! Until when an X.509 certificate is good: the one field of it that is read here. Who it is for and who signed it was checked
//! when the connection was made.

use time::{Date, Month, OffsetDateTime, PrimitiveDateTime, Time};

const SEQUENCE: u8 = 0x30;
const VERSION: u8 = 0xa0;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;

/// `notAfter` of a certificate in DER (RFC 5280, section 4.1).
pub(super) fn not_after(der: &[u8]) -> Option<OffsetDateTime> {
    let (certificate, _) = value_of(SEQUENCE, der)?;
    let (mut rest, _) = value_of(SEQUENCE, certificate)?;
    if rest.first() == Some(&VERSION) {
        rest = element(rest)?.2;
    }
    // Serial number, algorithm, issuer.
    for _ in 0..3 {
        rest = element(rest)?.2;
    }
    let (validity, _) = value_of(SEQUENCE, rest)?;
    let (_, _, after) = element(validity)?;
    let (tag, text, _) = element(after)?;
    moment(tag, std::str::from_utf8(text).ok()?)
}

fn value_of(tag: u8, bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    element(bytes).filter(|(found, ..)| *found == tag).map(|(_, value, rest)| (value, rest))
}

/// Tag, value, and what comes after them.
fn element(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = bytes.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = if first < 0x80 {
        (usize::from(first), rest)
    } else {
        let (digits, rest) =
            rest.split_at_checked(usize::from(first & 0x7f)).filter(|(digits, _)| (1..=4).contains(&digits.len()))?;
        (digits.iter().fold(0, |length, digit| length << 8 | usize::from(*digit)), rest)
    };
    let (value, rest) = rest.split_at_checked(length)?;
    Some((tag, value, rest))
}

fn moment(tag: u8, text: &str) -> Option<OffsetDateTime> {
    let digits = text.strip_suffix('Z').filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))?;
    let (year, rest) = match (tag, digits.len()) {
        (UTC_TIME, 12) => {
            let short: i32 = digits[..2].parse().ok()?;
            (if short < 50 { 2000 + short } else { 1900 + short }, &digits[2..])
        }
        (GENERALIZED_TIME, 14) => (digits[..4].parse().ok()?, &digits[4..]),
        _ => return None,
    };
    let two = |at: usize| rest[at..at + 2].parse::<u8>().ok();
    let date = Date::from_calendar_date(year, Month::try_from(two(0)?).ok()?, two(2)?).ok()?;
    let time = Time::from_hms(two(4)?, two(6)?, two(8)?).ok()?;
    Some(PrimitiveDateTime::new(date, time).assume_utc())
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    use proptest::prelude::*;
    use time::macros::datetime;

    /// Of `openssl req -x509 -newkey ed25519 -nodes -subj /CN=api.example.org -days 70 -outform DER`.
    const CERTIFICATE: &str = "MIIBSDCB+6ADAgECAhRxodkwXS6XdSg/qYQ5On4k5LVEljAFBgMrZXAwGjEYMBYGA1UEAwwPYXBpLmV4YW1wbGUub3JnMB4XDTI2MTEyMTIzND\
        U0NFoXDTI3MDEzMDIzNDU0NFowGjEYMBYGA1UEAwwPYXBpLmV4YW1wbGUub3JnMCowBQYDK2VwAyEAlocZWStZkGnZqFoLC0k4scc08pLgLk0B\
        RA+Yf7mW42mjUzBRMB0GA1UdDgQWBBRNGDPgTmU5azwnwNMRO5SzeSvcaDAfBgNVHSMEGDAWgBRNGDPgTmU5azwnwNMRO5SzeSvcaDAPBgNVHR\
        MBAf8EBTADAQH/MAUGAytlcANBAHCdofeg5bkVDMu0mzHf0Sao6zUlaaYdSzGDwpM3+DTjbh5kkSDsjru0T9LePYCl8MWWPSlKBzUJJUklL4FU\
        gQo=";

    #[test]
    fn the_end_of_a_certificate_is_read() {
        let der = STANDARD.decode(CERTIFICATE).unwrap();
        assert_eq!(not_after(&der), Some(datetime!(2027-01-30 23:45:44 UTC)));
        assert_eq!(not_after(&der[..60]), None, "cut short");
    }

    #[test]
    fn years_are_of_this_century_until_fifty_and_written_out_later() {
        assert_eq!(moment(UTC_TIME, "490101000000Z"), Some(datetime!(2049-01-01 0:00 UTC)));
        assert_eq!(moment(UTC_TIME, "500101000000Z"), Some(datetime!(1950-01-01 0:00 UTC)));
        assert_eq!(moment(GENERALIZED_TIME, "20500101000000Z"), Some(datetime!(2050-01-01 0:00 UTC)));
        for wrong in ["4901010000Z", "490101000000", "491301000000Z", "4901010000ééZ"] {
            assert_eq!(moment(UTC_TIME, wrong), None, "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes: Vec<u8>, at in 0_usize..400, byte: u8) {
            let _ = not_after(&bytes);
            let mut der = STANDARD.decode(CERTIFICATE).unwrap();
            let at = at % der.len();
            der[at] = byte;
            let _ = not_after(&der);
        }
    }
}
