//! Waiting in a queue for another task: first come, first served.
//!
//! Every primitive of `sync` is made of this. A primitive is a [`Service`]: it decides whether a new
//! waiter is served at once, and [serves](WaitQueue::serve) the first waiter of the queue when it has
//! a lock, an item or another grant to give. The grant belongs to the waiter from that moment on,
//! before its task has run again, so that no later task can take it. A wait that is dropped after it
//! was served hands its grant on.
//!
//! No foreign code runs while the queue is borrowed. Wakers are cloned before the borrow, and woken
//! and dropped after it, so that code which they run finds the primitive in a valid state.

use std::cell::RefCell;
use std::fmt;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use super::wait_list::{Key, WaitList};
use crate::task::{self, Step, budget, looking};

/// A primitive that serves the waiters of a queue.
pub(crate) trait Service {
    /// The request of a waiter. Serving may change it, to hold the grant.
    type Request;

    fn queue(&self) -> &WaitQueue<Self::Request>;

    /// Whether a new waiter would be served at once.
    fn would_serve(&self, request: &Self::Request) -> bool;

    /// Serves a new waiter at once, if it is entitled to that. Otherwise changes nothing.
    #[inline(always)]
    fn try_serve(&self, request: &mut Self::Request) -> bool {
        self.would_serve(request)
    }

    /// Called when a wait was dropped. If it had been `served`, its grant has to be handed on. If not,
    /// the waiters behind it may be entitled to more now.
    fn abandoned(&self, request: Self::Request, served: bool);

    /// As [`try_serve`](Self::try_serve), for the task with this waker: a lock notes its holder.
    #[inline(always)]
    fn try_serve_to(&self, to: &Waker, request: &mut Self::Request) -> bool {
        let served = self.try_serve(request);
        if served {
            self.granted(to);
        }
        served
    }

    /// Called when the task with this waker was given its grant.
    #[inline(always)]
    fn granted(&self, _to: &Waker) {}

    /// The address in the waker that was given the grant last, if this is a lock; or zero.
    fn holder(&self) -> usize {
        0
    }

    /// The name of the primitive in a dump.
    fn name(&self) -> &'static str {
        std::any::type_name::<Self>()
    }
}

impl<S: Service> Service for &S {
    type Request = S::Request;

    fn queue(&self) -> &WaitQueue<S::Request> {
        (**self).queue()
    }

    #[inline(always)]
    fn would_serve(&self, request: &S::Request) -> bool {
        (**self).would_serve(request)
    }

    #[inline(always)]
    fn try_serve(&self, request: &mut S::Request) -> bool {
        (**self).try_serve(request)
    }

    #[inline(always)]
    fn try_serve_to(&self, to: &Waker, request: &mut S::Request) -> bool {
        (**self).try_serve_to(to, request)
    }

    fn abandoned(&self, request: S::Request, served: bool) {
        (**self).abandoned(request, served);
    }

    #[inline(always)]
    fn granted(&self, to: &Waker) {
        (**self).granted(to);
    }

    fn holder(&self) -> usize {
        (**self).holder()
    }

    fn name(&self) -> &'static str {
        (**self).name()
    }
}

/// The waiters of a primitive, in the order in which they came.
pub(crate) struct WaitQueue<T>(RefCell<WaitList<T>>);

impl<T> WaitQueue<T> {
    pub(crate) const fn new() -> Self {
        WaitQueue(RefCell::new(WaitList::new()))
    }

    /// Whether no waiter is unserved.
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.0.borrow_mut().is_empty() // which takes fewer instructions than `borrow` does
    }

    /// How many waiters are unserved.
    pub(crate) fn len(&self) -> usize {
        self.0.borrow().len()
    }

    /// Serves and wakes the first waiter. Gives `false` if there is none, or if `give` refuses.
    ///
    /// `give` gets the request of the first waiter, and must not call foreign code.
    #[inline(always)]
    pub(crate) fn serve(&self, give: impl FnOnce(&mut T) -> bool) -> bool {
        !self.is_empty() && self.serve_first(give)
    }

    #[inline(always)]
    fn serve_first(&self, give: impl FnOnce(&mut T) -> bool) -> bool {
        let waker = self.0.borrow_mut().serve(give);
        match waker {
            Some(waker) => {
                waker.wake();
                true
            }
            None => false,
        }
    }

    /// Serves the waiters in order until `give` refuses, and then wakes all that were served, even if
    /// one of their wakers panics.
    ///
    /// All are served before the first is woken: a waiter that comes during the wake-ups is not one of
    /// them.
    #[inline]
    pub(crate) fn serve_while(&self, give: impl FnMut(&mut T) -> bool) {
        if !self.is_empty() {
            self.serve_line(give);
        }
    }

    /// Never inline, so that an empty line, the common one, costs its users no call.
    #[inline(never)]
    fn serve_line(&self, give: impl FnMut(&mut T) -> bool) {
        self.0.borrow_mut().serve_while(give);
        wake_each(|| self.0.borrow_mut().next_to_wake());
    }
}

impl<T> Default for WaitQueue<T> {
    fn default() -> Self {
        WaitQueue::new()
    }
}

/// Wakes each waker that `next` gives, until it gives none, even if one of them panics.
pub(crate) fn wake_each(next: impl FnMut() -> Option<Waker>) {
    struct Rest<F: FnMut() -> Option<Waker>>(F);

    impl<F: FnMut() -> Option<Waker>> Drop for Rest<F> {
        fn drop(&mut self) {
            while let Some(waker) = (self.0)() {
                // The first panic is on its way to the caller.
                let _ = catch_unwind(AssertUnwindSafe(|| waker.wake()));
            }
        }
    }

    let mut rest = Rest(next);
    while let Some(waker) = (rest.0)() {
        waker.wake();
    }
}

/// The place of one wait in a queue, if it has one. Its owner must call [`leave`](Self::leave) before
/// dropping it.
pub(crate) struct WaitState(Option<Key>);

impl WaitState {
    /// A wait that is in no queue.
    pub(crate) const OUTSIDE: WaitState = WaitState(None);

    #[inline]
    pub(crate) fn is_outside(&self) -> bool {
        self.0.is_none()
    }

    /// Gives the request back once the wait is served. A wait that is outside takes its request from
    /// `request` and asks to be served.
    #[inline(always)]
    pub(crate) fn poll<T>(
        &mut self,
        service: &impl Service<Request = T>,
        request: &mut Option<T>,
        cx: &Context<'_>,
    ) -> Poll<T> {
        if let Some(key) = self.0 {
            return self.poll_inside(key, service, cx);
        }
        let Some(mut asked) = request.take() else {
            polled_after_its_end()
        };
        if !budget::take() {
            let (polled, refused) = self.poll_without_budget(service, asked, cx);
            *request = refused;
            return polled;
        }
        match service.try_serve_to(cx.waker(), &mut asked) {
            true => Poll::Ready(asked),
            false => {
                budget::give_back();
                self.enter(service, asked, cx)
            }
        }
    }

    /// Polls an outside wait when the step's budget is used up. If it could be served, it asks again
    /// in the next step, and its request comes back. Otherwise it enters the queue.
    #[cold]
    #[inline(never)]
    fn poll_without_budget<T>(
        &mut self,
        service: &impl Service<Request = T>,
        mut request: T,
        cx: &Context<'_>,
    ) -> (Poll<T>, Option<T>) {
        if service.would_serve(&request) && budget::refuse(cx.waker()) {
            return (Poll::Pending, Some(request));
        }
        match service.try_serve_to(cx.waker(), &mut request) {
            true => (Poll::Ready(request), None),
            false => (self.enter(service, request, cx), None),
        }
    }

    #[inline(never)]
    fn enter<T>(
        &mut self,
        service: &impl Service<Request = T>,
        mut request: T,
        cx: &Context<'_>,
    ) -> Poll<T> {
        let waker = cx.waker().clone();
        if !task::is_of_a_task(cx.waker()) && ask_again(service, cx.waker(), &mut request) {
            return Poll::Ready(request);
        }
        let key = service.queue().0.borrow_mut().enter(request, waker);
        self.0 = Some(key);
        if looking::is_looking() {
            report(service, key);
        }
        Poll::Pending
    }

    #[inline(always)]
    fn poll_inside<T>(
        &mut self,
        key: Key,
        service: &impl Service<Request = T>,
        cx: &Context<'_>,
    ) -> Poll<T> {
        let mut line = service.queue().0.borrow_mut();
        if line.is_served(key) {
            if !budget::take() {
                drop(line);
                return self.poll_served(key, service, cx);
            }
            self.0 = None;
            let left = line.leave(key);
            drop(line);
            service.granted(cx.waker());
            return Poll::Ready(left.request);
        }
        let is_other = matches!(line.waker(key), Some(waker) if !waker.will_wake(cx.waker()));
        drop(line);
        if is_other {
            return self.change_waker(key, service, cx);
        }
        if looking::is_looking() {
            report(service, key);
        }
        Poll::Pending
    }

    /// Polls a wait that was served, when the step's budget is used up.
    #[cold]
    fn poll_served<T>(
        &mut self,
        key: Key,
        service: &impl Service<Request = T>,
        cx: &Context<'_>,
    ) -> Poll<T> {
        if budget::refuse(cx.waker()) {
            return Poll::Pending;
        }
        self.0 = None;
        let left = service.queue().0.borrow_mut().leave(key);
        service.granted(cx.waker());
        Poll::Ready(left.request)
    }

    #[cold]
    fn change_waker<T>(
        &mut self,
        key: Key,
        service: &impl Service<Request = T>,
        cx: &Context<'_>,
    ) -> Poll<T> {
        let mut waker = cx.waker().clone(); // foreign code may run, and serve this very wait
        let mut line = service.queue().0.borrow_mut();
        if line.is_served(key) {
            drop(line);
            return self.poll_inside(key, service, cx);
        }
        if let Some(before) = line.waker(key) {
            std::mem::swap(before, &mut waker);
        }
        drop(line); // before the earlier waker is dropped
        if looking::is_looking() {
            report(service, key);
        }
        Poll::Pending
    }

    /// Abandons the wait. If it was served, its grant is handed on.
    #[inline(always)]
    pub(crate) fn leave(&mut self, service: &impl Service) {
        if !self.is_outside() {
            self.leave_line(service);
        }
    }

    #[cold]
    fn leave_line(&mut self, service: &impl Service) {
        if let Some(key) = self.0.take() {
            let left = service.queue().0.borrow_mut().leave(key);
            service.abandoned(left.request, left.served);
        }
    }
}

/// Reports a wait in line for a dump.
#[cold]
#[inline(never)]
fn report(service: &impl Service, key: Key) {
    let ahead = looking::counting(|last| service.queue().0.borrow().ahead_of(key, last));
    let step = Step::Line {
        primitive: service.name(),
        ahead,
        held_by: None,
    };
    looking::line(step, service.holder());
}

/// Asks once more after a foreign waker was cloned: its code may have changed the primitive.
#[cold]
fn ask_again<T>(service: &impl Service<Request = T>, to: &Waker, request: &mut T) -> bool {
    service.try_serve_to(to, request)
}

/// The future of one wait, which gives the request back once it is served. It may be dropped at any
/// point, polled by any task, and moved.
pub(crate) struct Wait<S: Service> {
    service: S,
    request: Option<S::Request>,
    place: WaitState,
}

impl<S: Service> fmt::Debug for Wait<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wait")
            .field("in_line", &!self.place.is_outside())
            .finish_non_exhaustive()
    }
}

impl<S: Service> Wait<S> {
    #[inline]
    pub(crate) fn new(service: S, request: S::Request) -> Self {
        Wait {
            service,
            request: Some(request),
            place: WaitState::OUTSIDE,
        }
    }

    #[inline]
    pub(crate) fn service(&self) -> &S {
        &self.service
    }
}

impl<S: Service> Future for Wait<S> {
    type Output = S::Request;

    #[inline(always)]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<S::Request> {
        let Wait {
            service,
            request,
            place,
        } = self.get_mut();
        place.poll(service, request, cx)
    }
}

#[cold]
#[inline]
fn polled_after_its_end() -> ! {
    panic!("a wait was polled again after it was over");
}

/// Nothing in it is pinned.
impl<S: Service> Unpin for Wait<S> {}

impl<S: Service> Drop for Wait<S> {
    #[inline(always)]
    fn drop(&mut self) {
        self.place.leave(&self.service);
    }
}
