//! Delegation to foreign coroutines, iterators, streams, futures.
//!
//! Each type here is the future that `yield_from!` awaits inside the body. If the type of a
//! coroutine of this crate is known, its body is polled directly, under the same slot: see
//! `in_place`.

use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, ready};

use futures_core::stream::Stream;
use pin_project_lite::pin_project;

use super::place::AnyPlace;
use super::slot::Handle;
use super::{Coroutine, CoroutineState, Status};

pin_project! {
    /// Waits for a future under the task's own waker.
    pub struct Awaiting<F, Y, R> {
        #[pin]
        future: F,
        handle: Handle<Y, R>,
    }
}

impl<F, Y, R> Awaiting<F, Y, R> {
    #[inline]
    pub(crate) fn new(future: F, handle: Handle<Y, R>) -> Self {
        Awaiting { future, handle }
    }
}

impl<F: Future, Y, R> AnyPlace for Awaiting<F, Y, R> {
    const WAITS: bool = true;
}

impl<F: Future, Y, R> Future for Awaiting<F, Y, R> {
    type Output = F::Output;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        match this.handle.slot(cx).outer() {
            Some(waker) => this.future.poll(&mut Context::from_waker(waker)),
            None => this.future.poll(cx),
        }
    }
}

/// Yields every item of an iterator.
#[expect(missing_debug_implementations, reason = "only `yield_from!` makes it")]
pub struct Items<I: Iterator> {
    iter: I,
    handle: Handle<I::Item, ()>,
}

impl<I: Iterator> Items<I> {
    #[inline]
    pub(crate) fn new(iter: I, handle: Handle<I::Item, ()>) -> Self {
        Items { iter, handle }
    }
}

impl<I: Iterator> Unpin for Items<I> {}

impl<I: Iterator> AnyPlace for Items<I> {}

impl<I: Iterator> Future for Items<I> {
    type Output = ();

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        match self.iter.next() {
            Some(item) => {
                self.handle.slot(cx).give(item);
                Poll::Pending
            }
            None => Poll::Ready(()),
        }
    }
}

pin_project! {
    /// Yields every item of a stream.
    pub struct StreamItems<S: Stream> {
        #[pin]
        stream: S,
        handle: Handle<S::Item, ()>,
    }
}

impl<S: Stream> StreamItems<S> {
    #[inline]
    pub(crate) fn new(stream: S, handle: Handle<S::Item, ()>) -> Self {
        StreamItems { stream, handle }
    }
}

impl<S: Stream> AnyPlace for StreamItems<S> {
    const WAITS: bool = true;
}

impl<S: Stream> Future for StreamItems<S> {
    type Output = ();

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.project();
        let next = match this.handle.slot(cx).outer() {
            Some(waker) => this.stream.poll_next(&mut Context::from_waker(waker)),
            None => this.stream.poll_next(cx),
        };
        match ready!(next) {
            Some(item) => {
                this.handle.slot(cx).give(item);
                Poll::Pending
            }
            None => Poll::Ready(()),
        }
    }
}

pin_project! {
    /// Resumes any coroutine and yields its values.
    pub struct Reyield<C: Coroutine> {
        #[pin]
        coroutine: C,
        started: bool,
        handle: Handle<C::Yield, C::Resume>,
    }
}

impl<C: Coroutine> Reyield<C> {
    #[inline]
    pub(crate) fn new(coroutine: C, handle: Handle<C::Yield, C::Resume>) -> Self {
        Reyield {
            coroutine,
            started: false,
            handle,
        }
    }
}

impl<C: Coroutine> AnyPlace for Reyield<C> {}

impl<C: Coroutine> Future for Reyield<C> {
    type Output = C::Return;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<C::Return> {
        let this = self.project();
        let state = match core::mem::replace(this.started, true) {
            false => this.coroutine.start(),
            true => this.coroutine.resume(this.handle.take(cx)),
        };
        match state {
            CoroutineState::Yielded(value) => {
                this.handle.slot(cx).give(value);
                Poll::Pending
            }
            CoroutineState::Complete(value) => Poll::Ready(value),
        }
    }
}

/// A started coroutine with the value that its first step resumes it with.
///
/// Made by [`Coroutine::resumed_with`].
pub struct ResumedWith<C: Coroutine> {
    coroutine: C,
    value: Option<C::Resume>,
}

impl<C: Coroutine> ResumedWith<C> {
    pub(super) fn new(coroutine: C, value: C::Resume) -> Self {
        ResumedWith {
            coroutine,
            value: Some(value),
        }
    }
}

impl<C: Coroutine + Unpin> Unpin for ResumedWith<C> {}

impl<C: Coroutine + Unpin> Coroutine for ResumedWith<C> {
    type Yield = C::Yield;
    type Resume = C::Resume;
    type Return = C::Return;

    fn start(mut self: Pin<&mut Self>) -> CoroutineState<C::Yield, C::Return> {
        match self.value.take() {
            Some(value) => Pin::new(&mut self.coroutine).resume(value),
            None => Pin::new(&mut self.coroutine).start(),
        }
    }

    fn resume(mut self: Pin<&mut Self>, value: C::Resume) -> CoroutineState<C::Yield, C::Return> {
        match self.status() {
            Status::NotStarted => super::wrong_status(Status::NotStarted),
            _ => Pin::new(&mut self.coroutine).resume(value),
        }
    }

    fn status(&self) -> Status {
        match self.value {
            Some(_) => Status::NotStarted,
            None => self.coroutine.status(),
        }
    }
}

impl<C: Coroutine> fmt::Debug for ResumedWith<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResumedWith").finish_non_exhaustive()
    }
}
