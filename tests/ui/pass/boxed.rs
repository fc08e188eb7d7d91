//! Signatures that `boxed` has to spell out: `impl` in types, lifetimes in bounds, typed receivers.

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
use std::future::ready;
use std::time::Duration;

#[coro::coroutine(boxed)]
fn by_reference(a: &impl Debug) -> String {
    yield_from!(ready(()));
    format!("{a:?}")
}

#[coro::coroutine(boxed)]
fn by_mutable_reference(a: &mut impl Iterator<Item = u8>) -> Option<u8> {
    yield_from!(ready(()));
    a.next()
}

#[coro::coroutine(boxed)]
fn in_parentheses(a: &(impl Debug + Clone), b: &(impl Debug)) -> String {
    yield_from!(ready(()));
    format!("{:?}{b:?}", a.clone())
}

#[coro::coroutine(boxed, send)]
fn inside<T: Debug + Sync>(
    a: Option<&(impl Debug + Sync)>,
    b: &[impl Debug + Sync],
    c: Box<impl Debug + Send>,
    (d, e): (impl Debug + Send, &T),
    f: Vec<impl Debug + Send>,
) -> String {
    yield_from!(ready(()));
    format!("{a:?}{b:?}{c:?}{d:?}{e:?}{f:?}")
}

#[coro::coroutine(boxed)]
fn nested(a: &impl Iterator<Item = impl Debug>, b: &dyn Fn(&str) -> u8, c: &&impl Debug) -> String {
    yield_from!(ready(()));
    format!("{:?}{}{c:?}", a.size_hint(), b("x"))
}

#[coro::coroutine(boxed)]
fn beside_others<'a, T: Debug>(a: (&'a T, impl Debug), b: (T, &mut impl Debug)) -> &'a T {
    yield_from!(ready(()));
    drop((a.1, b));
    a.0
}

#[coro::coroutine(yields = String, boxed)]
fn generator(a: &impl Debug) {
    yield_!(format!("{a:?}"));
}

#[coro::coroutine(yields = String, boxed)]
async fn async_generator(a: &mut impl Debug) {
    yield_from!(ready(()));
    yield_!(format!("{a:?}"));
}

macro_rules! made {
    ($name:ident, $borrowing:ident, $ty:ty) => {
        #[coro::coroutine(boxed)]
        fn $name(a: $ty) -> String {
            yield_from!(ready(()));
            format!("{a:?}")
        }

        #[coro::coroutine(boxed)]
        fn $borrowing(a: &$ty, b: Option<$ty>) -> String {
            yield_from!(ready(()));
            format!("{a:?}{b:?}")
        }
    };
}

made!(by_a_macro, by_a_macro_borrowing, impl Debug);
made!(by_a_macro_number, by_a_macro_number_borrowing, u8);
made!(by_a_macro_text, by_a_macro_text_borrowing, &str);

#[coro::coroutine(yields = &'a str, boxed)]
fn lifetime_in_a_bound<'a, I: Iterator<Item = &'a str>>(items: I) {
    yield_from!(items);
}

#[coro::coroutine(yields = &'a str, boxed)]
fn lifetime_in_an_impl<'a>(items: impl IntoIterator<Item = &'a str>) {
    for item in items {
        yield_!(item);
    }
}

#[coro::coroutine(yields = &'a str, boxed)]
async fn lifetime_of_a_function<'a>(f: impl Fn(usize) -> &'a str) {
    yield_from!(ready(()));
    yield_!(f(0));
}

#[coro::coroutine(yields = u8, resumes = &'a T, boxed)]
fn lifetime_of_the_resumer<'a, T: Into<u8> + Copy + 'a>() -> u8 {
    let first = yield_!(0);
    (*first).into()
}

#[coro::coroutine(yields = T, boxed)]
fn type_in_a_bound<T, I>(items: I)
where
    I: Iterator<Item = T>,
{
    yield_from!(items);
}

#[coro::coroutine(yields = (&'a str, for<'x> fn(&'x str) -> &'x str), boxed)]
fn lifetime_that_the_type_declares<'a>(items: impl Iterator<Item = &'a str>) {
    for item in items {
        yield_!((item, str::trim));
    }
}

#[coro::coroutine(boxed)]
fn lifetime_in_the_output<'a, I: Iterator<Item = &'a str>>(mut items: I) -> Option<&'a str> {
    yield_from!(ready(items.next()))
}

struct Words<'a>(&'a str);

impl<'a> Words<'a> {
    #[coro::coroutine(boxed)]
    fn method(&self, a: &impl Debug) -> String {
        yield_from!(ready(()));
        format!("{}{a:?}", self.0)
    }

    #[coro::coroutine(yields = &'a str, boxed)]
    fn words(&self) {
        yield_from!(self.0.split(' '));
    }

    #[coro::coroutine(yields = &'a str, boxed)]
    fn of_others(others: impl Iterator<Item = Words<'a>>) {
        for other in others {
            yield_!(other.0);
        }
    }

    #[coro::coroutine(yields = &'a str, boxed)]
    fn none() {}

    #[coro::coroutine(yields = T, boxed)]
    fn parse<T: std::str::FromStr>(&self) {
        for word in self.0.split(' ') {
            if let Ok(word) = word.parse() {
                yield_!(word);
            }
        }
    }
}

trait Shape {
    #[coro::coroutine(boxed)]
    fn area(&self) -> u32;

    #[coro::coroutine(boxed)]
    fn scale(&mut self, by: u32) -> u32;

    #[coro::coroutine(boxed)]
    fn name(self: &Self) -> &str;

    #[coro::coroutine(boxed)]
    fn rest(&self, wait: Duration);

    #[coro::coroutine(boxed)]
    fn rename(self: &mut Self, name: &str);

    #[coro::coroutine(boxed)]
    fn show(&self, with: &impl Display) -> String;
}

struct Square(u32, String);

impl Shape for Square {
    #[coro::coroutine(boxed)]
    fn area(self: &Self) -> u32 {
        yield_from!(ready(self.0 * self.0))
    }

    #[coro::coroutine(boxed)]
    fn scale(self: &mut Self, by: u32) -> u32 {
        self.0 *= yield_from!(ready(by));
        self.0
    }

    #[coro::coroutine(boxed)]
    fn name(&self) -> &str {
        yield_from!(ready(&self.1))
    }

    #[coro::coroutine(boxed)]
    #[allow(unused_qualifications)]
    fn rest(self: &Self, wait: std::time::Duration) {
        yield_from!(coro::sleep(wait));
    }

    #[coro::coroutine(boxed)]
    fn rename(&mut self, name: &str) {
        yield_from!(ready(()));
        self.1 = name.to_owned();
    }

    #[coro::coroutine(boxed)]
    fn show(self: &Self, with: &impl Display) -> String {
        yield_from!(ready(()));
        format!("{with}{}", self.1)
    }
}

trait Store<T> {
    type Key;

    #[coro::coroutine(boxed)]
    fn get(&self, key: Self::Key) -> T;

    #[coro::coroutine(boxed)]
    fn put(&mut self, value: T) -> T;

    #[coro::coroutine(boxed)]
    fn open(key: Self::Key, value: T) -> Self;

    #[coro::coroutine(boxed, yields = T)]
    fn values(&self, from: Self::Key);
}

impl Store<u32> for u32 {
    type Key = u8;

    #[coro::coroutine(boxed)]
    fn get(&self, key: u8) -> u32 {
        yield_from!(ready(*self + u32::from(key)))
    }

    #[coro::coroutine(boxed)]
    fn put(&mut self, value: u32) -> u32 {
        yield_from!(ready(std::mem::replace(self, value)))
    }

    #[coro::coroutine(boxed)]
    fn open(key: u8, value: u32) -> Self {
        yield_from!(ready(u32::from(key) + value))
    }

    #[coro::coroutine(boxed, yields = u32)]
    fn values(&self, from: u8) {
        yield_from!(from.into()..*self);
    }
}

impl<'a> Store<&'a str> for Words<'a> {
    type Key = Words<'a>;

    #[coro::coroutine(boxed)]
    fn get(&self, key: Words<'a>) -> &'a str {
        yield_from!(ready(key.0))
    }

    #[coro::coroutine(boxed)]
    fn put(&mut self, value: &'a str) -> &'a str {
        yield_from!(ready(std::mem::replace(&mut self.0, value)))
    }

    #[coro::coroutine(boxed)]
    fn open(_: Words<'a>, value: &'a str) -> Self {
        yield_from!(ready(Words(value)))
    }

    #[coro::coroutine(boxed, yields = &'a str)]
    fn values(&self, from: Self::Key) {
        yield_!(from.0);
        yield_!(self.0);
    }
}

#[coro::coroutine(boxed)]
fn conditional<'a, T: Debug, #[cfg(any())] U: Debug>(
    #[cfg(all())] a: T,
    #[cfg(all())] b: Option<&'a T>,
    #[cfg(any())] c: U,
    #[cfg(any())] d: NoSuchType,
) -> String {
    yield_from!(ready(()));
    format!("{a:?}{b:?}")
}

#[coro::coroutine(boxed)]
fn conditional_parameter<#[cfg(all())] T: Debug>(#[cfg_attr(all(), cfg(all()))] a: T) -> String {
    yield_from!(ready(()));
    format!("{a:?}")
}

#[coro::main]
fn main() {
    assert_eq!(by_reference(&1).await, "1");
    assert_eq!(by_mutable_reference(&mut (2..3)).await, Some(2));
    assert_eq!(in_parentheses(&3, &4).await, "34");
    let all = inside(Some(&1), &[2], Box::new(3), (4, &5), vec![6]);
    assert_eq!(all.await, "Some(1)[2]345[6]");
    assert_eq!(nested(&(0..1), &|_| 7, &&8).await, "(1, Some(1))78");
    assert_eq!(beside_others((&1, 2), (3, &mut 4)).await, &1);
    assert!(generator(&6).into_iter().eq(["6"]));
    drop(async_generator(&mut 6));
    assert_eq!(by_a_macro(8).await, "8");
    assert_eq!(by_a_macro_borrowing(&8, Some(9)).await, "8Some(9)");
    assert_eq!(by_a_macro_number(8).await, "8");
    assert_eq!(by_a_macro_number_borrowing(&8, None).await, "8None");
    assert_eq!(by_a_macro_text("8").await, "\"8\"");
    assert_eq!(by_a_macro_text_borrowing(&"8", None).await, "\"8\"None");

    let text = String::from("a b");
    assert!(lifetime_in_a_bound(text.split(' ')).into_iter().eq(["a", "b"]));
    assert!(lifetime_in_an_impl(text.split(' ')).into_iter().eq(["a", "b"]));
    drop(lifetime_of_a_function(|_| &text));
    drop(lifetime_of_the_resumer::<u8>());
    assert!(type_in_a_bound(text.split(' ')).into_iter().eq(["a", "b"]));
    let declares = lifetime_that_the_type_declares(text.split(' '));
    assert!(declares.into_iter().map(|(item, f)| f(item)).eq(["a", "b"]));
    assert_eq!(lifetime_in_the_output(text.split(' ')).await, Some("a"));

    let words = Words(&text);
    assert_eq!(words.method(&7).await, "a b7");
    assert!(words.words().into_iter().eq(["a", "b"]));
    assert!(Words("1 x 2").parse::<u8>().into_iter().eq([1, 2]));
    assert!(Words::of_others([words].into_iter()).into_iter().eq(["a b"]));

    assert_eq!(Words::none().into_iter().count(), 0);

    let mut square = Square(2, String::new());
    assert_eq!(square.area().await, 4);
    assert_eq!(square.scale(2).await, 4);
    square.rest(Duration::ZERO).await;
    square.rename("four").await;
    assert_eq!(square.name().await, "four");
    assert_eq!(square.show(&4).await, "4four");

    let mut number = u32::open(1, 2).await;
    assert_eq!(number.put(5).await, 3);
    assert_eq!(number.get(1).await, 6);
    assert!(number.values(3).into_iter().eq([3, 4]));
    let mut words = Words::open(Words("a"), "b").await;
    assert_eq!(words.put("c").await, "b");
    assert_eq!(words.get(Words("d")).await, "d");
    assert!(words.values(Words("d")).into_iter().eq(["d", "c"]));

    assert_eq!(conditional(1, None).await, "1None");
    assert_eq!(conditional_parameter(1).await, "1");
}
