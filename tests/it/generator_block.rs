//! Generators written as blocks, by `coro::generator!`.

use std::cell::Cell;
use std::pin::pin;
use std::rc::Rc;
use std::time::Duration;

use coro::CoroutineState::{Complete, Yielded};
use coro::io::StreamExt;
use coro::{Coroutine, yield_, yield_from};

#[test]
fn a_block_borrows_what_is_around_it() {
    let limit = 3;
    let mut calls = 0;
    let squares = coro::generator!(yields = u32, {
        for n in 1..=limit {
            calls += 1;
            yield_!(n * n);
        }
    });
    assert!(squares.into_iter().eq([1, 4, 9]));
    assert_eq!((calls, limit), (3, 3));
}

#[test]
fn a_move_block_owns_what_it_names_and_can_be_returned() {
    fn words(text: String) -> impl Iterator<Item = String> {
        coro::generator!(yields = String, move {
            for word in text.split(' ') {
                yield_!(word.to_owned());
            }
        })
        .into_iter()
    }
    assert!(words("so much depends".to_owned()).eq(["so", "much", "depends"]));
}

#[test]
fn a_block_that_runs_none_of_its_code_before_it_is_started() {
    let ran = Cell::new(false);
    let generator = coro::generator!(yields = (), {
        ran.set(true);
        yield_!();
    });
    assert!(!ran.get());
    let mut generator = pin!(generator);
    assert_eq!(generator.as_mut().next(), Some(()));
    assert!(ran.get());
}

#[test]
fn a_block_is_resumed_with_values_and_returns_one() {
    let mut sum = pin!(coro::generator!(yields = u32, resumes = u32, {
        let a = yield_!(1);
        let b = yield_!(2);
        a + b
    }));
    assert_eq!(sum.as_mut().start(), Yielded(1));
    assert_eq!(sum.as_mut().resume(30), Yielded(2));
    assert_eq!(sum.as_mut().resume(12), Complete(42));
}

#[test]
fn a_block_with_a_return_type_may_use_the_question_mark() {
    let texts = ["1", "2", "x", "4"];
    let numbers = coro::generator!(yields = u32, -> Result<(), std::num::ParseIntError> {
        for text in texts {
            yield_!(text.parse()?);
        }
        Ok(())
    });
    let mut numbers = pin!(numbers);
    let mut iter = numbers.as_mut().iter();
    assert_eq!(iter.by_ref().collect::<Vec<u32>>(), [1, 2]);
    assert!(iter.into_return().is_some_and(|end| end.is_err()));
}

#[coro::test]
async fn an_async_block_waits() {
    let start = coro::LoopHandle::current().time();
    let period = Duration::from_secs(60);
    let ticks = pin!(coro::generator!(yields = u32, async {
        for n in 0..3 {
            coro::sleep(period).await;
            yield_!(n);
            yield_from!(coro::sleep(period));
        }
    }));
    assert_eq!(ticks.collect::<Vec<_>>().await, [0, 1, 2]);
    assert_eq!(coro::LoopHandle::current().time() - start, 6 * period);
}

#[coro::test]
async fn an_async_move_block_is_a_stream_for_a_task() {
    let shared = Rc::new(Cell::new(0));
    let counted = shared.clone();
    let ticks = coro::generator!(yields = u32, async move {
        for n in 0..3 {
            counted.set(counted.get() + 1);
            yield_!(n);
        }
    });
    let task = coro::spawn(async move { ticks.map(|n| n + 1).collect::<Vec<u32>>().await });
    assert_eq!(task.await.unwrap(), [1, 2, 3]);
    assert_eq!(shared.get(), 3);
}

#[test]
fn a_boxed_block_is_an_iterator_and_of_a_type_with_a_name() {
    struct Walk<'a> {
        steps: coro::generator::BoxGenerator<'a, &'a str>,
    }
    let names = ["a".to_owned(), "b".to_owned()];
    let mut walk = Walk {
        steps: coro::generator!(yields = &str, boxed, {
            yield_from!(names.iter().map(String::as_str));
        }),
    };
    assert_eq!(walk.steps.next(), Some("a"));
    assert_eq!(walk.steps.next(), Some("b"));
    assert_eq!(walk.steps.next(), None);
}

#[test]
fn a_block_that_promises_send_goes_to_another_thread() {
    let generator = coro::generator!(yields = u32, send, boxed, move {
        yield_!(7);
    });
    let sum = std::thread::spawn(move || generator.sum::<u32>());
    assert_eq!(sum.join().unwrap(), 7);
}

#[coro::coroutine(yields = u32)]
fn with_blocks_inside(rows: u32) {
    for row in 0..rows {
        yield_from!(coro::generator!(yields = u32, {
            yield_!(row * 10);
            yield_!(row * 10 + 1);
        }));
    }
    let all = (0..2).map(|row| coro::generator!(yields = u32, move { yield_!(row) }));
    for inner in all {
        yield_from!(inner);
    }
}

#[test]
fn a_block_inside_of_a_generator_is_a_generator_of_its_own() {
    let items: Vec<u32> = with_blocks_inside(2).into_iter().collect();
    assert_eq!(items, [0, 1, 10, 11, 0, 1]);
}
