//! Places of a source where it names a host, opens a connection or says what its lines are called. Code for tests alone is left out.

use std::collections::BTreeSet;

use proc_macro2::{TokenStream, TokenTree};
use syn::{Attribute, ItemFn, ItemMod, ItemUse, LitStr, Macro, Path, UseTree, visit::Visit};

use crate::for_tests::is_for_tests;

/// The hosts of addresses in its texts.
pub(crate) fn hosts_in(source: &str) -> BTreeSet<String> {
    let schemes = ["http://", "https://", "ws://", "wss://", "smtp://", "smtps://", "redis://", "rediss://"];
    let mut hosts = BTreeSet::new();
    // Most sources name none, and parsing takes its time; so below.
    if !source.contains("://") {
        return hosts;
    }
    for text in scan(source).texts {
        for scheme in schemes {
            for (at, _) in text.match_indices(scheme) {
                let host = text[at + scheme.len()..]
                    .split(['/', ':', ' ', '"', '\'', '?', '#', '`', ')', ',', ';'])
                    .next()
                    .unwrap_or_default();
                let host = host.rsplit('@').next().unwrap_or(host);
                hosts.extend((!host.is_empty()).then(|| host.to_owned()));
            }
        }
    }
    hosts
}

/// What opens connections: the type or module, and its function.
const OPENERS: [(&str, &str); 12] = [
    ("Client", "builder"),
    ("Client", "open"),
    ("reqwest", "get"),
    ("TcpStream", "connect"),
    ("TcpStream", "connect_timeout"),
    ("UdpSocket", "bind"),
    ("UnixStream", "connect"),
    ("Database", "connect"),
    ("SeaDatabase", "connect"),
    ("net", "lookup_host"),
    ("Builder", "from_config"),
    ("AsyncSmtpConnection", "connect_tokio1"),
];
/// Of which library it is where we have one of the same name.
const OF: [(&str, &str); 4] = [("Client", "reqwest"), ("Client", "deadpool_redis"), ("Database", "sea_orm"), ("Builder", "fred")];

/// Whether it opens any.
pub(crate) fn opened_in(source: &str) -> bool {
    if !OPENERS.iter().any(|(of, function)| source.contains(of) && source.contains(function)) {
        return false;
    }
    let found = scan(source);
    let is_theirs = |name: &str| {
        let mut libraries = OF.iter().filter(|(of, _)| *of == name).map(|(_, library)| *library).peekable();
        libraries.peek().is_none() || libraries.any(|library| found.imports.contains(library) || found.paths.contains(library))
    };
    found.calls.iter().any(|(of, function)| OPENERS.contains(&(of, function)) && is_theirs(of))
}

/// What its lines are called, where that is not the module they are in.
pub(crate) fn targets_in(source: &str) -> BTreeSet<String> {
    if source.contains("target:") { scan(source).targets } else { BTreeSet::new() }
}

#[derive(Default)]
struct Scan {
    texts: Vec<String>,
    calls: BTreeSet<(String, String)>,
    imports: BTreeSet<String>,
    paths: BTreeSet<String>,
    targets: BTreeSet<String>,
}

fn scan(source: &str) -> Scan {
    let mut scan = Scan::default();
    scan.visit_file(&syn::parse_file(source).expect("the source parses"));
    scan
}

impl Scan {
    fn tokens(&mut self, tokens: TokenStream) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        for (at, token) in tokens.iter().enumerate() {
            match token {
                TokenTree::Group(group) => self.tokens(group.stream()),
                TokenTree::Literal(literal) => {
                    let Ok(text) = syn::parse_str::<LitStr>(&literal.to_string()) else { continue };
                    let named =
                        |back: usize, wanted: &str| at.checked_sub(back).is_some_and(|at| tokens[at].to_string() == wanted);
                    if named(1, ":") && named(2, "target") {
                        self.targets.insert(text.value());
                    }
                    self.texts.push(text.value());
                }
                _ => {}
            }
        }
    }
}

impl<'ast> Visit<'ast> for Scan {
    // Documentation is an attribute.
    fn visit_attribute(&mut self, _: &'ast Attribute) {}

    fn visit_item_mod(&mut self, item: &'ast ItemMod) {
        if !is_for_tests(&item.attrs) {
            syn::visit::visit_item_mod(self, item);
        }
    }

    fn visit_item_fn(&mut self, item: &'ast ItemFn) {
        if !is_for_tests(&item.attrs) {
            syn::visit::visit_item_fn(self, item);
        }
    }

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        if let UseTree::Path(path) = &item.tree {
            self.imports.insert(path.ident.to_string());
        }
    }

    fn visit_lit_str(&mut self, text: &'ast LitStr) {
        self.texts.push(text.value());
    }

    fn visit_path(&mut self, path: &'ast Path) {
        let parts: Vec<String> = path.segments.iter().map(|part| part.ident.to_string()).collect();
        if let [.., of, function] = &parts[..] {
            self.calls.insert((of.clone(), function.clone()));
        }
        self.paths.extend(parts.into_iter().next());
        syn::visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, called: &'ast Macro) {
        self.tokens(called.tokens.clone());
    }
}

#[test]
fn hosts_calls_and_targets_are_found_and_those_of_tests_are_not() {
    let source = r#"use reqwest::Client;
        /// https://a.example/of-a-comment
        fn f() { let it = "see https://user@host.one:8443/x"; tracing::info!(target: "ours", "wss://host.two/y"); Client::builder(); }
        #[cfg(test)] mod tests { fn g() { "http://host.three"; } }"#;
    assert_eq!(hosts_in(source).into_iter().collect::<Vec<_>>(), ["host.one", "host.two"]);
    assert_eq!(targets_in(source).into_iter().collect::<Vec<_>>(), ["ours"]);
    assert!(opened_in(source));
    assert!(!opened_in("use super::Client; fn f() { Client::builder(); }"));
    assert!(!opened_in("#[cfg(test)] mod tests { fn f() { std::net::TcpStream::connect(); } }"));
}
