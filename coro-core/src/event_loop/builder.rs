//! `Builder`: the settings of an `EventLoop`, before it is made.

use std::cell::{Cell, OnceCell, RefCell};
use std::hash::{BuildHasher, RandomState};
use std::io;
use std::rc::Rc;
use std::time::Duration;

use super::reactor::Reactor;
use super::{Core, EventLoop};
use crate::clock::{Clock, nanos};
use crate::pool::{ThreadPool, ThreadPoolBuilder};
use crate::sys::{Poller, WakeUp};
use crate::task::{Listed, Scheduler};
use crate::timers::Timers;

/// How long a loop waits for its threads when it is closed, as in asyncio.
const JOIN_THREADS: Duration = Duration::from_secs(300);

/// Settings of an [`EventLoop`], made by [`EventLoop::builder`].
#[derive(Debug, Clone)]
#[must_use]
pub struct Builder {
    virtual_time: bool,
    debug: bool,
    busy_poll: Duration,
    thread_pool: ThreadPoolBuilder,
    join_threads: Duration,
}

impl Default for Builder {
    fn default() -> Self {
        Builder {
            virtual_time: false,
            debug: false,
            busy_poll: Duration::ZERO,
            thread_pool: ThreadPool::builder(),
            join_threads: JOIN_THREADS,
        }
    }
}

impl Builder {
    /// Gives the loop a virtual clock: time stands still while anything is ready, and jumps to the
    /// next deadline when nothing is.
    ///
    /// So a test of a thousand hours takes a moment and always has the same order. While anything
    /// real is outstanding, time flows as it really does, so that no timer overtakes it.
    /// Real is a descriptor that is waited for, a job on another thread, a [`RemoteHandle`] that is
    /// still alive, and a wait at a primitive of [`sync::remote`](crate::sync::remote), whose other
    /// end may be anywhere. The idea is that of Trio's `MockClock` with its autojump.
    ///
    /// The loop cannot know of anything else that may wake a task from outside: a thread with a
    /// channel of another library, a runtime of its own. A timeout around such a wait elapses at
    /// once, unless one of the above is outstanding; a test of that wants the real clock, as
    /// `#[coro::test(real)]` has it.
    pub fn virtual_time(mut self) -> Self {
        self.virtual_time = true;
        self
    }

    /// Has the loop measure each step, and report those that hold it up for 100 ms or more.
    pub fn debug(mut self, debug: bool) -> Self {
        self.debug = debug;
        self
    }

    /// Has the loop look for descriptors and messages again and again for `duration` before it goes
    /// to sleep.
    ///
    /// Being woken by the system takes tens of microseconds; a loop that is still looking hears at
    /// once. It costs a whole core while nothing happens, for `duration` at a time. The default is
    /// zero, which is not to. Under a virtual clock it does nothing.
    pub fn busy_poll(mut self, duration: Duration) -> Self {
        self.busy_poll = duration;
        self
    }

    /// The settings of the pool of threads that the loop makes when it first needs one, for
    /// [`to_thread`](crate::threads::to_thread).
    pub fn thread_pool(mut self, settings: ThreadPoolBuilder) -> Self {
        self.thread_pool = settings;
        self
    }

    /// For how long at most closing the loop waits for jobs that still run on its threads: five
    /// minutes by default, as in asyncio.
    ///
    /// Jobs that take longer are reported, and left behind: they go on, and end with the process.
    pub fn join_threads(mut self, limit: Duration) -> Self {
        self.join_threads = limit;
        self
    }

    /// Makes the loop.
    ///
    /// # Errors
    ///
    /// If the operating system gives no poller, as when the process has no descriptors left.
    pub fn build(self) -> io::Result<EventLoop> {
        let poller = Poller::new()?;
        let wake_up = WakeUp::new(poller.registry())?;
        let clock = if self.virtual_time {
            Clock::virtual_time()
        } else {
            Clock::real()
        };
        let scheduler = Scheduler::new(wake_up, self.debug);
        let core = Core {
            listed: Listed::new(&scheduler),
            scheduler,
            clock,
            timers: RefCell::new(Timers::new()),
            has_fresh: Cell::new(false),
            reactor: Reactor::new(poller)?,
            stopping: Cell::new(false),
            interrupted: Cell::new(None),
            busy_poll: nanos(self.busy_poll),
            chances: Cell::new(match self.virtual_time {
                true => 0,
                false => RandomState::new().hash_one(0), // every one begins with other keys
            }),
            read_buffer: Cell::default(),
            #[cfg(unix)]
            kept: RefCell::default(),
            threads: OnceCell::new(),
            threads_wanted: self.thread_pool,
            join_threads: self.join_threads,
        };
        Ok(EventLoop {
            core: Rc::new(core),
        })
    }
}
