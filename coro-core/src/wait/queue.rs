//! Waiting for another task: first come, first served.
//!
//! Every primitive of `sync` is made of this. It says, as a [`Service`], what a newcomer gets at
//! once, and [serves](WaitQueue::serve) whoever is first in line when there is something to give.
//! What is given belongs to the waiter from that moment on, before its task has run again, so that
//! no newcomer can take it; a wait that is dropped after it was served hands it on.
//!
//! No foreign code runs while the line is borrowed: wakers are cloned before, woken and dropped
//! after, and whatever they do in turn finds the primitive in order.

use std::cell::RefCell;
use std::fmt;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use super::wait_list::{Key, WaitList};
use crate::task::{self, budget};

/// What waiters stand in line for.
pub(crate) trait Service {
    /// What a waiter asks for, and finds changed once it is served.
    type Request;

    fn queue(&self) -> &WaitQueue<Self::Request>;

    /// Whether a newcomer would be served at once.
    fn would_serve(&self, request: &Self::Request) -> bool;

    /// Serves a newcomer at once, if it is entitled to that; otherwise changes nothing.
    #[inline(always)]
    fn try_serve(&self, request: &mut Self::Request) -> bool {
        self.would_serve(request)
    }

    /// A wait was dropped: what it had been `served` with is to be handed on; if it had not been
    /// served, whoever stood behind may be entitled to more now.
    fn abandoned(&self, request: Self::Request, served: bool);
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

    fn abandoned(&self, request: S::Request, served: bool) {
        (**self).abandoned(request, served);
    }
}

/// The line of a primitive.
pub(crate) struct WaitQueue<T>(RefCell<WaitList<T>>);

impl<T> WaitQueue<T> {
    pub(crate) const fn new() -> Self {
        WaitQueue(RefCell::new(WaitList::new()))
    }

    /// Whether nobody waits to be served.
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.0.borrow().is_empty()
    }

    /// How many wait to be served.
    pub(crate) fn len(&self) -> usize {
        self.0.borrow().len()
    }

    /// Serves and wakes the first in line; `false` if there is nobody, or `give` refuses.
    ///
    /// `give` gets what the first asked for, and must not call anything foreign.
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

    /// Serves, in order, until `give` refuses, and then wakes those who were served, even if one of
    /// their wakers panics.
    ///
    /// Nobody is woken before all have been served: who comes meanwhile is not among them.
    #[inline]
    pub(crate) fn serve_while(&self, give: impl FnMut(&mut T) -> bool) {
        if !self.is_empty() {
            self.serve_line(give);
        }
    }

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

/// Wakes what `next` gives, until it gives no more, whatever the wakers do.
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

/// Where one wait stands, if it has begun. Whoever has one must [leave](Self::leave) before dropping
/// it.
pub(crate) struct WaitState(Option<Key>);

impl WaitState {
    /// Not in line.
    pub(crate) const OUTSIDE: WaitState = WaitState(None);

    #[inline]
    pub(crate) fn is_outside(&self) -> bool {
        self.0.is_none()
    }

    /// Gives the request back once it is served; one that is outside takes it from `request` to ask
    /// with it.
    #[inline(always)]
    pub(crate) fn poll<T>(
        &mut self,
        service: &impl Service<Request = T>,
        request: &mut Option<T>,
        cx: &Context<'_>,
    ) -> Poll<T> {
        if let Some(key) = self.0 {
            return self.poll_inside(key, service.queue(), cx);
        }
        let Some(mut asked) = request.take() else {
            polled_after_its_end()
        };
        if !budget::take() {
            let (polled, refused) = self.poll_without_budget(service, asked, cx);
            *request = refused;
            return polled;
        }
        match service.try_serve(&mut asked) {
            true => Poll::Ready(asked),
            false => {
                budget::give_back();
                self.enter(service, asked, cx)
            }
        }
    }

    /// What is ready is taken in the next step, and its request comes back; what is not stands in
    /// line from now on.
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
        match service.try_serve(&mut request) {
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
        if !task::is_of_a_task(cx.waker()) && ask_again(service, &mut request) {
            return Poll::Ready(request);
        }
        let key = service.queue().0.borrow_mut().enter(request, waker);
        self.0 = Some(key);
        Poll::Pending
    }

    #[inline(always)]
    fn poll_inside<T>(&mut self, key: Key, queue: &WaitQueue<T>, cx: &Context<'_>) -> Poll<T> {
        let mut line = queue.0.borrow_mut();
        if line.is_served(key) {
            if !budget::take() {
                drop(line);
                return self.poll_served(key, queue, cx);
            }
            self.0 = None;
            let left = line.leave(key);
            drop(line);
            return Poll::Ready(left.request);
        }
        match line.waker(key) {
            Some(waker) if !waker.will_wake(cx.waker()) => {}
            _ => return Poll::Pending,
        }
        drop(line);
        self.change_waker(key, queue, cx)
    }

    /// It was served, but nothing is left of the step's budget.
    #[cold]
    fn poll_served<T>(&mut self, key: Key, queue: &WaitQueue<T>, cx: &Context<'_>) -> Poll<T> {
        if budget::refuse(cx.waker()) {
            return Poll::Pending;
        }
        self.0 = None;
        let left = queue.0.borrow_mut().leave(key);
        Poll::Ready(left.request)
    }

    #[cold]
    fn change_waker<T>(&mut self, key: Key, queue: &WaitQueue<T>, cx: &Context<'_>) -> Poll<T> {
        let mut waker = cx.waker().clone(); // may be foreign code, and serve this very wait
        let mut line = queue.0.borrow_mut();
        if line.is_served(key) {
            drop(line);
            return self.poll_inside(key, queue, cx);
        }
        if let Some(before) = line.waker(key) {
            std::mem::swap(before, &mut waker);
        }
        drop(line); // and only then the waker from before
        Poll::Pending
    }

    /// Gives the wait up; what was handed to it is handed on.
    #[inline(always)]
    pub(crate) fn leave(&mut self, service: &impl Service) {
        if let Some(key) = self.0.take() {
            leave_line(service, key);
        }
    }
}

/// Cloning a waker may have run foreign code.
#[cold]
fn ask_again<T>(service: &impl Service<Request = T>, request: &mut T) -> bool {
    service.try_serve(request)
}

#[cold]
fn leave_line(service: &impl Service, key: Key) {
    let left = service.queue().0.borrow_mut().leave(key);
    service.abandoned(left.request, left.served);
}

/// The future of being served: at once, if that can be. It gives the request back, may be dropped at
/// any point, polled by any task, and moved.
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

    /// What it waits for.
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
