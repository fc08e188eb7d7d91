//! Futures that wait at a queue: `PutFuture`, `GetFuture`.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use super::engine::{AnyQueue, Got};
use super::order::Order;
use crate::sync::error::{Closed, SendError};
use crate::wait::queue::{Service, Wait, WaitQueue};

/// The type of the items of a queue.
type ItemOf<Q> = <<Q as AnyQueue>::Order as Order>::Item;

/// The future of [`Queue::put`](super::Queue::put): waits for room in a queue.
#[derive(Debug)]
#[must_use = "an item is put by awaiting this"]
pub struct PutFuture<'a, Q: AnyQueue>(Wait<Putting<'a, Q>>);

impl<'a, Q: AnyQueue> PutFuture<'a, Q> {
    #[inline]
    pub(super) fn new(queue: &'a Q, item: ItemOf<Q>) -> Self {
        PutFuture(Wait::new(Putting(queue), Some(item)))
    }
}

impl<Q: AnyQueue> Future for PutFuture<'_, Q> {
    type Output = Result<(), SendError<ItemOf<Q>>>;

    #[inline(always)]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let put = Pin::new(&mut self.0).poll(cx);
        put.map(|item| item.map_or(Ok(()), |item| Err(SendError(item))))
    }
}

/// The future of [`Queue::get`](super::Queue::get): waits for an item of a queue.
#[derive(Debug)]
#[must_use = "an item is got by awaiting this"]
pub struct GetFuture<'a, Q: AnyQueue>(Wait<Getting<'a, Q>>);

impl<'a, Q: AnyQueue> GetFuture<'a, Q> {
    #[inline]
    pub(super) fn new(queue: &'a Q) -> Self {
        GetFuture(Wait::new(Getting(queue), None))
    }
}

impl<Q: AnyQueue> Future for GetFuture<'_, Q> {
    type Output = Result<ItemOf<Q>, Closed>;

    #[inline(always)]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let got = Pin::new(&mut self.0).poll(cx);
        got.map(|got| got.map(|(_, item)| item).ok_or(Closed))
    }
}

/// The request of a task that puts an item.
struct Putting<'a, Q>(&'a Q);

impl<Q: AnyQueue> Service for Putting<'_, Q> {
    /// The item, until it is in the queue.
    type Request = Option<ItemOf<Q>>;

    #[inline]
    fn queue(&self) -> &WaitQueue<Self::Request> {
        &self.0.engine().putters
    }

    fn would_serve(&self, _: &Self::Request) -> bool {
        self.0.engine().has_room() || self.0.engine().is_shut_down()
    }

    #[inline(always)]
    fn try_serve(&self, item: &mut Self::Request) -> bool {
        self.0.engine().accept(item);
        item.is_none() || self.0.engine().is_shut_down()
    }

    fn abandoned(&self, _: Self::Request, _: bool) {}

    fn name(&self) -> &'static str {
        "room in a queue"
    }
}

/// The request of a task that gets an item.
pub(in crate::sync) struct Getting<'a, Q>(pub(in crate::sync) &'a Q);

impl<Q: AnyQueue> Service for Getting<'_, Q> {
    type Request = Got<ItemOf<Q>>;

    #[inline]
    fn queue(&self) -> &WaitQueue<Self::Request> {
        &self.0.engine().getters
    }

    fn would_serve(&self, _: &Self::Request) -> bool {
        self.0.engine().len() > 0 || self.0.engine().is_shut_down()
    }

    #[inline(always)]
    fn try_serve(&self, got: &mut Self::Request) -> bool {
        *got = self.0.engine().take().map(|item| (0, item)); // its number is not used: it is not handed on
        got.is_some() || self.0.engine().is_shut_down()
    }

    fn abandoned(&self, got: Self::Request, _: bool) {
        if let Some((number, item)) = got {
            self.0.engine().hand_on(number, item);
        }
    }

    fn name(&self) -> &'static str {
        "an item of a queue or channel"
    }
}
