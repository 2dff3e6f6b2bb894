use std::sync::Arc;

use coinlink_domain::market::Article;
use coinlink_upstream::{instant, lenient, plain_text};
use serde::Deserialize;
use time::OffsetDateTime;
use url::Url;

const LONGEST_TITLE: usize = 300;
const LONGEST_SUMMARY: usize = 600;
const LONGEST_PUBLISHER: usize = 80;
const LONGEST_URL: usize = 2048;
/// What stands in every field of an article that was taken back.
const REMOVED: &str = "[Removed]";

/// One article of `/v2/everything`, as far as it is used.
#[derive(Debug, Deserialize)]
pub(crate) struct Row {
    title: String,
    url: String,
    #[serde(default, deserialize_with = "lenient")]
    source: Option<Outlet>,
    #[serde(default, deserialize_with = "lenient")]
    description: Option<String>,
    #[serde(default, rename = "publishedAt", deserialize_with = "lenient")]
    published_at: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Outlet {
    #[serde(default, deserialize_with = "lenient")]
    name: Option<String>,
}

impl Row {
    /// `None` where there is nothing to read, or nowhere to read it.
    pub(crate) fn into_article(self, received: OffsetDateTime) -> Option<Article> {
        let title = plain_text(&self.title, LONGEST_TITLE);
        if title.is_empty() || title == REMOVED {
            return None;
        }
        let url = web_address(&self.url)?;
        let named = self.source.and_then(|source| source.name).map(|name| plain_text(&name, LONGEST_PUBLISHER));
        let publisher = named.filter(|name| !name.is_empty()).or_else(|| url.host_str().map(str::to_owned))?;
        let summary = self.description.map(|text| plain_text(&text, LONGEST_SUMMARY));
        let summary = summary.filter(|text| !text.is_empty() && text != REMOVED);
        Some(Article {
            title: title.into(),
            url: url.as_str().into(),
            publisher: publisher.into(),
            summary: summary.map(Arc::from),
            // What is still to come would stay the newest for ever.
            published_at: self.published_at.as_deref().and_then(instant).map(|at| at.min(received)),
        })
    }
}

/// An address that a page may link to: of the web, without a name and password in it.
fn web_address(text: &str) -> Option<Url> {
    let url = Url::parse(text.trim()).ok()?;
    let is_web = matches!(url.scheme(), "http" | "https") && url.has_host();
    let is_plain = url.username().is_empty() && url.password().is_none() && url.as_str().len() <= LONGEST_URL;
    // A host may hold quotes (WHATWG URL, forbidden host code points); whoever puts an address into a page may not expect them.
    let is_safe = !url.as_str().contains(['"', '`', '<', '>', ' ']);
    (is_web && is_plain && is_safe).then_some(url)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn only_addresses_of_the_web_are_linked_to() {
        for bad in [
            "javascript:alert(1)",
            "data:text/html,x",
            "ftp://example.org/",
            "//example.org/x",
            "/relative",
            "https://",
            "https://user:pass@example.org/",
            "http:\"A",
            "https://user@example.org/",
            "",
        ] {
            assert_eq!(web_address(bad), None, "{bad}");
        }
        assert_eq!(web_address(&format!("https://example.org/{}", "a".repeat(LONGEST_URL))), None);
        assert_eq!(web_address(" HTTPS://Example.org/a b\"<").unwrap().as_str(), "https://example.org/a%20b%22%3C");
    }

    proptest! {
        #[test]
        fn no_row_panics_and_what_is_kept_is_safe(title in "\\PC{0,40}|<b>\\PC{0,9}", url in "(https?|javascript|data)?:?/?/?\\PC{0,30}", text in "\\PC{0,40}") {
            let row = Row {
                title,
                url,
                source: Some(Outlet { name: Some(text.clone()) }),
                description: Some(text.clone()),
                published_at: Some(text),
            };
            if let Some(article) = row.into_article(OffsetDateTime::UNIX_EPOCH) {
                prop_assert!(article.url.starts_with("https://") || article.url.starts_with("http://"));
                prop_assert!(!article.title.is_empty() && !article.publisher.is_empty());
                prop_assert!(!article.title.contains(char::is_control) && !article.url.contains(['<', '"', ' ']));
            }
        }
    }
}
