//! Generators whose body may fail: `?` inside, results outside.

use std::cell::Cell;
use std::num::ParseIntError;
use std::pin::pin;
use std::time::Duration;

use coro::io::{StreamExt, TryStreamExt};
use coro::{yield_, yield_from};

#[coro::coroutine(yields = u32)]
fn numbers(text: &str) -> Result<(), ParseIntError> {
    for word in text.split(' ') {
        yield_!(word.parse()?);
    }
    Ok(())
}

#[test]
fn the_error_is_the_last_item() {
    let mut iter = numbers("1 2 x 4").try_iter();
    assert_eq!(iter.next(), Some(Ok(1)));
    assert_eq!(iter.next(), Some(Ok(2)));
    assert!(iter.next().is_some_and(|item| item.is_err()));
    assert_eq!(iter.next(), None);
    assert_eq!(iter.next(), None);
}

#[test]
fn a_body_without_an_error_ends_the_iteration_in_silence() {
    let sum: Result<u32, ParseIntError> = numbers("1 2 3").try_iter().sum();
    assert_eq!(sum, Ok(6));
}

#[test]
fn a_delegation_hands_its_error_on() {
    #[coro::coroutine(yields = u32)]
    fn two(first: &str, second: &str) -> Result<(), ParseIntError> {
        yield_from!(numbers(first))?;
        yield_from!(numbers(second))
    }
    let items: Vec<_> = two("1 x", "2").try_iter().map(|item| item.ok()).collect();
    assert_eq!(items, [Some(1), None]);
    let items: Vec<_> = two("1", "2 x").try_iter().map(|item| item.ok()).collect();
    assert_eq!(items, [Some(1), Some(2), None]);
}

#[test]
fn an_iterator_that_is_dropped_drops_the_body() {
    struct Ends<'a>(&'a Cell<bool>);
    impl Drop for Ends<'_> {
        fn drop(&mut self) {
            self.0.set(true);
        }
    }
    let ended = Cell::new(false);
    let endless = coro::generator!(yields = u8, -> Result<(), ()> {
        let _ends = Ends(&ended);
        loop {
            yield_!(0);
        }
    });
    let mut iter = endless.try_iter();
    assert_eq!(iter.next(), Some(Ok(0)));
    drop(iter);
    assert!(ended.get());
}

#[coro::test]
async fn a_stream_of_results_waits_between_its_items() {
    let period = Duration::from_secs(1);
    let stream = coro::generator!(yields = u32, async move -> Result<(), ParseIntError> {
        for word in ["1", "2", "x"] {
            coro::sleep(period).await;
            yield_!(word.parse()?);
        }
        Ok(())
    });
    let mut stream = pin!(stream.try_stream());
    assert_eq!(stream.try_next().await, Ok(Some(1)));
    assert_eq!(stream.try_next().await, Ok(Some(2)));
    assert!(stream.try_next().await.is_err());
    assert_eq!(stream.next().await, None);
}

#[coro::test]
async fn boxed_generators_give_results_as_well() {
    #[coro::coroutine(yields = u32, boxed)]
    fn down(n: u32) -> Result<(), String> {
        yield_!(n);
        match n {
            0 => Err("the ground".to_owned()),
            _ => yield_from!(down(n - 1)),
        }
    }
    let items: Result<Vec<u32>, String> = down(2).try_iter().collect();
    assert_eq!(items, Err("the ground".to_owned()));

    let stream = coro::generator!(yields = u32, boxed, send, async move -> Result<(), String> {
        yield_!(1);
        Err("no more".to_owned())
    });
    let all: Vec<_> = stream.try_stream().collect().await;
    assert_eq!(all, [Ok(1), Err("no more".to_owned())]);
}
