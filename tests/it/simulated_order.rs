//! The order of a simulation: drawn from seeds, searched for, replayed, shrunk.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use coro::testing::{Sim, explore};

const MS: Duration = Duration::from_millis(1);

/// The bug comes in one of the 24 orders of four tasks.
async fn order_of_four(_: &Sim) {
    let order = Rc::new(RefCell::new(Vec::new()));
    let tasks: Vec<_> = (0..4)
        .map(|n| {
            let order = order.clone();
            coro::spawn(async move {
                coro::yield_now().await;
                order.borrow_mut().push(n);
                coro::yield_now().await;
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    assert_ne!(*order.borrow(), [2, 0, 3, 1]);
}

#[test]
fn a_bug_in_one_order_of_four_tasks_is_found_by_seeds_and_shrunk() {
    let failed = explore().seeds(1_000).try_run(order_of_four).unwrap_err();
    println!("{failed}");
    assert!(failed.odd_decisions() <= 3);
}

#[test]
fn a_bug_in_one_order_of_four_tasks_is_found_by_searching() {
    let failed = explore().late(2).try_run(order_of_four).unwrap_err();
    println!("{failed}");
    assert!(failed.odd_decisions() <= 2);
    assert!(explore().late(1).try_run(order_of_four).is_ok());
}
