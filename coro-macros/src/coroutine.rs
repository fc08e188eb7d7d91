//! The coroutine that is printed for a function.

use proc_macro2::{Delimiter, Group, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::{Error, Token};

use crate::args::{Args, merge};
use crate::check;
use crate::fallback;
use crate::item::{Body, Function};
use crate::names;

const ATTRIBUTE: &str = "#[coro::coroutine]";

/// Expands `#[coro::coroutine(args)] item`.
pub(crate) fn expand(args: TokenStream, item: TokenStream) -> TokenStream {
    let (_args, mut errors) = Args::parse(args);
    let mut function = match Function::parse(item.clone()) {
        Ok(function) => function,
        Err(error) => return fallback::refuse(Some(not_a_function(error)), item),
    };
    if let Some(error) = check::function(&mut function, ATTRIBUTE) {
        merge(&mut errors, error);
    }
    fallback::refuse(errors, print(function))
}

fn not_a_function(error: Error) -> Error {
    Error::new(
        error.span(),
        format!("`{ATTRIBUTE}` goes on a function or method ({error})"),
    )
}

fn print(function: Function) -> TokenStream {
    let Function {
        attrs,
        vis,
        mut sig,
        body,
    } = function;
    sig.asyncness
        .get_or_insert(Token![async](Span::call_site()));
    let body = match body {
        Body::Braced(body) => future_body(body).into_token_stream(),
        Body::Missing(semi) => semi.into_token_stream(),
    };
    quote! {
        #(#attrs)*
        #[allow(async_fn_in_trait)]
        #vis #sig #body
    }
}

/// The body of an `async fn` in which yield points know where they are.
///
/// Both new pairs of braces take the place and the edition of the user's own.
pub(crate) fn future_body(body: Group) -> TokenTree {
    let context = names::context_macro();
    let label = names::body_label();
    let user = body.stream();
    let labelled = braces_of(
        &body,
        quote! {
                    #[allow(unused_macros)]
                    macro_rules! #context {
        () => {
                            while false {
                                #[allow(unreachable_code)]
                                break #label (loop {});
                            }
                        };
                        ({ $($waiting:tt)* } $yielding:tt $($await:tt)*) => { $($waiting)* $($await)* };
                    }
                    #user
                },
    );
    braces_of(&body, quote!(#label: #labelled))
}

fn braces_of(original: &Group, tokens: TokenStream) -> TokenTree {
    let mut group = Group::new(Delimiter::Brace, tokens);
    group.set_span(original.span());
    group.into()
}
