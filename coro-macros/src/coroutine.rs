//! The coroutine that is printed for a function.
//!
//! A coroutine that only waits is printed as an `async fn`. The compiler then decides on the order
//! in which arguments are dropped, the captured lifetimes and the size, and nearly all messages are
//! its own. An `async fn` cannot express `send`, `boxed` or `yields`: with these, a plain function
//! around an `async` block is printed, which does the same.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};

use crate::args::{self, Args};
use crate::arguments;
use crate::attribute::Attribute;
use crate::body::{self, Context};
use crate::braces::Braces;
use crate::check;
use crate::entry;
use crate::fallback;
use crate::item::{Body, Function};
use crate::lifetimes;
use crate::misplaced;
use crate::mistake::merge;
use crate::names;
use crate::plain_types;
use crate::rewritten;
use crate::signature::Signature;
use crate::tokens::Lifetime;
use crate::types;

const ATTRIBUTE: &str = "#[coro::coroutine]";

/// Expands `#[coro::coroutine(args)] item`.
pub(crate) fn expand(args: TokenStream, item: TokenStream) -> TokenStream {
    let (mut args, mut errors) = Args::parse(&args::COROUTINE, args);
    replace_unreadable(&mut args);
    let mut function = match Function::parse(item.clone()) {
        Ok(function) => function,
        Err(error) => return fallback::not_a_function(ATTRIBUTE, error, item),
    };
    if let Some(error) = check::is_main(&function.sig) {
        let main = entry::main_instead(function, args.krate);
        return fallback::report(Some(error), main);
    }
    merge(&mut errors, check::coroutine(&mut function));
    if let Some(yields) = &args.yields {
        merge(
            &mut errors,
            rewritten::instrumented_generator(&mut function.attrs),
        );
        merge(
            &mut errors,
            check::returns_itself(&mut function.sig, yields),
        );
    }
    let cannot_wait = args.yields.is_some() && function.sig.asyncness.is_none();
    let misplaced = misplaced::refuse(&mut function, cannot_wait);
    let broken = misplaced.is_some();
    merge(&mut errors, misplaced);
    fallback::report(
        errors,
        Form {
            args: &args,
            broken,
        }
        .print(function),
    )
}

/// Lets a coroutine yield `!`, which every other type accepts, if its types could not be read.
pub(crate) fn replace_unreadable(args: &mut Args) {
    if args.unreadable {
        let runtime = names::runtime(args.krate.as_ref());
        args.yields = Some(never(&runtime));
        args.resumes = None;
    }
}

/// The form in which a function is printed.
struct Form<'a> {
    args: &'a Args,
    /// Whether a yield point stands outside of the coroutine's own body, which was reported.
    broken: bool,
}

impl Form<'_> {
    fn print(&self, function: Function) -> TokenStream {
        let Args {
            yields,
            send,
            boxed,
            ..
        } = self.args;
        match (yields, send, boxed) {
            (None, None, None) => self.as_async_fn(function),
            _ => self.as_plain_fn(function),
        }
    }

    fn as_async_fn(&self, function: Function) -> TokenStream {
        let Function {
            attrs,
            vis,
            public,
            mut sig,
            body,
        } = function;
        // A trait's method has no visibility of its own.
        let of_trait = (!public).then(|| quote!(#[allow(async_fn_in_trait)]));
        // The author wrote no `async`, so no lint may complain about it. The names of clippy's lints cost
        // the compiler more than some yield points, so only clippy is shown them.
        let added_async = sig.asyncness.is_none();
        let added_async =
            added_async.then(|| quote!(clippy::future_not_send, clippy::unused_async,));
        // `async` has the span of `fn`: the compiler never reports an item as unused if the item
        // begins at a macro's code.
        let span = sig.fn_token.span();
        sig.asyncness
            .get_or_insert_with(|| Ident::new("async", span));
        let has_body = matches!(body, Body::Braced(_));
        let of_body = has_body.then(|| quote!(clippy::implicit_return,));
        let of_clippy = quote!(#of_body #added_async);
        let of_clippy =
            (!of_clippy.is_empty()).then(|| quote!(#[cfg_attr(clippy, allow(#of_clippy))]));
        let body = match body {
            Body::Braced(original) => {
                body::of_async_fn(&original, self.context()).into_token_stream()
            }
            Body::Missing(semi) => semi.into_token_stream(),
        };
        quote! {
            #(#attrs)*
            #of_trait
            #of_clippy
            #vis #sig #body
        }
    }

    fn as_plain_fn(&self, function: Function) -> TokenStream {
        let Function {
            attrs,
            vis,
            mut sig,
            body,
            ..
        } = function;
        let waits = sig.asyncness.take().is_some();
        let boxed = self.args.boxed;
        let captures = boxed.map(|_| lifetimes::capture(&mut sig, self.exchanged()));
        let output = self.output(&sig, waits, captures);
        let has_body = matches!(body, Body::Braced(_));
        let body = match body {
            Body::Braced(original) => {
                let steps = self.steps(&mut sig, &original);
                let plain = plain_types::are_plain(&self.exchanged(), &sig.type_params());
                let named = plain && attrs.iter().all(is_inert);
                body::in_place_of(&original.group, self.constructor(steps, waits, named))
                    .into_token_stream()
            }
            Body::Missing(semi) => semi.into_token_stream(),
        };
        sig.set_returned(output);
        // The attribute spells out `async fn` and elided lifetimes, which these lints would report.
        let of_bodies = has_body.then(|| {
            quote!(
                clippy::implicit_return,
                clippy::manual_async_fn,
                clippy::must_use_candidate,
            )
        });
        let allowed = quote!(#[allow(unknown_lints, mismatched_lifetime_syntaxes)] #[cfg_attr(clippy, allow(
            #of_bodies
            clippy::double_must_use,
            clippy::needless_lifetimes,
            clippy::type_complexity
        ))]);
        quote!(#(#attrs)* #allowed #vis #sig #body)
    }

    /// The return type as it is printed.
    fn output(&self, sig: &Signature, waits: bool, captures: Option<Lifetime>) -> TokenStream {
        let runtime = self.runtime();
        let output = awaited(sig.returned(), &runtime);
        let span = Span::mixed_site().located_at(sig.end());
        let send = self
            .args
            .send
            .map(|_| quote_spanned!(span=> + ::core::marker::Send));
        let future = quote_spanned!(span=> ::core::future::Future<Output = #output> #send);
        match (&self.args.yields, captures) {
            (None, None) => quote_spanned!(span=> impl #future),
            (None, Some(captured)) => {
                quote!(::core::pin::Pin<#runtime::Box<dyn #future + #captured>>)
            }
            (Some(yields), captures) => {
                let boxed = self.args.boxed.is_some();
                let generator =
                    names::generator(self.args.krate.as_ref(), waits, boxed, send.is_some());
                let resumes = self.resumes();
                match captures {
                    None => quote!(#generator<#yields, #resumes, impl #future>),
                    Some(captured) => {
                        quote!(#generator<#captured, #yields, #resumes, #output>)
                    }
                }
            }
        }
    }

    /// The `async` block that runs the body.
    fn steps(&self, sig: &mut Signature, original: &Braces) -> TokenStream {
        let declared = body::returning(sig.returned());
        let mut inputs = sig.inputs();
        let arguments = arguments::rebind(&mut inputs);
        sig.set_inputs(&inputs);
        let body = body::labelled(original, self.context(), declared);
        let span = self.promise();
        quote_spanned!(span=> async move { #arguments #body })
    }

    /// The call that makes the return value.
    ///
    /// If the body is an argument, an editor shows the parameters of the call wherever it is asked for
    /// those of another. So the body is `named`: if this attribute is the last one, as
    /// `#[tracing::instrument]` below would not find it, and if its types can be those of a closure's
    /// parameter.
    fn constructor(&self, steps: TokenStream, waits: bool, named: bool) -> TokenStream {
        let runtime = self.runtime();
        let Args {
            yields,
            send,
            boxed,
            ..
        } = self.args;
        match (yields, boxed) {
            (None, None) => steps,
            (None, Some(_)) => {
                let span = self.promise();
                match named {
                    true => quote_spanned!(span=> let body = #steps; #runtime::Box::pin(body)),
                    false => quote_spanned!(span=> #runtime::Box::pin(#steps)),
                }
            }
            (Some(yields), _) => {
                let make = names::constructor(waits, boxed.is_some(), send.is_some());
                let handle = names::handle();
                let (yields, resumes) = (nameable(yields), nameable(&self.resumes()));
                let inferred = if boxed.is_some() {
                    quote!(_, _)
                } else {
                    quote!(_)
                };
                let body = quote!(move |mut #handle| #steps);
                match named {
                    false => quote!(#runtime::#make::<#yields, #resumes, #inferred>(#body)),
                    true => {
                        let co = names::handle_type(waits);
                        quote! {
                            let body = move |mut #handle: #runtime::#co<#yields, #resumes>| #steps;
                            #runtime::#make::<#yields, #resumes, #inferred>(body)
                        }
                    }
                }
            }
        }
    }

    fn context(&self) -> Context {
        let runtime = self.runtime();
        if self.args.unreadable {
            return Context::Unreadable;
        }
        match (&self.args.yields, self.broken) {
            (None, false) => Context::Waits { runtime },
            (None, true) => Context::WaitsBroken { runtime },
            (Some(_), false) => Context::Yields { runtime },
            (Some(_), true) => Context::YieldsBroken { runtime },
        }
    }

    fn promise(&self) -> Span {
        promise(self.args)
    }

    /// The types that the body gives to its resumer and takes from it.
    fn exchanged(&self) -> TokenStream {
        let Args {
            yields, resumes, ..
        } = self.args;
        quote!(#yields, #resumes)
    }

    fn resumes(&self) -> TokenStream {
        self.args.resumes.clone().unwrap_or_else(|| quote!(()))
    }

    fn runtime(&self) -> TokenStream {
        names::runtime(self.args.krate.as_ref())
    }
}

/// The span at which the compiler reports that the future is not `Send`: that of the argument `send`.
pub(crate) fn promise(args: &Args) -> Span {
    args.send
        .map_or_else(Span::call_site, |span| span.resolved_at(Span::mixed_site()))
}

/// Whether the attribute certainly rewrites no function.
fn is_inert(attr: &Attribute) -> bool {
    const INERT: [&str; 10] = [
        "doc",
        "allow",
        "expect",
        "warn",
        "deny",
        "must_use",
        "inline",
        "cold",
        "deprecated",
        "cfg",
    ];
    INERT.iter().any(|name| attr.is(name))
}

/// The output of the coroutine.
fn awaited(output: Option<&TokenStream>, runtime: &TokenStream) -> TokenStream {
    match output {
        None => quote!(()),
        Some(ty) if types::is_never(ty) => never(runtime),
        Some(ty) => ty.clone(),
    }
}

/// The type `!`, as stable Rust lets it be named.
fn never(runtime: &TokenStream) -> TokenStream {
    quote!(<fn() -> ! as #runtime::Returns>::Output)
}

/// The type as an expression may name it; a type with `impl Trait` is inferred there.
fn nameable(ty: &TokenStream) -> TokenStream {
    match body::mentions_impl(ty.clone()) {
        true => quote!(_),
        false => ty.clone(),
    }
}
