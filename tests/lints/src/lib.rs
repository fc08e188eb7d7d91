//! Every form of the attributes, under all lints of rustc and clippy that can be turned on.
//!
//! `cargo clippy -p coro-lints -- -D warnings` fails if one of them fires on code that the
//! attributes print. The lints that are allowed here concern the code of this file.

#![forbid(unsafe_code)]
#![warn(
    clippy::all,
    clippy::nursery,
    clippy::pedantic,
    clippy::restriction,
    future_incompatible,
    keyword_idents,
    let_underscore,
    missing_docs,
    nonstandard_style,
    refining_impl_trait,
    rust_2018_idioms,
    rust_2021_compatibility,
    rust_2024_compatibility,
    unused,
    elided_lifetimes_in_paths,
    explicit_outlives_requirements,
    missing_debug_implementations,
    single_use_lifetimes,
    trivial_casts,
    trivial_numeric_casts,
    unit_bindings,
    unnameable_types,
    unreachable_pub,
    unused_extern_crates,
    unused_import_braces,
    unused_lifetimes,
    unused_macro_rules,
    unused_qualifications,
    unused_results,
    variant_size_differences
)]
#![expect(
    clippy::blanket_clippy_restriction_lints,
    reason = "a file that is about all of them"
)]
#![allow(
    clippy::missing_inline_in_public_items,
    clippy::missing_trait_methods,
    clippy::single_call_fn,
    reason = "about the crate, which is not published"
)]
#![allow(
    clippy::absolute_paths,
    clippy::arbitrary_source_item_ordering,
    clippy::impl_trait_in_params,
    clippy::question_mark_used,
    clippy::std_instead_of_alloc,
    reason = "about the code of this file, which is so on purpose"
)]

use core::fmt::Display;
use core::future::ready;
use coro::{yield_, yield_from};

/// Without arguments.
#[coro::coroutine]
pub fn empty() {}

/// Without an await point.
#[coro::coroutine]
pub fn plain_without_waiting(number: u32) -> u32 {
    number
}

/// With an output that must be used.
#[coro::coroutine]
#[must_use]
pub fn plain(number: u32, text: &str) -> usize {
    let more = yield_from!(ready(number));
    text.len().saturating_add(usize::from(more > 1))
}

/// With an output that is not `Send`, held across a wait.
#[coro::coroutine]
pub fn not_send(text: &str) -> std::rc::Rc<str> {
    let shared = std::rc::Rc::from(text);
    yield_from!(ready(()));
    shared
}

/// An `async fn`.
#[coro::coroutine]
pub async fn already_async(number: u32) -> u32 {
    ready(number).await
}

/// With errors.
///
/// # Errors
///
/// Always.
#[coro::coroutine]
pub fn failing(text: &str) -> Result<usize, String> {
    let length = yield_from!(ready(Err(text.to_owned())))?;
    Ok(length)
}

/// A promise, with patterns.
#[coro::coroutine(send)]
#[must_use]
pub fn sent((number, _): (u32, u32), mut more: u32, text: &str) -> usize {
    more = more.saturating_add(yield_from!(ready(number)));
    text.len().saturating_add(usize::from(more > 1))
}

/// A promise about nothing.
#[coro::coroutine(send)]
pub fn sent_unit() {
    yield_from!(ready(()));
}

/// A promise without a wait.
#[coro::coroutine(send)]
#[must_use = "for a reason"]
pub fn sent_without_waiting(number: u32) -> u32 {
    number
}

/// In a box.
#[coro::coroutine(boxed)]
#[must_use]
pub fn boxed(depth: u32, text: &str) -> usize {
    match depth.checked_sub(1) {
        Some(less) => yield_from!(boxed(less, text)),
        None => text.len(),
    }
}

/// In a box, of many types.
#[coro::coroutine(boxed, send)]
pub fn boxed_generic<T: Display + Send + Sync>(value: &T, more: &(impl Display + Sync)) -> String {
    yield_from!(ready(()));
    format!("{value}{more}")
}

/// In a box without an argument.
#[coro::coroutine(boxed)]
pub fn boxed_empty() {}

/// A generator.
#[coro::coroutine(yields = u32)]
#[must_use]
pub fn generator(count: u32) {
    for number in 0..count {
        yield_!(number);
    }
    yield_from!(0..count);
}

/// A generator of borrows, with a value at its end.
#[coro::coroutine(yields = &'text str, resumes = bool)]
pub fn generator_of_borrows<'text>(text: &'text str, (more, _): (&str, u8)) -> usize {
    for word in text.split(' ') {
        if yield_!(word) {
            return more.len();
        }
    }
    text.len()
}

/// A generator in a box.
#[coro::coroutine(yields = T, boxed)]
pub fn generator_boxed<T>(items: impl Iterator<Item = T>) {
    yield_from!(items);
}

/// A generator that waits.
#[coro::coroutine(yields = u32, send)]
#[must_use]
pub async fn async_generator(number: u32) {
    yield_!(ready(number).await);
}

/// A generator that waits, in a box.
#[coro::coroutine(yields = u32, boxed, send)]
pub async fn async_generator_boxed(number: u32) {
    yield_from!(ready(()));
    yield_!(number);
}

/// A generator that neither waits nor yields.
#[coro::coroutine(yields = u32)]
pub async fn async_generator_without_waiting() {}

/// A generator that never ends.
#[coro::coroutine(yields = u32)]
pub fn endless() -> ! {
    loop {
        yield_!(1);
    }
}

/// Methods.
pub trait Shape {
    /// Required.
    #[coro::coroutine]
    fn area(&self, scale: u32) -> u32;

    /// Required and `Send`.
    #[coro::coroutine(send)]
    fn sent(&self, scale: u32) -> u32;

    /// Required and in a box.
    #[coro::coroutine(boxed)]
    fn boxed(&self, scale: &u32) -> u32;

    /// Required, a generator.
    #[coro::coroutine(yields = u32, boxed)]
    fn sides(&self);

    /// Provided.
    #[coro::coroutine]
    fn twice(&self) -> u32 {
        yield_from!(self.area(2))
    }

    /// Provided, without a wait.
    #[coro::coroutine]
    fn nothing(&self) {}
}

/// A shape.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Square {
    /// How long a side is.
    pub side: u32,
}

impl Shape for Square {
    #[coro::coroutine]
    fn area(&self, scale: u32) -> u32 {
        self.side.saturating_mul(scale)
    }

    #[coro::coroutine(send)]
    fn sent(&self, scale: u32) -> u32 {
        yield_from!(ready(self.side.saturating_mul(scale)))
    }

    #[coro::coroutine(boxed)]
    fn boxed(&self, scale: &u32) -> u32 {
        yield_from!(self.area(*scale))
    }

    #[coro::coroutine(yields = u32, boxed)]
    fn sides(&self) {
        yield_!(self.side);
    }
}

impl Square {
    /// By value.
    #[coro::coroutine]
    pub fn into_side(self) -> u32 {
        yield_from!(ready(self.side))
    }

    /// By a mutable reference.
    #[coro::coroutine(send)]
    pub fn grow(&mut self, by: u32) {
        self.side = self.side.saturating_add(yield_from!(ready(by)));
    }
}

/// A module with bare attributes.
#[coro::coroutines(send)]
pub mod handed_down {
    use core::future::ready;

    /// Plain.
    #[coroutine]
    #[must_use]
    pub fn plain(number: u32) -> u32 {
        coro::yield_from!(ready(number))
    }
}

/// An entry.
#[coro::main]
pub fn main() {
    yield_from!(ready(()));
}

/// An entry that only runs.
#[coro::main]
pub fn idle() {}

#[cfg(test)]
mod tests {
    #[coro::test]
    fn passes() {
        assert_eq!(super::empty().await, (), "there is nothing else");
    }

    #[coro::test(real)]
    fn passes_at_once() {}
}
