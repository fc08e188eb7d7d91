//! `RemoteHandle`: a loop's handle for other threads.

use std::fmt;
use std::future::{Future, poll_fn};
use std::panic::Location;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::task::{Context, Poll, Waker, ready};

use super::LoopHandle;
use super::remote_call::{RemoteCallHandle, cancellable};
use crate::error::{JoinError, LoopClosed};
use crate::panics::unpoisoned;
use crate::task::{Inbox, InboxArc, Step, Task, budget, looking};

/// A loop, as seen from other threads. Get it with [`LoopHandle::remote`].
///
/// The counterpart of `loop.call_soon_threadsafe` and `asyncio.run_coroutine_threadsafe`. It never
/// blocks and never panics; once the loop is closed every call gives an error. Wake-ups are
/// coalesced: however many calls come in while the loop sleeps, it is woken once.
///
/// ```
/// use std::thread;
///
/// coro::run(async {
///     let remote = coro::LoopHandle::current().remote();
///     let thread = thread::spawn(move || {
///         let task = remote.spawn(|| async { 6 * 7 }).unwrap();
///         task.join().unwrap()
///     });
///     while !thread.is_finished() {
///         coro::yield_now().await;
///     }
///     assert_eq!(thread.join().unwrap(), 42);
/// });
/// ```
#[doc(alias("call_soon_threadsafe", "run_coroutine_threadsafe"))]
pub struct RemoteHandle {
    inbox: InboxArc<Inbox>,
}

impl RemoteHandle {
    pub(super) fn new(inbox: InboxArc<Inbox>) -> Self {
        inbox.add_handle();
        RemoteHandle { inbox }
    }

    /// Has the loop call `f` on its own thread, in the turn after its next look at messages. A loop
    /// that sleeps looks at once, a busy one after 64 steps at most.
    ///
    /// The handle cancels the call, from any thread; dropping it does not. The counterpart of
    /// `loop.call_soon_threadsafe`.
    ///
    /// ```
    /// coro::run(async {
    ///     let remote = coro::LoopHandle::current().remote();
    ///     let thread = std::thread::spawn(move || {
    ///         let call = remote.call_soon(|| unreachable!("it was cancelled"))?;
    ///         call.cancel();
    ///         assert!(call.is_cancelled());
    ///         Ok::<(), coro::event_loop::LoopClosed>(())
    ///     });
    ///     thread.join().unwrap().unwrap(); // the loop does not look at messages meanwhile
    /// });
    /// ```
    ///
    /// # Errors
    ///
    /// [`LoopClosed`] once the loop is closed; `f` is dropped.
    pub fn call_soon(
        &self,
        f: impl FnOnce() + Send + 'static,
    ) -> Result<RemoteCallHandle, LoopClosed> {
        let (message, handle) = cancellable(f);
        self.inbox.push_call(message)?;
        Ok(handle)
    }

    /// Has the loop run a task that calls `make` and then runs the future that it gives.
    ///
    /// So the future itself need not be `Send`. A panic in `make` is one of the task's.
    ///
    /// # Errors
    ///
    /// [`LoopClosed`] once the loop is closed; `make` is dropped.
    #[track_caller]
    pub fn spawn<M, F>(&self, make: M) -> Result<RemoteTask<F::Output>, LoopClosed>
    where
        M: FnOnce() -> F + Send + 'static,
        F: Future + 'static,
        F::Output: Send,
    {
        let (task, sent) = self.try_spawn(make);
        sent.map(|()| task)
    }

    /// As [`spawn`](Self::spawn); if the loop is closed, gives a task that was cancelled.
    #[track_caller]
    pub(crate) fn spawn_if_open<M, F>(&self, make: M) -> RemoteTask<F::Output>
    where
        M: FnOnce() -> F + Send + 'static,
        F: Future + 'static,
        F::Output: Send,
    {
        self.try_spawn(make).0
    }

    #[track_caller]
    fn try_spawn<M, F>(&self, make: M) -> (RemoteTask<F::Output>, Result<(), LoopClosed>)
    where
        M: FnOnce() -> F + Send + 'static,
        F: Future + 'static,
        F::Output: Send,
    {
        let shared = Arc::new(JoinShared::new());
        let promise = Promise(shared.clone());
        let origin = Location::caller();
        let keep = move || promise.keep(make, origin);
        let sent = self.inbox.push_call(Box::new(keep)); // refused, it drops the promise, which cancels
        let remote = self.clone();
        (RemoteTask { shared, remote }, sent)
    }

    /// As [`call_soon`](Self::call_soon), for a callout that is never cancelled.
    pub(crate) fn post(&self, f: impl FnOnce() + Send + 'static) -> Result<(), LoopClosed> {
        self.inbox.push_call(Box::new(f))
    }

    /// Has the loop run a task, as [`spawn`](Self::spawn) does, and blocks the calling thread until
    /// it is done. The counterpart of `asyncio.run_coroutine_threadsafe(..).result()`.
    ///
    /// ```
    /// use coro::threads::to_thread;
    /// use std::time::Duration;
    ///
    /// coro::run(async {
    ///     let remote = coro::LoopHandle::current().remote();
    ///     let answer = to_thread(move || {
    ///         remote.block_on(|| async {
    ///             coro::sleep(Duration::from_millis(1)).await;
    ///             42
    ///         })
    ///     });
    ///     assert_eq!(answer.await.unwrap().unwrap(), 42);
    /// });
    /// ```
    ///
    /// # Errors
    ///
    /// [`JoinError`] if the task panicked; if it was cancelled, as it is when the loop is closed or
    /// has been before; and if this is the thread of that very loop, where blocking would never
    /// end: then nothing is run.
    #[track_caller]
    pub fn block_on<M, F>(&self, make: M) -> Result<F::Output, JoinError>
    where
        M: FnOnce() -> F + Send + 'static,
        F: Future + 'static,
        F::Output: Send,
    {
        let name = || format!("the remote task made at {}", Location::caller()).into();
        if self.inbox.is_on_this_thread() {
            return Err(JoinError::would_deadlock(name()));
        }
        match self.spawn(make) {
            Ok(task) => task.join(),
            Err(LoopClosed) => Err(JoinError::cancelled(name())),
        }
    }

    /// As [`LoopHandle::stop`].
    ///
    /// # Errors
    ///
    /// [`LoopClosed`] once the loop is closed.
    pub fn stop(&self) -> Result<(), LoopClosed> {
        let stop = || LoopHandle::current().stop();
        self.inbox.push_call(Box::new(stop))
    }

    /// Whether the loop is closed.
    pub fn is_closed(&self) -> bool {
        self.inbox.is_closed()
    }
}

impl Clone for RemoteHandle {
    fn clone(&self) -> Self {
        RemoteHandle::new(self.inbox.clone())
    }
}

impl Drop for RemoteHandle {
    fn drop(&mut self) {
        self.inbox.remove_handle();
    }
}

impl fmt::Debug for RemoteHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RemoteHandle")
            .field("closed", &self.is_closed())
            .finish()
    }
}

/// A task that another thread has spawned; a future there, or a value to block for.
///
/// Dropping it detaches the task.
///
/// # Panics
///
/// Polling it again after it gave its output panics.
pub struct RemoteTask<T> {
    shared: Arc<JoinShared<T>>,
    remote: RemoteHandle,
}

impl<T> RemoteTask<T> {
    /// Blocks the calling thread until the task is done.
    ///
    /// # Errors
    ///
    /// [`JoinError`] if the task panicked or was cancelled, as it is when the loop closes; and if
    /// this is the thread of that very loop, where waiting would never end.
    pub fn join(self) -> Result<T, JoinError> {
        let mut state = self.shared.lock();
        loop {
            match std::mem::replace(&mut state.value, JoinValue::Waiting) {
                JoinValue::Ready(result) => return result,
                JoinValue::Taken => panic!("join() on a remote task that gave its output before"),
                JoinValue::Waiting if self.remote.inbox.is_on_this_thread() => {
                    return Err(JoinError::would_deadlock(state.task.clone()));
                }
                JoinValue::Waiting => {
                    state = unpoisoned(self.shared.done.wait(state));
                }
            }
        }
    }

    /// Cancels the task, as [`Task::cancel`] does. The task is not polled again; a step that is
    /// running on the thread of its loop is completed.
    pub fn cancel(&self) {
        self.shared.cancelled.store(true, Ordering::Relaxed);
        let waker = self.shared.lock().keeper.take();
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Whether the task is done.
    pub fn is_finished(&self) -> bool {
        !matches!(self.shared.lock().value, JoinValue::Waiting)
    }
}

impl<T> Future for RemoteTask<T> {
    type Output = Result<T, JoinError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if self.is_finished() {
            ready!(budget::poll(cx));
        }
        let waker = cx.waker().clone(); // foreign code: not under the lock
        let mut state = self.shared.lock();
        match std::mem::replace(&mut state.value, JoinValue::Taken) {
            JoinValue::Ready(result) => Poll::Ready(result),
            JoinValue::Taken => panic!("a remote task was polled again after it gave its output"),
            JoinValue::Waiting => {
                state.value = JoinValue::Waiting;
                let before = state.waiter.replace(waker);
                drop(state);
                drop(before);
                if looking::is_looking() {
                    let object = "a task of another loop";
                    looking::outside(Step::OtherThread { object });
                }
                Poll::Pending
            }
        }
    }
}

impl<T> fmt::Debug for RemoteTask<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RemoteTask")
            .field("finished", &self.is_finished())
            .finish()
    }
}

/// The state that both threads share, by which the output is handed over.
struct JoinShared<T> {
    state: Mutex<JoinState<T>>,
    done: Condvar,
    /// [`RemoteTask::cancel`] was called.
    cancelled: AtomicBool,
}

struct JoinState<T> {
    value: JoinValue<T>,
    task: Box<str>,
    /// The waker of the task that awaits the output.
    waiter: Option<Waker>,
    /// The promise that listens for a cancellation.
    keeper: Option<Waker>,
}

enum JoinValue<T> {
    Waiting,
    Ready(Result<T, JoinError>),
    Taken,
}

impl<T> JoinShared<T> {
    fn new() -> Self {
        let state = JoinState {
            value: JoinValue::Waiting,
            task: "a remote task".into(),
            waiter: None,
            keeper: None,
        };
        JoinShared {
            state: Mutex::new(state),
            done: Condvar::new(),
            cancelled: AtomicBool::new(false),
        }
    }

    fn lock(&self) -> MutexGuard<'_, JoinState<T>> {
        unpoisoned(self.state.lock())
    }

    /// Whether the task is to be cancelled; if not yet, `keeper` will be woken when it is.
    fn poll_cancelled(&self, keeper: &Waker) -> bool {
        let keeper = keeper.clone();
        let before = self.lock().keeper.replace(keeper);
        drop(before);
        self.is_cancelled()
    }

    fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed)
    }

    fn set(&self, result: Result<T, JoinError>) {
        let waiter = {
            let mut state = self.lock();
            if !matches!(state.value, JoinValue::Waiting) {
                return;
            }
            state.value = JoinValue::Ready(result);
            state.waiter.take()
        };
        self.done.notify_all();
        if let Some(waiter) = waiter {
            waiter.wake();
        }
    }
}

/// Delivers an output in any case: "cancelled", if the loop drops it before.
struct Promise<T>(Arc<JoinShared<T>>);

impl<T: Send + 'static> Promise<T> {
    /// On the loop's thread: runs the future, and hands over its output.
    fn keep<F>(self, make: impl FnOnce() -> F + 'static, origin: &'static Location<'static>)
    where
        F: Future<Output = T> + 'static,
    {
        let current = LoopHandle::current();
        let scheduler = &current.core().scheduler;
        let shared = self.0.clone();
        let heeding = async move {
            let mut future = pin!(async { make().await });
            poll_fn(|cx| match shared.is_cancelled() {
                true => Poll::Pending, // the listener's turn, in which it is dropped, comes next
                false => future.as_mut().poll(cx),
            })
            .await
        };
        let task = scheduler.spawn(heeding, origin, false);
        self.0.lock().task = task.name().into();
        let listener = CancelListener {
            promise: self,
            task,
        };
        drop(scheduler.spawn(listener, origin, false));
    }
}

/// Waits for the task to end or to be cancelled.
struct CancelListener<T> {
    promise: Promise<T>,
    task: Task<T>,
}

impl<T> Future for CancelListener<T> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.promise.0.poll_cancelled(cx.waker()) {
            self.task.cancel();
        }
        let result = ready!(Pin::new(&mut self.task).poll(cx));
        self.promise.0.set(result);
        Poll::Ready(())
    }
}

impl<T> Drop for CancelListener<T> {
    /// The loop may have cancelled the listener before it could hand the output over.
    fn drop(&mut self) {
        if let Some(result) = self.task.take() {
            self.promise.0.set(result);
        }
    }
}

impl<T> Drop for Promise<T> {
    fn drop(&mut self) {
        let task = self.0.lock().task.clone();
        self.0.set(Err(JoinError::cancelled(task)));
    }
}
