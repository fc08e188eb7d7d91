//! The expansion of an item that was refused.

use proc_macro2::{TokenStream, TokenTree};
use quote::quote;

use crate::mistake::Mistake;

/// The errors, followed by the item. The caller has removed the mistakes from the item, so that one
/// mistake gives one message.
pub(crate) fn report(errors: Option<Mistake>, item: TokenStream) -> TokenStream {
    let errors = errors.map(Mistake::into_compile_error);
    quote!(#errors #item)
}

/// The same, of an expression.
pub(crate) fn report_in_expression(
    errors: Option<Mistake>,
    expression: TokenStream,
) -> TokenStream {
    match errors.map(Mistake::into_compile_error) {
        Some(errors) => quote!({ #errors #expression }),
        None => expression,
    }
}

/// The expansion of an item that is not a function: an error, with the item unchanged. A function
/// whose signature cannot be parsed is being typed: the compiler, or an editor, says what it lacks.
pub(crate) fn not_a_function(attribute: &str, error: Mistake, item: TokenStream) -> TokenStream {
    if begins_as_a_function(&item) {
        return item;
    }
    let is_container = |tree| match tree {
        TokenTree::Ident(word) => word == "impl" || word == "trait" || word == "mod",
        _ => false,
    };
    let instead = match item.clone().into_iter().any(is_container) {
        true => "; to prepare all that is in here, write `#[coro::coroutines]`",
        false => "",
    };
    let message = format!(
        "`{attribute}` goes on a function{instead} ({})",
        error.text()
    );
    report(Some(Mistake::new(error.span(), message)), item)
}

fn begins_as_a_function(item: &TokenStream) -> bool {
    const ITEMS: [&str; 12] = [
        "fn",
        "struct",
        "enum",
        "union",
        "impl",
        "trait",
        "mod",
        "type",
        "static",
        "use",
        "extern",
        "macro_rules",
    ];
    let mut words = item.clone().into_iter().filter_map(|tree| match tree {
        TokenTree::Ident(word) => Some(word.to_string()),
        _ => None,
    });
    let first = words.find(|word| ITEMS.contains(&word.as_str()));
    first.is_some_and(|word| word == "fn")
}
