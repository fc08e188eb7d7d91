//! The tests that the guide shows, as they stand there.

use coro::time::{now, sleep_until, timeout_at};
use coro::{Elapsed, LoopHandle, call_later, interval, sleep, timeout};
use std::time::Duration;

#[coro::test]
async fn an_hour_passes_at_once() {
    let handle = LoopHandle::current();
    let before = handle.time();
    sleep(Duration::from_secs(3600)).await;
    assert_eq!(handle.time() - before, Duration::from_secs(3600));
}

#[coro::test]
async fn a_slow_answer_is_refused_after_a_minute() {
    let before = LoopHandle::current().time();
    let answer = timeout(Duration::from_secs(60), std::future::pending::<()>());
    assert!(answer.await.is_err());
    assert_eq!(
        LoopHandle::current().time() - before,
        Duration::from_secs(60)
    );
}

#[coro::test]
async fn tasks_run_in_the_order_of_their_deadlines() {
    let order = std::rc::Rc::new(std::cell::RefCell::new(Vec::new()));
    let tasks = [3, 1, 2].map(|seconds| {
        let order = order.clone();
        coro::spawn(async move {
            sleep(Duration::from_secs(seconds)).await;
            order.borrow_mut().push(seconds);
        })
    });
    for task in tasks {
        task.await.expect("it does not panic");
    }
    assert_eq!(*order.borrow(), [1, 2, 3]);
}

async fn timers() {
    let (short, long) = (Duration::from_secs(1), Duration::from_secs(3600));
    let when = now() + short;
    sleep(short).await;
    sleep_until(when).await; // it is past already
    let in_time: Result<(), Elapsed> = timeout(long, sleep(short)).await;
    assert!(in_time.is_ok());
    assert!(timeout_at(when, sleep(long)).await.is_err());
    let mut ticks = interval(short);
    ticks.tick().await;
    call_later(short, || println!("due"));
    sleep(short).await;
}

#[coro::test]
async fn the_same_in_a_test() {
    timers().await;
    coro::testing::advance(Duration::from_secs(60)).await;
}
