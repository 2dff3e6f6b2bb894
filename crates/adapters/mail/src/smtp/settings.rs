//! `SMTP_URL`.

use std::{fmt, fs, path::PathBuf};

use lettre::transport::smtp::{authentication::Credentials, client::Certificate};
use percent_encoding::percent_decode_str;
use url::Url;

/// Ports of submission (RFC 8314).
const SUBMISSION: u16 = 587;
const SUBMISSIONS: u16 = 465;

/// Whether what is said is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tls {
    /// From the first byte (`smtps://`).
    Implicit,
    /// After STARTTLS, or nothing is sent.
    Required,
    /// After STARTTLS where the server offers it.
    Opportunistic,
    /// Not at all.
    None,
}

/// The URL cannot be used. Never tells what stands in it: it holds a password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SmtpSettingsError {
    /// Not such a URL.
    #[error("is no URL such as smtp://user:password@mail.example.com:587")]
    Url,
    /// `tls` is something else.
    #[error("has a `tls` that is none of required, opportunistic and none, or stands at smtps://")]
    Tls,
    /// There is no such parameter.
    #[error("has a parameter other than `tls` and `ca`")]
    Parameter,
    /// A user without a password, or the other way round.
    #[error("has a user without a password, or a password without a user")]
    Credentials,
    /// The certificates cannot be used.
    #[error("names a `ca` that is no file of certificates (PEM)")]
    Certificates,
}

/// Where letters are handed over.
#[derive(Clone)]
pub struct SmtpSettings {
    /// The server's name.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How it is spoken to.
    pub tls: Tls,
    /// Who we are there.
    pub(super) credentials: Option<Credentials>,
    /// Certificates that are trusted beside the system's.
    pub(super) certificates: Vec<Certificate>,
}

impl fmt::Debug for SmtpSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SmtpSettings").field("tls", &self.tls).finish_non_exhaustive()
    }
}

impl SmtpSettings {
    /// `smtp://user:password@host:587?tls=required&ca=/etc/ssl/own.pem`. Without `tls`, a password is only sent encrypted, and
    /// what goes without one is encrypted where the server offers it.
    pub fn parse(url: &str) -> Result<Self, SmtpSettingsError> {
        let url = Url::parse(url).map_err(|_| SmtpSettingsError::Url)?;
        let host = url.host_str().filter(|host| !host.is_empty()).ok_or(SmtpSettingsError::Url)?;
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        if !matches!(url.path(), "" | "/") || url.fragment().is_some() {
            return Err(SmtpSettingsError::Url);
        }
        let credentials = credentials(&url)?;
        let (mut tls, mut ca) = (None, None);
        for (name, value) in url.query_pairs() {
            match name.as_ref() {
                "tls" => tls = Some(value.into_owned()),
                "ca" => ca = Some(PathBuf::from(value.as_ref())),
                _ => return Err(SmtpSettingsError::Parameter),
            }
        }
        let (tls, port) = match (url.scheme(), tls.as_deref()) {
            ("smtps", None) => (Tls::Implicit, SUBMISSIONS),
            ("smtp", None) if credentials.is_some() => (Tls::Required, SUBMISSION),
            ("smtp", None | Some("opportunistic")) => (Tls::Opportunistic, SUBMISSION),
            ("smtp", Some("required")) => (Tls::Required, SUBMISSION),
            ("smtp", Some("none")) => (Tls::None, SUBMISSION),
            ("smtp" | "smtps", _) => return Err(SmtpSettingsError::Tls),
            _ => return Err(SmtpSettingsError::Url),
        };
        let certificates = ca.map(|file| {
            let read = fs::read(file).ok().and_then(|pem| Certificate::from_pem(&pem).ok());
            read.ok_or(SmtpSettingsError::Certificates)
        });
        let certificates = certificates.transpose()?.into_iter().collect();
        Ok(Self { host, port: url.port().unwrap_or(port), tls, credentials, certificates })
    }
}

fn credentials(url: &Url) -> Result<Option<Credentials>, SmtpSettingsError> {
    let text = |part: &str| percent_decode_str(part).decode_utf8().map(std::borrow::Cow::into_owned);
    match (url.username(), url.password()) {
        ("", None) => Ok(None),
        ("", Some(_)) | (_, None) => Err(SmtpSettingsError::Credentials),
        (user, Some(password)) => match (text(user), text(password)) {
            (Ok(user), Ok(password)) => Ok(Some(Credentials::new(user, password))),
            _ => Err(SmtpSettingsError::Url),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parsed(url: &str) -> (String, u16, Tls, bool) {
        let settings = SmtpSettings::parse(url).unwrap();
        (settings.host, settings.port, settings.tls, settings.credentials.is_some())
    }

    #[test]
    fn a_password_is_only_sent_encrypted_unless_the_url_says_otherwise() {
        assert_eq!(parsed("smtp://mail.example.com"), ("mail.example.com".into(), 587, Tls::Opportunistic, false));
        assert_eq!(parsed("smtp://u:p@mail.example.com:25"), ("mail.example.com".into(), 25, Tls::Required, true));
        assert_eq!(parsed("smtp://u:p@mail.example.com/?tls=none"), ("mail.example.com".into(), 587, Tls::None, true));
        assert_eq!(parsed("smtps://u:p%40@[::1]"), ("::1".into(), 465, Tls::Implicit, true));
        let settings = SmtpSettings::parse("smtp://ada%40example.org:a%2Fb%20c@mail.example.com").unwrap();
        assert_eq!(settings.credentials, Some(Credentials::new("ada@example.org".into(), "a/b c".into())));
    }

    #[test]
    fn what_makes_no_sense_is_refused_and_never_shown() {
        for (url, why) in [
            ("mail.example.com", SmtpSettingsError::Url),
            ("http://mail.example.com", SmtpSettingsError::Url),
            ("smtp://mail.example.com/path", SmtpSettingsError::Url),
            ("smtp://mail.example.com?tls=maybe", SmtpSettingsError::Tls),
            ("smtps://mail.example.com?tls=none", SmtpSettingsError::Tls),
            ("smtp://mail.example.com?pool=1", SmtpSettingsError::Parameter),
            ("smtp://hunter2@mail.example.com", SmtpSettingsError::Credentials),
            ("smtp://:hunter2@mail.example.com", SmtpSettingsError::Credentials),
            ("smtp://mail.example.com?ca=/nowhere", SmtpSettingsError::Certificates),
        ] {
            assert_eq!(SmtpSettings::parse(url).unwrap_err(), why, "{url}");
        }
        let settings = SmtpSettings::parse("smtp://ada:hunter2@mail.example.com").unwrap();
        assert!(!format!("{settings:?}").contains("hunter2"));
    }

    proptest! {
        #[test]
        fn any_text_is_settings_or_refused(text in "(smtps?://)?\\PC{0,60}") {
            let _ = SmtpSettings::parse(&text);
        }
    }
}
