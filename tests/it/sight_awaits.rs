//! Awaits of annotated functions as a dump shows them, when panics, depth and siblings come between.

use std::cell::Cell;
use std::future::poll_fn;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

use coro::sight::{Step, TaskTree};
use futures::FutureExt;

use crate::sight::{dump, path};

const LONG: Duration = Duration::from_secs(3000);

/// The lines of this file that the awaits of a task stand at, from the outermost.
fn lines(tree: &TaskTree, name: &str) -> Vec<(usize, u32)> {
    let task = tree.tasks().iter().find(|task| task.name() == name);
    let steps = task.expect("a task of this name").path();
    let places = steps.filter_map(|(depth, step)| match step {
        Step::At { location, .. } => Some((depth, location.line())),
        _ => None,
    });
    places.collect()
}

/// Pending until it is told to panic.
#[coro::coroutine]
async fn panics_when_told(told: &Cell<bool>) {
    poll_fn(|_| match told.get() {
        true => panic!("told"),
        false => Poll::<()>::Pending,
    })
    .await
}

#[coro::coroutine]
async fn calls_it(told: &Cell<bool>) {
    panics_when_told(told).await;
}

const AFTER_THE_PANIC: u32 = line!() + 5;

#[coro::coroutine]
async fn catches(told: Rc<Cell<bool>>) {
    let caught = AssertUnwindSafe(calls_it(&told)).catch_unwind().await;
    coro::sleep(LONG).await;
    drop(caught);
}

#[coro::test]
async fn awaits_that_a_caught_panic_has_left_are_not_shown() {
    let told = Rc::new(Cell::new(false));
    let task = coro::spawn(catches(told.clone()));
    task.set_name("catches");
    coro::yield_now().await;
    told.set(true); // nothing wakes the task: it is polled for the dump only
    let tree = dump().await;
    assert_eq!(lines(&tree, "catches"), [(0, AFTER_THE_PANIC)], "{tree}");
}

#[coro::coroutine]
async fn down(levels: u32) {
    let below: Pin<Box<dyn Future<Output = ()>>> = match levels {
        1 => Box::pin(coro::sleep(LONG)),
        _ => Box::pin(down(levels - 1)),
    };
    below.await;
}

#[coro::test]
async fn awaits_are_shown_to_a_depth_of_256() {
    coro::spawn(down(255)).set_name("shown");
    coro::spawn(down(300)).set_name("deep");
    let tree = dump().await;
    let shown = lines(&tree, "shown");
    assert_eq!(shown.len(), 255);
    assert!(
        shown.iter().map(|it| it.0).eq(0..255),
        "each below the one before"
    );
    assert!(path(&tree, "shown").contains("a timer"));
    assert_eq!(lines(&tree, "deep").len(), 256);
    assert!(path(&tree, "deep").contains("a timer"));
}

const STRANGER: u32 = line!() + 4;

#[coro::coroutine]
async fn waits_for_a_stranger() {
    std::future::pending::<()>().await;
}

const NAP: u32 = line!() + 4;

#[coro::coroutine]
async fn naps() {
    coro::sleep(LONG).await;
}

const SIBLINGS: u32 = line!() + 4;

#[coro::coroutine]
async fn siblings() {
    futures::future::join3(naps(), waits_for_a_stranger(), naps()).await;
}

#[coro::test]
async fn members_of_a_combinator_of_others_lie_side_by_side() {
    coro::spawn(siblings()).set_name("siblings");
    let tree = dump().await;
    let expected = [(0, SIBLINGS), (1, NAP), (1, STRANGER), (1, NAP)];
    assert_eq!(lines(&tree, "siblings"), expected, "{tree}");
}
