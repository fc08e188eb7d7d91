//! Refuses functions that cannot be a coroutine.
//!
//! Each check removes the tokens that it refuses, so that the rest of the function can be expanded
//! as usual: one mistake gives one error.

use proc_macro2::{Ident, TokenStream};

use crate::attribute::Attribute;
use crate::item::Function;
use crate::mistake::{Mistake, merge};
use crate::signature::Signature;

/// Removes and reports the parts of a function that `#[coro::coroutine]` does not allow.
pub(crate) fn coroutine(function: &mut Function) -> Option<Mistake> {
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

/// The value that an entry attribute gives its function.
#[derive(Clone, Copy)]
pub(crate) enum Given {
    Nothing,
    Simulation,
    Core,
}

/// Removes and reports the parts of a function that `#[coro::main]` or `#[coro::test]` does not
/// allow.
///
/// A simulated test may take its simulation, and a `main` on several cores takes its core.
pub(crate) fn entry(function: &mut Function, attribute: &str, given: Given) -> Option<Mistake> {
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
    let (is_wrong, message) = match (given, function.sig.inputs().len()) {
        (Given::Nothing, inputs) => (
            inputs > 0,
            format!(
                "`{attribute}` calls this function and has nothing to give it: remove the arguments"
            ),
        ),
        (Given::Simulation, inputs) => (
            inputs > 1,
            "a simulated test is given its simulation and nothing else: write `sim: &Sim`, or no \
             argument"
                .to_owned(),
        ),
        (Given::Core, inputs) => (
            inputs != 1,
            "with `threads = N` this function runs on N cores, and is given the core that it runs on: \
             write one argument, `core: coro::cores::Core`"
                .to_owned(),
        ),
    };
    if is_wrong {
        merge(&mut errors, wrong_inputs(&mut function.sig, message));
    }
    errors
}

/// Refuses a `main`: the program starts it without an event loop that could run its future.
pub(crate) fn is_main(sig: &Signature) -> Option<Mistake> {
    let refuse = |name: &Ident| {
        Mistake::new(
            name.span(),
            "`main` cannot be a coroutine, since no event loop would run it: \
             write `#[coro::main]`, or call `coro::run(..)` in a plain `fn main`",
        )
    };
    (sig.ident == "main" && sig.takes_nothing()).then(|| refuse(&sig.ident))
}

/// Refuses, and removes, a return type that is the iterator or stream of the items: a call gives the
/// generator in any case. An iterator over items of another type may be the value that a body returns.
pub(crate) fn returns_itself(sig: &mut Signature, yields: &TokenStream) -> Option<Mistake> {
    const KINDS: [&str; 10] = [
        "Iterator",
        "IntoIterator",
        "Stream",
        "Generator",
        "AsyncGenerator",
        "BoxGenerator",
        "SendBoxGenerator",
        "BoxAsyncGenerator",
        "SendBoxAsyncGenerator",
        "Coroutine",
    ];
    let ty = sig.returned()?;
    let written = without_spaces(ty);
    let item = without_spaces(yields);
    let is_kind = KINDS
        .iter()
        .any(|kind| mentions(&written, &format!("{kind}<")));
    let gives_items = ["=", "<", ","]
        .iter()
        .any(|before| mentions(&written, &format!("{before}{item}")));
    if !is_kind || !gives_items {
        return None;
    }
    let error = Mistake::of(
        ty,
        "leave this type out: a call of a function with `yields = T` gives a generator, which is \
         iterated or polled as a stream; `->` is the type of the value that the body returns in the end",
    );
    sig.output = None;
    Some(error)
}

/// Whether a type without its spaces mentions `part`, and not only as a part of a longer name.
fn mentions(written: &str, part: &str) -> bool {
    let is_letter = |c: char| c.is_alphanumeric() || c == '_';
    written.match_indices(part).any(|(at, _)| {
        let before = written[..at].trim_end_matches("impl");
        let joins = |begins: bool, next: bool| begins && next;
        !joins(part.starts_with(is_letter), before.ends_with(is_letter))
            && !joins(
                part.ends_with(is_letter),
                written[at + part.len()..].starts_with(is_letter),
            )
    })
}

fn without_spaces(tokens: &TokenStream) -> String {
    let text = tokens.to_string();
    text.chars().filter(|c| !c.is_whitespace()).collect()
}

fn qualifiers(sig: &mut Signature) -> Option<Mistake> {
    let mut errors = None;
    let constness = sig.constness.take();
    merge(
        &mut errors,
        constness.map(|token| {
            Mistake::new(
                token.span(),
                "a coroutine cannot be `const`: the compiler does not wait",
            )
        }),
    );
    let abi = sig.abi.take();
    merge(
        &mut errors,
        abi.map(|abi| {
            Mistake::of(
                abi,
                "a coroutine cannot have an ABI: its future is a Rust type",
            )
        }),
    );
    let variadic = sig.take_variadic();
    merge(
        &mut errors,
        variadic.map(|dots| {
            Mistake::of(
                dots,
                "a coroutine cannot take a variable number of arguments",
            )
        }),
    );
    errors
}

/// Reports the arguments of a function, or its name if it has none, and removes them.
fn wrong_inputs(sig: &mut Signature, message: String) -> Mistake {
    match sig.take_inputs() {
        none if none.is_empty() => Mistake::new(sig.ident.span(), message),
        inputs => Mistake::of(inputs, message),
    }
}

/// Removes the attributes for which `refusal` gives an error text.
fn attributes(
    attrs: &mut Vec<Attribute>,
    refusal: impl Fn(&str) -> Option<&'static str>,
) -> Option<Mistake> {
    let mut errors = None;
    attrs.retain(|attr| {
        let words = match attr.effective_name().as_str() {
            "track_caller" => Some(
                "`#[track_caller]` has no effect on a coroutine: \
                 its caller is the code that polls it",
            ),
            name => refusal(name),
        };
        merge(&mut errors, words.map(|words| Mistake::of(attr, words)));
        words.is_none()
    });
    errors
}
