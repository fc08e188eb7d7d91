//! `CoreHandle`, public as `Core`: one of the cores of a run, as its main future is given it.

use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::rc::Rc;

use super::team::{Seat, Team};
use super::tree::CoresTree;
use crate::error::Cancelled;
use crate::event_loop::{LoopHandle, RemoteHandle, RemoteTask};
use crate::group::CancelToken;

/// A core of a run by [`Builder::run`](super::Builder::run): its index, and the ways to the others.
///
/// It stays on the thread of its core. Code that was not handed one asks [`current`](Self::current).
///
/// ```
/// use coro::cores::Core;
///
/// let ran = coro::cores::Builder::new().threads(2).run(async |core| {
///     let next = (core.index() + 1) % core.count();
///     let there = core.spawn_on(next, || async { Core::current().index() });
///     assert_eq!(there.await.unwrap(), next);
/// });
/// ran.unwrap();
/// ```
#[derive(Clone)]
pub struct CoreHandle {
    /// It has the team, too. A clone of its `Arc` would be counted by all cores at one place.
    seat: Rc<Seat>,
    index: usize,
}

impl CoreHandle {
    /// The core that the calling task runs on.
    ///
    /// # Panics
    ///
    /// In a loop that is no core of a run, and outside of a loop.
    #[track_caller]
    #[inline]
    pub fn current() -> Self {
        Self::try_current().expect(
            "there is no core here: call this in a task of a loop that `cores::Builder::run` runs",
        )
    }

    /// The core that the calling task runs on, if it runs on one.
    #[inline]
    pub fn try_current() -> Option<Self> {
        Self::of(&LoopHandle::try_current()?)
    }

    #[inline]
    pub(super) fn of(event_loop: &LoopHandle) -> Option<Self> {
        let seat = Seat::of(event_loop);
        let index = seat.place()?.1;
        Some(CoreHandle { seat, index })
    }

    #[inline]
    pub(super) fn seat(&self) -> &Seat {
        &self.seat
    }

    #[inline]
    pub(super) fn team(&self) -> &Team {
        let (team, _) = self.seat.place().expect("a core has taken its place");
        team
    }

    /// The index of this core, from zero on.
    #[inline]
    pub fn index(&self) -> usize {
        self.index
    }

    /// The number of cores of the run.
    #[doc(alias = "len")]
    #[inline]
    pub fn count(&self) -> usize {
        self.team().count()
    }

    /// Has the core with that index run a task: it calls `make`, and then runs the future that this
    /// gives. So the future itself need not be `Send`.
    ///
    /// The task is a future here, and is detached if that is dropped. It is cancelled if the run ends
    /// before, as all tasks of a core are. Spawning on the own core is possible too; [`spawn`] costs
    /// less.
    ///
    /// [`spawn`]: crate::event_loop::spawn
    ///
    /// # Panics
    ///
    /// If there is no such core.
    #[track_caller]
    #[doc(alias("spawn_pinned", "submit_to"))]
    pub fn spawn_on<M, F>(&self, index: usize, make: M) -> RemoteTask<F::Output>
    where
        M: FnOnce() -> F + Send + 'static,
        F: Future + 'static,
        F::Output: Send,
    {
        self.team().loop_of(index).spawn_if_open(make)
    }

    /// Has each core, this one included, run a task: the future that `make` gives there. The tasks
    /// are in the order of the cores.
    ///
    /// ```
    /// let ran = coro::cores::Builder::new().threads(2).run(async |core| {
    ///     let squares = core.each(|core| async move { core.index() * core.index() });
    ///     let squares: Result<Vec<_>, _> = coro::gather(squares).await.into_iter().collect();
    ///     assert_eq!(squares.unwrap(), [0, 1]);
    /// });
    /// ran.unwrap();
    /// ```
    #[track_caller]
    #[doc(alias = "broadcast")]
    pub fn each<M, F>(&self, make: M) -> Vec<RemoteTask<F::Output>>
    where
        M: Fn(CoreHandle) -> F + Clone + Send + 'static,
        F: Future + 'static,
        F::Output: Send,
    {
        let mut tasks = Vec::with_capacity(self.count());
        for event_loop in self.team().loops() {
            let make = make.clone();
            tasks.push(event_loop.spawn_if_open(move || make(CoreHandle::current())));
        }
        tasks
    }

    /// The loop of the core with that index, for threads that belong to no core.
    ///
    /// # Panics
    ///
    /// If there is no such core.
    #[track_caller]
    #[inline]
    pub fn remote(&self, index: usize) -> RemoteHandle {
        self.team().loop_of(index).clone()
    }

    /// The shutdown token of this core. It is cancelled by [`shut_down`](Self::shut_down) on any core,
    /// and by Ctrl-C and `SIGTERM`, as [`Builder::run`](super::Builder::run) says.
    ///
    /// A core that has asked for its token ends by itself: its main future is not dropped by a signal.
    /// Each call gives a [child](CancelToken::child), so cancelling that ends nothing else.
    ///
    /// ```
    /// let ran = coro::cores::Builder::new().threads(2).run(async |core| {
    ///     if core.index() == 1 {
    ///         core.shut_down("enough");
    ///     }
    ///     let why = core.shutdown().cancelled().await;
    ///     Ok::<_, std::convert::Infallible>(why.reason().to_owned())
    /// });
    /// assert_eq!(ran.unwrap(), ["enough", "enough"]);
    /// ```
    #[inline]
    pub fn shutdown(&self) -> CancelToken {
        self.seat.token().child()
    }

    /// Cancels the shutdown tokens of all cores: of this one at once, and of the others when their
    /// loops next look at messages. Only the first call counts, and it cancels nothing else.
    #[track_caller]
    pub fn shut_down(&self, reason: impl Into<Box<str>>) {
        let why = Cancelled::new(reason.into(), Location::caller());
        self.seat.shut_down(&why);
        self.team().shut_down(&why);
    }

    /// Asks each core for a tree of its tasks, as [`LoopHandle::dump`] does for one loop.
    ///
    /// While one step of a core goes on, there is no tree of it; the dump waits for it.
    ///
    /// ```
    /// let ran = coro::cores::Builder::new().threads(2).run(async |core| {
    ///     if core.index() == 0 {
    ///         let tree = core.dump().await;
    ///         assert!(tree.to_string().contains("core 1\n  main"));
    ///         core.shut_down("seen");
    ///     } else {
    ///         core.shutdown().cancelled().await;
    ///     }
    /// });
    /// ran.unwrap();
    /// ```
    #[doc(alias = "pstree")]
    #[inline]
    pub async fn dump(&self) -> CoresTree {
        let asked = self.team().loops().iter().map(RemoteHandle::dump);
        let asked: Vec<_> = asked.collect();
        let mut trees = Vec::with_capacity(asked.len());
        for (index, asked) in asked.into_iter().enumerate() {
            trees.push(match asked {
                Ok(_) if index == self.index => Some(LoopHandle::current().dump().await),
                Ok(asked) => asked.await.ok(),
                Err(_) => None,
            });
        }
        CoresTree::new(trees)
    }
}

impl fmt::Debug for CoreHandle {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Core")
            .field("index", &self.index)
            .field("count", &self.count())
            .finish()
    }
}
