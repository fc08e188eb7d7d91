//! The attributes `#[coro::main]`, `#[coro::test]`: functions that start an event loop.

use proc_macro2::{Ident, Literal, TokenStream};
use quote::quote;

use crate::args::{self, Accepted, Args};
use crate::body::{self, Context};
use crate::check::{self, Given};
use crate::fallback;
use crate::item::{Body, Function};
use crate::misplaced;
use crate::mistake::merge;
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
pub(crate) fn main_instead(function: Function, krate: Option<TokenStream>) -> TokenStream {
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

    fn run(self, args: &Args, name: &Ident) -> TokenStream {
        let runtime = names::runtime(args.krate.as_ref());
        match (self, args.real.is_some()) {
            (Entry::Main, _) if args.threads.is_some() => {
                let threads = &args.threads;
                quote!(#runtime::run_main_on(#threads, #name))
            }
            (Entry::Main, _) if args.tokio.is_some() => quote!(#runtime::with_tokio!(main #name())),
            (Entry::Test, _) if args.tokio.is_some() => quote!(#runtime::with_tokio!(test #name)),
            (Entry::Main, _) => quote!(#runtime::run_main(#name())),
            (Entry::Test, false) => quote!(#runtime::run_test(#runtime::TestClock::Virtual, #name)),
            (Entry::Test, true) => quote!(#runtime::run_test(#runtime::TestClock::Real, #name)),
        }
    }
}

/// Runs the coroutine `name` in simulations.
fn simulate(args: &Args, name: &Ident, takes_sim: bool) -> TokenStream {
    let runtime = names::runtime(args.krate.as_ref());
    let wanted = |number: &Option<Literal>| match number {
        Some(number) => quote!(::core::option::Option::Some(#number)),
        None => quote!(::core::option::Option::None),
    };
    let (seeds, late) = (wanted(&args.seeds), wanted(&args.late));
    let test = match takes_sim {
        true => quote!(#name),
        false => quote!(|_: &#runtime::Sim| #name()),
    };
    let path = quote!(::core::concat!(
        ::core::module_path!(),
        "::",
        ::core::stringify!(#name)
    ));
    quote!(#runtime::in_simulations!(#runtime::run_simulated(#path, #seeds, #late, #test)))
}

fn expand(entry: Entry, args: TokenStream, item: TokenStream) -> TokenStream {
    let (mut args, mut errors) = Args::parse(entry.accepted(), args);
    let mut function = match Function::parse(item.clone()) {
        Ok(function) => function,
        Err(error) => return fallback::not_a_function(entry.attribute(), error, item),
    };
    merge(
        &mut errors,
        check::entry(&mut function, entry.attribute(), given(&args)),
    );
    if args.threads.is_some() && function.sig.takes_nothing() {
        // Without its core the function is run on one loop, so that its body is checked all the same.
        args.threads = None;
    }
    let misplaced = misplaced::refuse(&mut function, false);
    let broken = misplaced.is_some();
    merge(&mut errors, misplaced);
    fallback::report(errors, print(entry, function, &args, broken))
}

/// The value that the function is given.
fn given(args: &Args) -> Given {
    match (args.is_simulated(), &args.threads) {
        (true, _) => Given::Simulation,
        (false, Some(_)) => Given::Core,
        (false, None) => Given::Nothing,
    }
}

/// The function itself, around a coroutine of the same name.
fn print(entry: Entry, function: Function, args: &Args, broken: bool) -> TokenStream {
    let Function {
        attrs,
        vis,
        mut sig,
        body,
        ..
    } = function;
    let runtime = names::runtime(args.krate.as_ref());
    let context = match broken {
        false => Context::Waits { runtime },
        true => Context::WaitsBroken { runtime },
    };
    let body = match body {
        Body::Braced(original) => body::of_async_fn(&original, context),
        Body::Missing(semi) => return quote!(#(#attrs)* #vis #sig #semi),
    };
    sig.asyncness = None;
    let name = &sig.ident;
    let run = match args.is_simulated() {
        true => simulate(args, name, !sig.takes_nothing()),
        false => entry.run(args, name),
    };
    let marker = entry.marker();
    let output = &sig.output;
    let outer = match args.is_simulated() {
        true => quote!(fn #name()), // a failure of one of the runs is a panic
        false if args.threads.is_some() => quote!(fn #name() #output),
        false => quote!(#sig),
    };
    quote! {
        #marker
        #(#attrs)*
        #vis #outer {
            async #sig #body
            #run
        }
    }
}
