//! What cannot be a coroutine.
//!
//! Each check takes out what it refuses, so that what remains can be expanded as usual: whoever
//! reads the error sees no second one.

use syn::{Attribute, Error};

use crate::args::merge;
use crate::item::Function;

/// Reports everything that is wrong with `function` for any of our attributes.
pub(crate) fn function(function: &mut Function, attribute: &str) -> Option<Error> {
    let mut errors = qualifiers(function, attribute);
    let mut refused = |attr: &Attribute| match refusal(attr, attribute) {
        Some(message) => {
            merge(&mut errors, Error::new_spanned(attr, message));
            false
        }
        None => true,
    };
    function.attrs.retain(&mut refused);
    errors
}

fn qualifiers(function: &mut Function, attribute: &str) -> Option<Error> {
    let mut errors = None;
    let sig = &mut function.sig;
    if let Some(token) = sig.constness.take() {
        merge(
            &mut errors,
            Error::new(
                token.span,
                format!(
                    "`{attribute}` cannot be `const`: it runs on an event loop, not in the compiler"
                ),
            ),
        );
    }
    if let Some(abi) = sig.abi.take() {
        merge(
            &mut errors,
            Error::new_spanned(
                abi,
                format!(
                    "`{attribute}` cannot have an ABI: remove `extern`, its future is a Rust type"
                ),
            ),
        );
    }
    if let Some(variadic) = sig.variadic.take() {
        merge(
            &mut errors,
            Error::new_spanned(
                variadic,
                format!("`{attribute}` cannot take a variable number of arguments"),
            ),
        );
    }
    errors
}

fn refusal(attr: &Attribute, attribute: &str) -> Option<String> {
    let name = attr.path().segments.last()?.ident.to_string();
    let reason = match name.as_str() {
        "test" if attribute == "#[coro::coroutine]" => {
            "a test cannot be a coroutine: write `#[coro::test]` instead of both attributes"
        }
        "test" if attribute == "#[coro::test]" => {
            "`#[coro::test]` makes this a test already: remove `#[test]`"
        }
        "track_caller" => {
            "`#[track_caller]` has no effect here: the caller of a coroutine's body is the event loop"
        }
        "no_mangle" | "export_name" => {
            "a coroutine returns a future, which has no meaning outside of Rust: remove this attribute"
        }
        _ => return None,
    };
    Some(reason.to_owned())
}
