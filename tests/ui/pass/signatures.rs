//! Parts of a signature: generics, constants, bounds, lifetimes, `impl Trait`.

#![deny(
    warnings,
    unused,
    missing_docs,
    unused_qualifications,
    unused_results,
    unreachable_pub,
    let_underscore_drop,
    rust_2018_idioms,
    unused_lifetimes,
    unused_macro_rules
)]
#![forbid(unsafe_code)]

use coro::{yield_, yield_from};
use std::fmt::{Debug, Display};
use std::future::{Future, ready};

#[coro::coroutine]
fn plain(x: u32) -> u32 {
    yield_from!(ready(x)) + 1
}

#[coro::coroutine]
fn no_return_type() {
    yield_from!(ready(()));
}

#[coro::coroutine]
fn unit_return_type() -> () {
    yield_from!(ready(()))
}

#[coro::coroutine]
fn empty() {}

#[coro::coroutine]
fn generic<T: Display, U>(x: T, y: U) -> String
where
    U: Into<String>,
{
    format!("{x}{}", yield_from!(ready(y.into())))
}

#[coro::coroutine]
fn constant<const N: usize, T: Copy>(x: T) -> [T; N] {
    [yield_from!(ready(x)); N]
}

#[coro::coroutine]
fn higher_ranked<F>(f: F) -> usize
where
    F: for<'x> Fn(&'x str) -> &'x str,
{
    yield_from!(ready(f("abc"))).len()
}

#[coro::coroutine]
fn impl_arguments(x: impl Iterator<Item = u32>, y: impl Debug, z: impl Fn(&str) -> usize) -> String {
    let sum: u32 = yield_from!(ready(x.sum()));
    format!("{sum}{y:?}{}", z("ab"))
}

#[coro::coroutine]
fn impl_with_lifetime<'a>(x: impl Iterator<Item = &'a str> + 'a) -> Option<&'a str> {
    yield_from!(ready(x.last()))
}

#[coro::coroutine]
fn impl_with_elided_lifetime(x: &dyn Fn(&str) -> u8, y: impl Into<Box<str>>) -> u8 {
    yield_from!(ready(x(&y.into())))
}

#[coro::coroutine]
fn two_elided(x: &str, y: &str) -> usize {
    yield_from!(ready(x.len() + y.len()))
}

#[coro::coroutine]
fn one_elided_in_return(x: &str) -> &str {
    yield_from!(ready(x.trim()))
}

#[coro::coroutine]
fn named<'a, 'b: 'a>(x: &'a str, y: &'b str) -> &'a str {
    if yield_from!(ready(x.is_empty())) { y } else { x }
}

struct Wrapper<'a>(&'a str);

#[coro::coroutine]
fn elided_in_path(x: Wrapper<'_>) -> usize {
    yield_from!(ready(x.0.len()))
}

#[coro::coroutine(send)]
#[allow(elided_lifetimes_in_paths)]
fn hidden_in_path(x: Wrapper) -> usize {
    yield_from!(ready(x.0.len()))
}

#[coro::coroutine]
#[allow(non_snake_case)]
fn r#fn(r#type: u32, __co: u32, cx: u32, __arg0: u32) -> u32 {
    let this = yield_from!(ready(r#type));
    this + __co + cx + __arg0
}

#[coro::coroutine]
async fn already_async(x: u32) -> u32 {
    ready(x).await + yield_from!(ready(x))
}

#[coro::coroutine(send)]
fn every_kind_sent<'a, T, const N: usize>(x: &'a T, y: [&str; N], z: impl Into<u32> + Send) -> u32
where
    T: Clone + Into<u32> + Sync + Send,
{
    yield_from!(ready(()));
    x.clone().into() + y.len() as u32 + z.into()
}

#[coro::coroutine(boxed)]
fn every_kind_boxed<'a, T, const N: usize>(x: &'a T, y: [&str; N], z: impl Into<u32>) -> u32
where
    T: Clone + Into<u32>,
{
    yield_from!(ready(()));
    x.clone().into() + y.len() as u32 + z.into()
}

#[coro::coroutine(boxed)]
fn boxed_without_arguments() -> u32 {
    yield_from!(ready(7))
}

#[coro::coroutine(boxed)]
fn boxed_elided(x: &str, y: Wrapper<'_>, z: &dyn Fn(&str) -> usize, f: fn(&str) -> &str) -> usize {
    yield_from!(ready(x.len() + y.0.len() + z("abc") + f("a").len()))
}

#[coro::coroutine(boxed)]
fn boxed_one_elided_in_return(x: &str) -> &str {
    yield_from!(ready(x.trim()))
}

#[coro::coroutine(boxed)]
fn boxed_type_not_in_arguments<T: Default + Display>() -> String {
    let value = T::default();
    yield_from!(ready(()));
    value.to_string()
}

#[coro::coroutine(yields = T)]
fn generator_generic<T: Clone, const N: usize>(x: T, more: impl Iterator<Item = T>) -> usize {
    for _ in 0..N {
        yield_!(x.clone());
    }
    yield_from!(more);
    N
}

#[coro::coroutine(yields = &'a str)]
fn generator_named<'a>(x: &'a str, _: &str) {
    yield_from!(x.split(' '))
}

#[coro::coroutine(yields = &str)]
fn generator_elided(x: &str) {
    yield_from!(x.split(' '))
}

#[coro::coroutine(yields = &str, resumes = &'static str)]
fn generator_two_way(x: &str) -> String {
    let answer = yield_!(x);
    answer.to_owned() + yield_!(&x[1..])
}

#[coro::coroutine(yields = Option<&'a str>, boxed)]
fn generator_boxed<'a>(x: &'a str, y: &str) -> usize {
    yield_!(x.get(y.len()..));
    y.len()
}

#[coro::coroutine(yields = impl Display)]
fn generator_of_opaque(n: u8) {
    yield_!(n);
}

#[coro::coroutine(yields = T)]
async fn async_generator<'a, T>(x: &'a [T])
where
    T: Copy,
{
    for x in x {
        yield_from!(ready(()));
        yield_!(*x);
    }
}

#[coro::main]
fn main() {
    assert_eq!(plain(1).await, 2);
    no_return_type().await;
    unit_return_type().await;
    empty().await;
    assert_eq!(yield_from!(generic(1, "x")), "1x");
    assert_eq!(yield_from!(constant::<3, _>(1)), [1; 3]);
    assert_eq!(yield_from!(higher_ranked(|x| x)), 3);
    assert_eq!(yield_from!(impl_arguments(1..3, 'd', str::len)), "3'd'2");
    assert_eq!(yield_from!(impl_with_lifetime("a b".split(' '))), Some("b"));
    assert_eq!(yield_from!(impl_with_elided_lifetime(&|x| x.len() as u8, "ab")), 2);
    assert_eq!(yield_from!(two_elided("a", "b")), 2);
    assert_eq!(yield_from!(one_elided_in_return(" b")), "b");
    assert_eq!(yield_from!(named("", "b")), "b");
    assert_eq!(yield_from!(elided_in_path(Wrapper("a"))), 1);
    assert_eq!(yield_from!(hidden_in_path(Wrapper("a"))), 1);
    assert_eq!(yield_from!(r#fn(1, 2, 3, 4)), 10);
    assert_eq!(yield_from!(already_async(1)), 2);
    assert_eq!(yield_from!(every_kind_sent(&1u8, ["a"], 2u8)), 4);
    assert_eq!(yield_from!(every_kind_boxed(&1u8, ["a"], 2u8)), 4);
    assert_eq!(yield_from!(boxed_without_arguments()), 7);
    assert_eq!(yield_from!(boxed_elided("a", Wrapper("b"), &str::len, |x| x)), 6);
    assert_eq!(yield_from!(boxed_one_elided_in_return(" b")), "b");
    assert_eq!(yield_from!(boxed_type_not_in_arguments::<u8>()), "0");
    fn is_future<T>(future: impl Future<Output = T>) -> impl Future<Output = T> {
        future
    }
    assert_eq!(is_future(plain(1)).await, 2);

    let text = String::from("a b");
    let mut two = std::pin::pin!(generator_generic::<_, 2>(1, 5..7));
    assert_eq!(two.as_mut().iter().collect::<Vec<_>>(), [1, 1, 5, 6]);
    assert_eq!(generator_named(&text, "").into_iter().collect::<Vec<_>>(), ["a", "b"]);
    assert_eq!(generator_elided(&text).into_iter().collect::<Vec<_>>(), ["a", "b"]);
    let mut boxed = std::pin::pin!(generator_boxed(&text, "x"));
    assert_eq!(boxed.as_mut().iter().collect::<Vec<_>>(), [Some(" b")]);
    assert_eq!(generator_of_opaque(3).into_iter().count(), 1);
    drop(generator_two_way("ab"));
    drop(async_generator(&[1, 2]));
}
