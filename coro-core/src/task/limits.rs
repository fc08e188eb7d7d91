//! The counts of a task at their limits: the process is aborted before a count wraps.
//!
//! Each test runs itself again in a child process, which sets the count by hand: to count that far
//! takes minutes.

use std::cell::Cell;
use std::env;
use std::future::poll_fn;
use std::os::unix::process::ExitStatusExt;
use std::panic::Location;
use std::process::{Command, Stdio};
use std::rc::Rc;
use std::task::{Poll, Waker};
use std::thread;

use super::count::{MOST_REMOTE, MOST_WAKERS, TaskRef};
use super::{Ran, Scheduler, current, waker};
use crate::primitives::Ordering;
use crate::sys::{Poller, WakeUp};

const SIGABRT: i32 = 6;
const CHILD: &str = "CORO_TEST_LIMIT";

/// Calls `f` inside of a task's poll; gives whether it returned.
fn in_a_task(f: impl Fn(&TaskRef, &Waker) + 'static) {
    let poller = Poller::new().unwrap();
    let scheduler = Scheduler::new(WakeUp::new(poller.registry()).unwrap(), false, false);
    let _inside = current::enter(&scheduler, Rc::new(()));
    let done = Rc::new(Cell::new(false));
    let future = poll_fn({
        let (scheduler, done) = (scheduler.clone(), done.clone());
        move |cx| {
            f(&waker::running(&scheduler).unwrap(), cx.waker());
            done.set(true);
            Poll::Ready(())
        }
    });
    let task = scheduler.spawn(future, Location::caller(), false);
    while scheduler.run_next() != Ran::Nothing {}
    assert!(done.get());
    drop(task);
    scheduler.begin_close();
    scheduler.end_close();
}

/// Whether the test of this name, run as a child, is aborted by `f`.
fn aborts(name: &str, f: impl Fn(&TaskRef, &Waker) + 'static) -> bool {
    if env::var_os(CHILD).is_some() {
        in_a_task(f);
        return true; // the parent sees that the child was not aborted
    }
    let child = Command::new(env::current_exe().unwrap())
        .args([&format!("task::limits::{name}"), "--exact"])
        .env(CHILD, "1")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    child.unwrap().signal() == Some(SIGABRT)
}

#[test]
fn one_handle_too_many() {
    assert!(aborts("one_handle_too_many", |task, _| {
        task.header().node.handles.set(u32::MAX);
        std::mem::forget(task.clone());
    }));
}

#[test]
fn one_waker_too_many() {
    assert!(aborts("one_waker_too_many", |task, waker| {
        task.header().wakers.set(MOST_WAKERS);
        std::mem::forget(waker.clone());
    }));
}

#[test]
fn one_waker_too_many_on_another_thread() {
    assert!(aborts(
        "one_waker_too_many_on_another_thread",
        |task, waker| {
            let remote = &task.header().remote;
            remote.store(MOST_REMOTE + 1, Ordering::Relaxed);
            thread::scope(|threads| {
                threads.spawn(|| std::mem::forget(waker.clone()));
            });
        }
    ));
}

#[test]
fn one_release_too_many() {
    assert!(aborts("one_release_too_many", |task, waker| {
        let clone = waker.clone();
        task.header().wakers.set(i32::MIN);
        drop(clone);
    }));
}

#[test]
fn as_many_as_there_may_be() {
    in_a_task(|task, waker| {
        let header = task.header();
        let handles = header.node.handles.replace(u32::MAX - 1);
        drop(task.clone());
        header.node.handles.set(handles);
        let wakers = header.wakers.replace(MOST_WAKERS - 1);
        drop(waker.clone());
        header.wakers.set(wakers);
    });
}
