//! Methods of traits: required, with a default, implemented, called through `dyn`.

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
use std::fmt::Display;
use std::future::{Future, ready};

/// Public, so that the compiler would warn about an `async fn` in it.
pub trait Store {
    /// A type that signatures mention.
    type Key: Display;

    /// Required.
    #[coro::coroutine]
    fn get(&self, key: Self::Key) -> Option<String>;

    /// Required, with argument names that only document.
    #[coro::coroutine]
    fn borrow<'a>(&'a self, key: &'a str) -> &'a str;

    /// Provided.
    #[coro::coroutine]
    fn get_or(&self, key: Self::Key, or: &str) -> String {
        yield_from!(self.get(key)).unwrap_or_else(|| or.to_owned())
    }

    /// Promised to be `Send`.
    #[coro::coroutine(send)]
    fn sent(&self) -> u32;

    /// Promised to be `Send`, with a default.
    #[coro::coroutine(send)]
    fn sent_twice(&self) -> u32
    where
        Self: Sync,
    {
        yield_from!(self.sent()) * 2
    }

    /// Without `self`.
    #[coro::coroutine]
    fn open(name: &str) -> Self
    where
        Self: Sized;

    /// A required generator.
    #[coro::coroutine(yields = u32)]
    fn sizes(&self, from: u32);

    /// A provided async generator.
    #[coro::coroutine(yields = u32)]
    async fn sizes_later(&self) {
        yield_from!(ready(()));
        yield_from!(self.sizes(0));
    }
}

struct Memory<T>(T);

impl<T: Display> Store for Memory<T> {
    type Key = u8;

    #[coro::coroutine]
    fn get(&self, key: Self::Key) -> Option<String> {
        yield_from!(ready(()));
        (key == 1).then(|| self.0.to_string())
    }

    #[coro::coroutine]
    async fn borrow<'a>(&'a self, key: &'a str) -> &'a str {
        ready(key).await
    }

    fn sent(&self) -> impl Future<Output = u32> + Send {
        ready(21)
    }

    #[coro::coroutine]
    fn open(name: &str) -> Self {
        let _ = yield_from!(ready(name));
        unreachable!("nobody opens it")
    }

    #[coro::coroutine(yields = u32)]
    fn sizes(&self, from: u32) {
        yield_from!(from..from + 2)
    }
}

trait Shape {
    #[coro::coroutine(boxed)]
    fn area(&self, scale: u32) -> u32;

    #[coro::coroutine(boxed)]
    fn name(&self, prefix: &str) -> String {
        format!("{prefix}{}", yield_from!(self.area(1)))
    }

    #[coro::coroutine(boxed, send)]
    fn sent(&self, scale: &u32) -> u32;

    #[coro::coroutine(boxed, yields = u32)]
    fn sides(&self, scale: u32);

    #[coro::coroutine(boxed, send, yields = u32)]
    async fn sides_later(&self, scale: &u32)
    where
        Self: Sync,
    {
        yield_from!(ready(()));
        yield_!(*scale);
    }
}

struct Square(u32);

impl Shape for Square {
    #[coro::coroutine(boxed)]
    fn area(&self, scale: u32) -> u32 {
        yield_from!(ready(self.0 * self.0 * scale))
    }

    #[coro::coroutine(boxed, send)]
    fn sent(&self, scale: &u32) -> u32 {
        yield_from!(ready(self.0 * scale))
    }

    #[coro::coroutine(boxed, yields = u32)]
    fn sides(&self, scale: u32) {
        for _ in 0..4 {
            yield_!(self.0 * scale);
        }
    }
}

fn is_send<T: Send>(value: T) -> T {
    value
}

#[coro::main]
fn main() {
    let memory = Memory(5);
    assert_eq!(memory.get(1).await.as_deref(), Some("5"));
    assert_eq!(memory.get_or(2, "none").await, "none");
    assert_eq!(memory.borrow("key").await, "key");
    assert_eq!(is_send(memory.sent()).await, 21);
    assert_eq!(is_send(memory.sent_twice()).await, 42);
    assert_eq!(memory.sizes(3).into_iter().collect::<Vec<_>>(), [3, 4]);
    drop(memory.sizes_later());
    drop(<Memory<u8> as Store>::open(""));

    let shape: &dyn Shape = &Square(3);
    assert_eq!(shape.area(2).await, 18);
    assert_eq!(shape.name("#").await, "#9");
    assert_eq!(is_send(Square(3).sent(&2)).await, 6);
    assert_eq!(shape.sides(2).into_iter().sum::<u32>(), 24);
    drop(is_send(Square(3).sides_later(&2)));
}
