//! The places of waiters in a long line, as a dump counts them.

use std::rc::Rc;

use coro::sight::{Step, TaskTree, TaskView};
use coro::sync::Event;
use coro::{LoopHandle, Task};

/// How many wait before each task that waits in a line.
fn places(tree: &TaskTree) -> Vec<usize> {
    let place = |task: &TaskView| match task.path().last() {
        Some((_, Step::Line { ahead, .. })) => Some(*ahead),
        _ => None,
    };
    tree.tasks().iter().filter_map(place).collect()
}

#[coro::test]
async fn each_place_in_a_line_of_thousands_is_exact() {
    let event = Rc::new(Event::new());
    let wait = |_| {
        let event = event.clone();
        coro::spawn(async move {
            event.wait().await;
        })
    };
    let mut tasks: Vec<Task<()>> = (0..5000).map(wait).collect();
    coro::yield_now().await;
    let tree = LoopHandle::current().dump().await;
    assert_eq!(places(&tree), (0..5000).collect::<Vec<_>>());

    // As some leave and others come, the line keeps neither its length nor its order of places.
    for task in tasks.drain(1000..2000) {
        task.cancel();
    }
    tasks.push(wait(0));
    coro::yield_now().await;
    let tree = LoopHandle::current().dump().await;
    assert_eq!(places(&tree), (0..4001).collect::<Vec<_>>());
    let last = tree.tasks().last().unwrap().path().last().unwrap().1;
    assert_eq!(tree.describe(last), "Event, behind 4,000 waiters");

    event.set();
    for task in tasks {
        task.await.unwrap();
    }
}
