//! Properties that say that nothing panics.

use syn::{Macro, visit::Visit};

use crate::named_tests::tests_among;

/// The names of those that a source has.
pub(crate) fn of_no_panic(source: &str) -> Vec<String> {
    let mut scan = Properties(Vec::new());
    scan.visit_file(&syn::parse_file(source).expect("the source parses"));
    scan.0
}

struct Properties(Vec<String>);

impl<'ast> Visit<'ast> for Properties {
    fn visit_macro(&mut self, called: &'ast Macro) {
        if called.path.segments.last().is_some_and(|last| last.ident == "proptest") {
            let names = tests_among(&called.tokens).into_iter().filter_map(|test| test.name);
            self.0.extend(names.filter(|name| name.contains("panic")));
        }
    }
}
