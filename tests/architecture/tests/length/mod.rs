//! How long a file is without its tests.

use syn::{Attribute, Item, spanned::Spanned};

/// Lines of `source` outside items marked `#[cfg(test)]`.
pub(crate) fn lines_without_tests(source: &str) -> usize {
    let file = syn::parse_file(source).expect("the source parses");
    let tests: usize = file.items.iter().filter(|item| is_test(item)).map(lines_of).sum();
    source.lines().count() - tests
}

fn is_test(item: &Item) -> bool {
    let attributes: &[Attribute] = match item {
        Item::Mod(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    };
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("cfg") && attribute.parse_args::<syn::Path>().is_ok_and(|condition| condition.is_ident("test"))
    })
}

fn lines_of(item: &Item) -> usize {
    let span = item.span();
    span.end().line - span.start().line + 1
}
