//! The functions that start an event loop.

use proc_macro2::TokenStream;
use quote::quote;
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::{Error, Ident, Path, Result, Token};

use crate::args::merge;
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

/// The `main` of someone who wrote the wrong attribute.
pub(crate) fn main_instead(function: Function, krate: Option<Path>) -> TokenStream {
    print(
        Entry::Main,
        function,
        &EntryArgs { real: false, krate },
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

    fn expected(self) -> &'static str {
        match self {
            Entry::Main => "expected `crate = path::to::coro`",
            Entry::Test => "expected `real` or `crate = path::to::coro`",
        }
    }

    fn marker(self) -> Option<TokenStream> {
        match self {
            Entry::Main => None,
            Entry::Test => Some(quote!(#[::core::prelude::v1::test])),
        }
    }

    fn run(self, args: &EntryArgs, call: TokenStream) -> TokenStream {
        let runtime = names::runtime(args.krate.as_ref());
        match (self, args.real) {
            (Entry::Main, _) => quote!(#runtime::run_main(#call)),
            (Entry::Test, false) => quote!(#runtime::run_test(#runtime::TestClock::Virtual, #call)),
            (Entry::Test, true) => quote!(#runtime::run_test(#runtime::TestClock::Real, #call)),
        }
    }
}

#[derive(Default)]
struct EntryArgs {
    /// The clock of the test is the one on the wall.
    real: bool,
    krate: Option<Path>,
}

impl EntryArgs {
    fn parse(entry: Entry, tokens: TokenStream) -> (EntryArgs, Option<Error>) {
        let mut args = EntryArgs::default();
        let all = |input: ParseStream| -> Result<()> {
            while !input.is_empty() {
                args.parse_one(entry, input)?;
                if !input.is_empty() {
                    input.parse::<Token![,]>()?;
                }
            }
            Ok(())
        };
        let error = all.parse2(tokens).err();
        (args, error)
    }

    fn parse_one(&mut self, entry: Entry, input: ParseStream) -> Result<()> {
        let name = input.call(Ident::parse_any)?;
        match (entry, name.to_string().as_str()) {
            (Entry::Test, "real") => self.real = true,
            (_, "crate") => {
                input.parse::<Token![=]>()?;
                self.krate = Some(input.call(Path::parse_mod_style)?);
            }
            (_, unknown) => {
                let message = format!("unknown argument `{unknown}`, {}", entry.expected());
                return Err(Error::new(name.span(), message));
            }
        }
        Ok(())
    }
}

fn expand(entry: Entry, args: TokenStream, item: TokenStream) -> TokenStream {
    let (args, mut errors) = EntryArgs::parse(entry, args);
    let mut function = match Function::parse(item.clone()) {
        Ok(function) => function,
        Err(error) => return fallback::not_a_function(entry.attribute(), error, item),
    };
    merge(&mut errors, check::entry(&mut function, entry.attribute()));
    let misplaced = misplaced::refuse(&mut function);
    let broken = misplaced.is_some();
    merge(&mut errors, misplaced);
    fallback::report(errors, print(entry, function, &args, broken))
}

/// The function itself, around a coroutine of the same name.
fn print(entry: Entry, function: Function, args: &EntryArgs, broken: bool) -> TokenStream {
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
