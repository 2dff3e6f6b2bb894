//! Until when an X.509 certificate is good: the one field of it that is read here. Who it is for and who signed it was checked
//! when the connection was made, or is for clients to say.

use time::OffsetDateTime;
use x509_parser::{certificate::X509Certificate, prelude::FromDer as _};

/// `notAfter` of a certificate in DER (RFC 5280, 4.1.2.5).
pub(crate) fn not_after(der: &[u8]) -> Option<OffsetDateTime> {
    let (_, certificate) = X509Certificate::from_der(der).ok()?;
    Some(certificate.validity().not_after.to_datetime())
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

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            prop_assert!(not_after(&bytes).is_none());
        }

        #[test]
        fn no_damaged_certificate_panics(at in 0..400_usize, byte: u8) {
            let mut der = STANDARD.decode(CERTIFICATE).unwrap();
            let at = at % der.len();
            der[at] = byte;
            not_after(&der);
        }
    }
}
