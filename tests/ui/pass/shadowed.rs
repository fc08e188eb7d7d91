//! Nothing that an expansion mentions can be shadowed.

#![deny(
    warnings,
    unused,
    missing_docs,
    unused_qualifications,
    unused_results,
    let_underscore_drop,
    rust_2018_idioms,
    unused_lifetimes,
    unused_macro_rules
)]
#![forbid(unsafe_code)]

#![allow(unused_macros, non_camel_case_types, non_snake_case, dead_code)]

mod shadows {
    pub struct Future;
    pub struct Result;
    pub struct Option;
    pub struct Pin;
    pub struct Box;
    pub struct Send;
    pub struct Generator;
    pub struct Co;
    pub struct Output;
    pub fn Ok() {}
    pub fn Some() {}
    pub fn drop() {}
    pub mod core {}
    pub mod coro {}
    pub mod alloc {}
    pub type u32 = ();
}

macro_rules! compile_error {
    ($($t:tt)*) => {
        no_such_macro!()
    };
}

macro_rules! unreachable {
    ($($t:tt)*) => {
        no_such_macro!()
    };
}

mod user {
    #![allow(unused_imports, unreachable_pub)]
    use super::shadows::*;
    use super::shadows::{Box, Future, Ok, Option, Pin, Result, Send, Some, core, coro, drop};
    use ::coro::{yield_, yield_from};

    #[::coro::coroutine]
    pub(crate) fn plain() -> u8 {
        yield_from!(::std::future::ready(1))
    }

    #[::coro::coroutine(send)]
    pub(crate) fn sent((a, _b): (u8, u8)) -> u8 {
        yield_from!(::std::future::ready(a))
    }

    #[::coro::coroutine(boxed, send)]
    pub(crate) fn boxed(x: &u8) -> u8 {
        yield_from!(::std::future::ready(*x))
    }

    #[::coro::coroutine(boxed)]
    pub(crate) fn never() -> ! {
        loop {
            yield_from!(::std::future::ready(()));
        }
    }

    #[::coro::coroutine(yields = u8)]
    pub(crate) fn generator() {
        yield_!(1);
        yield_from!(::std::iter::once(2));
    }

    #[::coro::coroutine(yields = u8, boxed)]
    pub(crate) async fn boxed_generator() {
        yield_from!(::std::future::ready(()));
        yield_!(1);
    }

    #[::coro::main]
    pub(crate) fn main() {
        assert_eq!(yield_from!(plain()), 1);
    }
}

fn main() {
    coro::run(elsewhere());
    user::main();
}

#[coro::coroutine]
async fn elsewhere() {
    assert_eq!(user::plain().await, 1);
    assert_eq!(user::sent((2, 3)).await, 2);
    assert_eq!(user::boxed(&3).await, 3);
    drop(user::never());
    assert_eq!(user::generator().into_iter().collect::<Vec<_>>(), [1, 2]);
    drop(user::boxed_generator());
}
