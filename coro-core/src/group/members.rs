//! Futures of one type that are awaited together.

use std::future::Future;
use std::task::{Context, Poll};

use super::places::Places;
use super::ready::WokenMembers;
use crate::task::looking;

/// Up to this number of members, each poll of the group polls all of them with the group's own
/// waker, if their order does not matter. That costs less than a waker for each member.
pub(super) const FEW: usize = 30;

/// Futures that are polled in the order in which they were woken, and dropped when they are done. A
/// member's number is its place in the order in which members were added.
pub(super) struct Members<F> {
    /// The members that were woken. `None` if there are few members: then each poll polls all.
    ready: Option<WokenMembers>,
    places: Places<F>,
    added: usize,
    unfinished: usize,
    /// Whether members are added later, in the places of members that are done.
    reuses: bool,
}

impl<F> Members<F> {
    pub(super) fn new() -> Self {
        Members {
            ready: None,
            places: Places::new(),
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
        self.places.put(member, future);
        self.unfinished += 1;
        if let Some(parent) = parent {
            parent.wake();
        }
    }

    /// Adds the first members. No poll has registered a waker yet, so none needs to be woken.
    fn extend(&mut self, futures: impl Iterator<Item = F>, few: usize) {
        let count = self.places.fill(futures);
        if count > few {
            self.ready = Some(WokenMembers::of(count));
        }
        self.added = count;
        self.unfinished = count;
    }

    /// Takes out the members that are not done, with their numbers.
    pub(super) fn take_unfinished(&mut self) -> Vec<(usize, F)>
    where
        F: Unpin,
    {
        let all = 0..self.added;
        all.filter_map(|member| Some((member, self.places.take(member)?)))
            .collect()
    }

    /// Drops all members that are not done, in the order of their numbers.
    pub(super) fn clear(&mut self) {
        self.places.clear();
        self.unfinished = 0;
    }
}

impl<F: Future> Members<F> {
    /// Polls the members that were woken, and calls `done` with each output. WokenMembers if all members
    /// are done, or if `done` said [`Go::Stop`].
    pub(super) fn poll(
        &mut self,
        cx: &Context<'_>,
        kind: GroupKind,
        done: impl FnMut(usize, F::Output) -> Go,
    ) -> Poll<Go> {
        match looking::is_looking() {
            false => self.poll_woken(cx, done),
            true => self.look(cx, kind, done),
        }
    }

    #[cold]
    fn look(
        &mut self,
        cx: &Context<'_>,
        GroupKind(name, any): GroupKind,
        done: impl FnMut(usize, F::Output) -> Go,
    ) -> Poll<Go> {
        looking::group(name, any, || self.poll_woken(cx, done))
    }

    fn poll_woken(
        &mut self,
        cx: &Context<'_>,
        mut done: impl FnMut(usize, F::Output) -> Go,
    ) -> Poll<Go> {
        if self.places.is_empty() {
            return Poll::Ready(Go::On);
        }
        let Some(ready) = &self.ready else {
            return self.poll_few(cx, done);
        };
        drop(ready.begin());
        let mut looks = ready.looks();
        while let Some(turn) = ready.next_look(&mut looks).or_else(|| ready.next()) {
            let member = turn.seat();
            let look = turn.look(None);
            let polled = self.places.poll(member, &turn.waker());
            turn.end_look(look, polled.is_pending());
            let Poll::Ready(output) = polled else {
                continue;
            };
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
            let bracket = looking::open_member(member);
            if let Poll::Ready(output) = bracket.close(self.places.poll(member, cx.waker())) {
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

/// The name of a group in a dump, and whether the first member to end may end the wait.
#[derive(Debug, Clone, Copy)]
pub(super) struct GroupKind(pub(super) &'static str, pub(super) bool);

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
