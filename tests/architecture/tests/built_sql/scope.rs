//! What the names in one function stand for, as far as that can be seen there.

use std::collections::HashMap;

use syn::{
    Block, Expr, ExprForLoop, ExprMacro, FnArg, Lit, Local, Macro, Pat, Signature, Stmt, Token, parse::Parser as _,
    punctuated::Punctuated, visit::Visit,
};

/// Methods that give the same text in another type.
const SAME_TEXT: [&str; 8] = ["as_ref", "as_str", "clone", "into", "iter", "into_iter", "to_owned", "to_string"];
/// Methods that put text into a string.
const APPEND: [&str; 5] = ["extend", "insert_str", "push", "push_str", "write_str"];

/// What a text is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Made {
    /// Literals and constants alone.
    Constant,
    /// The function's argument of this number, without `self`, as it is.
    Argument(usize),
    /// Something else, or it cannot be seen.
    Unknown,
}

/// One function.
#[derive(Default)]
pub(crate) struct Scope {
    pub(crate) name: String,
    arguments: Vec<String>,
    /// Everything that a name may hold, or that is put into it.
    names: HashMap<String, Vec<Held>>,
}

#[derive(Clone)]
enum Held {
    /// It, or a part of it.
    Of(Expr),
    /// A text that a macro writes into it.
    Written(Macro),
    /// Nobody knows.
    Anything,
}

impl Scope {
    pub(crate) fn of(signature: &Signature, block: &Block) -> Self {
        let arguments = signature.inputs.iter().filter_map(|input| match input {
            FnArg::Receiver(_) => None,
            FnArg::Typed(typed) => Some(match &*typed.pat {
                Pat::Ident(name) => name.ident.to_string(),
                _ => String::new(),
            }),
        });
        let mut scope = Self { name: signature.ident.to_string(), arguments: arguments.collect(), names: HashMap::new() };
        Names(&mut scope).visit_block(block);
        scope
    }

    fn hold(&mut self, pattern: &Pat, held: &Held) {
        let mut idents = Idents(Vec::new());
        idents.visit_pat(pattern);
        for name in idents.0 {
            self.names.entry(name).or_default().push(held.clone());
        }
    }

    pub(crate) fn made_of(&self, text: &Expr) -> Made {
        self.made(text, &mut Vec::new())
    }

    /// `asked` holds the names on the way here: a name that holds itself adds nothing.
    fn made(&self, text: &Expr, asked: &mut Vec<String>) -> Made {
        match text {
            Expr::Lit(_) => Made::Constant,
            Expr::Reference(inner) => self.made(&inner.expr, asked),
            Expr::Paren(inner) => self.made(&inner.expr, asked),
            Expr::Group(inner) => self.made(&inner.expr, asked),
            Expr::Path(path) => {
                let Some(last) = path.path.segments.last() else { return Made::Unknown };
                let name = last.ident.to_string();
                if is_constant(&name) {
                    return Made::Constant;
                }
                if path.path.segments.len() > 1 { Made::Unknown } else { self.name(&name, asked) }
            }
            Expr::MethodCall(call) if call.args.is_empty() && SAME_TEXT.iter().any(|same| call.method == same) => {
                self.made(&call.receiver, asked)
            }
            Expr::Call(call) if is_string_from(&call.func) => self.all(call.args.iter(), asked),
            Expr::Macro(ExprMacro { mac, .. }) => self.macro_made(mac, asked),
            Expr::Binary(both) => self.all([&*both.left, &*both.right].into_iter(), asked),
            Expr::Array(array) => self.all(array.elems.iter(), asked),
            Expr::Tuple(tuple) => self.all(tuple.elems.iter(), asked),
            Expr::Match(matched) => self.all(matched.arms.iter().map(|arm| &*arm.body), asked),
            Expr::If(choice) => match (tail(&choice.then_branch), &choice.else_branch) {
                (Some(then), Some((_, other))) => self.all([then, &**other].into_iter(), asked),
                _ => Made::Unknown,
            },
            Expr::Block(block) => tail(&block.block).map_or(Made::Unknown, |tail| self.made(tail, asked)),
            _ => Made::Unknown,
        }
    }

    /// A whole is constant where each part is; an argument that is only a part of it is not handed on as it is.
    fn all<'e>(&self, parts: impl Iterator<Item = &'e Expr>, asked: &mut Vec<String>) -> Made {
        let made: Vec<Made> = parts.map(|part| self.made(part, asked)).collect();
        match made[..] {
            [only] => only,
            _ if made.iter().all(|made| *made == Made::Constant) => Made::Constant,
            _ => Made::Unknown,
        }
    }

    fn name(&self, name: &str, asked: &mut Vec<String>) -> Made {
        if asked.iter().any(|known| known == name) {
            return Made::Constant;
        }
        let Some(held) = self.names.get(name) else {
            return self.arguments.iter().position(|argument| argument == name).map_or(Made::Unknown, Made::Argument);
        };
        asked.push(name.to_owned());
        let made: Vec<Made> = held.iter().map(|held| self.held(held, asked)).collect();
        asked.pop();
        let mut made = made.into_iter();
        match (made.next(), made.len()) {
            (Some(only), 0) if !self.arguments.iter().any(|argument| argument == name) => only,
            (Some(Made::Constant), _) if made.all(|made| made == Made::Constant) && !self.is_argument(name) => Made::Constant,
            _ => Made::Unknown,
        }
    }

    fn is_argument(&self, name: &str) -> bool {
        self.arguments.iter().any(|argument| argument == name)
    }

    fn held(&self, held: &Held, asked: &mut Vec<String>) -> Made {
        match held {
            Held::Of(expression) => self.made(expression, asked),
            Held::Written(written) => self.format_made(written, 1, asked),
            Held::Anything => Made::Unknown,
        }
    }

    fn macro_made(&self, invocation: &Macro, asked: &mut Vec<String>) -> Made {
        let name = invocation.path.segments.last().map(|segment| segment.ident.to_string()).unwrap_or_default();
        match name.as_str() {
            "include_str" | "stringify" => Made::Constant,
            "concat" | "format" => self.format_made(invocation, 0, asked),
            _ => Made::Unknown,
        }
    }

    /// A format: constant where all that is filled in is.
    fn format_made(&self, invocation: &Macro, skip: usize, asked: &mut Vec<String>) -> Made {
        let arguments = Punctuated::<Expr, Token![,]>::parse_terminated.parse2(invocation.tokens.clone());
        let Ok(arguments) = arguments else { return Made::Unknown };
        let arguments: Vec<&Expr> = arguments.iter().skip(skip).collect();
        let constant = arguments.iter().all(|argument| {
            let filled_in = match argument {
                Expr::Assign(named) => &*named.right,
                other => other,
            };
            self.made(filled_in, asked) == Made::Constant
        });
        let inline =
            |text: &str| text.split('{').skip(1).filter_map(|rest| rest.split(['}', ':']).next()).map(str::to_owned).collect();
        let names: Vec<String> = match arguments.first() {
            Some(Expr::Lit(literal)) => match &literal.lit {
                Lit::Str(text) => inline(&text.value().replace("{{", "")),
                _ => Vec::new(),
            },
            _ => Vec::new(),
        };
        let given_by_name =
            |name: &str| arguments.iter().any(|argument| matches!(argument, Expr::Assign(given) if is_name(&given.left, name)));
        let inline_constant = names.iter().all(|name| {
            let positional = name.is_empty() || name.chars().all(|c| c.is_ascii_digit());
            positional || given_by_name(name) || is_constant(name) || self.name(name, asked) == Made::Constant
        });
        if constant && inline_constant { Made::Constant } else { Made::Unknown }
    }
}

fn is_name(expression: &Expr, name: &str) -> bool {
    matches!(expression, Expr::Path(path) if path.path.is_ident(name))
}

fn is_constant(name: &str) -> bool {
    name.chars().any(|c| c.is_ascii_uppercase()) && name.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
}

fn is_string_from(function: &Expr) -> bool {
    let Expr::Path(path) = function else { return false };
    let names: Vec<String> = path.path.segments.iter().map(|segment| segment.ident.to_string()).collect();
    matches!(&names[..], [.., of, from] if of == "String" && from == "from")
}

fn tail(block: &Block) -> Option<&Expr> {
    match block.stmts.last()? {
        Stmt::Expr(tail, None) => Some(tail),
        _ => None,
    }
}

struct Idents(Vec<String>);

impl<'ast> Visit<'ast> for Idents {
    fn visit_pat_ident(&mut self, name: &'ast syn::PatIdent) {
        self.0.push(name.ident.to_string());
    }
}

/// Fills in a scope's names.
struct Names<'a>(&'a mut Scope);

impl<'ast> Visit<'ast> for Names<'_> {
    fn visit_local(&mut self, local: &'ast Local) {
        let held = local.init.as_ref().map_or(Held::Anything, |init| Held::Of((*init.expr).clone()));
        self.0.hold(&local.pat, &held);
        syn::visit::visit_local(self, local);
    }

    fn visit_expr_for_loop(&mut self, repeat: &'ast ExprForLoop) {
        self.0.hold(&repeat.pat, &Held::Of((*repeat.expr).clone()));
        syn::visit::visit_expr_for_loop(self, repeat);
    }

    fn visit_expr_let(&mut self, condition: &'ast syn::ExprLet) {
        self.0.hold(&condition.pat, &Held::Of((*condition.expr).clone()));
        syn::visit::visit_expr_let(self, condition);
    }

    fn visit_arm(&mut self, arm: &'ast syn::Arm) {
        self.0.hold(&arm.pat, &Held::Anything);
        syn::visit::visit_arm(self, arm);
    }

    fn visit_expr_closure(&mut self, closure: &'ast syn::ExprClosure) {
        closure.inputs.iter().for_each(|input| self.0.hold(input, &Held::Anything));
        syn::visit::visit_expr_closure(self, closure);
    }

    fn visit_expr_assign(&mut self, assign: &'ast syn::ExprAssign) {
        if let Expr::Path(path) = &*assign.left
            && let Some(name) = path.path.get_ident()
        {
            self.0.names.entry(name.to_string()).or_default().push(Held::Of((*assign.right).clone()));
        }
        syn::visit::visit_expr_assign(self, assign);
    }

    fn visit_expr_binary(&mut self, both: &'ast syn::ExprBinary) {
        if let (syn::BinOp::AddAssign(_), Expr::Path(path)) = (&both.op, &*both.left)
            && let Some(name) = path.path.get_ident()
        {
            self.0.names.entry(name.to_string()).or_default().push(Held::Of((*both.right).clone()));
        }
        syn::visit::visit_expr_binary(self, both);
    }

    fn visit_expr_method_call(&mut self, call: &'ast syn::ExprMethodCall) {
        if let Expr::Path(path) = &*call.receiver
            && let Some(name) = path.path.get_ident()
            && APPEND.iter().any(|append| call.method == append)
        {
            let held = self.0.names.entry(name.to_string()).or_default();
            held.extend(call.args.iter().map(|argument| Held::Of(argument.clone())));
        }
        syn::visit::visit_expr_method_call(self, call);
    }

    fn visit_macro(&mut self, invocation: &'ast Macro) {
        let writes =
            invocation.path.segments.last().is_some_and(|segment| segment.ident == "write" || segment.ident == "writeln");
        let arguments = Punctuated::<Expr, Token![,]>::parse_terminated.parse2(invocation.tokens.clone());
        if let (true, Ok(arguments)) = (writes, arguments)
            && let Some(Expr::Path(path)) = arguments.first().map(|first| match first {
                Expr::Reference(inner) => &*inner.expr,
                other => other,
            })
            && let Some(name) = path.path.get_ident()
        {
            self.0.names.entry(name.to_string()).or_default().push(Held::Written(invocation.clone()));
        }
    }
}
