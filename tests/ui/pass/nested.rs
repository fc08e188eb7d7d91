//! Closures, blocks, functions inside a body keep their own `return`, `?`, `|`.

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

#[coro::coroutine]
fn closures() -> Result<u32, std::num::ParseIntError> {
    let parse = |text: &str| -> Result<u32, std::num::ParseIntError> {
        if text.is_empty() {
            return Ok(0);
        }
        text.parse::<u32>()
    };
    let or = |a: bool, b: bool| a | b || (a || b);
    let sum: u32 = ["1", "2"].iter().map(|x| parse(x)).sum::<Result<u32, _>>()?;
    let bits = 1 | 2 | yield_from!(ready(4));
    let either = or(false, true) || yield_from!(ready(true));
    let pattern = match yield_from!(ready(1)) {
        | 1 | 2 => yield_from!(ready(1)),
        _ => 0,
    };
    let apply = |f: fn(u32) -> u32| f(sum);
    Ok(apply(|x| x + 1) + bits + yield_from!(ready(u32::from(either))) + pattern + parse("")?)
}

#[coro::coroutine]
fn blocks() -> u32 {
    let early = async {
        if ready(true).await {
            return Some(1);
        }
        None
    };
    let failing = async move {
        let x = Some(1)?;
        ready(Some(x)).await
    };
    let made = async |x: u32| ready(x).await;
    let constant = const { 1 + 1 };
    yield_from!(early).unwrap_or(0) + yield_from!(failing).unwrap_or(0) + yield_from!(made(1)) + constant
}

#[coro::coroutine]
fn items() -> u32 {
    const ONE: u32 = 1;
    static TWO: u32 = 2;
    use std::future::ready as later;

    fn plain(x: u32) -> u32 {
        x
    }

    fn constant<const N: usize>() -> usize {
        N
    }

    #[coro::coroutine]
    fn inner(x: u32) -> u32 {
        yield_from!(ready(x))
    }

    #[coro::coroutine(yields = u32)]
    fn generator() {
        yield_!(1);
        yield_!(2);
    }

    struct Local;

    impl Local {
        #[coro::coroutine]
        fn method(&self) -> u32 {
            yield_from!(inner(1))
        }
    }

    #[coro::coroutines]
    impl Local {
        #[coroutine]
        fn bare(&self) -> u32 {
            yield_from!(self.method())
        }
    }

    macro_rules! local {
        ($e:expr) => {
            yield_from!(later($e))
        };
    }

    let sum: u32 = generator().into_iter().sum();
    sum + plain(ONE) + TWO + yield_from!(inner(1)) + yield_from!(Local.bare()) + local!(1) + constant::<1>() as u32
}

#[coro::coroutine(yields = u32)]
fn generator() {
    let double = |x: u32| x * 2;
    #[coro::coroutine]
    fn waits() -> u32 {
        yield_from!(ready(1))
    }
    drop(waits());
    #[coro::coroutine(yields = &'static str)]
    fn others() {
        yield_!("other type");
    }
    for text in others() {
        yield_!(double(text.len() as u32));
    }
}

#[coro::main]
fn main() {
    assert_eq!(closures().await, Ok(13));
    assert_eq!(blocks().await, 5);
    assert_eq!(items().await, 10);
    assert_eq!(generator().into_iter().collect::<Vec<_>>(), [20]);
}
