//! Which tests the sources hold, from their syntax trees: a page may name none that is not run.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use syn::{ItemFn, ItemMacro, Macro, visit::Visit};

/// A function with an attribute that ends in `test`, as an item or among a macro's tokens (`proptest!`).
pub(crate) struct TestFn {
    /// None where a macro puts in a name that it was given.
    pub(crate) name: Option<String>,
    is_ignored: bool,
}

/// All tests of some sources.
#[derive(Default)]
pub(crate) struct Tests {
    run: BTreeSet<String>,
    ignored: BTreeSet<String>,
}

impl Tests {
    pub(crate) fn of<T: AsRef<str>>(sources: impl IntoIterator<Item = T>) -> Self {
        let mut scan = Scan::default();
        for source in sources {
            scan.visit_file(&syn::parse_file(source.as_ref()).expect("the source parses"));
        }
        let mut tests = Self::default();
        for TestFn { name, is_ignored } in scan.functions {
            if let Some(name) = name {
                if is_ignored {
                    tests.ignored.insert(name)
                } else {
                    tests.run.insert(name)
                };
            }
        }
        // A suite that nobody calls runs nothing.
        for (called, given) in scan.calls {
            if let Some(cases) = scan.makers.get(&called) {
                tests.run.extend(given.into_iter().chain(cases.iter().cloned()));
            }
        }
        tests
    }

    /// What is wrong with tests that a page names, each with whether it says that only the full run has it.
    pub(crate) fn wrong<'a>(&self, named: impl IntoIterator<Item = (&'a str, bool)>) -> Vec<String> {
        let wrong = named.into_iter().filter_map(|(name, full)| match (self.run.contains(name), self.ignored.contains(name)) {
            (true, _) if full => Some(format!("{name} is not of the full run alone")),
            (false, true) if !full => Some(format!("{name} is ignored, and the page does not say `full:`")),
            (false, false) => Some(format!("{name} is no test")),
            _ => None,
        });
        wrong.collect()
    }
}

/// Names in backticks that read like a test's, a sentence of at least four words, and whether the page says "full:" before them.
pub(crate) fn named_in(page: &str) -> BTreeSet<(&str, bool)> {
    let is_word = |name: &str| name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    let mut named = BTreeSet::new();
    for line in page.lines() {
        let parts: Vec<&str> = line.split('`').collect();
        for pair in parts.chunks_exact(2) {
            if pair[1].matches('_').count() >= 3 && is_word(pair[1]) {
                named.insert((pair[1], pair[0].trim_end().ends_with("full:")));
            }
        }
    }
    named
}

#[derive(Default)]
struct Scan {
    functions: Vec<TestFn>,
    /// Macros that make tests of names, and the names that they give themselves.
    makers: BTreeMap<String, Vec<String>>,
    calls: Vec<(String, Vec<String>)>,
}

impl<'ast> Visit<'ast> for Scan {
    fn visit_item_fn(&mut self, item: &'ast ItemFn) {
        let has = |wanted: &str| {
            item.attrs.iter().any(|attribute| attribute.path().segments.last().is_some_and(|last| last.ident == wanted))
        };
        if has("test") {
            self.functions.push(TestFn { name: Some(item.sig.ident.to_string()), is_ignored: has("ignore") });
        }
        syn::visit::visit_item_fn(self, item);
    }

    fn visit_item_macro(&mut self, item: &'ast ItemMacro) {
        let Some(name) = item.ident.as_ref().map(ToString::to_string) else { return self.visit_macro(&item.mac) };
        if tests_among(&item.mac.tokens).iter().any(|test| test.name.is_none()) {
            let cases = given_to(&name, &item.mac.tokens);
            self.makers.insert(name, cases);
        }
    }

    fn visit_macro(&mut self, called: &'ast Macro) {
        self.functions.extend(tests_among(&called.tokens));
        if let Some(name) = called.path.segments.last() {
            self.calls.push((name.ident.to_string(), listed(&called.tokens)));
        }
    }
}

/// The tests that a macro's tokens spell out.
pub(crate) fn tests_among(tokens: &TokenStream) -> Vec<TestFn> {
    let tokens: Vec<TokenTree> = tokens.clone().into_iter().collect();
    let (mut found, mut is_test, mut is_ignored) = (Vec::new(), false, false);
    for (at, token) in tokens.iter().enumerate() {
        match (token, tokens.get(at + 1)) {
            (TokenTree::Punct(mark), Some(TokenTree::Group(group)))
                if mark.as_char() == '#' && group.delimiter() == Delimiter::Bracket =>
            {
                let name = attribute(group.stream());
                is_test |= name == "test";
                is_ignored |= name == "ignore";
            }
            (TokenTree::Ident(word), Some(next)) if word == "fn" => {
                if is_test {
                    found.push(TestFn { name: matches!(next, TokenTree::Ident(_)).then(|| next.to_string()), is_ignored });
                }
                (is_test, is_ignored) = (false, false);
            }
            (TokenTree::Group(group), _) => found.extend(tests_among(&group.stream())),
            _ => {}
        }
    }
    found
}

/// The last word of an attribute's path.
fn attribute(tokens: TokenStream) -> String {
    let path = tokens.into_iter().map_while(|token| match token {
        TokenTree::Ident(word) => Some(word.to_string()),
        TokenTree::Punct(mark) if mark.as_char() == ':' => Some(String::new()),
        _ => None,
    });
    path.filter(|word| !word.is_empty()).last().unwrap_or_default()
}

/// The names that stand by themselves between commas.
fn listed(tokens: &TokenStream) -> Vec<String> {
    let tokens: Vec<TokenTree> = tokens.clone().into_iter().collect();
    let is = |token: Option<&TokenTree>, marks: &[char]| match token {
        None => true,
        Some(TokenTree::Punct(mark)) => marks.contains(&mark.as_char()),
        Some(_) => false,
    };
    let before = |at: usize| at.checked_sub(1).and_then(|before| tokens.get(before));
    let alone = |at: usize| is(before(at), &[',', ';']) && is(tokens.get(at + 1), &[',']);
    let words = tokens.iter().enumerate().filter(|(at, token)| matches!(token, TokenTree::Ident(_)) && alone(*at));
    words.map(|(_, word)| word.to_string()).collect()
}

/// What a macro calls itself with.
fn given_to(name: &str, tokens: &TokenStream) -> Vec<String> {
    let tokens: Vec<TokenTree> = tokens.clone().into_iter().collect();
    let mut given = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        let TokenTree::Group(group) = token else { continue };
        let calls = at >= 2
            && matches!(&tokens[at - 1], TokenTree::Punct(mark) if mark.as_char() == '!')
            && matches!(&tokens[at - 2], TokenTree::Ident(word) if word == name);
        given.extend(if calls { listed(&group.stream()) } else { given_to(name, &group.stream()) });
    }
    given
}
