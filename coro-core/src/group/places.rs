//! Places of futures that are awaited together: where each is pinned until it is done.

use std::future::Future;
use std::iter;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use pin_project_lite::pin_project;

use crate::task::is_large;

/// The number of futures in one allocation.
const CHUNK: usize = 8;

pin_project! {
    /// Room for some futures, which do not move in it. It has fields rather than an array, because
    /// safe code can project a pin to a field, but not to an element.
    struct Chunk<F> {
        #[pin] a: Option<F>,
        #[pin] b: Option<F>,
        #[pin] c: Option<F>,
        #[pin] d: Option<F>,
        #[pin] e: Option<F>,
        #[pin] f: Option<F>,
        #[pin] g: Option<F>,
        #[pin] h: Option<F>,
    }
}

impl<F> Chunk<F> {
    fn taken_from(futures: &mut impl Iterator<Item = F>) -> Self {
        Chunk {
            a: futures.next(),
            b: futures.next(),
            c: futures.next(),
            d: futures.next(),
            e: futures.next(),
            f: futures.next(),
            g: futures.next(),
            h: futures.next(),
        }
    }

    fn place(self: Pin<&mut Self>, place: usize) -> Pin<&mut Option<F>> {
        let this = self.project();
        match place {
            0 => this.a,
            1 => this.b,
            2 => this.c,
            3 => this.d,
            4 => this.e,
            5 => this.f,
            6 => this.g,
            _ => this.h,
        }
    }
}

/// The places of all members of a group. A place is empty when its future is done.
pub(super) struct Places<F> {
    chunks: Vec<Pin<Box<Chunk<F>>>>,
    /// Used in place of chunks if the futures are large: each is moved once, to its own box.
    boxes: Vec<Option<Pin<Box<F>>>>,
}

impl<F> Places<F> {
    pub(super) fn new() -> Self {
        Places {
            chunks: Vec::new(),
            boxes: Vec::new(),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        match const { is_large::<F>() } {
            true => self.boxes.is_empty(),
            false => self.chunks.is_empty(),
        }
    }

    /// Puts the first futures into places. Gives their number.
    pub(super) fn fill(&mut self, futures: impl Iterator<Item = F>) -> usize {
        if const { is_large::<F>() } {
            return self.fill_boxes(futures);
        }
        let mut count = 0;
        let mut futures = futures.inspect(|_| count += 1).fuse().peekable();
        while futures.peek().is_some() {
            self.chunks.push(Box::pin(Chunk::taken_from(&mut futures)));
        }
        drop(futures);
        count
    }

    /// Not by `extend`, which would have more copies of a future on the stack.
    fn fill_boxes(&mut self, mut futures: impl Iterator<Item = F>) -> usize {
        while let Some(boxed) = futures.next().map(Box::pin) {
            self.boxes.push(Some(boxed));
        }
        self.boxes.len()
    }

    /// Puts a future into a place that is empty, or into the one after the last.
    pub(super) fn put(&mut self, member: usize, future: F) {
        if const { is_large::<F>() } {
            if member == self.boxes.len() {
                self.boxes.push(None);
            }
            self.boxes[member] = Some(Box::pin(future));
            return;
        }
        if member / CHUNK == self.chunks.len() {
            self.chunks
                .push(Box::pin(Chunk::taken_from(&mut iter::empty())));
        }
        self.chunk_place(member).set(Some(future));
    }

    #[inline]
    fn chunk_place(&mut self, member: usize) -> Pin<&mut Option<F>> {
        self.chunks[member / CHUNK].as_mut().place(member % CHUNK)
    }

    /// Takes a future out of its place.
    pub(super) fn take(&mut self, member: usize) -> Option<F>
    where
        F: Unpin,
    {
        match const { is_large::<F>() } {
            true => Some(*Pin::into_inner(self.boxes[member].take()?)),
            false => self.chunk_place(member).get_mut().take(),
        }
    }

    /// Drops all futures, in the order of their places.
    pub(super) fn clear(&mut self) {
        self.chunks.clear();
        self.boxes.clear();
    }
}

impl<F: Future> Places<F> {
    /// Polls the future in a place, and drops it if it is done. An empty place is never ready.
    #[inline]
    pub(super) fn poll(&mut self, member: usize, waker: &Waker) -> Poll<F::Output> {
        let cx = &mut Context::from_waker(waker);
        if const { is_large::<F>() } {
            let place = &mut self.boxes[member];
            let Some(future) = place else {
                return Poll::Pending;
            };
            let polled = future.as_mut().poll(cx);
            if polled.is_ready() {
                *place = None;
            }
            return polled;
        }
        let mut place = self.chunk_place(member);
        let Some(future) = place.as_mut().as_pin_mut() else {
            return Poll::Pending;
        };
        let polled = future.poll(cx);
        if polled.is_ready() {
            place.set(None);
        }
        polled
    }
}
