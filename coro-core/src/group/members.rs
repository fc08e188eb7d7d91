//! Futures of one type that are awaited together.

use std::future::Future;
use std::iter;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use pin_project_lite::pin_project;

use super::ready::WokenMembers;

/// The number of futures in one allocation.
const CHUNK: usize = 8;

/// Up to this number of members, each poll of the group polls all of them with the group's own
/// waker, if their order does not matter. That costs less than a waker for each member.
pub(super) const FEW: usize = 30;

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

/// Futures that are polled in the order in which they were woken, and dropped when they are done. A
/// member's number is its place in the order in which members were added.
pub(super) struct Members<F> {
    /// The members that were woken. `None` if there are few members: then each poll polls all.
    ready: Option<WokenMembers>,
    chunks: Vec<Pin<Box<Chunk<F>>>>,
    added: usize,
    unfinished: usize,
    /// Whether members are added later, in the places of members that are done.
    reuses: bool,
}

impl<F> Members<F> {
    pub(super) fn new() -> Self {
        Members {
            ready: None,
            chunks: Vec::new(),
            added: 0,
            unfinished: 0,
            reuses: false,
        }
    }

    /// Makes members for a caller to which their order of polling does not matter.
    pub(super) fn in_any_order(futures: impl Iterator<Item = F>) -> Self {
        let mut members = Members::new();
        members.extend(futures, FEW);
        members
    }

    /// The number of members in the beginning.
    pub(super) fn len(&self) -> usize {
        self.added
    }

    /// The number of members that are not done.
    pub(super) fn unfinished(&self) -> usize {
        self.unfinished
    }

    /// Adds a member. It may get the number of a member that is done.
    pub(super) fn add(&mut self, future: F) {
        self.reuses = true;
        let (member, parent) = self.ready.get_or_insert_default().enter();
        if member / CHUNK == self.chunks.len() {
            self.chunks
                .push(Box::pin(Chunk::taken_from(&mut iter::empty())));
        }
        self.place(member).set(Some(future));
        self.unfinished += 1;
        if let Some(parent) = parent {
            parent.wake();
        }
    }

    /// Adds the first members. No poll has registered a waker yet, so none needs to be woken.
    fn extend(&mut self, futures: impl Iterator<Item = F>, few: usize) {
        let mut count = 0;
        let mut futures = futures.inspect(|_| count += 1).fuse().peekable();
        while futures.peek().is_some() {
            self.chunks.push(Box::pin(Chunk::taken_from(&mut futures)));
        }
        drop(futures);
        if count > few {
            self.ready = Some(WokenMembers::of(count));
        }
        self.added = count;
        self.unfinished = count;
    }

    fn place(&mut self, member: usize) -> Pin<&mut Option<F>> {
        self.chunks[member / CHUNK].as_mut().place(member % CHUNK)
    }

    /// Takes out the members that are not done, with their numbers.
    pub(super) fn take_unfinished(&mut self) -> Vec<(usize, F)>
    where
        F: Unpin,
    {
        let all = 0..self.added;
        all.filter_map(|member| Some((member, self.place(member).get_mut().take()?)))
            .collect()
    }

    /// Drops all members that are not done, in the order of their numbers.
    pub(super) fn clear(&mut self) {
        self.chunks.clear();
        self.unfinished = 0;
    }
}

impl<F: Future> Members<F> {
    /// Polls the members that were woken, and calls `done` with each output. WokenMembers if all members
    /// are done, or if `done` said [`Go::Stop`].
    pub(super) fn poll(
        &mut self,
        cx: &Context<'_>,
        mut done: impl FnMut(usize, F::Output) -> Go,
    ) -> Poll<Go> {
        if self.chunks.is_empty() {
            return Poll::Ready(Go::On);
        }
        let Some(ready) = &self.ready else {
            return self.poll_few(cx, done);
        };
        drop(ready.begin());
        while let Some(turn) = ready.next() {
            let member = turn.seat();
            let mut place = self.chunks[member / CHUNK].as_mut().place(member % CHUNK);
            let Poll::Ready(output) = poll_place(place.as_mut(), &turn.waker()) else {
                continue;
            };
            place.set(None);
            self.unfinished -= 1;
            match self.reuses {
                true => ready.leave(turn),
                false => ready.retire(turn),
            }
            if done(member, output) == Go::Stop {
                return Poll::Ready(Go::Stop);
            }
        }
        match self.unfinished == 0 {
            true => Poll::Ready(Go::On),
            false => ready.end(cx.waker()),
        }
    }

    fn poll_few(
        &mut self,
        cx: &Context<'_>,
        mut done: impl FnMut(usize, F::Output) -> Go,
    ) -> Poll<Go> {
        for member in 0..self.added {
            let mut place = self.chunks[member / CHUNK].as_mut().place(member % CHUNK);
            if let Poll::Ready(output) = poll_place(place.as_mut(), cx.waker()) {
                place.set(None);
                self.unfinished -= 1;
                if done(member, output) == Go::Stop {
                    return Poll::Ready(Go::Stop);
                }
            }
        }
        match self.unfinished == 0 {
            true => Poll::Ready(Go::On),
            false => Poll::Pending,
        }
    }
}

/// Polls the member in a place. A member that is done is never ready again.
fn poll_place<F: Future>(place: Pin<&mut Option<F>>, waker: &Waker) -> Poll<F::Output> {
    match place.as_pin_mut() {
        Some(future) => future.poll(&mut Context::from_waker(waker)),
        None => Poll::Pending,
    }
}

/// Whether to go on with the other members.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Go {
    On,
    Stop,
}

impl<F> FromIterator<F> for Members<F> {
    fn from_iter<I: IntoIterator<Item = F>>(futures: I) -> Self {
        let mut members = Members::new();
        members.extend(futures.into_iter(), 0);
        members
    }
}
