//! The shape that ends a subscriber for good: a loop that takes every error of `recv` for the end of the channel. A
//! receiver that fell behind gets an error too, once, and would then go on.

use syn::{Expr, Local, Pat, spanned::Spanned, visit::Visit};

/// The lines where a loop ends when a receiver lagged.
pub(crate) fn lag_ends_the_loop(source: &str) -> Vec<usize> {
    let mut traps = Traps(Vec::new());
    traps.visit_file(&syn::parse_file(source).expect("the source parses"));
    traps.0
}

struct Traps(Vec<usize>);

impl<'ast> Visit<'ast> for Traps {
    fn visit_expr_while(&mut self, repeat: &'ast syn::ExprWhile) {
        if takes_only_success(&repeat.cond) {
            self.0.push(repeat.span().start().line);
        }
        syn::visit::visit_expr_while(self, repeat);
    }

    fn visit_local(&mut self, local: &'ast Local) {
        if let Some(init) = local.init.as_ref().filter(|init| init.diverge.is_some())
            && loses_the_error(&local.pat, &init.expr)
        {
            self.0.push(local.span().start().line);
        }
        syn::visit::visit_local(self, local);
    }
}

fn takes_only_success(condition: &Expr) -> bool {
    match condition {
        Expr::Let(condition) => loses_the_error(&condition.pat, &condition.expr),
        Expr::Binary(both) => takes_only_success(&both.left) || takes_only_success(&both.right),
        _ => false,
    }
}

/// `Ok(..)` of a receiver's `recv`, or `Some(..)` of its `.ok()`.
fn loses_the_error(pattern: &Pat, from: &Expr) -> bool {
    let Pat::TupleStruct(pattern) = pattern else { return false };
    let calls = calls_of(from);
    let receives = calls.iter().any(|call| call == "recv");
    let wanted = pattern.path.segments.last().map(|segment| segment.ident.to_string());
    match wanted.as_deref() {
        Some("Ok") => receives,
        Some("Some") => receives && calls.iter().any(|call| call == "ok"),
        _ => false,
    }
}

/// The methods called one after the other in an expression such as `rx.recv().await.ok()`.
fn calls_of(expression: &Expr) -> Vec<String> {
    match expression {
        Expr::MethodCall(call) => {
            let mut calls = calls_of(&call.receiver);
            calls.push(call.method.to_string());
            calls
        }
        Expr::Await(waited) => calls_of(&waited.base),
        Expr::Paren(inner) => calls_of(&inner.expr),
        Expr::Try(inner) => calls_of(&inner.expr),
        _ => Vec::new(),
    }
}
