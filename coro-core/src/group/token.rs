//! Tokens that tell work to stop.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::fmt;
use std::future::{Future, IntoFuture};
use std::panic::Location;
use std::pin::Pin;
use std::rc::{Rc, Weak};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use pin_project_lite::pin_project;

use super::remote_token::{RemoteCancelToken, RemoteLife, RemoteSide};
use crate::error::Cancelled;
use crate::event_loop::LoopHandle;
use crate::task::{Step, looking};
use crate::wait::queue::wake_each;
use std::any::type_name;

/// A token that can be cancelled once, with a reason. Any task can wait for that, or ask whether it
/// has happened.
///
/// Clones are the same token. A [`child`](Self::child) is cancelled with its parent, but not the
/// other way round. Coro cancels a future by dropping it; a token is for telling many tasks at
/// once, or for letting each finish its present work. A token stays on its thread;
/// [`remote`](Self::remote) gives one for other threads.
///
/// ```
/// use std::time::Duration;
///
/// coro::run(async {
///     let token = coro::CancelToken::new();
///     let worker = token.child();
///     let work = coro::spawn(async move {
///         worker.run_until_cancelled(std::future::pending::<()>()).await
///     });
///     coro::call_later(Duration::from_millis(1), move || token.cancel("closing time"));
///     let cancelled = work.await.unwrap().unwrap_err();
///     assert_eq!(cancelled.reason(), "closing time");
/// });
/// ```
#[derive(Clone, Default)]
#[doc(alias = "CancellationToken")]
pub struct CancelToken {
    node: Rc<TokenNode>,
}

#[derive(Default)]
struct TokenNode {
    cancelled: RefCell<Option<Cancelled>>,
    /// The parent, and the number of this node among its children.
    parent: RefCell<Option<(Rc<TokenNode>, u64)>>,
    children: RefCell<BTreeMap<u64, Weak<TokenNode>>>,
    waiters: RefCell<BTreeMap<u64, Waker>>,
    /// The token for other threads, while there is one.
    remote: RefCell<std::sync::Weak<RemoteLife>>,
    numbers: Cell<u64>,
}

impl CancelToken {
    /// A token without a parent.
    #[inline]
    pub fn new() -> Self {
        CancelToken::default()
    }

    /// Makes a token that is cancelled when this one is, and that can be cancelled before.
    #[inline]
    pub fn child(&self) -> Self {
        let child = CancelToken::new();
        match self.reason() {
            Some(cancelled) => *child.node.cancelled.borrow_mut() = Some(cancelled),
            None => {
                let number = self.node.number();
                *child.node.parent.borrow_mut() = Some((self.node.clone(), number));
                let weak = Rc::downgrade(&child.node);
                self.node.children.borrow_mut().insert(number, weak);
            }
        }
        child
    }

    /// Cancels the token and all its descendants, and wakes the tasks that wait for one of them.
    /// The waiters of one token are woken in the order in which they began to wait, and before the
    /// waiters of its children. Only the first call counts.
    ///
    /// # Panics
    ///
    /// With the first panic of a waker, after all other waiters were woken.
    #[track_caller]
    pub fn cancel(&self, reason: impl Into<Box<str>>) {
        if self.is_cancelled() {
            return;
        }
        self.cancel_with(&Cancelled::new(reason.into(), Location::caller()));
    }

    /// As [`cancel`](Self::cancel), with a reason and place that are known already.
    #[inline]
    pub(crate) fn cancel_with(&self, cancelled: &Cancelled) {
        if self.is_cancelled() {
            return;
        }
        let mut woken = self.node.cancel_all(cancelled).into_iter();
        wake_each(|| woken.next());
    }

    /// A token for other threads, which is cancelled with this one, and this one with it.
    ///
    /// Called again, it gives the same one. It needs a task of the present loop, which listens to the
    /// other threads until the last clone of the remote token is dropped.
    ///
    /// # Panics
    ///
    /// Outside of a loop.
    #[track_caller]
    #[inline]
    pub fn remote(&self) -> RemoteCancelToken {
        if let Some(life) = self.node.remote.borrow().upgrade() {
            return RemoteCancelToken::of_life(life);
        }
        let event_loop = LoopHandle::current();
        let (remote, side) = RemoteCancelToken::new(self.reason());
        if !self.is_cancelled() {
            self.node.remote.replace(Arc::downgrade(remote.life()));
            let listener = TokenListener {
                token: self.clone(),
                side,
                origin: Location::caller(),
            };
            drop(event_loop.spawn(listener.listen()));
        }
        remote
    }

    /// Whether the token or one of its ancestors was cancelled.
    #[inline]
    pub fn is_cancelled(&self) -> bool {
        self.node.cancelled.borrow().is_some()
    }

    /// The reason and place of the cancellation, if the token was cancelled.
    #[inline]
    pub fn reason(&self) -> Option<Cancelled> {
        self.node.cancelled.borrow().clone()
    }

    /// Waits until the token is cancelled. Dropping the wait loses nothing.
    #[inline]
    pub fn cancelled(&self) -> WaitCancelled {
        WaitCancelled {
            node: self.node.clone(),
            number: None,
        }
    }

    /// Awaits `future`, but only until the token is cancelled.
    ///
    /// The future is polled before the token is asked, so a value that is ready at once wins. Once
    /// the token is cancelled, a future that waits is never polled again, even if it was woken. A
    /// value that it was handed goes to the next waiter. It is dropped together with this future.
    ///
    /// # Errors
    ///
    /// [`Cancelled`], if the token was cancelled first.
    pub fn run_until_cancelled<F: IntoFuture>(&self, future: F) -> CancelOn<F::IntoFuture> {
        CancelOn {
            future: future.into_future(),
            cancelled: self.cancelled(),
        }
    }
}

/// Cancels a token when another thread has cancelled its remote side.
struct TokenListener {
    token: CancelToken,
    side: Arc<RemoteSide>,
    origin: &'static Location<'static>,
}

impl TokenListener {
    #[inline]
    async fn listen(self) {
        if let Some(cancelled) = self.side.told().await {
            self.token.cancel_with(&cancelled);
        }
    }
}

impl Drop for TokenListener {
    /// If the loop ends before, no thread is to wait for its token.
    #[inline]
    fn drop(&mut self) {
        let reason = "the event loop of the token is closed";
        self.side.cancel(Cancelled::new(reason.into(), self.origin));
    }
}

impl fmt::Debug for CancelToken {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CancelToken")
            .field("cancelled", &self.reason())
            .finish()
    }
}

impl TokenNode {
    #[inline]
    fn number(&self) -> u64 {
        self.numbers.replace(self.numbers.get() + 1)
    }

    /// Marks this node and its descendants, however deep, and returns the wakers of their waiters.
    #[inline]
    fn cancel_all(self: &Rc<Self>, cancelled: &Cancelled) -> Vec<Waker> {
        let mut wakers = Vec::new();
        let mut nodes = vec![self.clone()];
        while let Some(node) = nodes.pop() {
            node.cancelled
                .borrow_mut()
                .get_or_insert_with(|| cancelled.clone());
            wakers.extend(node.waiters.take().into_values());
            let remote = node.remote.borrow().upgrade();
            wakers.extend(remote.and_then(|remote| remote.cancel_later(cancelled)));
            let children = node.children.take();
            nodes.extend(
                children
                    .into_values()
                    .rev()
                    .filter_map(|child| child.upgrade()),
            );
        }
        wakers
    }

    #[inline]
    fn leave_parent(&self) -> Option<Rc<TokenNode>> {
        let (parent, number) = self.parent.take()?;
        parent.children.borrow_mut().remove(&number);
        Some(parent)
    }
}

impl Drop for TokenNode {
    /// Gives up the ancestors that have no other owner. It does so in a loop, because recursion
    /// through many ancestors could overflow the stack.
    #[inline]
    fn drop(&mut self) {
        let mut next = self.leave_parent();
        while let Some(node) = next {
            let is_last = Rc::strong_count(&node) == 1;
            next = is_last.then(|| node.leave_parent()).flatten();
        }
    }
}

/// The future of [`CancelToken::cancelled`].
#[must_use = "futures do nothing unless they are awaited"]
pub struct WaitCancelled {
    node: Rc<TokenNode>,
    /// The waiter's number. `None` before the first poll that is pending.
    number: Option<u64>,
}

impl WaitCancelled {
    /// Why the token was cancelled, if it was while this waited.
    #[inline]
    fn since_waiting(&self) -> Option<Cancelled> {
        self.number?;
        self.node.cancelled.borrow().clone()
    }
}

impl Future for WaitCancelled {
    type Output = Cancelled;

    #[track_caller]
    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Cancelled> {
        if let Some(cancelled) = &*self.node.cancelled.borrow() {
            return Poll::Ready(cancelled.clone());
        }
        let waker = cx.waker().clone();
        let number = self.number.unwrap_or_else(|| self.node.number());
        let before = self.node.waiters.borrow_mut().insert(number, waker);
        drop(before);
        self.number = Some(number);
        if looking::is_looking() {
            let of = "the cancellation of a token";
            looking::leaf_at(Step::Notice { of }, Location::caller(), type_name::<Self>());
        }
        Poll::Pending
    }
}

impl Drop for WaitCancelled {
    #[inline]
    fn drop(&mut self) {
        if let Some(number) = self.number {
            let waker = self.node.waiters.borrow_mut().remove(&number);
            drop(waker);
        }
    }
}

impl fmt::Debug for WaitCancelled {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WaitCancelled(..)")
    }
}

pin_project! {
    /// The future of [`CancelToken::run_until_cancelled`].
    #[must_use = "futures do nothing unless they are awaited"]
    pub struct CancelOn<F> {
        #[pin]
        future: F,
        cancelled: WaitCancelled,
    }
}

impl<F: Future> Future for CancelOn<F> {
    type Output = Result<F::Output, Cancelled>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        if let Some(cancelled) = this.cancelled.since_waiting() {
            return Poll::Ready(Err(cancelled));
        }
        let poll = || match this.future.poll(cx) {
            Poll::Ready(output) => Poll::Ready(Ok(output)),
            Poll::Pending => Pin::new(this.cancelled).poll(cx).map(Err),
        };
        looking::group("run_until_cancelled", true, poll)
    }
}

impl<F> fmt::Debug for CancelOn<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CancelOn(..)")
    }
}
