//! Every interleaving of the operations of several threads on one task, as loom finds them.
//!
//! Loom also counts the blocks and the `Arc`s: a block that is freed twice, or not at all, fails the
//! model.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::panic::Location;
use std::rc::Rc;
use std::sync::atomic::Ordering::{Acquire, Release};
use std::task::{Poll, Waker};

use loom::sync::Arc;
use loom::sync::atomic::AtomicUsize;
use loom::thread;

use super::{Ran, Scheduler, Task, current};
use crate::sys::{Poller, WakeUp};

/// A scheduler without a loop: the test takes its turns.
struct World {
    scheduler: Rc<Scheduler>,
    _poller: Poller,
}

impl World {
    fn new() -> Self {
        let poller = Poller::new().unwrap();
        let wake_up = WakeUp::new(poller.registry()).unwrap();
        World {
            scheduler: Scheduler::new(wake_up, false, false),
            _poller: poller,
        }
    }

    fn inside<T>(&self, f: impl FnOnce() -> T) -> T {
        let _inside = current::enter(&self.scheduler, Rc::new(()));
        f()
    }

    fn turn(&self) {
        self.inside(|| {
            self.scheduler.deliver();
            while self.scheduler.run_next() != Ran::Nothing {}
        });
    }

    fn close(&self) {
        self.inside(|| {
            self.scheduler.begin_close();
            self.scheduler.end_close();
        });
    }

    /// A task that was polled once and gave its waker away; it ends when `ready` says so.
    fn task(&self, ready: impl Fn() -> bool + 'static) -> (Task<()>, Waker, Rc<Cell<u32>>) {
        let given = Rc::new(RefCell::new(None));
        let polls = Rc::new(Cell::new(0));
        let future = poll_fn({
            let (given, polls) = (given.clone(), polls.clone());
            move |cx| {
                polls.set(polls.get() + 1);
                if polls.get() == 1 {
                    *given.borrow_mut() = Some(cx.waker().clone());
                }
                if ready() {
                    Poll::Ready(())
                } else {
                    Poll::Pending
                }
            }
        });
        let task = self.inside(|| self.scheduler.spawn(future, Location::caller(), false));
        self.turn();
        let waker = given.take().unwrap();
        (task, waker, polls)
    }
}

/// Clones, wakes and drops a waker, on another thread.
fn use_up(waker: Waker) {
    let second = waker.clone();
    waker.wake_by_ref();
    drop(waker);
    second.wake();
}

#[test]
fn a_task_ends_while_its_waker_is_used_elsewhere() {
    for handle_goes_first in [false, true] {
        loom::model(move || {
            let world = World::new();
            let (task, waker, _) = world.task(|| false);
            let other = thread::spawn(move || use_up(waker));
            task.cancel();
            if handle_goes_first {
                drop(task);
                world.turn();
            } else {
                world.turn();
                drop(task);
            }
            other.join().unwrap();
            world.turn();
            world.close();
        });
    }
}

#[test]
fn a_waker_outlives_the_loop() {
    loom::model(|| {
        let world = World::new();
        let (task, waker, _) = world.task(|| false);
        let other = thread::spawn(move || use_up(waker));
        drop(task);
        world.close();
        drop(world);
        other.join().unwrap();
    });
}

#[test]
fn a_local_clone_and_a_remote_one_are_dropped_at_once() {
    loom::model(|| {
        let world = World::new();
        let (task, waker, _) = world.task(|| false);
        let here = world.inside(|| waker.clone());
        let other = thread::spawn(move || drop(waker));
        task.cancel();
        world.turn();
        drop(task);
        world.inside(|| drop(here));
        other.join().unwrap();
        world.close();
    });
}

#[test]
fn no_wake_up_from_two_threads_is_lost() {
    loom::model(|| {
        let world = World::new();
        let said = Arc::new(AtomicUsize::new(0));
        let heard = said.clone();
        let (task, waker, polls) = world.task(move || heard.load(Acquire) == 2);
        let speak = |waker: Waker| {
            let said = said.clone();
            thread::spawn(move || {
                said.fetch_add(1, Release);
                waker.wake();
            })
        };
        let others = [speak(waker.clone()), speak(waker)];
        world.turn();
        for other in others {
            other.join().unwrap();
        }
        world.turn();
        assert!(task.is_finished());
        assert!(polls.get() <= 4);
        drop((task, said));
        world.close();
    });
}

#[test]
fn a_loop_that_falls_asleep_hears_what_was_sent() {
    loom::model(|| {
        let world = World::new();
        let inbox = world.scheduler.inbox().clone();
        let other = thread::spawn(move || inbox.push_call(Box::new(|| {})).unwrap());
        let sleeps = world.scheduler.inbox().fall_asleep();
        other.join().unwrap();
        assert!(!sleeps || !world.scheduler.inbox().is_asleep());
        assert!(world.scheduler.inbox().is_pending());
        world.turn();
        world.close();
    });
}
