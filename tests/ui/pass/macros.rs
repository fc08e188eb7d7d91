//! Yield points inside macros, made by macros, under other names; functions made by macros.

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

use coro::yield_from as wait_for;
use coro::{yield_, yield_from};
use std::future::{Future, ready};

macro_rules! expression {
    ($e:expr) => {
        $e
    };
}

macro_rules! twice {
    ($($t:tt)*) => {
        { $($t)*; $($t)* }
    };
}

macro_rules! wait {
    ($e:expr) => {
        yield_from!($e)
    };
}

macro_rules! wait_by_path {
    ($e:expr) => {
        coro::yield_from!(std::future::ready($e))
    };
}

mod elsewhere {
    macro_rules! hand_out {
        ($($e:expr),*) => {
            $(coro::yield_!($e);)*
        };
    }
    pub(crate) use hand_out;
}

#[coro::coroutine]
fn inside() -> u32 {
    let mut sum = expression!(yield_from!(ready(1)));
    twice!(sum += yield_from!(ready(1)));
    sum += wait!(ready(1)) + wait_by_path!(1);
    sum += expression!(expression!(wait!(expression!(ready(1)))));
    sum + wait_for!(ready(1)) + coro::yield_from!(ready(1))
}

#[coro::coroutine(yields = u32)]
fn yielding() {
    expression!(yield_!(1));
    twice!(yield_!(2));
    elsewhere::hand_out!(3, 4);
    expression!(yield_from!(5..7))
}

/// A whole function, made from every kind of fragment.
macro_rules! function {
    (
        $(#[$meta:meta])*
        $vis:vis fn $name:ident<$life:lifetime>($pat:pat, $arg:ident: $ty:ty) -> $ret:ty
        $body:block
    ) => {
        $(#[$meta])*
        #[coro::coroutine]
        $vis fn $name<$life>($pat: (u32, u32), $arg: $ty, rest: &$life [u32]) -> $ret {
            let from_body: $ret = $body;
            from_body + yield_from!(ready($arg)) + rest[0]
        }
    };
}

function! {
    /// Documented.
    pub(crate) fn made<'a>((_, _), x: u32) -> u32 { 5 }
}

macro_rules! body_only {
    ($name:ident $body:block) => {
        #[coro::coroutine]
        fn $name() -> u32 $body
    };
}

body_only!(made_of_body { yield_from!(ready(6)) });

macro_rules! item {
    ($item:item) => {
        #[coro::coroutine]
        $item
    };
}

item! {
    fn made_of_item(x: u32) -> u32 {
        yield_from!(ready(x))
    }
}

macro_rules! generator {
    ($name:ident, $yields:ty, [$($e:expr),*]) => {
        #[coro::coroutine(yields = $yields)]
        fn $name() {
            $(yield_!($e);)*
        }
    };
}

generator!(made_generator, u8, [1, 2]);

/// Like `select!`, awaits the given futures in place.
macro_rules! first_of {
    ($($name:ident = $future:expr => $then:expr),*) => {{
        let mut result = None;
        $(if result.is_none() {
            let $name = $future.await;
            result = Some($then);
        })*
        result
    }};
}

#[coro::coroutine]
fn selects() -> Option<u32> {
    first_of!(x = ready(1) => x + yield_from!(ready(1)), y = ready(2) => y)
}

mod glob {
    use coro::*;

    #[coro::coroutine]
    pub(crate) fn imported() -> u32 {
        yield_from!(std::future::ready(1))
    }
}

fn check(future: impl Future<Output = u32>) -> impl Future<Output = u32> {
    future
}

#[coro::main]
fn main() {
    assert_eq!(check(inside()).await, 8);
    assert_eq!(yielding().into_iter().collect::<Vec<_>>(), [1, 2, 2, 3, 4, 5, 6]);
    assert_eq!(made((1, 2), 3, &[4]).await, 12);
    assert_eq!(made_of_body().await, 6);
    assert_eq!(made_of_item(7).await, 7);
    assert_eq!(made_generator().into_iter().collect::<Vec<_>>(), [1, 2]);
    assert_eq!(selects().await, Some(2));
    assert_eq!(glob::imported().await, 1);
}
