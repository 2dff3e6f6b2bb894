//! What an answer says of the windows its request was counted in.

use reqwest::{RequestBuilder, Response};
use sfv::{BareItem, List, ListEntry, Parser};

use super::header;

/// Every header of the gate.
pub(crate) const HEADERS: [&str; 5] =
    ["x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset", "ratelimit-policy", "ratelimit"];

/// How many requests are let in before the first 429, of at most 100.
pub(crate) async fn let_in(request: impl Fn() -> RequestBuilder) -> u32 {
    for sent in 0..100 {
        if request().send().await.unwrap().status() == 429 {
            return sent;
        }
    }
    100
}

/// The `X-RateLimit-…` header as a number.
pub(crate) fn number(response: &Response, name: &str) -> i64 {
    header(response, &format!("x-ratelimit-{name}")).unwrap().parse().unwrap()
}

/// The members of a structured list: names and parameters.
pub(crate) fn members(response: &Response, name: &str) -> Vec<(String, Vec<(String, i64)>)> {
    let list: List = Parser::new(header(response, name).unwrap()).parse().unwrap();
    let member = |entry: ListEntry| {
        let ListEntry::Item(item) = entry else { panic!("an inner list") };
        let BareItem::String(name) = item.bare_item else { panic!("not a name") };
        let parameters = item.params.iter().map(|(key, value)| (key.to_string(), value.as_integer().unwrap().into()));
        (name.into(), parameters.collect())
    };
    list.into_iter().map(member).collect()
}

/// The names of the windows a request was counted in.
pub(crate) fn counted(response: &Response) -> Vec<String> {
    members(response, "ratelimit").into_iter().map(|(name, _)| name).collect()
}
