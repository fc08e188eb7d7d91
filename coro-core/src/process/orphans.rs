//! Orphans: children without a waiter, reaped by one thread of the whole process.

use std::io;
use std::process::Child;
use std::sync::{Mutex, MutexGuard};
use std::thread;
use std::time::Duration;

use slab::Slab;

use crate::panics::unpoisoned;
use crate::sys::Pidfd;
use crate::sys::process::wait_until_ended;

/// How often a child is checked whose end the system does not announce.
const LOOK: Duration = Duration::from_millis(20);

const WAKE: mio::Token = mio::Token(usize::MAX);

struct Orphans {
    /// The children that the thread has not taken over yet.
    new: Vec<Child>,
    /// Wakes the thread, while it runs.
    thread: Option<mio::Waker>,
}

static ORPHANS: Mutex<Orphans> = Mutex::new(Orphans {
    new: Vec::new(),
    thread: None,
});

#[inline]
fn lock() -> MutexGuard<'static, Orphans> {
    unpoisoned(ORPHANS.lock())
}

/// Reaps a child, now or when it ends.
///
/// If the reaper thread cannot be started, because descriptors have run out, the child gets a
/// thread of its own. If that cannot be started either, a later [`look_again`] reaps it.
#[inline]
pub(super) fn adopt(mut child: Child) {
    if has_ended(&mut child) {
        return;
    }
    let id = child.id();
    let mut orphans = lock();
    orphans.new.push(child);
    if orphans.tell_thread().is_err() {
        let _ = small_thread("coro-wait", move || {
            let _ = wait_until_ended(id); // an error means that it is gone, too
            look_again();
        });
    }
}

/// Tries again for the children that have no thread.
#[inline]
pub(super) fn look_again() {
    let mut orphans = lock();
    if orphans.thread.is_none() && !orphans.new.is_empty() {
        orphans.new.retain_mut(|child| !has_ended(child));
        let _ = orphans.tell_thread();
    }
}

/// Starts a thread with a small stack.
pub(super) fn small_thread(name: &str, run: impl FnOnce() + Send + 'static) -> io::Result<()> {
    let thread = thread::Builder::new()
        .name(name.into())
        .stack_size(64 * 1024);
    thread.spawn(run).map(drop)
}

/// Whether a child has ended, and is reaped. A child whose status was taken elsewhere has ended
/// too.
#[inline]
fn has_ended(child: &mut Child) -> bool {
    !matches!(child.try_wait(), Ok(None))
}

impl Orphans {
    #[inline]
    fn tell_thread(&mut self) -> io::Result<()> {
        match &self.thread {
            Some(waker) => drop(waker.wake()), // it fails only when a wake-up is on its way
            None if self.new.is_empty() => {}
            None => self.thread = Some(Reaper::start()?),
        }
        Ok(())
    }
}

/// The reaper thread's data.
struct Reaper {
    poll: mio::Poll,
    watched: Slab<(Child, Pidfd)>,
    unwatched: Vec<Child>,
}

impl Reaper {
    #[inline]
    fn start() -> io::Result<mio::Waker> {
        let poll = mio::Poll::new()?;
        let waker = mio::Waker::new(poll.registry(), WAKE)?;
        let reaper = Reaper {
            poll,
            watched: Slab::new(),
            unwatched: Vec::new(),
        };
        small_thread("coro-reaper", move || reaper.run())?;
        Ok(waker)
    }

    /// Ends when no child is left.
    #[inline]
    fn run(mut self) {
        let mut events = mio::Events::with_capacity(64);
        while self.take_over() {
            let look = (!self.unwatched.is_empty()).then_some(LOOK);
            if self.poll.poll(&mut events, look).is_err() {
                continue; // interrupted
            }
            for event in &events {
                self.reap(event.token());
            }
            self.unwatched.retain_mut(|child| !has_ended(child));
        }
    }

    /// Takes the new children over; gives whether there are children to wait for.
    #[inline]
    fn take_over(&mut self) -> bool {
        let new = {
            let mut orphans = lock();
            if orphans.new.is_empty() && self.watched.is_empty() && self.unwatched.is_empty() {
                orphans.thread = None;
                return false;
            }
            std::mem::take(&mut orphans.new)
        };
        new.into_iter().for_each(|child| self.watch(child));
        true
    }

    #[inline]
    fn watch(&mut self, child: Child) {
        let place = self.watched.vacant_entry();
        let token = mio::Token(place.key());
        let registered = Pidfd::open(child.id()).and_then(|mut pidfd| {
            let registry = self.poll.registry();
            registry.register(&mut pidfd, token, mio::Interest::READABLE)?;
            Ok(pidfd)
        });
        match registered {
            Ok(pidfd) => drop(place.insert((child, pidfd))),
            Err(_) => self.unwatched.push(child),
        }
    }

    #[inline]
    fn reap(&mut self, token: mio::Token) {
        let ended = |(child, _): &mut (Child, Pidfd)| has_ended(child);
        if self.watched.get_mut(token.0).is_some_and(ended) {
            self.watched.remove(token.0); // closing the descriptor ends its registration
        }
    }
}
