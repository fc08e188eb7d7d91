//! `Dump`: taking a tree of all tasks, between two steps of the loop.
//!
//! Nothing leads from a task to the leaf that it waits for. So the loop polls each idle task once
//! more, by its own waker, and the leaves report meanwhile (`task/looking`). Nothing is borrowed while
//! foreign code runs: a task may end, panic, spawn and wake as in any other step. The dump keeps its
//! place in the ready queue, and tasks that only report take none.

use std::any::type_name;
use std::cell::Cell;
use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use super::alarms::Alarms;
use super::{Core, EventLoop, LoopHandle, RemoteHandle, inside};
use crate::error::LoopClosed;
use crate::panics::unpoisoned;
use crate::sight::{TaskTree, TreeBuilder};
use crate::task::looking::Collecting;
use crate::task::{MainTask, Step, looking};
use crate::timers::TimerKey;

/// The receiver of a tree.
type Asker = Box<dyn FnOnce(&Core, TaskTree)>;

/// A dump for which the main future is being polled.
pub(super) struct MainLook(Box<(Asker, TreeBuilder, Collecting)>);

/// What a loop has to know about its dumps.
#[derive(Default)]
pub(super) struct Dumps {
    /// The receiver of the tree that is to be taken now.
    asked: Cell<Option<Asker>>,
    /// How many dumps stand in the ready queue.
    queued: Cell<usize>,
    pub(super) alarms: Alarms,
    /// Whether a dump is taken after each turn, to test that dumps change nothing.
    #[cfg(debug_assertions)]
    storms: bool,
    /// For how many turns no such dump is taken.
    #[cfg(debug_assertions)]
    calm: Cell<usize>,
}

impl Dumps {
    pub(super) fn new(alarms: Alarms) -> Self {
        Dumps {
            alarms,
            #[cfg(debug_assertions)]
            storms: std::env::var_os("CORO_SIGHT_STORM").is_some(),
            ..Dumps::default()
        }
    }
}

impl LoopHandle {
    /// Asks for a tree of all tasks, each with its state and the lines where it waits.
    ///
    /// The counterpart of `asyncio.all_tasks` with the stack of each, and of `python -m asyncio
    /// pstree`. The loop takes the dump after the present step, without leaving the queue of tasks:
    /// it polls each task that waits once more, with the flag up by which leaves report. To a future
    /// this is a poll without a wake-up, which it has to allow; [`sight::opaque`] is for one that
    /// does not. The order of the tasks that are ready stays as it is. A task that ends in this poll
    /// is not in the tree.
    ///
    /// Lines are shown of awaits in functions with an attribute, and of futures of this library.
    /// Other futures are shown by the name of their type.
    ///
    /// Dropping the future asks for nothing, or loses the tree.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// coro::run(async {
    ///     let napping = coro::spawn(coro::sleep(Duration::from_secs(30)));
    ///     coro::yield_now().await;
    ///     let tree = coro::LoopHandle::current().dump().await;
    ///     assert!(tree.to_string().contains("a timer, due in"));
    ///     napping.cancel();
    /// });
    /// ```
    ///
    /// [`sight::opaque`]: crate::sight::opaque
    ///
    /// # Panics
    ///
    /// When it is first polled, if the loop is closed.
    #[doc(alias = "pstree")]
    #[doc(alias = "backtrace")]
    #[doc(alias = "taskdump")]
    #[doc(alias = "console")]
    #[inline]
    pub fn dump(&self) -> Dump {
        Dump {
            of: self.clone(),
            shared: None,
        }
    }

    /// Has the loop take a dump in its turn, and pass it to `asker`.
    pub(super) fn ask(&self, asker: Asker) {
        self.core().ask(asker);
    }
}

impl EventLoop {
    /// A tree of all tasks, between two runs of the loop: see [`LoopHandle::dump`].
    ///
    /// A closed loop has no tasks.
    ///
    /// # Panics
    ///
    /// If this thread is inside of a loop: await [`LoopHandle::dump`] there.
    #[doc(alias = "pstree")]
    #[inline]
    #[track_caller]
    pub fn dump(&mut self) -> TaskTree {
        assert!(
            !inside::is_inside(),
            "EventLoop::dump() on a thread that is running an event loop: await \
             LoopHandle::dump() there"
        );
        let _inside = inside::enter(&self.core.scheduler, self.core.clone());
        self.core.dump_tasks(self.core.begin_dump())
    }
}

impl RemoteHandle {
    /// Asks the loop for a tree of all tasks: see [`LoopHandle::dump`]. A loop that sleeps is woken.
    ///
    /// Gives a future, which [`wait`](RemoteDump::wait) turns into a wait of this thread. While a
    /// step of the loop goes on, there is no tree.
    ///
    /// # Errors
    ///
    /// [`LoopClosed`] once the loop is closed.
    #[doc(alias = "pstree")]
    #[inline]
    pub fn dump(&self) -> Result<RemoteDump, LoopClosed> {
        let shared = Arc::new(SharedTree::default());
        let promise = TreePromise(shared.clone());
        self.call_soon(move || {
            let asker = move |_: &Core, tree| promise.keep(tree);
            LoopHandle::current().ask(Box::new(asker));
        })?;
        Ok(RemoteDump { shared })
    }
}

/// The future of [`LoopHandle::dump`].
#[must_use = "the dump is taken when this is awaited"]
pub struct Dump {
    of: LoopHandle,
    shared: Option<Rc<LocalTree>>,
}

#[derive(Default)]
struct LocalTree {
    tree: Cell<Option<TaskTree>>,
    waiter: Cell<Option<Waker>>,
}

impl Future for Dump {
    type Output = TaskTree;

    #[inline]
    #[track_caller]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<TaskTree> {
        if let Some(shared) = &self.shared {
            if let Some(tree) = shared.tree.take() {
                return Poll::Ready(tree);
            }
            let before = shared.waiter.replace(Some(cx.waker().clone()));
            drop(before);
            if looking::is_looking() {
                let step = Step::Notice { of: "a dump" };
                looking::leaf_at(step, Location::caller(), type_name::<Self>());
            }
            return Poll::Pending;
        }
        self.of.check_open("dump");
        let shared = Rc::new(LocalTree::default());
        shared.waiter.set(Some(cx.waker().clone()));
        self.shared = Some(shared.clone());
        self.of.ask(Box::new(move |core, tree| {
            shared.tree.set(Some(tree));
            if let Some(waiter) = shared.waiter.take() {
                core.scheduler.wake(waiter);
            }
        }));
        Poll::Pending
    }
}

impl fmt::Debug for Dump {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Dump(..)")
    }
}

/// A tree that another thread has asked for; a future there, or a value to block for.
///
/// Its output is an error if the loop was closed before it took the dump.
#[must_use = "the tree is had by awaiting this, or by wait()"]
pub struct RemoteDump {
    shared: Arc<SharedTree>,
}

#[derive(Default)]
struct SharedTree {
    state: Mutex<TreeState>,
    done: Condvar,
}

#[derive(Default)]
struct TreeState {
    /// `Err` if there will be no tree.
    tree: Option<Result<TaskTree, LoopClosed>>,
    waiter: Option<Waker>,
}

impl SharedTree {
    #[inline]
    fn lock(&self) -> MutexGuard<'_, TreeState> {
        unpoisoned(self.state.lock())
    }

    #[inline]
    fn set(&self, tree: Result<TaskTree, LoopClosed>) {
        let mut state = self.lock();
        state.tree.get_or_insert(tree);
        let waiter = state.waiter.take();
        drop(state);
        self.done.notify_all();
        if let Some(waiter) = waiter {
            waiter.wake();
        }
    }
}

impl RemoteDump {
    /// Blocks the calling thread until the loop has taken the dump, for `limit` at most. `None` if
    /// the limit has passed; then the loop is in a long step, and waiting again may help.
    ///
    /// # Errors
    ///
    /// [`LoopClosed`] if the loop was closed before it took the dump.
    ///
    /// On the thread of the loop itself there will be no tree, so the whole limit passes: await it
    /// there.
    #[inline]
    pub fn wait(&self, limit: Duration) -> Result<Option<TaskTree>, LoopClosed> {
        let state = self.shared.lock();
        let waits = |state: &mut TreeState| state.tree.is_none();
        let waited = self.shared.done.wait_timeout_while(state, limit, waits);
        let (mut state, _) = unpoisoned(waited);
        match &mut state.tree {
            None => Ok(None),
            Some(tree) => tree.clone().map(Some),
        }
    }
}

impl Future for RemoteDump {
    type Output = Result<TaskTree, LoopClosed>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let waker = cx.waker().clone(); // foreign code: not under the lock
        let mut state = self.shared.lock();
        if let Some(tree) = &state.tree {
            return Poll::Ready(tree.clone());
        }
        let before = state.waiter.replace(waker);
        drop(state);
        drop(before);
        Poll::Pending
    }
}

impl fmt::Debug for RemoteDump {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RemoteDump")
            .field("taken", &self.shared.lock().tree.is_some())
            .finish()
    }
}

/// Delivers a tree in any case: an error, if the loop drops it before.
struct TreePromise(Arc<SharedTree>);

impl TreePromise {
    #[inline]
    fn keep(self, tree: TaskTree) {
        self.0.set(Ok(tree));
    }
}

impl Drop for TreePromise {
    #[inline]
    fn drop(&mut self) {
        self.0.set(Err(LoopClosed));
    }
}

impl Core {
    /// Queues a dump, whose tree is passed to `asker`.
    pub(super) fn ask(&self, asker: Asker) {
        self.dumps.queued.set(self.dumps.queued.get() + 1);
        let ask = move || {
            let current = LoopHandle::current(); // this loop runs the closure
            let queued = &current.core().dumps.queued;
            queued.set(queued.get() - 1);
            let before = current.core().dumps.asked.replace(Some(asker));
            drop(before);
        };
        self.scheduler.call_to_look(Location::caller(), ask);
    }

    /// How many stand in the ready queue that are no dumps.
    pub(super) fn steps_ready(&self) -> usize {
        let dumps = self.dumps.queued.get();
        self.scheduler.ready_len().saturating_sub(dumps)
    }

    /// Has a dump taken at the end of a turn that has work, if a test has asked for that. If there are
    /// thousands of tasks, turns without a dump follow, so that the time stays in proportion.
    #[cfg(debug_assertions)]
    pub(super) fn storm(&self) {
        let calm = &self.dumps.calm;
        if self.dumps.storms && calm.replace(calm.get().saturating_sub(1)) == 0 {
            self.storm_now();
        }
    }

    #[cfg(debug_assertions)]
    fn storm_now(&self) {
        if self.steps_ready() > 0 {
            self.ask(Box::new(|core, tree| {
                drop(tree.to_string());
                let thousands = tree.tasks().len() / 1_000;
                core.dumps.calm.set(thousands * thousands);
            }));
        }
    }

    /// Begins the dump that was asked for, of the main future too. If that waits, the caller has to poll
    /// it, and then to end the dump; or else the dump has been taken.
    #[cold]
    pub(super) fn begin_main_look(&self, main: &MainTask, name: &'static str) -> Option<MainLook> {
        let asker = self.dumps.asked.take()?;
        let mut builder = self.begin_dump();
        if let Some(collecting) = main.begin_look() {
            return Some(MainLook(Box::new((asker, builder, collecting))));
        }
        builder.add(main.handle(), None, Some(name));
        asker(self, self.dump_tasks(builder));
        None
    }

    /// Ends the dump for which the main future was polled; `waits` says whether it still waits.
    #[cold]
    pub(super) fn end_main_look(
        &self,
        MainLook(begun): MainLook,
        main: &MainTask,
        name: &'static str,
        waits: bool,
    ) {
        let (asker, mut builder, collecting) = *begun;
        let look = collecting.end();
        if waits {
            builder.add(main.handle(), Some(look), Some(name));
        }
        asker(self, self.dump_tasks(builder));
    }

    /// Takes the dump that was asked for; no main future waits.
    #[cold]
    pub(super) fn dump_without_main(&self) {
        if let Some(asker) = self.dumps.asked.take() {
            asker(self, self.dump_tasks(self.begin_dump()));
        }
    }

    /// A wake-up that is on its way counts.
    fn begin_dump(&self) -> TreeBuilder {
        self.scheduler.deliver();
        self.stamp_timers();
        drop(self.scheduler.take_holders());
        TreeBuilder::new()
    }

    fn dump_tasks(&self, mut builder: TreeBuilder) -> TaskTree {
        let mut last = None;
        for task in self.scheduler.tasks() {
            last = Some(task.id());
            let look = task.look();
            self.stamp_timers();
            builder.add(task, look, None);
        }
        for task in self.scheduler.tasks() {
            if Some(task.id()) > last {
                builder.add(task, None, None); // it was spawned meanwhile
            }
        }
        let now = self.clock.instant(self.clock.now());
        builder.finish(self.scheduler.take_holders(), now)
    }

    /// The deadline of a timer that is armed.
    pub(super) fn deadline_of(&self, key: TimerKey) -> Option<Instant> {
        let deadline = self.timers.borrow().deadline(key);
        deadline.map(|deadline| self.clock.instant(deadline))
    }
}
