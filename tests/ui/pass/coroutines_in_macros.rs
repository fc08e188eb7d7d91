//! The bare attribute inside macros that stand where items do, under `#[coro::coroutines]`.

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

#[macro_use]
mod macros {
    macro_rules! cfg_net {
        ($($item:item)*) => { $(#[cfg(all())] $item)* };
    }

    macro_rules! methods {
        ($($tokens:tt)*) => { $($tokens)* };
    }

    macro_rules! length {
        ($($tokens:tt)*) => { stringify!($($tokens)*).len() };
    }
}

#[coro::coroutines(send)]
mod module {
    use super::ready;
    use coro::{yield_, yield_from};

    pub(crate) struct Counter(pub(crate) u32);

    cfg_net! {
        /// Documented.
        #[coroutine]
        pub(crate) fn plain(x: u32) -> u32 {
            yield_from!(ready(x))
        }

        #[coroutine(yields = u32)]
        #[allow(dead_code)]
        pub(crate) async fn generator() {
            yield_!(1);
        }

        #[cfg_attr(all(), coroutine(boxed))]
        pub(crate) fn boxed() -> u32 {
            yield_from!(ready(3))
        }
    }

    impl Counter {
        methods! {
            #[inline]
            #[coroutine]
            #[must_use]
            pub(crate) fn count(&self) -> u32 {
                yield_from!(ready(self.0))
            }

            methods! {
                #[coro::coroutine]
                pub(crate) fn by_path(&self) -> u32 {
                    yield_from!(ready(self.0))
                }
            }
        }
    }

    methods! {
        pub(crate) mod deeper {
            #[coroutine]
            pub(crate) fn plain() -> u32 {
                coro::yield_from!(super::plain(4))
            }
        }
    }

    macro_rules! made {
        ($(#[$attr:meta])* $vis:vis $name:ident) => {
            #[coroutine]
            $(#[$attr])*
            $vis fn $name() -> u32 {
                yield_from!(ready(6))
            }
        };
    }

    made!(#[inline] pub(crate) made);

    pub(crate) fn of_tokens() -> usize {
        length!(#[coroutine] struct X;)
    }
}

#[coro::coroutines]
trait Read {
    methods! {
        #[coroutine]
        fn read(&self) -> u32;

        #[coroutine(boxed)]
        fn boxed(&self) -> u32;
    }
}

#[coro::coroutines]
impl Read for module::Counter {
    methods! {
        #[coroutine]
        fn read(&self) -> u32 {
            coro::yield_from!(ready(self.0))
        }

        #[coroutine(boxed)]
        async fn boxed(&self) -> u32 {
            self.read().await
        }
    }
}

#[coro::main]
fn main() {
    assert_eq!(is_send(module::plain(1)).await, 1);
    drop(module::generator());
    assert_eq!(is_send(module::boxed()).await, 3);
    let counter = module::Counter(5);
    assert_eq!(is_send(counter.count()).await, 5);
    assert_eq!(is_send(counter.by_path()).await, 5);
    assert_eq!(is_send(module::deeper::plain()).await, 4);
    assert_eq!(is_send(module::made()).await, 6);
    assert_eq!(counter.read().await, 5);
    assert_eq!(counter.boxed().await, 5);
    assert!(module::of_tokens() > 0);
}
