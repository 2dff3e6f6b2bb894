//! SQL that is put together while the program runs. Whatever goes into a raw statement has to be made of literals and constants;
//! a value goes in as a parameter. Anything that cannot be seen to be so is found.

mod scope;

use std::collections::HashMap;

use scope::{Made, Scope};
use syn::{
    Expr, ExprCall, ExprMethodCall, ExprStruct, ImplItemFn, ItemFn, ItemMod, Macro, Signature, Token, parse::Parser as _,
    punctuated::Punctuated, spanned::Spanned as _, visit::Visit,
};

use crate::for_tests::is_for_tests;

/// What makes a statement of text: the type or module before it, the name, and where the text is among the arguments.
const MAKERS: &[(&str, &str, usize)] = &[
    ("Statement", "from_string", 1),
    ("Statement", "from_sql_and_values", 1),
    ("Expr", "cust", 0),
    ("Expr", "cust_with_values", 0),
    ("Expr", "cust_with_expr", 0),
    ("Expr", "cust_with_exprs", 0),
    ("Expr", "Custom", 0),
    ("SimpleExpr", "Custom", 0),
];
/// The same of methods.
const METHODS: &[(&str, usize)] = &[("execute_unprepared", 0), ("from_raw_sql", 0), ("raw_sql", 0)];

/// A place where a statement is made of what is not known to be constant.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Found {
    /// The function it is in; empty outside of any.
    pub(crate) function: String,
    /// The line.
    pub(crate) line: usize,
}

/// Every such place in a source; code for tests alone is left out.
pub(crate) fn built_sql(source: &str) -> Vec<Found> {
    let file = syn::parse_file(source).expect("the source parses");
    let mut handed_on = HashMap::new();
    loop {
        let mut scan = Scan { handed_on: handed_on.clone(), ..Scan::default() };
        scan.visit_file(&file);
        if scan.handed_on.len() == handed_on.len() {
            scan.found.sort();
            scan.found.dedup();
            return scan.found;
        }
        // Who calls a function that makes a statement of its argument makes one as well.
        handed_on = scan.handed_on;
    }
}

#[derive(Default)]
struct Scan {
    functions: Vec<(Scope, bool)>,
    /// Private functions of this file that make a statement of an argument, and of which.
    handed_on: HashMap<String, usize>,
    found: Vec<Found>,
}

impl Scan {
    /// Looks at what a statement is made of.
    fn look(&mut self, text: Option<&Expr>, line: usize) {
        let nowhere = Scope::default();
        let (scope, is_private) = self.functions.last().map_or((&nowhere, false), |(scope, is_private)| (scope, *is_private));
        let function = scope.name.clone();
        match text.map(|text| scope.made_of(text)) {
            Some(Made::Constant) => {}
            Some(Made::Argument(nth)) if is_private => {
                self.handed_on.insert(function, nth);
            }
            _ => self.found.push(Found { function, line }),
        }
    }

    fn enter(&mut self, signature: &Signature, block: &syn::Block, is_private: bool) {
        self.functions.push((Scope::of(signature, block), is_private));
        syn::visit::visit_block(self, block);
        self.functions.pop();
    }
}

impl<'ast> Visit<'ast> for Scan {
    fn visit_item_mod(&mut self, item: &'ast ItemMod) {
        if !is_for_tests(&item.attrs) {
            syn::visit::visit_item_mod(self, item);
        }
    }

    fn visit_item_fn(&mut self, item: &'ast ItemFn) {
        if !is_for_tests(&item.attrs) {
            self.enter(&item.sig, &item.block, matches!(item.vis, syn::Visibility::Inherited));
        }
    }

    fn visit_impl_item_fn(&mut self, item: &'ast ImplItemFn) {
        if !is_for_tests(&item.attrs) {
            self.enter(&item.sig, &item.block, matches!(item.vis, syn::Visibility::Inherited));
        }
    }

    fn visit_expr_call(&mut self, call: &'ast ExprCall) {
        if let Expr::Path(path) = &*call.func {
            let names: Vec<String> = path.path.segments.iter().map(|segment| segment.ident.to_string()).collect();
            let (last, before) = (names.last().map_or("", String::as_str), names.iter().rev().nth(1).map(String::as_str));
            let maker = MAKERS.iter().find(|(of, name, _)| before == Some(*of) && *name == last).map(|(.., nth)| *nth);
            let method = METHODS.iter().find(|(name, _)| *name == last && before.is_some()).map(|(_, nth)| nth + 1);
            let raw = names.iter().any(|name| name == "sqlx").then_some(0);
            let handed_on = self.handed_on.get(last).copied();
            if let Some(nth) = maker.or(method).or(raw).or(handed_on) {
                self.look(call.args.iter().nth(nth), call.span().start().line);
            }
        }
        syn::visit::visit_expr_call(self, call);
    }

    fn visit_expr_method_call(&mut self, call: &'ast ExprMethodCall) {
        let name = call.method.to_string();
        let known = METHODS.iter().find(|(method, _)| *method == name).map(|(_, nth)| *nth);
        if let Some(nth) = known.or_else(|| self.handed_on.get(&name).copied()) {
            self.look(call.args.iter().nth(nth), call.method.span().start().line);
        }
        syn::visit::visit_expr_method_call(self, call);
    }

    fn visit_expr_struct(&mut self, made: &'ast ExprStruct) {
        if made.path.segments.last().is_some_and(|segment| segment.ident == "Statement") {
            let sql = made.fields.iter().find(|field| matches!(&field.member, syn::Member::Named(name) if name == "sql"));
            if let Some(sql) = sql {
                self.look(Some(&sql.expr), made.span().start().line);
            }
        }
        syn::visit::visit_expr_struct(self, made);
    }

    fn visit_macro(&mut self, invocation: &'ast Macro) {
        let arguments = Punctuated::<Expr, Token![,]>::parse_terminated.parse2(invocation.tokens.clone());
        if let Ok(arguments) = arguments {
            let mut inside = Scan { functions: std::mem::take(&mut self.functions), ..Scan::default() };
            inside.handed_on.clone_from(&self.handed_on);
            arguments.iter().for_each(|argument| inside.visit_owned(argument));
            self.functions = inside.functions;
            self.handed_on = inside.handed_on;
            self.found.extend(inside.found);
            return;
        }
        // What cannot be read is found where it names anything that makes a statement.
        let text = invocation.tokens.to_string();
        let names = MAKERS.iter().map(|(_, name, _)| *name).chain(METHODS.iter().map(|(name, _)| *name));
        let is_raw = invocation.path.segments.last().is_some_and(|segment| segment.ident == "raw_sql");
        if is_raw || names.filter(|name| *name != "Custom").any(|name| text.contains(&format!("{name} ("))) {
            self.look(None, invocation.span().start().line);
        }
    }
}

impl Scan {
    /// Visits what was parsed here and does not live as long as the file.
    fn visit_owned(&mut self, expression: &Expr) {
        Visit::visit_expr(self, expression);
    }
}
