//! The printed body, with the label, the macro and the imports that its yield points need.

use proc_macro2::{Delimiter, Group, Punct, Spacing, Span, TokenStream, TokenTree};
use quote::{quote, quote_spanned};

use crate::awaits;
use crate::braces::Braces;
use crate::mistake;
use crate::names;
use crate::tokens;
use crate::types;

/// The kind of coroutine around a yield point.
///
/// A body is broken if a yield point in it is misplaced, which was reported.
pub(crate) enum Context {
    Waits {
        runtime: TokenStream,
    },
    WaitsBroken {
        runtime: TokenStream,
    },
    Yields {
        runtime: TokenStream,
    },
    YieldsBroken {
        runtime: TokenStream,
    },
    /// The types that the body exchanges could not be read, which was reported.
    Unreadable,
}

/// The body of an `async fn`.
///
/// Both pairs of braces have the span, and so the edition, of the user's own braces.
pub(crate) fn of_async_fn(original: &Braces, context: Context) -> TokenTree {
    match context.needs_no_label(original) {
        true => unlabelled(original, context, None),
        false => in_place_of(&original.group, labelled(original, context, None)),
    }
}

/// The user's statements, in a labelled block if they need one. Yield points name the label; a `break` to it cannot
/// leave a closure.
///
/// The macro must be defined inside the labelled block: only there does the label in the macro mean
/// this one. A labelled block has the edition of its label, and the edition decides when the
/// temporaries of the block's last expression are dropped. The statements therefore stand in
/// another block, which has the user's edition.
pub(crate) fn labelled(
    original: &Braces,
    context: Context,
    declared: Option<TokenStream>,
) -> TokenStream {
    if context.needs_no_label(original) {
        return unlabelled(original, context, declared).into();
    }
    let label = names::body_label();
    let block = block(original, &context, Some(context.define()), declared);
    quote!(#label: { #block })
}

/// The user's statements, in a block of their own. Nothing checks the places of its yield points.
fn unlabelled(original: &Braces, context: Context, declared: Option<TokenStream>) -> TokenTree {
    let name = names::context_macro();
    let allowed = original.may_be_cut().then(allow_unused_macros);
    let defined = original.may_suspend().then(|| {
        let arms = waiting(quote!(()));
        quote!(#allowed macro_rules! #name { #arms })
    });
    block(original, &context, defined, declared)
}

/// The user's statements behind those of the attribute.
fn block(
    original: &Braces,
    context: &Context,
    defined: Option<TokenStream>,
    declared: Option<TokenStream>,
) -> TokenTree {
    let (statements, import) = context.show_awaits(original);
    in_place_of(
        &original.group,
        quote!(#import #defined #declared #statements),
    )
}

/// The arms of the macro of a body that only waits; `check` checks the place of a call.
fn waiting(check: TokenStream) -> TokenStream {
    let dollar = Punct::new('$', Spacing::Alone); // `quote!` would parse it anew each time
    quote! {
        () => { #check };
        ({ #dollar (#dollar waits:tt)* } #dollar yields:tt #dollar (#dollar wait:tt)*) => { #dollar (#dollar waits)* #dollar (#dollar wait)* };
    }
}

/// Rust 1.88 warns of an unused macro in code of an attribute, later versions do not.
fn allow_unused_macros() -> TokenStream {
    quote!(#[allow(unused_macros)])
}

/// Braces around `tokens` that have the span of the user's braces.
pub(crate) fn in_place_of(original: &Group, tokens: TokenStream) -> TokenTree {
    let mut group = Group::new(Delimiter::Brace, tokens);
    group.set_span(original.span());
    group.into()
}

/// A statement that tells the compiler the return type of an `async` block, so that an error points
/// at the expression that is wrong.
pub(crate) fn returning(output: Option<&TokenStream>) -> Option<TokenStream> {
    match output {
        Some(ty) if !types::is_never(ty) && !mentions_impl(ty.clone()) => {
            let span = Span::mixed_site().located_at(mistake::whole(ty));
            Some(quote_spanned! {span=>
                #[allow(unreachable_code, clippy::all, clippy::pedantic)]
                if false {
                    let output: #ty = loop {};
                    return output;
                };
            })
        }
        Some(_) => None,
        None => Some(quote! {
            #[allow(unreachable_code, clippy::all, clippy::pedantic)]
            if false {
                return ();
            };
        }),
    }
}

pub(crate) fn mentions_impl(tokens: TokenStream) -> bool {
    tokens::mentions(tokens, &["impl"])
}

impl Context {
    /// Whether the text alone shows that each yield point stands in the body itself. Then the label, whose
    /// checks the compiler would do at each of them, is left out. A macro of the user's with the name of one
    /// of the standard library could hide a place all the same: its yield point would wait there, as
    /// `.await` does. In a body that yields, soundness rests on the label.
    fn needs_no_label(&self, body: &Braces) -> bool {
        matches!(self, Context::Waits { .. }) && body.is_one_place()
    }

    /// The statements with their awaits rewritten, and the import which that needs.
    fn show_awaits(&self, body: &Braces) -> (TokenStream, Option<TokenStream>) {
        let statements = body.group.stream();
        let (Context::Waits { runtime } | Context::Yields { runtime }) = self else {
            return (statements, None);
        };
        if !body.may_wait() {
            return (statements, None);
        }
        let (statements, any) = awaits::show(statements);
        let import = any.then(|| {
            quote! {
                #[allow(unused_imports)]
                use #runtime::AwaitSeen as _;
            }
        });
        (statements, import)
    }

    /// Defines the macro that `yield_!` and `yield_from!` call.
    ///
    /// A call with both meanings of a yield point, and `.await`, picks one meaning. It checks that its
    /// place belongs to this body, by a `break` that is never taken, as does the arm `()`. In a body
    /// that yields, the check also keeps the promise of [`names::in_body`] to the root of a chain: the
    /// await is one of the body itself. So no other arm may give out that value. In place of `await` a
    /// caller can only write the name of a field, and all are private. In a broken body the fault was
    /// reported already, so the yield point gets only the type that it would have.
    fn define(&self) -> TokenStream {
        let name = names::context_macro();
        let dollar = Punct::new('$', Spacing::Alone);
        let arms = match self {
            Context::Waits { .. } => waiting(here()),
            Context::WaitsBroken { runtime } => quote! {
                () => { () };
                (#dollar waits:tt #dollar (#dollar rest:tt)*) => { #runtime::output_of(#dollar waits) };
            },
            Context::Yields { .. } => {
                let (handle, in_body) = (names::handle(), names::in_body());
                let here = here();
                quote! {
                    (token) => { #handle.token() };
                    (handle) => { &mut #handle };
                    (#dollar waits:tt { #dollar (#dollar yields:tt)* } . #dollar wait:tt) => {
                        ({ #here #in_body }).waits_for(#dollar (#dollar yields)*).#dollar wait
                    };
                }
            }
            Context::YieldsBroken { runtime } => {
                let handle = names::handle();
                quote! {
                    (handle) => { &mut #handle };
                    (token) => { #handle.token() };
                    (#dollar waits:tt #dollar yields:tt #dollar (#dollar wait:tt)*) => { #runtime::output_of(#dollar yields) };
                }
            }
            Context::Unreadable => quote! {
                (#dollar (#dollar call:tt)*) => { ::core::panic!() };
            },
        };
        let imports = self.imports();
        let allowed = allow_unused_macros();
        quote! {
            #imports
            #allowed
            macro_rules! #name { #arms }
        }
    }

    fn imports(&self) -> Option<TokenStream> {
        match self {
            Context::Waits { .. } | Context::WaitsBroken { .. } | Context::Unreadable => None,
            Context::Yields { runtime } => {
                let in_body = names::in_body();
                Some(quote! {
                    #[allow(unused_imports)]
                    use #runtime::Operand as _;
                    // SAFETY: in the expansion, only the macro can name this value, and calls nothing with
                    // it but its own method, whatever the path to the runtime leads to. It awaits the
                    // result in the body itself, which the label checks.
                    let #in_body = unsafe { #runtime::InBody::new() };
                })
            }
            Context::YieldsBroken { runtime } => Some(quote! {
                #[allow(unused_imports)]
                use #runtime::Operand as _;
            }),
        }
    }
}

/// A `break` to the body's label that is never reached. It stands in a loop, because a misplaced `break`
/// in none is two errors. Code after another `break` is dropped before borrows are checked, so it costs less
/// time than code in a condition that is false.
fn here() -> TokenStream {
    let label = names::body_label();
    quote! {
        loop {
            break;
            #[allow(unreachable_code)]
            break #label (loop {});
        }
    }
}
