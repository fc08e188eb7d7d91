//! The virtual clock: what it waits for, and what takes the same course in each run.

use std::cell::RefCell;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use coro::group::Retry;
use coro::sync::remote;
use coro::{LoopHandle, sleep, timeout};

use crate::support::{ms, virtual_loop};

/// How long a thread takes to answer, and how long it is waited for.
const ANSWER: Duration = Duration::from_millis(20);
const LIMIT: Duration = Duration::from_secs(3600);

#[coro::test]
async fn an_answer_of_another_thread_is_not_overtaken() {
    let (sender, receiver) = remote::oneshot::channel();
    let thread = thread::spawn(move || {
        thread::sleep(ANSWER);
        sender.send(1).unwrap();
    });
    assert_eq!(timeout(LIMIT, receiver).await.unwrap(), Ok(1));
    thread.join().unwrap();

    let (sender, receiver) = remote::channel::bounded(1);
    let thread = thread::spawn(move || {
        thread::sleep(ANSWER);
        sender.blocking_send(2).unwrap();
    });
    assert_eq!(timeout(LIMIT, receiver.recv()).await, Ok(Some(2)));
    thread.join().unwrap();

    let (sender, receiver) = remote::channel::bounded(1);
    sender.try_send(1).unwrap();
    let thread = thread::spawn(move || {
        thread::sleep(ANSWER);
        (receiver.blocking_recv(), receiver.blocking_recv())
    });
    timeout(LIMIT, sender.send(2)).await.unwrap().unwrap();
    assert_eq!(thread.join().unwrap(), (Some(1), Some(2)));

    let event = Arc::new(remote::Event::new());
    let thread = thread::spawn({
        let event = event.clone();
        move || {
            thread::sleep(ANSWER);
            event.set();
        }
    });
    timeout(LIMIT, event.wait()).await.unwrap();
    thread.join().unwrap();
}

#[coro::test]
async fn time_jumps_again_once_the_wait_is_over_or_given_up() {
    let begun = std::time::Instant::now();
    sleep(ms(1)).await; // the making of the loop, however long it took, is no part of what flows below
    let (sender, receiver) = remote::oneshot::channel::<()>();
    assert!(timeout(ms(5), receiver).await.is_err(), "it flows");
    assert!(begun.elapsed() >= ms(5));
    sleep(LIMIT).await;
    drop(sender);
    let (sender, receiver) = remote::oneshot::channel();
    let task = coro::spawn(receiver);
    coro::yield_now().await;
    sender.send(1).unwrap();
    assert_eq!(task.await.unwrap(), Ok(1));
    sleep(LIMIT).await;
}

#[test]
fn retries_wait_for_the_same_times_in_each_run() {
    let course = || {
        let mut event_loop = virtual_loop();
        event_loop.run_until_complete(async {
            let begun = LoopHandle::current().time();
            let times = RefCell::new(Vec::new());
            let policy = Retry::new().attempts(6).delay(ms(100)).jitter(1.0);
            let failed: Result<(), ()> = policy
                .run(async || {
                    times
                        .borrow_mut()
                        .push(LoopHandle::current().time() - begun);
                    Err(())
                })
                .await;
            assert!(failed.is_err());
            times.into_inner()
        })
    };
    let first = course().unwrap();
    assert_eq!(first, course().unwrap());
    let pauses: Vec<Duration> = first.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(
        pauses.windows(2).all(|pair| pair[0] != pair[1]),
        "{pauses:?}"
    );
}
