//! Wakers of the members of a group, used by other threads.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::task::{Context, Poll, Waker};
use std::thread;

use futures::StreamExt;

type Request = (Arc<AtomicBool>, Waker);

/// Waits `left` times for a wake from one of the threads.
struct Errand {
    threads: Vec<Sender<Request>>,
    left: usize,
    done: Arc<AtomicBool>,
}

impl Future for Errand {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.done.load(Ordering::Acquire) {
            if self.left == 0 {
                return Poll::Ready(());
            }
            self.left -= 1;
            self.done = Arc::default();
            let thread = &self.threads[self.left % self.threads.len()];
            thread
                .send((self.done.clone(), cx.waker().clone()))
                .unwrap();
        }
        Poll::Pending
    }
}

/// Wakes by value, by reference, or later, after it has kept the waker for a while.
fn serve(requests: &Receiver<Request>) {
    let mut kept = Vec::new();
    for (number, (done, waker)) in requests.iter().enumerate() {
        done.store(true, Ordering::Release);
        match number % 3 {
            0 => waker.wake(),
            1 => waker.wake_by_ref(),
            _ => {
                kept.push(waker.clone());
                waker.wake();
            }
        }
        if kept.len() == 50 {
            kept.drain(..).for_each(Waker::wake);
        }
    }
}

/// Calls `f` with a function that makes errands, while threads wake them.
fn with_threads(f: impl FnOnce(&dyn Fn(usize) -> Errand)) {
    thread::scope(|s| {
        let threads = [(); 3].map(|()| {
            let (sender, receiver) = channel();
            s.spawn(move || serve(&receiver));
            sender
        });
        f(&|left| Errand {
            threads: threads.to_vec(),
            left,
            done: Arc::new(AtomicBool::new(true)),
        });
    });
}

#[test]
fn no_wake_from_another_thread_is_lost_on_a_gathered_future() {
    with_threads(|errand| {
        coro::run(async {
            coro::gather((0..200).map(|number| errand(number % 40))).await;
            let done = coro::group::as_completed((0..200).map(|number| errand(number % 40)));
            assert_eq!(done.count().await, 200);
        });
    });
}

#[test]
fn no_wake_from_another_thread_is_lost_on_children_that_come_and_go() {
    with_threads(|errand| {
        let ended = Cell::new(0);
        coro::run(coro::scope(async |s| {
            for number in 0..400 {
                let child = s.spawn(async { errand(20).await });
                s.spawn(async {
                    child.await;
                    ended.set(ended.get() + 1);
                });
                errand(number % 3).await;
            }
        }));
        assert_eq!(ended.get(), 400);
    });
}

#[test]
fn a_waker_that_a_child_has_left_behind_wakes_no_other_child() {
    let left_behind = RefCell::new(Vec::new());
    let polls = Cell::new(0);
    let leave = || {
        poll_fn(|cx| {
            left_behind.borrow_mut().push(cx.waker().clone());
            Poll::Ready(())
        })
    };
    let count = || {
        poll_fn(|cx| {
            polls.set(polls.get() + 1);
            let _counted = cx.waker().clone();
            Poll::<()>::Pending
        })
    };
    coro::run(coro::scope(async |s| {
        for _ in 0..10 {
            s.spawn(leave()).await;
        }
        let children = [(); 10].map(|()| s.spawn(count()));
        coro::yield_now().await;
        let wakers = left_behind.take();
        wakers.iter().for_each(Waker::wake_by_ref);
        coro::yield_now().await;
        assert_eq!(polls.get(), 10);

        drop(wakers); // frees the seats of the ended children
        let more = [(); 10].map(|()| s.spawn(count()));
        coro::yield_now().await;
        coro::yield_now().await;
        assert_eq!(polls.get(), 20);
        children
            .into_iter()
            .chain(more)
            .for_each(|child| child.cancel());
    }));
}
