//! Return types of coroutines, with every way to return.

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
use std::error::Error;
use std::fmt::{self, Debug, Display};
use std::future::{Future, ready};
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

#[derive(Debug)]
struct TooShort;

impl Display for TooShort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("too short")
    }
}

impl Error for TooShort {}

macro_rules! each_kind {
    ($($kind:ident($($args:tt)*);)*) => {$(
        mod $kind {
            use super::*;

            #[coro::coroutine($($args)*)]
            pub(crate) fn question_mark(x: &str) -> Result<u32, Box<dyn Error>> {
                if x.len() < 2 {
                    return Err(TooShort.into());
                }
                let number: u32 = yield_from!(ready(x.parse()))?;
                Ok(number)
            }

            #[coro::coroutine($($args)*)]
            pub(crate) fn option(x: Option<u8>) -> Option<u8> {
                let x = x?;
                let Some(y) = yield_from!(ready(x.checked_add(1))) else {
                    return None;
                };
                Some(y)
            }

            #[coro::coroutine($($args)*)]
            pub(crate) fn literal() -> u64 {
                yield_from!(ready(()));
                5
            }

            #[coro::coroutine($($args)*)]
            pub(crate) fn trait_object() -> Box<dyn Fn(&str) -> usize> {
                yield_from!(ready(()));
                Box::new(|x| x.len())
            }

            #[coro::coroutine($($args)*)]
            pub(crate) fn slice(early: bool) -> &'static [u8] {
                if early {
                    return &[1, 2];
                }
                yield_from!(ready(()));
                &[1]
            }

            #[coro::coroutine($($args)*)]
            pub(crate) fn never() -> ! {
                loop {
                    yield_from!(Once(false));
                }
            }

            #[coro::coroutine($($args)*)]
            pub(crate) fn never_returns_though_it_could() -> u32 {
                loop {
                    yield_from!(Once(false));
                }
            }

            #[coro::coroutine($($args)*)]
            pub(crate) fn not_written_yet(_x: u32) -> String {
                todo!()
            }

            #[coro::coroutine($($args)*)]
            pub(crate) fn collected() -> Vec<String> {
                let words = yield_from!(ready(["a", "b"]));
                words.into_iter().map(Into::into).collect()
            }

            #[coro::coroutine($($args)*)]
            pub(crate) fn function_pointer() -> fn(&str) -> &str {
                yield_from!(ready(()));
                str::trim
            }
        }
    )*};
}

each_kind! {
    plain();
    sent(send);
    boxed(boxed);
}

struct Once(bool);

impl Future for Once {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        match std::mem::replace(&mut self.0, true) {
            true => Poll::Ready(()),
            false => Poll::Pending,
        }
    }
}

#[coro::coroutine]
fn opaque() -> impl Iterator<Item = u32> {
    yield_from!(ready(()));
    0..3
}

#[coro::coroutine]
fn opaque_inside(x: &str) -> Result<impl Debug + '_, TooShort> {
    if x.is_empty() {
        return Err(TooShort);
    }
    yield_from!(ready(()));
    Ok(x)
}

#[coro::coroutine(send)]
fn opaque_sent() -> impl Iterator<Item = u32> {
    yield_from!(ready(()));
    0..3
}

#[coro::coroutine(yields = u8)]
fn opaque_of_generator() -> Option<impl Debug> {
    yield_!(1);
    Some("end")
}

#[coro::coroutine(yields = u8, resumes = Result<u8, TooShort>)]
fn raised() -> Result<Vec<u8>, TooShort> {
    let mut all = Vec::new();
    while all.len() < 2 {
        all.push(yield_!(0)?);
    }
    Ok(all)
}

#[coro::coroutine(yields = u8)]
fn never_ending() -> ! {
    let mut n = 0;
    loop {
        yield_!(n);
        n += 1;
    }
}

fn poll_once<T>(future: impl Future<Output = T>) -> Poll<T> {
    std::pin::pin!(future).poll(&mut Context::from_waker(Waker::noop()))
}

#[coro::main]
fn main() -> Result<(), Box<dyn Error>> {
    macro_rules! check {
        ($($kind:ident)*) => {$(
            assert_eq!($kind::question_mark("12").await.ok(), Some(12));
            assert!($kind::question_mark("1").await.is_err());
            assert!($kind::question_mark("1x").await.is_err());
            assert_eq!($kind::option(Some(255)).await, None);
            assert_eq!($kind::option(Some(25)).await, Some(26));
            assert_eq!($kind::literal().await, 5);
            assert_eq!($kind::trait_object().await("abc"), 3);
            assert_eq!($kind::slice(true).await, [1, 2]);
            assert_eq!($kind::slice(false).await, [1]);
            assert!(poll_once($kind::never()).is_pending());
            assert!(poll_once($kind::never_returns_though_it_could()).is_pending());
            drop($kind::not_written_yet(1));
            assert_eq!($kind::collected().await, ["a", "b"]);
            assert_eq!($kind::function_pointer().await(" a"), "a");
        )*};
    }
    check!(plain sent boxed);
    assert_eq!(opaque().await.sum::<u32>(), 3);
    assert_eq!(opaque_sent().await.sum::<u32>(), 3);
    assert_eq!(format!("{:?}", yield_from!(opaque_inside("a"))?), "\"a\"");
    drop(opaque_of_generator());
    drop(raised());
    let mut numbers = std::pin::pin!(never_ending());
    assert_eq!(numbers.as_mut().iter().take(3).collect::<Vec<_>>(), [0, 1, 2]);
    Ok(())
}
