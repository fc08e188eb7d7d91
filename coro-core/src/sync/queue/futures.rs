//! Futures that wait at a queue: `PutFuture`, `GetFuture`.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use super::{Got, Order, PutError, QueueOf, ShutDown};
use crate::wait::queue::{Service, Wait, WaitQueue};

/// The future of [`QueueOf::put`]: waits for room in a queue.
#[must_use = "an item is put by awaiting this"]
pub struct PutFuture<'a, O: Order>(Wait<Putting<'a, O>>);

impl<'a, O: Order> PutFuture<'a, O> {
    #[inline]
    pub(super) fn new(queue: &'a QueueOf<O>, item: O::Item) -> Self {
        PutFuture(Wait::new(Putting(queue), Some(item)))
    }
}

impl<O: Order> Future for PutFuture<'_, O> {
    type Output = Result<(), PutError<O::Item>>;

    #[inline(always)]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let put = Pin::new(&mut self.0).poll(cx);
        put.map(|item| item.map_or(Ok(()), |item| Err(PutError(item))))
    }
}

/// The future of [`QueueOf::get`]: waits for an item of a queue.
#[must_use = "an item is got by awaiting this"]
pub struct GetFuture<'a, O: Order>(Wait<Getting<'a, O>>);

impl<'a, O: Order> GetFuture<'a, O> {
    #[inline]
    pub(super) fn new(queue: &'a QueueOf<O>) -> Self {
        GetFuture(Wait::new(Getting(queue), None))
    }
}

impl<O: Order> Future for GetFuture<'_, O> {
    type Output = Result<O::Item, ShutDown>;

    #[inline(always)]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let got = Pin::new(&mut self.0).poll(cx);
        got.map(|got| got.map(|(_, item)| item).ok_or(ShutDown))
    }
}

/// The request of a task that puts an item.
struct Putting<'a, O: Order>(&'a QueueOf<O>);

impl<O: Order> Service for Putting<'_, O> {
    /// The item, until it is in the queue.
    type Request = Option<O::Item>;

    #[inline]
    fn queue(&self) -> &WaitQueue<Self::Request> {
        &self.0.putters
    }

    fn would_serve(&self, _: &Self::Request) -> bool {
        self.0.has_room() || self.0.is_shut_down()
    }

    #[inline(always)]
    fn try_serve(&self, item: &mut Self::Request) -> bool {
        self.0.accept(item);
        item.is_none() || self.0.is_shut_down()
    }

    fn abandoned(&self, _: Self::Request, _: bool) {}
}

/// The request of a task that gets an item.
pub(in crate::sync) struct Getting<'a, O: Order>(pub(in crate::sync) &'a QueueOf<O>);

impl<O: Order> Service for Getting<'_, O> {
    type Request = Got<O::Item>;

    #[inline]
    fn queue(&self) -> &WaitQueue<Self::Request> {
        &self.0.getters
    }

    fn would_serve(&self, _: &Self::Request) -> bool {
        !self.0.is_empty() || self.0.is_shut_down()
    }

    #[inline(always)]
    fn try_serve(&self, got: &mut Self::Request) -> bool {
        *got = self.0.take().map(|item| (0, item)); // its number is not used: it is not handed on
        got.is_some() || self.0.is_shut_down()
    }

    fn abandoned(&self, got: Self::Request, _: bool) {
        if let Some((number, item)) = got {
            self.0.hand_on(number, item);
        }
    }
}
