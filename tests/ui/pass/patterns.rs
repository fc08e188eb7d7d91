//! Arguments that are patterns, that are not used, or that have attributes.

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
use std::future::ready;

struct Point {
    x: u32,
    y: u32,
}

macro_rules! each_kind {
    ($($name:ident($($args:tt)*);)*) => {$(
        mod $name {
            use super::*;

            #[coro::coroutine($($args)*)]
            pub(crate) fn simple(
                (a, mut b): (u32, u32),
                Point { x, y }: Point,
                [first, .., last]: [u32; 3],
                &c: &u32,
                mut d: u32,
                _: u32,
            ) -> u32 {
                b += 1;
                d += yield_from!(ready(b));
                a + b + x + y + first + last + c + d
            }

            #[coro::coroutine($($args)*)]
            pub(crate) fn bound(ref a: String, b @ 0..: u32, ref mut c: Vec<u32>) -> usize {
                c.push(yield_from!(ready(b)));
                a.len() + c.len()
            }

            #[coro::coroutine($($args)*)]
            pub(crate) fn with_attributes(
                #[allow(unused_variables)] a: u32,
                #[expect(unused_variables, unused_mut)] mut b: u32,
                #[cfg(any())] c: NoSuchType,
                #[cfg(all())] d: u32,
                #[allow(unused_variables)] (e, f): (u32, u32),
                _unused: u32,
            ) -> u32 {
                yield_from!(ready(d))
            }

            #[coro::coroutine($($args)*)]
            pub(crate) fn shadowing(x: u32) -> u32 {
                let x = yield_from!(ready(x)) + 1;
                let x = x + 1;
                x
            }
        }
    )*};
}

each_kind! {
    plain();
    sent(send);
    boxed(boxed);
}

#[coro::coroutine(yields = u32)]
fn generator((a, mut b): (u32, u32), Point { x, .. }: Point, _: u32, ref c: u32, #[cfg(any())] d: u32) {
    b += 1;
    yield_!(a + b);
    yield_!(x + *c);
}

#[coro::main]
fn main() {
    macro_rules! check {
        ($($kind:ident)*) => {$(
            assert_eq!($kind::simple((1, 2), Point { x: 3, y: 4 }, [5, 6, 7], &8, 9, 10).await, 43);
            assert_eq!($kind::bound("ab".to_owned(), 1, vec![2]).await, 4);
            assert_eq!($kind::with_attributes(1, 2, 3, (4, 5), 6).await, 3);
            assert_eq!($kind::shadowing(1).await, 3);
        )*};
    }
    check!(plain sent boxed);
    let point = Point { x: 3, y: 4 };
    assert_eq!(generator((1, 2), point, 5, 6).into_iter().collect::<Vec<_>>(), [4, 9]);
}
