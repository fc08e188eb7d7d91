//! The attributes `#[coro::main]`, `#[coro::test]`: functions that start an event loop.

use proc_macro2::TokenStream;
use quote::quote;
use syn::Path;

use crate::args::{self, Accepted, Args, merge};
use crate::body::{self, Context};
use crate::check;
use crate::fallback;
use crate::item::{Body, Function};
use crate::misplaced;
use crate::names;

/// Expands `#[coro::main(args)] item`.
pub(crate) fn expand_main(args: TokenStream, item: TokenStream) -> TokenStream {
    expand(Entry::Main, args, item)
}

/// Expands `#[coro::test(args)] item`.
pub(crate) fn expand_test(args: TokenStream, item: TokenStream) -> TokenStream {
    expand(Entry::Test, args, item)
}

/// The expansion of a `main` that has `#[coro::coroutine]` instead of `#[coro::main]`.
pub(crate) fn main_instead(function: Function, krate: Option<Path>) -> TokenStream {
    print(
        Entry::Main,
        function,
        &Args {
            krate,
            ..Args::default()
        },
        false,
    )
}

#[derive(Clone, Copy)]
enum Entry {
    Main,
    Test,
}

impl Entry {
    fn attribute(self) -> &'static str {
        match self {
            Entry::Main => "#[coro::main]",
            Entry::Test => "#[coro::test]",
        }
    }

    fn accepted(self) -> &'static Accepted {
        match self {
            Entry::Main => &args::MAIN,
            Entry::Test => &args::TEST,
        }
    }

    fn marker(self) -> Option<TokenStream> {
        match self {
            Entry::Main => None,
            Entry::Test => Some(quote!(#[::core::prelude::v1::test])),
        }
    }

    fn run(self, args: &Args, call: TokenStream) -> TokenStream {
        let runtime = names::runtime(args.krate.as_ref());
        match (self, args.real.is_some()) {
            (Entry::Main, _) if args.tokio.is_some() => quote!(#runtime::with_tokio!(main #call)),
            (Entry::Test, _) if args.tokio.is_some() => quote!(#runtime::with_tokio!(test #call)),
            (Entry::Main, _) => quote!(#runtime::run_main(#call)),
            (Entry::Test, false) => quote!(#runtime::run_test(#runtime::TestClock::Virtual, #call)),
            (Entry::Test, true) => quote!(#runtime::run_test(#runtime::TestClock::Real, #call)),
        }
    }
}

fn expand(entry: Entry, args: TokenStream, item: TokenStream) -> TokenStream {
    let (args, mut errors) = Args::parse(entry.accepted(), args);
    let mut function = match Function::parse(item.clone()) {
        Ok(function) => function,
        Err(error) => return fallback::not_a_function(entry.attribute(), error, item),
    };
    merge(&mut errors, check::entry(&mut function, entry.attribute()));
    let misplaced = misplaced::refuse(&mut function, false);
    let broken = misplaced.is_some();
    merge(&mut errors, misplaced);
    fallback::report(errors, print(entry, function, &args, broken))
}

/// The function itself, around a coroutine of the same name.
fn print(entry: Entry, function: Function, args: &Args, broken: bool) -> TokenStream {
    let Function {
        attrs,
        vis,
        mut sig,
        body,
    } = function;
    let context = match broken {
        false => Context::Waits,
        true => Context::WaitsBroken {
            runtime: names::runtime(args.krate.as_ref()),
        },
    };
    let body = match body {
        Body::Braced(group) => body::of_async_fn(&group, context),
        Body::Missing(semi) => return quote!(#(#attrs)* #vis #sig #semi),
    };
    sig.asyncness = None;
    let name = &sig.ident;
    let run = entry.run(args, quote!(#name()));
    let marker = entry.marker();
    quote! {
        #marker
        #(#attrs)*
        #vis #sig {
            async #sig #body
            #run
        }
    }
}
