//! What a source names of the layer crates, from its syntax tree.

use proc_macro2::{TokenStream, TokenTree};
use syn::{UseTree, visit::Visit};

/// Crates whose top-level modules are contexts.
const LAYER_CRATES: &[&str] = &["coinlink_domain", "coinlink_ports", "coinlink_application"];

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Named {
    /// A top-level module of a layer crate, or of the layer the source is in.
    Module(String),
    /// A layer crate as a whole, which hides what is named through it.
    WholeCrate(String),
}

/// What `source`, the text of the module at `module` (seen from its layer's root), names.
pub(crate) fn named_in(module: &[&str], source: &str) -> Vec<Named> {
    let file = syn::parse_file(source).expect("the source parses");
    let mut names = Names { module: module.iter().map(|&part| part.to_owned()).collect(), named: Vec::new() };
    names.visit_file(&file);
    names.named
}

struct Names {
    module: Vec<String>,
    named: Vec<Named>,
}

impl Names {
    fn note(&mut self, path: &[String]) {
        let Some((first, rest)) = path.split_first() else { return };
        let inside = match first.as_str() {
            // The server keeps its contexts one folder down.
            "crate" if rest.first().is_some_and(|part| part == "http") => rest[1..].to_vec(),
            root if root == "crate" || LAYER_CRATES.contains(&root) => rest.to_vec(),
            "self" | "super" => {
                let up =
                    path.iter().take_while(|part| *part == "super" || *part == "self").filter(|part| *part == "super").count();
                let kept = self.module.len().saturating_sub(up);
                let down = path.iter().skip_while(|part| *part == "super" || *part == "self").cloned();
                self.module[..kept].iter().cloned().chain(down).collect()
            }
            _ => return,
        };
        if let Some(top) = inside.first() {
            self.named.push(Named::Module(top.clone()));
        }
    }

    fn tree(&mut self, prefix: &[String], tree: &UseTree) {
        let with = |ident: &syn::Ident| [prefix, &[ident.to_string()]].concat();
        let whole_crate = |path: &[String]| match path {
            [root] | [root, _] if path.get(1).is_none_or(|part| part == "self") => {
                (root == "crate" || LAYER_CRATES.contains(&root.as_str())).then(|| Named::WholeCrate(root.clone()))
            }
            _ => None,
        };
        match tree {
            UseTree::Path(path) => self.tree(&with(&path.ident), &path.tree),
            UseTree::Group(group) => group.items.iter().for_each(|item| self.tree(prefix, item)),
            UseTree::Name(name) => match whole_crate(&with(&name.ident)) {
                Some(whole) => self.named.push(whole),
                None => self.note(&with(&name.ident)),
            },
            UseTree::Rename(rename) => match whole_crate(&with(&rename.ident)) {
                Some(whole) => self.named.push(whole),
                None => self.note(&with(&rename.ident)),
            },
            UseTree::Glob(_) => match whole_crate(prefix) {
                Some(whole) => self.named.push(whole),
                None => self.note(prefix),
            },
        }
    }

    /// Paths among a macro's tokens, which the syntax tree does not see.
    fn tokens(&mut self, tokens: TokenStream) {
        let mut path: Vec<String> = Vec::new();
        let mut colons = 0;
        for token in tokens {
            match token {
                TokenTree::Ident(ident) => {
                    if colons != 2 {
                        self.note(&std::mem::take(&mut path));
                    }
                    path.push(ident.to_string());
                    colons = 0;
                }
                TokenTree::Punct(punct) if punct.as_char() == ':' => colons += 1,
                other => {
                    self.note(&std::mem::take(&mut path));
                    colons = 0;
                    if let TokenTree::Group(group) = other {
                        self.tokens(group.stream());
                    }
                }
            }
        }
        self.note(&path);
    }
}

impl<'ast> Visit<'ast> for Names {
    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        self.tree(&[], &item.tree);
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let path_names: Vec<String> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        if path_names.len() > 1 {
            self.note(&path_names);
        }
        syn::visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, invocation: &'ast syn::Macro) {
        self.tokens(invocation.tokens.clone());
    }

    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        self.module.push(item.ident.to_string());
        syn::visit::visit_item_mod(self, item);
        self.module.pop();
    }
}
