//! Cancel tokens on other threads.

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use coro::group::RemoteCancelToken;
use coro::threads::to_thread;
use coro::{CancelToken, EventLoop, LoopHandle, gather, spawn, timeout};
use futures::executor::block_on;

use crate::support::{panic_of, turns};

const LONG: Duration = Duration::from_secs(20);

fn assert_shared<T: Send + Sync + Clone + 'static>(_: &T) {}

#[coro::test]
async fn a_thread_cancels_the_token_with_its_children_and_says_why() {
    let token = CancelToken::new();
    let (child, remote) = (token.child(), token.remote());
    assert_shared(&remote);
    assert!(!remote.is_cancelled() && remote.reason().is_none());
    let waits = spawn(async move {
        child
            .run_until_cancelled(std::future::pending::<()>())
            .await
    });
    turns(2).await;
    let there = remote.clone();
    let line = to_thread(move || {
        there.cancel("the disk is full");
        there.cancel("too late");
        assert!(there.is_cancelled());
        line!() - 3
    });
    let cancelled = timeout(LONG, waits)
        .await
        .expect("in time")
        .unwrap()
        .unwrap_err();
    assert_eq!(cancelled.reason(), "the disk is full");
    assert_eq!(cancelled.location().line(), line.await.unwrap());
    assert_eq!(token.reason().unwrap().reason(), "the disk is full");
    assert_eq!(remote.reason().unwrap().reason(), "the disk is full");
}

#[coro::test]
async fn a_thread_sees_the_cancellation_though_the_loop_is_busy() {
    let token = CancelToken::new();
    let remote = token.remote();
    let thread = thread::spawn(move || {
        while !remote.is_cancelled() {
            thread::yield_now();
        }
        remote.blocking_cancelled()
    });
    token.cancel("busy");
    assert_eq!(thread.join().unwrap().reason(), "busy"); // blocks the loop
}

#[coro::test]
async fn threads_and_other_executors_wait_for_a_cancellation() {
    let token = CancelToken::new();
    let (begun, has_begun) = mpsc::channel();
    let waits: [fn(RemoteCancelToken) -> String; 3] = [
        |remote| remote.blocking_cancelled().to_string(),
        |remote| block_on(remote.cancelled()).to_string(),
        |remote| coro::run(async move { remote.cancelled().await.to_string() }),
    ];
    let threads = waits.map(|wait| {
        let (remote, begun) = (token.remote(), begun.clone());
        thread::spawn(move || {
            begun.send(()).unwrap();
            wait(remote)
        })
    });
    for _ in 0..3 {
        has_begun.recv().unwrap();
    }
    thread::sleep(Duration::from_millis(5)); // so that most of them wait
    token.cancel("all of you");
    let expected = token.reason().unwrap().to_string();
    for thread in threads {
        assert_eq!(thread.join().unwrap(), expected);
    }
}

#[coro::test]
async fn a_task_of_the_same_loop_may_wait_for_it_too() {
    let token = CancelToken::new();
    let remote = token.remote();
    let (cancelled, ()) = gather((remote.cancelled(), async { token.cancel("here") })).await;
    assert_eq!(cancelled.reason(), "here");
}

#[coro::test]
async fn the_parent_reaches_the_remote_token_of_a_child_that_was_dropped() {
    let token = CancelToken::new();
    let remote = token.child().remote();
    turns(2).await;
    token.cancel("from above");
    assert_eq!(remote.reason().unwrap().reason(), "from above");
}

#[coro::test]
async fn one_token_has_one_remote_side_and_one_task_until_the_last_clone_is_dropped() {
    let token = CancelToken::new();
    let tasks = || LoopHandle::current().all_tasks().len();
    let before = tasks();
    let (a, b) = (token.remote(), token.remote());
    assert_eq!(tasks(), before + 1);
    drop(a);
    turns(3).await;
    assert_eq!(tasks(), before + 1);
    drop(b);
    turns(3).await;
    assert_eq!(tasks(), before);
    assert!(!token.is_cancelled());
    let again = token.remote();
    token.cancel("again");
    assert!(again.is_cancelled());
    turns(3).await;
    assert_eq!(tasks(), before);
}

#[coro::test]
async fn the_remote_token_of_a_cancelled_one_is_cancelled() {
    let token = CancelToken::new();
    token.cancel("before");
    let remote = token.remote();
    assert_eq!(remote.cancelled().await.reason(), "before");
}

#[test]
fn the_end_of_the_loop_cancels_what_threads_wait_for() {
    let remote = coro::run(async { CancelToken::new().remote() });
    let reason = remote.blocking_cancelled();
    assert_eq!(reason.reason(), "the event loop of the token is closed");

    let mut event_loop = EventLoop::new().unwrap();
    let waits = event_loop.run_until_complete(async {
        let remote = CancelToken::new().remote();
        thread::spawn(move || remote.blocking_cancelled())
    });
    event_loop.close();
    assert_eq!(waits.unwrap().join().unwrap().reason(), reason.reason());
}

#[test]
fn it_needs_a_loop_and_blocks_no_loop() {
    let text = panic_of(|| CancelToken::new().remote());
    assert!(
        text.starts_with("no event loop is running on this thread"),
        "{text}"
    );
    let text = panic_of(|| coro::run(async { CancelToken::new().remote().blocking_cancelled() }));
    assert!(text.contains("blocking_wait()"), "{text}");
}
