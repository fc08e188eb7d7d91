//! The bare attribute under `#[coro::coroutines]`.

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

use std::future::ready;

fn is_send<T: Send>(value: T) -> T {
    value
}

#[coro::coroutines(send)]
mod module {
    use super::ready;
    use coro::{yield_, yield_from};

    #[coroutine]
    pub(crate) fn plain(x: u32) -> u32 {
        yield_from!(ready(x))
    }

    #[coroutine(yields = u32)]
    pub(crate) fn generator() {
        yield_!(1);
    }

    #[coro::coroutine(send)]
    pub(crate) async fn by_path() -> u32 {
        ready(2).await
    }

    #[cfg_attr(all(), coroutine(boxed), inline)]
    pub(crate) fn conditional() -> u32 {
        yield_from!(ready(3))
    }

    #[derive(Clone)]
    pub(crate) struct Counter(pub(crate) u32);

    impl Counter {
        #[coroutine]
        pub(crate) fn count(&self) -> u32 {
            #[coroutine]
            fn nested(x: u32) -> u32 {
                yield_from!(ready(x))
            }
            yield_from!(nested(self.0))
        }
    }

    pub(crate) mod deeper {
        #[coroutine]
        pub(crate) fn plain() -> u32 {
            coro::yield_from!(super::plain(4))
        }
    }
}

#[coro::coroutines]
trait Read {
    #[coroutine]
    fn read(&self) -> u32;

    #[coroutine]
    fn read_twice(&self) -> u32 {
        coro::yield_from!(self.read()) * 2
    }

    #[coroutine(boxed)]
    fn boxed(&self) -> u32;
}

#[coro::coroutines]
impl Read for module::Counter {
    #[coroutine]
    fn read(&self) -> u32 {
        coro::yield_from!(ready(self.0))
    }

    #[coroutine(boxed)]
    async fn boxed(&self) -> u32 {
        self.read().await
    }
}

#[coro::main]
fn main() {
    assert_eq!(is_send(module::plain(1)).await, 1);
    assert_eq!(is_send(module::generator()).into_iter().count(), 1);
    assert_eq!(is_send(module::by_path()).await, 2);
    assert_eq!(is_send(module::conditional()).await, 3);
    let counter = module::Counter(5);
    assert_eq!(is_send(counter.count()).await, 5);
    assert_eq!(is_send(module::deeper::plain()).await, 4);
    assert_eq!(counter.read_twice().await, 10);
    assert_eq!(counter.boxed().await, 5);
}
