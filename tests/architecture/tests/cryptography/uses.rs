//! What a source names of some libraries.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::{TokenStream, TokenTree};
use syn::{ItemFn, ItemMod, ItemUse, Macro, Path, UseTree, visit::Visit};

use crate::for_tests::is_for_tests;

/// Lists of algorithms, of which it matters what is taken.
const CHOICES: [&str; 2] = ["Algorithm", "KeySize"];

/// Each library of `libraries` with what is named of it: the last part of a path, and the members of its lists of algorithms. Code for
/// tests alone is left out.
pub(crate) fn uses_of(source: &str, libraries: &[&str]) -> BTreeSet<(String, String)> {
    // Most sources name none, and parsing takes its time.
    if !libraries.iter().any(|library| source.contains(&format!("{library}::"))) {
        return BTreeSet::new();
    }
    let file = syn::parse_file(source).expect("the source parses");
    let mut imports = Scan { libraries, ..Scan::default() };
    imports.visit_file(&file);
    // Imports may stand below what uses them.
    let mut members = Scan { libraries, imported: imports.imported, found: imports.found };
    members.visit_file(&file);
    members.found
}

#[derive(Default)]
struct Scan<'a> {
    libraries: &'a [&'a str],
    /// Names as they are used here: the library, and how it calls them.
    imported: BTreeMap<String, (String, String)>,
    found: BTreeSet<(String, String)>,
}

impl Scan<'_> {
    fn import(&mut self, library: &str, tree: &UseTree) {
        match tree {
            UseTree::Path(path) => self.import(library, &path.tree),
            UseTree::Group(group) => group.items.iter().for_each(|item| self.import(library, item)),
            UseTree::Name(name) => self.name(library, name.ident.to_string(), name.ident.to_string()),
            UseTree::Rename(name) => self.name(library, name.ident.to_string(), name.rename.to_string()),
            UseTree::Glob(_) => self.name(library, "*".to_owned(), "*".to_owned()),
        }
    }

    /// Paths among what a macro is given, which is no syntax yet.
    fn tokens(&mut self, tokens: TokenStream) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        let (mut path, mut colons): (Vec<String>, usize) = (Vec::new(), 0);
        for token in &tokens {
            match token {
                TokenTree::Ident(word) if colons == 2 || path.is_empty() => path.push(word.to_string()),
                TokenTree::Ident(word) => {
                    self.path_of(&path);
                    path = vec![word.to_string()];
                }
                TokenTree::Punct(mark) if mark.as_char() == ':' => {
                    colons += 1;
                    continue;
                }
                _ => {
                    self.path_of(&path);
                    path.clear();
                }
            }
            colons = 0;
            if let TokenTree::Group(group) = token {
                self.tokens(group.stream());
            }
        }
        self.path_of(&path);
    }

    fn path_of(&mut self, parts: &[String]) {
        let [first, .., last] = parts else { return };
        if self.libraries.contains(&first.as_str()) {
            self.found.insert((first.clone(), last.clone()));
        } else if let Some((library, there)) = self.imported.get(first)
            && CHOICES.contains(&there.as_str())
        {
            self.found.insert((library.clone(), format!("{there}::{last}")));
        }
    }

    fn name(&mut self, library: &str, there: String, here: String) {
        self.found.insert((library.to_owned(), there.clone()));
        self.imported.insert(here, (library.to_owned(), there));
    }
}

impl<'ast> Visit<'ast> for Scan<'_> {
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
        if is_for_tests(&item.attrs) {
            return;
        }
        if let UseTree::Path(first) = &item.tree
            && let Some(library) = self.libraries.iter().find(|library| first.ident == **library)
        {
            let library = (*library).to_owned();
            self.import(&library, &first.tree);
        }
    }

    fn visit_path(&mut self, path: &'ast Path) {
        let parts: Vec<String> = path.segments.iter().map(|part| part.ident.to_string()).collect();
        self.path_of(&parts);
        syn::visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, called: &'ast Macro) {
        self.tokens(called.tokens.clone());
    }
}

#[test]
fn what_is_imported_renamed_written_out_and_chosen_of_a_list_is_found() {
    let source = "use lib::{a::One, b::{Algorithm as Other, three as _}}; use another::Four;
        fn f() { lib::five(); Other::Member; other::six(); One::new(); }
        thread_local! { static X: u64 = lib::c::nine(); }
        #[cfg(test)] mod tests { use lib::Seven; } #[test] fn g() { lib::eight(); }";
    let found = uses_of(source, &["lib"]);
    let names: Vec<_> = found.iter().map(|(_, name)| name.as_str()).collect();
    assert_eq!(names, ["Algorithm", "Algorithm::Member", "One", "five", "nine", "three"]);
}
