//! Conditions and lint levels on arguments, under `cfg_attr` too, in every form.

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

macro_rules! every_form {
    ($($name:ident: $args:tt;)*) => {
        $(
            #[coro::coroutine $args]
            fn $name(
                #[cfg_attr(all(), allow(unused_variables))] x: u32,
                #[cfg_attr(all(), cfg(all()), allow(unused_variables),)] y: u32,
                #[cfg_attr(all(), cfg_attr(all(), cfg(any())))] z: NoSuchType,
                #[cfg_attr(any(), cfg(any()))] (used, _): (u32, u32),
                #[expect(unused_mut)] mut mutable: u32,
            ) -> u32 {
                yield_from!(ready(used)) + mutable
            }
        )*
    };
}

every_form! {
    plain: ();
    sent: (send);
    boxed: (boxed);
    both: (boxed, send);
}

#[coro::coroutine(yields = u32)]
fn generator(#[cfg_attr(all(), allow(unused_variables))] x: u32, #[cfg_attr(all(), cfg(any()))] y: u32) {
    yield_!(1);
}

struct Counter(u32);

impl Counter {
    #[coro::coroutine(boxed)]
    fn count(#[cfg(all())] &self, other: &u32) -> u32 {
        yield_from!(ready(self.0 + other))
    }
}

#[coro::main]
fn main() {
    assert_eq!(plain(1, 2, (3, 4), 5).await, 8);
    assert_eq!(sent(1, 2, (3, 4), 5).await, 8);
    assert_eq!(boxed(1, 2, (3, 4), 5).await, 8);
    assert_eq!(both(1, 2, (3, 4), 5).await, 8);
    assert!(generator(1).into_iter().eq([1]));
    assert_eq!(Counter(1).count(&2).await, 3);
}
