//! Foreign code that panics, comes back, or is called later: wakers, comparisons, callbacks.

use std::cell::{Cell, RefCell};
use std::cmp::Ordering;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Wake, Waker};

use coro::sync::{PriorityQueue, TryRecvError};
use coro::{CancelToken, TaskLocal, spawn, yield_now};

use crate::support::{Wakes, turns};

struct Panics;

impl Wake for Panics {
    fn wake(self: Arc<Self>) {
        panic!("a waker of another library");
    }
}

#[test]
fn cancelling_a_token_wakes_all_though_a_waker_panics() {
    let token = CancelToken::new();
    let child = token.child();
    let (mut one, mut panics) = (pin!(token.cancelled()), pin!(token.cancelled()));
    let (mut after, mut of_child) = (pin!(token.cancelled()), pin!(child.cancelled()));
    let (wakes, counting) = Wakes::new();
    let panicking = Waker::from(Arc::new(Panics));
    let begin = |waiter: std::pin::Pin<&mut coro::group::WaitCancelled>, waker: &Waker| {
        assert!(waiter.poll(&mut Context::from_waker(waker)).is_pending());
    };
    begin(one.as_mut(), &counting);
    begin(panics.as_mut(), &panicking);
    begin(after.as_mut(), &counting);
    begin(of_child.as_mut(), &counting);
    let cancelled = catch_unwind(AssertUnwindSafe(|| token.cancel("now")));
    assert!(cancelled.is_err(), "the panic goes to the caller");
    assert_eq!(wakes.count(), 3);
    assert!(child.is_cancelled());
}

/// Compares by what a closure says first.
struct Item<'a>(u32, &'a dyn Fn());

impl Ord for Item<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.1)();
        self.0.cmp(&other.0)
    }
}

impl PartialOrd for Item<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Item<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl Eq for Item<'_> {}

#[test]
fn a_comparison_may_use_the_very_queue() {
    let queue: PriorityQueue<Item<'static>> = PriorityQueue::unbounded();
    let queue: &PriorityQueue<Item<'static>> = Box::leak(Box::new(queue));
    let asked: &Cell<u32> = Box::leak(Box::new(Cell::new(0)));
    let uses: &dyn Fn() = Box::leak(Box::new(move || {
        asked.set(asked.get() + 1);
        if asked.get() == 1 {
            assert!(queue.is_empty());
            queue.try_put(Item(0, &|| {})).ok().unwrap();
            queue.try_put(Item(9, &|| {})).ok().unwrap();
        }
        let _ = queue.len();
    }));
    for n in [3, 1, 2] {
        queue.try_put(Item(n, uses)).ok().unwrap();
    }
    let mut left = Vec::new();
    while let Ok(item) = queue.try_get() {
        left.push(item.0);
    }
    assert_eq!(left, [1, 0, 2, 3, 9], "what came meanwhile comes after it");
    assert!(asked.get() > 0);
}

#[test]
fn a_comparison_that_panics_leaves_the_queue_in_order() {
    let fails = Cell::new(true);
    let compare = || assert!(!fails.get(), "cannot compare");
    let queue = PriorityQueue::unbounded();
    for n in [3, 1, 2] {
        queue.try_put(Item(n, &compare)).ok().unwrap();
    }
    assert!(catch_unwind(AssertUnwindSafe(|| queue.try_get().is_ok())).is_err());
    assert_eq!(queue.len(), 3);
    fails.set(false);
    let left = std::iter::from_fn(|| queue.try_get().ok().map(|item| item.0));
    assert_eq!(left.collect::<Vec<_>>(), [1, 2, 3]);
    assert_eq!(queue.try_get().err(), Some(TryRecvError::Empty));
}

static REQUEST: TaskLocal<u32> = TaskLocal::new();

#[coro::test]
async fn done_callbacks_have_the_values_of_task_locals_from_where_they_were_added() {
    let seen = Rc::new(RefCell::new(Vec::new()));
    let see = |seen: &Rc<RefCell<Vec<_>>>| {
        let seen = seen.clone();
        move |_| seen.borrow_mut().push(REQUEST.get())
    };
    let task = spawn(yield_now());
    task.add_done_callback(see(&seen));
    REQUEST
        .scope(7, async {
            task.add_done_callback(see(&seen));
            task.await.unwrap();
            turns(1).await;
            let finished = spawn(async {});
            turns(1).await;
            finished.add_done_callback(see(&seen));
            turns(1).await;
        })
        .await;
    assert_eq!(*seen.borrow(), [None, Some(7), Some(7)]);
}

#[cfg(unix)]
#[coro::test]
async fn callbacks_of_descriptors_have_the_values_from_where_they_were_added() {
    use crate::support::Trace;
    use coro::LoopHandle;
    use std::io::{Read, Write};
    use std::os::unix::net::UnixStream;
    let (ours, mut theirs) = UnixStream::pair().unwrap();
    theirs.write_all(b"ab").unwrap();
    let ours = Rc::new(ours);
    let trace = Trace::new();
    let reader = {
        let (ours, trace) = (ours.clone(), trace.clone());
        move || {
            (&*ours).read_exact(&mut [0]).unwrap();
            trace.add(format!("read {:?}", REQUEST.get()));
        }
    };
    let loop_ = LoopHandle::current();
    let add = REQUEST.scope(4, async { loop_.add_reader(ours.clone(), reader).unwrap() });
    let _reading = add.await;
    while trace.len() < 2 {
        yield_now().await;
    }
    trace.assert(["read Some(4)", "read Some(4)"]);
    let writer = {
        let trace = trace.clone();
        move || {
            if trace.len() < 3 {
                trace.add(format!("write {:?}", REQUEST.get()));
            }
        }
    };
    let add = REQUEST.scope(5, async { loop_.add_writer(ours.clone(), writer).unwrap() });
    let _writing = add.await;
    while trace.len() < 3 {
        yield_now().await;
    }
    trace.assert(["read Some(4)", "read Some(4)", "write Some(5)"]);
}
