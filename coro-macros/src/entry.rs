//! The functions that start an event loop.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::{Error, Ident, Path, Result, Token};

use crate::args::merge;
use crate::check;
use crate::coroutine::future_body;
use crate::fallback;
use crate::item::{Body, Function};
use crate::names;

/// Expands `#[coro::main] fn main`.
pub(crate) fn expand_main(args: TokenStream, item: TokenStream) -> TokenStream {
    let (args, errors) = EntryArgs::parse(args, false);
    let runtime = names::runtime(args.krate.as_ref());
    expand(
        "#[coro::main]",
        item,
        errors,
        None,
        |call| quote!(#runtime::run_main(#call)),
    )
}

/// Expands `#[coro::test] fn`.
pub(crate) fn expand_test(args: TokenStream, item: TokenStream) -> TokenStream {
    let (args, errors) = EntryArgs::parse(args, true);
    let runtime = names::runtime(args.krate.as_ref());
    let clock = if args.real {
        quote!(Real)
    } else {
        quote!(Virtual)
    };
    let marker = quote!(#[::core::prelude::v1::test]);
    expand(
        "#[coro::test]",
        item,
        errors,
        Some(marker),
        |call| quote!(#runtime::run_test(#runtime::TestClock::#clock, #call)),
    )
}

#[derive(Default)]
struct EntryArgs {
    real: bool,
    krate: Option<Path>,
}

impl EntryArgs {
    fn parse(tokens: TokenStream, is_test: bool) -> (EntryArgs, Option<Error>) {
        let mut args = EntryArgs::default();
        let all = |input: ParseStream| -> Result<()> {
            while !input.is_empty() {
                args.parse_one(input, is_test)?;
                if !input.is_empty() {
                    input.parse::<Token![,]>()?;
                }
            }
            Ok(())
        };
        let error = all.parse2(tokens).err();
        (args, error)
    }

    fn parse_one(&mut self, input: ParseStream, is_test: bool) -> Result<()> {
        let name = input.call(Ident::parse_any)?;
        match name.to_string().as_str() {
            "real" if is_test => self.real = true,
            "crate" => {
                input.parse::<Token![=]>()?;
                self.krate = Some(input.call(Path::parse_mod_style)?);
            }
            unknown => {
                let expected = if is_test {
                    "`real` or `crate = path::to::coro`"
                } else {
                    "`crate = path::to::coro`"
                };
                return Err(Error::new(
                    name.span(),
                    format!("unknown argument `{unknown}`, expected {expected}"),
                ));
            }
        }
        Ok(())
    }
}

fn expand(
    attribute: &str,
    item: TokenStream,
    mut errors: Option<Error>,
    marker: Option<TokenStream>,
    run: impl FnOnce(TokenStream) -> TokenStream,
) -> TokenStream {
    let mut function = match Function::parse(item.clone()) {
        Ok(function) => function,
        Err(error) => {
            let message = format!("`{attribute}` goes on a function ({error})");
            return fallback::refuse(Some(Error::new(error.span(), message)), item);
        }
    };
    if let Some(error) = check::function(&mut function, attribute) {
        merge(&mut errors, error);
    }
    if let Some(error) = no_arguments(&mut function, attribute) {
        merge(&mut errors, error);
    }
    fallback::refuse(errors, print(function, marker, run))
}

fn no_arguments(function: &mut Function, attribute: &str) -> Option<Error> {
    if function.sig.inputs.is_empty() {
        return None;
    }
    let message = format!("`{attribute}` calls this function, and has no argument to give it");
    let error = Error::new_spanned(&function.sig.inputs, message);
    function.sig.inputs.clear();
    Some(error)
}

/// The function itself, around a coroutine of the same name.
fn print(
    function: Function,
    marker: Option<TokenStream>,
    run: impl FnOnce(TokenStream) -> TokenStream,
) -> TokenStream {
    let Function {
        attrs,
        vis,
        mut sig,
        body,
    } = function;
    let body = match body {
        Body::Braced(body) => future_body(body).into_token_stream(),
        Body::Missing(semi) => return quote!(#(#attrs)* #vis #sig #semi),
    };
    sig.asyncness = None;
    let name = &sig.ident;
    let run = run(quote!(#name()));
    quote! {
        #marker
        #(#attrs)*
        #vis #sig {
            async #sig #body
            #run
        }
    }
}
