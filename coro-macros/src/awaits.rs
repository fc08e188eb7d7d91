//! The `.await`s of a body, rewritten so that a dump can show their lines.

use proc_macro2::{Group, TokenStream, TokenTree};
use quote::quote_spanned;

use crate::tokens::{is_punct, is_word};

/// Macros of the standard library and of coro that take expressions, and show none as it is written.
const TRANSPARENT: [&str; 13] = [
    "assert_eq",
    "assert_ne",
    "eprint",
    "eprintln",
    "format",
    "matches",
    "print",
    "println",
    "vec",
    "write",
    "writeln",
    "yield_",
    "yield_from",
];

/// `x.await` becomes `x.__seen().await`, also in nested blocks and closures. The input of a macro is
/// left alone, as it may be anything, but for some macros that are known. Gives whether there was any.
pub(crate) fn show(tokens: TokenStream) -> (TokenStream, bool) {
    let mut out = Vec::<TokenTree>::new();
    let mut any = false;
    for tree in tokens {
        match tree {
            TokenTree::Group(group) if !is_of_macro(&out) => {
                let (inside, found) = show(group.stream());
                any |= found;
                let mut shown = Group::new(group.delimiter(), inside);
                shown.set_span(group.span());
                out.push(if found { shown.into() } else { group.into() });
            }
            tree if out.last().is_some_and(|it| is_punct(it, '.')) && is_word(&tree, "await") => {
                out.extend(quote_spanned!(tree.span()=> __seen().));
                out.push(tree);
                any = true;
            }
            other => out.push(other),
        }
    }
    (out.into_iter().collect(), any)
}

/// Whether the next group is the input of a macro: it follows `name!`, or `macro_rules! name`.
fn is_of_macro(before: &[TokenTree]) -> bool {
    let is_name = |tree: &TokenTree| matches!(tree, TokenTree::Ident(_));
    match before {
        [.., name, bang] if is_name(name) && is_punct(bang, '!') => !TRANSPARENT
            .iter()
            .any(|transparent| is_word(name, transparent)),
        [.., word, bang, name] => {
            is_word(word, "macro_rules") && is_punct(bang, '!') && is_name(name)
        }
        _ => false,
    }
}
