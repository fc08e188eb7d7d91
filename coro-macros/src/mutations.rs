//! Tests that expand mutations of functions: no attribute may panic.

use std::str::FromStr;

use proc_macro2::{Group, TokenStream, TokenTree};
use quote::quote;

use crate::{block, coroutine, coroutines, entry};

const ITEMS: [&str; 6] = [
    "pub async fn f<'a, T: Debug + 'a, const N: usize>(&self, (a, _): (&'a str, u8), mut b: &mut (impl A + B), \
     #[cfg(x)] c: Option<&impl Fn(&T) -> U>) -> Result<impl C, D> where for<'x> T: E<'x>, { yield_!(a.await); |x| x }",
    "unsafe extern \"C\" fn f(self: &mut Self, #[cfg_attr(p, allow(q), cfg(r))] a: <T as X<'_>>::Y, ...) -> ! { #![allow(x)] async move { yield_from!(b) } }",
    "fn f(self: Pin<&mut Self>, a: dyn X + '_, b: [&[impl Y]; 3], c: (*const T, fn(&u8), m!(x))) -> impl Z;",
    "impl<T> X for Y { #[coroutine] fn a(&self) {} m! { #[coroutine(send)] pub fn b() {} } #[cfg_attr(p, coroutine)] fn c() { |x| x.await } }",
    "#[test] const fn main() { const { yield_!(1) } static X: u8 = 1; macro_rules! m { () => {} } fn g() {} async |x| -> Y<A, B> { x.await } }",
    "fn f<'a, T>(a: impl for<'b> Fn(&'b T) -> &'b dyn X<'a, Y = &'a Z>, b: &&(dyn X + Send), _: &'static impl ?Sized) { 'l: loop { break 'l } }",
];

const ARGS: [&str; 8] = [
    "",
    "send",
    "boxed, send",
    "yields = &'a T, boxed",
    "yields = &str, resumes = impl X, crate = a::b",
    "real, real, crate = x",
    "yields = HashMap<A, for<'x> fn(&'x B)>, boxed, send",
    "send = , = yields, \"x\" boxed",
];

/// All variants of the tokens with one token removed, doubled or moved, or one group opened, at any
/// depth.
fn mutations(tokens: &TokenStream) -> Vec<TokenStream> {
    let trees: Vec<TokenTree> = tokens.clone().into_iter().collect();
    let mut all = Vec::new();
    for at in 0..trees.len() {
        let mut without = trees.clone();
        let taken = without.remove(at);
        all.push(without.iter().cloned().collect());
        without.insert((at + 3) % (without.len() + 1), taken.clone());
        all.push(without.into_iter().collect());
        let mut doubled = trees.clone();
        doubled.insert(at, taken.clone());
        all.push(doubled.into_iter().collect());
        let TokenTree::Group(group) = taken else {
            continue;
        };
        for inside in mutations(&group.stream()) {
            let mut mutated = trees.clone();
            mutated[at] = Group::new(group.delimiter(), inside).into();
            all.push(mutated.into_iter().collect());
        }
        let mut opened = trees.clone();
        opened.splice(at..=at, group.stream());
        all.push(opened.into_iter().collect());
    }
    all
}

fn expand_all(args: &TokenStream, item: &TokenStream) {
    let (args, item) = (|| args.clone(), || item.clone());
    drop(coroutine::expand(args(), item()));
    drop(coroutines::expand(args(), item()));
    drop(entry::expand_main(args(), item()));
    drop(entry::expand_test(args(), item()));
}

fn parsed(text: &str) -> TokenStream {
    TokenStream::from_str(text).expect("the text is made of tokens")
}

#[test]
fn no_item_makes_an_attribute_panic() {
    for item in ITEMS.map(parsed) {
        for args in ARGS.map(parsed) {
            expand_all(&args, &item);
            for mutated in mutations(&item) {
                drop(coroutine::expand(args.clone(), mutated));
            }
        }
        for mutated in mutations(&item) {
            expand_all(&quote!(), &mutated);
        }
    }
}

#[test]
fn no_tokens_make_a_block_panic() {
    for tokens in [
        "yields = HashMap<A, fn() -> B>, async move -> Result<C, D> { |x| yield_!(x); a.await }",
        "yields = &str, resumes = R, boxed, send, { yield 1 }",
    ] {
        for mutated in mutations(&parsed(tokens)) {
            drop(block::expand(mutated));
        }
    }
}

#[test]
fn no_arguments_make_an_attribute_panic() {
    let item = parsed(ITEMS[0]);
    for args in ARGS.map(parsed) {
        for mutated in mutations(&args) {
            expand_all(&mutated, &item);
        }
    }
}
