//! Refuses functions that cannot be a coroutine.
//!
//! Each check removes the tokens that it refuses, so that the rest of the function can be expanded
//! as usual: one mistake gives one error.

use proc_macro2::TokenTree;
use syn::{Attribute, Error, Ident, Meta, Signature};

use crate::args::merge;
use crate::item::Function;

/// Removes and reports the parts of a function that `#[coro::coroutine]` does not allow.
pub(crate) fn coroutine(function: &mut Function) -> Option<Error> {
    let mut errors = qualifiers(&mut function.sig);
    merge(
        &mut errors,
        attributes(&mut function.attrs, |name| match name {
            "test" => Some(
                "a coroutine cannot be a test: write `#[coro::test]` instead of both attributes",
            ),
            "no_mangle" | "export_name" => {
                Some("a coroutine has no symbol of its own: its future is a Rust type")
            }
            _ => None,
        }),
    );
    errors
}

/// Removes and reports the parts of a function that `#[coro::main]` or `#[coro::test]` does not
/// allow.
///
/// A simulated test may take its simulation.
pub(crate) fn entry(function: &mut Function, attribute: &str, is_simulated: bool) -> Option<Error> {
    let mut errors = qualifiers(&mut function.sig);
    merge(
        &mut errors,
        attributes(&mut function.attrs, |name| match name {
            "test" => Some("`#[coro::test]` makes this a test already: remove `#[test]`"),
            "coroutine" => Some(
                "the entry attributes make this a coroutine already: remove `#[coro::coroutine]`",
            ),
            _ => None,
        }),
    );
    if !is_simulated || function.sig.inputs.len() > 1 {
        merge(
            &mut errors,
            no_inputs(&mut function.sig, attribute, is_simulated),
        );
    }
    errors
}

/// Refuses a `main`: the program starts it without an event loop that could run its future.
pub(crate) fn is_main(sig: &Signature) -> Option<Error> {
    let refuse = |name: &Ident| {
        Error::new(
            name.span(),
            "`main` cannot be a coroutine, since no event loop would run it: \
             write `#[coro::main]`, or call `coro::run(..)` in a plain `fn main`",
        )
    };
    (sig.ident == "main" && sig.inputs.is_empty()).then(|| refuse(&sig.ident))
}

fn qualifiers(sig: &mut Signature) -> Option<Error> {
    let mut errors = None;
    let constness = sig.constness.take();
    merge(
        &mut errors,
        constness.map(|token| {
            Error::new(
                token.span,
                "a coroutine cannot be `const`: the compiler does not wait",
            )
        }),
    );
    let abi = sig.abi.take();
    merge(
        &mut errors,
        abi.map(|abi| {
            Error::new_spanned(
                abi,
                "a coroutine cannot have an ABI: its future is a Rust type",
            )
        }),
    );
    let variadic = sig.variadic.take();
    merge(
        &mut errors,
        variadic.map(|dots| {
            Error::new_spanned(
                dots,
                "a coroutine cannot take a variable number of arguments",
            )
        }),
    );
    errors
}

fn no_inputs(sig: &mut Signature, attribute: &str, is_simulated: bool) -> Option<Error> {
    if sig.inputs.is_empty() {
        return None;
    }
    let inputs = std::mem::take(&mut sig.inputs);
    let message = match is_simulated {
        true => {
            "a simulated test is given its simulation and nothing else: write `sim: &Sim`, or no \
                 argument"
                .to_owned()
        }
        false => format!(
            "`{attribute}` calls this function and has nothing to give it: remove the arguments"
        ),
    };
    Some(Error::new_spanned(inputs, message))
}

/// Removes the attributes for which `refusal` gives an error text.
fn attributes(
    attrs: &mut Vec<Attribute>,
    refusal: impl Fn(&str) -> Option<&'static str>,
) -> Option<Error> {
    let mut errors = None;
    attrs.retain(|attr| {
        let words = match name(attr).as_str() {
            "track_caller" => Some(
                "`#[track_caller]` has no effect on a coroutine: \
                 its caller is the code that polls it",
            ),
            name => refusal(name),
        };
        merge(
            &mut errors,
            words.map(|words| Error::new_spanned(attr, words)),
        );
        words.is_none()
    });
    errors
}

/// The last word of the attribute's path. The path may stand inside `unsafe(..)`.
fn name(attr: &Attribute) -> String {
    let inside = match &attr.meta {
        Meta::List(list) if list.path.is_ident("unsafe") => list.tokens.clone().into_iter().next(),
        meta => meta
            .path()
            .segments
            .last()
            .map(|last| TokenTree::Ident(last.ident.clone())),
    };
    inside.map(|word| word.to_string()).unwrap_or_default()
}
