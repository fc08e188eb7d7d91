//! The body, with all that its yield points need around it.

use proc_macro2::{Delimiter, Group, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{ReturnType, Type};

use crate::names;
use crate::tokens;

/// What a yield point finds out about the coroutine around it.
pub(crate) enum Context {
    Waits,
    WaitsBroken { runtime: TokenStream },
    Yields { runtime: TokenStream },
    YieldsBroken { runtime: TokenStream },
}

/// The body of an `async fn`.
///
/// Both pairs of braces stand where the user's own did, and are of the same edition.
pub(crate) fn of_async_fn(original: &Group, context: Context) -> TokenTree {
    in_place_of(original, labelled(original, context, None))
}

/// The user's statements, in a block that yield points can name but closures cannot leave.
///
/// The macro has to be defined inside the labelled block, or else its own mention of the label would
/// not mean this one. A labelled block is of the edition of its label, and decides by it when the
/// temporaries of its last expression die; so the statements are in a block of their own.
pub(crate) fn labelled(
    original: &Group,
    context: Context,
    declared: Option<TokenStream>,
) -> TokenStream {
    let label = names::body_label();
    let context = context.define();
    let statements = original.stream();
    let block = in_place_of(original, quote!(#context #declared #statements));
    quote!(#label: { #block })
}

/// Braces around `tokens` that the compiler takes for the user's.
pub(crate) fn in_place_of(original: &Group, tokens: TokenStream) -> TokenTree {
    let mut group = Group::new(Delimiter::Brace, tokens);
    group.set_span(original.span());
    group.into()
}

/// A statement from which the compiler learns the return type of an `async` block, so that it
/// complains about the expression that is wrong.
pub(crate) fn returning(output: &ReturnType) -> Option<TokenStream> {
    match output {
        ReturnType::Type(_, ty) if !is_never(ty) && !mentions_impl(ty.to_token_stream()) => {
            let span = Span::mixed_site().located_at(ty.span());
            Some(quote_spanned! {span=>
                #[allow(unreachable_code, clippy::all, clippy::pedantic)]
                if false {
                    let output: #ty = loop {};
                    return output;
                };
            })
        }
        ReturnType::Type(..) => None,
        ReturnType::Default => Some(quote! {
            #[allow(unreachable_code, clippy::all, clippy::pedantic)]
            if false {
                return ();
            };
        }),
    }
}

pub(crate) fn is_never(ty: &Type) -> bool {
    match ty {
        Type::Never(_) => true,
        Type::Paren(paren) => is_never(&paren.elem),
        Type::Group(group) => is_never(&group.elem),
        _ => false,
    }
}

pub(crate) fn mentions_impl(tokens: TokenStream) -> bool {
    tokens::mentions(tokens, &["impl"])
}

impl Context {
    /// The macro that `yield_!` and `yield_from!` ask.
    ///
    /// Called with both meanings of a yield point and `.await`, it picks. Called without anything
    /// it proves, by a break that is never taken, that the place belongs to this body. Where it
    /// does not, which was reported already, the yield point is only given the type that it would
    /// have.
    fn define(&self) -> TokenStream {
        let name = names::context_macro();
        let arms = match self {
            Context::Waits => {
                let here = here();
                quote! {
                    () => { #here };
                    ({ $($waits:tt)* } $yields:tt $($wait:tt)*) => { $($waits)* $($wait)* };
                }
            }
            Context::WaitsBroken { runtime } => quote! {
                () => { () };
                ($waits:tt $($rest:tt)*) => { #runtime::output_of($waits) };
            },
            Context::Yields { .. } => {
                let handle = names::handle();
                let here = here();
                quote! {
                    (token) => {{ #here #handle.token() }};
                    (handle) => { &mut #handle };
                    ($waits:tt { $($yields:tt)* } $($wait:tt)*) => { $($yields)* $($wait)* };
                }
            }
            Context::YieldsBroken { runtime } => {
                let handle = names::handle();
                quote! {
                    (handle) => { &mut #handle };
                    (token) => { #handle.token() };
                    ($waits:tt $yields:tt $($wait:tt)*) => { #runtime::output_of($yields) };
                }
            }
        };
        let imports = self.imports();
        quote! {
            #imports
            macro_rules! #name { #arms }
        }
    }

    fn imports(&self) -> Option<TokenStream> {
        match self {
            Context::Waits | Context::WaitsBroken { .. } => None,
            Context::Yields { runtime } | Context::YieldsBroken { runtime } => Some(quote! {
                #[allow(unused_imports)]
                use #runtime::Operand as _;
            }),
        }
    }
}

/// A loop rather than an `if`: a misplaced break is then one error and not two.
fn here() -> TokenStream {
    let label = names::body_label();
    quote! {
        while false {
            #[allow(unreachable_code)]
            break #label (loop {});
        }
    }
}
