//! Which compression a client takes.

use actix_web::http::header::{ACCEPT_ENCODING, ContentEncoding, HeaderMap};

/// Bodies up to this many bytes gain nothing from compression.
pub(super) const MIN_COMPRESSED: u64 = 1024;

/// Brotli or gzip, whichever the client prefers, brotli where it is equal; otherwise identity.
pub(super) fn preferred(headers: &HeaderMap) -> ContentEncoding {
    let Some(accepted) = headers.get(ACCEPT_ENCODING).and_then(|value| value.to_str().ok()) else {
        return ContentEncoding::Identity;
    };
    let (mut brotli, mut gzip, mut any) = (None, None, 0);
    for part in accepted.split(',') {
        let (name, parameters) = part.split_once(';').unwrap_or((part, ""));
        let weight = weight(parameters);
        match name.trim() {
            name if name.eq_ignore_ascii_case("br") => brotli = Some(weight),
            name if name.eq_ignore_ascii_case("gzip") || name.eq_ignore_ascii_case("x-gzip") => gzip = Some(weight),
            "*" => any = weight,
            _ => {}
        }
    }
    let (brotli, gzip) = (brotli.unwrap_or(any), gzip.unwrap_or(any));
    if brotli > 0 && brotli >= gzip {
        ContentEncoding::Brotli
    } else if gzip > 0 {
        ContentEncoding::Gzip
    } else {
        ContentEncoding::Identity
    }
}

/// `q=0.5` in thousandths; 1000 where there is none, 0 where it cannot be read.
pub(super) fn weight(parameters: &str) -> u16 {
    let quality =
        parameters.split(';').filter_map(|pair| pair.split_once('=')).find(|(name, _)| name.trim().eq_ignore_ascii_case("q"));
    let Some((_, value)) = quality else { return 1000 };
    let (whole, fraction) = value.trim().split_once('.').unwrap_or((value.trim(), ""));
    if fraction.len() > 3 || !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return 0;
    }
    match whole {
        "1" if fraction.bytes().all(|b| b == b'0') => 1000,
        "0" => format!("{fraction:0<3}").parse().unwrap_or(0),
        _ => 0,
    }
}

/// Whether a body of this type shrinks: text, JSON, scripts, SVG.
pub(super) fn shrinks(content_type: &str) -> bool {
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    (essence.starts_with("text/") && essence != "text/event-stream")
        || matches!(essence, "application/json" | "application/javascript" | "image/svg+xml")
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::http::header::HeaderValue;
    use proptest::prelude::*;

    fn chosen(accepted: &str) -> ContentEncoding {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_str(accepted).unwrap());
        preferred(&headers)
    }

    #[test]
    fn the_clients_preference_decides() {
        for (accepted, expected) in [
            ("gzip, deflate, br, zstd", ContentEncoding::Brotli),
            ("gzip", ContentEncoding::Gzip),
            ("br;q=0.5, gzip;q=0.8", ContentEncoding::Gzip),
            ("br;q=0, gzip;q=0", ContentEncoding::Identity),
            ("*", ContentEncoding::Brotli),
            ("*;q=0", ContentEncoding::Identity),
            ("br;q=0, *", ContentEncoding::Gzip),
            ("GZIP;Q=1.000", ContentEncoding::Gzip),
            ("gzip;q=2", ContentEncoding::Identity),
            ("identity", ContentEncoding::Identity),
            ("", ContentEncoding::Identity),
        ] {
            assert_eq!(chosen(accepted), expected, "{accepted}");
        }
    }

    proptest! {
        #[test]
        fn no_header_panics(accepted in "[ -~]{0,80}") {
            chosen(&accepted);
            prop_assert!(weight(&accepted) <= 1000);
        }
    }
}
