//! Methods with every kind of `self`, or without one.

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
use std::pin::Pin;
use std::rc::Rc;

#[derive(Clone, Default)]
struct Counter {
    count: u32,
    name: String,
}

impl Counter {
    #[coro::coroutine]
    fn new(count: u32) -> Self {
        Self { count: yield_from!(ready(count)), name: String::new() }
    }

    #[coro::coroutine]
    fn by_reference(&self) -> u32 {
        yield_from!(ready(self.count))
    }

    #[coro::coroutine]
    fn by_mutable_reference(&mut self, by: &u32) -> &mut u32 {
        self.count += yield_from!(ready(*by));
        &mut self.count
    }

    #[coro::coroutine]
    fn by_value(self) -> u32 {
        yield_from!(ready(self.count))
    }

    #[coro::coroutine]
    fn by_mutable_value(mut self) -> u32 {
        self.count += yield_from!(ready(1));
        self.count
    }

    #[coro::coroutine]
    fn by_typed_reference(self: &Self) -> u32 {
        yield_from!(ready(self.count))
    }

    #[coro::coroutine]
    fn by_box(self: Box<Self>) -> u32 {
        yield_from!(ready(self.count))
    }

    #[coro::coroutine]
    fn by_rc(self: Rc<Self>) -> u32 {
        yield_from!(ready(self.count))
    }

    #[coro::coroutine]
    fn by_pin(mut self: Pin<&mut Self>) -> u32 {
        self.count += 1;
        yield_from!(ready(self.count))
    }

    #[coro::coroutine]
    fn by_named_lifetime<'a>(&'a self, other: &'a str) -> &'a str {
        let chosen = yield_from!(ready(if self.name.is_empty() { other } else { &self.name }));
        chosen
    }

    #[coro::coroutine]
    fn in_nested_code(&mut self) -> u32 {
        let add = |x: u32| self.count + x;
        let sum = add(1);
        self.count = yield_from!(ready(sum));
        vec![self.count, yield_from!(self.by_reference())].into_iter().sum()
    }

    #[coro::coroutine(send)]
    fn sent(&self, more: u32) -> u32 {
        yield_from!(ready(self.count)) + more
    }

    #[coro::coroutine(send)]
    fn sent_by_value(mut self) -> u32 {
        self.count += yield_from!(ready(1));
        self.count
    }

    #[coro::coroutine(send)]
    fn sent_by_pin(self: Pin<&mut Self>) -> u32 {
        yield_from!(ready(self.count))
    }

    #[coro::coroutine(boxed)]
    fn boxed(&self, more: u32) -> u32 {
        match more {
            0 => self.count,
            more => yield_from!(self.boxed(more - 1)) + 1,
        }
    }

    #[coro::coroutine(boxed)]
    fn boxed_and_borrowing(&mut self, more: &u32) -> u32 {
        self.count += *more;
        yield_from!(ready(self.count))
    }

    #[coro::coroutine(boxed)]
    fn boxed_by_value(self, more: &u32) -> u32 {
        yield_from!(ready(self.count)) + more
    }

    #[coro::coroutine(boxed)]
    fn boxed_by_typed_reference<'a>(self: &'a Self) -> &'a str {
        yield_from!(ready(&self.name))
    }

    #[coro::coroutine(yields = u32)]
    fn numbers(&mut self) {
        while self.count > 0 {
            self.count -= 1;
            yield_!(self.count);
        }
    }

    #[coro::coroutine(yields = u32)]
    fn numbers_by_value(mut self) -> Self {
        yield_from!(self.numbers());
        self
    }

    #[coro::coroutine(yields = &str)]
    async fn words(&self) {
        yield_from!(ready(()));
        yield_from!(self.name.split(' '));
    }

    #[coro::coroutine(yields = u32, boxed)]
    fn boxed_numbers(&self, depth: u32) {
        if depth > 0 {
            yield_from!(self.boxed_numbers(depth - 1));
            yield_!(depth);
        }
    }
}

#[coro::main]
fn main() {
    let mut counter = yield_from!(Counter::new(1));
    assert_eq!(counter.by_reference().await, 1);
    *counter.by_mutable_reference(&2).await += 1;
    assert_eq!(counter.clone().by_value().await, 4);
    assert_eq!(counter.clone().by_mutable_value().await, 5);
    assert_eq!(counter.by_typed_reference().await, 4);
    assert_eq!(Box::new(counter.clone()).by_box().await, 4);
    assert_eq!(Rc::new(counter.clone()).by_rc().await, 4);
    assert_eq!(Pin::new(&mut counter).by_pin().await, 5);
    assert_eq!(counter.by_named_lifetime("x").await, "x");
    assert_eq!(counter.in_nested_code().await, 12);
    assert_eq!(counter.sent(1).await, 7);
    assert_eq!(counter.clone().sent_by_value().await, 7);
    assert_eq!(Pin::new(&mut counter).sent_by_pin().await, 6);
    assert_eq!(counter.boxed(2).await, 8);
    assert_eq!(counter.boxed_and_borrowing(&1).await, 7);
    assert_eq!(counter.clone().boxed_by_value(&1).await, 8);
    assert_eq!(counter.boxed_by_typed_reference().await, "");
    counter.count = 3;
    assert_eq!(counter.clone().numbers().into_iter().collect::<Vec<_>>(), [2, 1, 0]);
    let mut by_value = std::pin::pin!(counter.clone().numbers_by_value());
    assert_eq!(by_value.as_mut().iter().sum::<u32>(), 3);
    assert_eq!(counter.boxed_numbers(3).into_iter().collect::<Vec<_>>(), [1, 2, 3]);
    drop(counter.words());
}
