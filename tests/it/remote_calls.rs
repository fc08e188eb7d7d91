//! Callouts that another thread registers and cancels.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use coro::event_loop::RemoteCallHandle;
use coro::{EventLoop, LoopHandle, call_soon, sleep};

use crate::support::{OnDrop, Reports, ms, turns};

fn add(count: &Arc<AtomicUsize>) -> impl FnOnce() + Send + 'static {
    let count = count.clone();
    move || {
        count.fetch_add(1, Ordering::Relaxed);
    }
}

#[coro::test]
async fn a_cancelled_callout_is_not_called_and_its_closure_is_dropped_at_once() {
    let remote = LoopHandle::current().remote();
    let canceller = thread::spawn(move || {
        let dropped_on = Arc::new(std::sync::Mutex::new(None));
        let place = dropped_on.clone();
        let on_drop = OnDrop::new(move || {
            *place.lock().unwrap() = Some(thread::current().id());
        });
        let call = remote.call_soon(move || {
            let _on_drop = on_drop;
            panic!("called though it was cancelled");
        });
        let call = call.unwrap();
        assert!(!call.is_cancelled());
        call.cancel();
        call.cancel();
        assert!(call.is_cancelled());
        assert_eq!(*dropped_on.lock().unwrap(), Some(thread::current().id()));
    });
    canceller.join().unwrap(); // the loop has had no turn
    let reports = Reports::here();
    turns(3).await;
    reports.assert_taken([]);
}

#[coro::test]
async fn a_callout_that_was_called_is_not_cancelled_any_more() {
    let remote = LoopHandle::current().remote();
    let called = Arc::new(AtomicUsize::new(0));
    let call = remote.call_soon(add(&called));
    let call = call.unwrap();
    turns(2).await;
    assert_eq!(called.load(Ordering::Relaxed), 1);
    call.cancel();
    assert!(!call.is_cancelled());
    assert_eq!(format!("{call:?}"), "RemoteCallHandle { cancelled: false }");
}

#[coro::test]
async fn dropping_the_handle_cancels_nothing() {
    let remote = LoopHandle::current().remote();
    let called = Arc::new(AtomicUsize::new(0));
    drop(remote.call_soon(add(&called)));
    turns(2).await;
    assert_eq!(called.load(Ordering::Relaxed), 1);
}

#[coro::test]
async fn a_callout_may_cancel_one_behind_it() {
    let remote = LoopHandle::current().remote();
    let called = Arc::new(AtomicUsize::new(0));
    let second: Arc<std::sync::Mutex<Option<RemoteCallHandle>>> = Arc::default();
    let cancelled = second.clone();
    remote
        .call_soon(move || cancelled.lock().unwrap().take().unwrap().cancel())
        .unwrap();
    let behind = remote.call_soon(add(&called));
    *second.lock().unwrap() = Some(behind.unwrap());
    turns(3).await;
    assert_eq!(called.load(Ordering::Relaxed), 0);
}

#[coro::test(real)]
async fn each_callout_is_either_called_or_cancelled() {
    const EACH: usize = 2_000;
    let called = Arc::new(AtomicUsize::new(0));
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let (remote, called) = (LoopHandle::current().remote(), called.clone());
            thread::spawn(move || {
                let mut cancelled = 0;
                for n in 0..EACH {
                    let call = remote.call_soon(add(&called)).unwrap();
                    if n % 3 != 0 {
                        thread::yield_now();
                    }
                    call.cancel();
                    cancelled += usize::from(call.is_cancelled());
                }
                cancelled
            })
        })
        .collect();
    while threads.iter().any(|thread| !thread.is_finished()) {
        sleep(ms(1)).await;
    }
    turns(3).await;
    let cancelled: usize = threads.into_iter().map(|it| it.join().unwrap()).sum();
    assert_eq!(called.load(Ordering::Relaxed) + cancelled, 4 * EACH);
}

#[test]
fn a_loop_that_closes_drops_the_closure_though_the_handle_is_kept() {
    let dropped = Arc::new(AtomicUsize::new(0));
    let mut event_loop = EventLoop::new().unwrap();
    let remote = event_loop.handle().remote();
    let on_drop = OnDrop::new(add(&dropped));
    let call = remote.call_soon(move || drop(on_drop)).unwrap();
    event_loop.close();
    assert_eq!(dropped.load(Ordering::Relaxed), 1);
    assert!(!call.is_cancelled());
    call.cancel();
    assert!(!call.is_cancelled(), "it was dropped before");
}

#[coro::test]
async fn callouts_of_this_thread_and_of_others_keep_their_order() {
    let remote = LoopHandle::current().remote();
    let order = Arc::new(std::sync::Mutex::new(Vec::new()));
    let add = |name: &'static str| {
        let order = order.clone();
        move || order.lock().unwrap().push(name)
    };
    remote.call_soon(add("sent first")).unwrap();
    let cancelled = remote.call_soon(add("cancelled")).unwrap();
    remote.call_soon(add("sent second")).unwrap();
    cancelled.cancel();
    call_soon(add("own"));
    turns(4).await;
    let order = order.lock().unwrap();
    let sent: Vec<_> = order
        .iter()
        .filter(|name| name.starts_with("sent"))
        .collect();
    assert_eq!(sent, [&"sent first", &"sent second"]);
    assert_eq!(order.len(), 3);
}
