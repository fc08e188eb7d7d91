//! Yield points in every position that an expression may have.

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
use std::fmt::Write;
use std::future::{Ready, ready};

struct Pair {
    a: u32,
    b: u32,
}

fn add(a: u32, b: u32) -> Ready<u32> {
    ready(a + b)
}

#[coro::coroutine]
fn waiting() -> u32 {
    // As a statement, an expression and a tail.
    yield_from!(ready(()));
    yield_from! { ready(()) }
    yield_from![ready(())];
    let mut sum = yield_from!(ready(1));
    sum += yield_from!(ready(1),);

    // One inside another.
    sum += yield_from!(add(yield_from!(ready(1)), yield_from!(add(1, yield_from!(ready(1))))));
    assert_eq!(sum, 5);

    // Inside the arguments of other macros.
    sum = vec![yield_from!(ready(sum)), yield_from!(ready(1)) + 1].into_iter().sum();
    let text = format!("{} {x}", yield_from!(ready(sum)), x = yield_from!(ready(2)));
    assert_eq!(text, "7 2", "{}", yield_from!(ready(1)));
    assert!(matches!(yield_from!(ready(Some(1))), Some(1)));
    let mut buffer = String::new();
    write!(buffer, "{}", yield_from!(ready(3))).expect("strings take everything");
    println!("{}", yield_from!(ready(4)));

    // In control flow.
    while yield_from!(ready(sum < 10)) {
        sum += 1;
    }
    let mut items = vec![1, 2];
    while let Some(item) = yield_from!(ready(items.pop())) {
        sum += item;
    }
    match yield_from!(ready(sum)) {
        0 => sum = yield_from!(ready(0)),
        x if yield_from!(ready(x == 13)) => sum = yield_from!(ready(x)),
        _ => unreachable!(),
    }
    let Some(one) = yield_from!(ready(Some(1))) else {
        return yield_from!(ready(0));
    };
    sum += if yield_from!(ready(true)) { one } else { 0 };
    let array = [1, 2, 3];
    for x in yield_from!(ready(0))..yield_from!(ready(2)) {
        sum += array[yield_from!(ready(x))];
    }
    let pair = Pair { a: yield_from!(ready(1)), b: yield_from!(ready(1)) };
    sum += pair.a + pair.b;
    sum += -(yield_from!(ready(-1i32))) as u32;
    let reference = &yield_from!(ready(String::from("kept")));
    assert_eq!(reference, "kept");
    sum
}

#[coro::coroutine]
fn labelled() -> u32 {
    let mut count = 0;
    'yield_inside_a_closure_or_nested_async_block: loop {
        loop {
            count += yield_from!(ready(1));
            match count {
                1..4 => continue 'yield_inside_a_closure_or_nested_async_block,
                4..6 => break,
                _ => break 'yield_inside_a_closure_or_nested_async_block,
            }
        }
    }
    let value = 'found: {
        for x in 0.. {
            if yield_from!(ready(x == count)) {
                break 'found x;
            }
        }
        0
    };
    loop {
        break value + yield_from!(ready(1));
    }
}

#[coro::coroutine]
fn braces() {
    if true { yield_from!(ready(())) }
    match 1 {
        1 => yield_from!(ready(())),
        _ => { yield_from!(ready(())) }
    }
    let block = { yield_from!(ready(())); 1 };
    assert_eq!(block, 1);
    yield_from!(ready(()))
}

#[coro::coroutine]
#[cfg(all())]
fn configured(x: u32) -> u32 {
    #[cfg(any())]
    yield_from!(no_such_function());
    #[cfg(all())]
    let y = yield_from!(ready(x));
    #[allow(unused_variables)]
    let x = yield_from!(ready(x));
    match y {
        #[cfg(any())]
        1 => NoSuchType,
        y => y,
    }
}

#[coro::coroutine]
fn inner_attributes() -> u32 {
    #![allow(unused_variables, clippy::let_and_return)]
    let unused = 1;
    let x = yield_from!(ready(1));
    x
}

#[coro::coroutine(yields = u32, resumes = u32)]
fn yielding(first: u32) -> u32 {
    let mut sum = yield_!(first);
    sum = yield_!(yield_!(sum));
    assert_eq!(sum, 0);
    let all = vec![yield_!(1), yield_!(2) + yield_!(3)];
    println!("{} {all:?}", yield_!(4));
    while yield_!(5) > 0 {}
    let _ = match yield_!(6) {
        x if yield_!(7) == x => yield_!(8),
        _ => yield_!(9),
    };
    if yield_!(10) > 0 { yield_!(11) } else { return yield_!(12) }
}

#[coro::coroutine(yields = ())]
fn units() -> u32 {
    yield_!();
    yield_!(());
    let () = yield_!();
    yield_from!([(), ()].into_iter());
    3
}

#[coro::coroutine(yields = usize)]
async fn both(text: &str) {
    for word in text.split(yield_from!(ready(' '))) {
        yield_!(ready(word.len()).await);
        yield_!(yield_from!(ready(word.len())) + 1);
    }
    yield_from!(3..yield_from!(ready(5)));
    yield_!(text.len())
}

#[coro::main]
fn main() {
    use coro::{Coroutine, CoroutineState::*};

    assert_eq!(waiting().await, 20);
    assert_eq!(labelled().await, 7);
    braces().await;
    assert_eq!(configured(4).await, 4);
    assert_eq!(inner_attributes().await, 1);

    let mut coroutine = std::pin::pin!(yielding(0));
    let mut yielded = Vec::new();
    let mut state = coroutine.as_mut().start();
    while let Yielded(value) = state {
        yielded.push(value);
        state = coroutine.as_mut().resume(0);
    }
    assert_eq!(yielded, [0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 12]);
    let mut units = std::pin::pin!(units());
    assert_eq!(units.as_mut().iter().count(), 5);
    let lengths: Vec<usize> = futures::StreamExt::collect(both("a bcd")).await;
    assert_eq!(lengths, [1, 2, 3, 4, 3, 4, 5]);
}
