//! Which members of a group were woken.
//!
//! Every member sits in a *seat* and has a waker of its own, which puts the seat in a list and wakes
//! whoever polls the group: so a member is polled only if it was woken, and members that finish one
//! by one cost a constant each. A waker is a pointer to the seat, so that it costs no allocation;
//! as any thread may hold one, lists and marks are atomic. A seat is vacant, for another member,
//! once its member has left and nobody has a waker of it any more.

#[cfg(all(loom, test))]
mod interleavings;
mod room;

use std::cell::Cell;
use std::task::{Poll, Waker};

use self::room::{Lent, NONE, Room, Seat};
use crate::primitives::Arc;
use crate::primitives::Ordering::Relaxed;
use crate::task::budget;

/// A group is polled no further after this many steps, as with the loop's own queue: others on the
/// loop want their turn.
const STEPS_A_POLL: u32 = 64;

/// The turn of one member: it is polled with [`waker`](Self::waker); if it then leaves, the turn is
/// given back, by [`Ready::leave`] or [`Ready::retire`].
pub(super) struct Turn<'a>(&'a Seat);

impl Turn<'_> {
    pub(super) fn seat(&self) -> usize {
        self.0.number() as usize
    }

    pub(super) fn waker(&self) -> Lent<'_> {
        self.0.waker()
    }
}

/// The seats of a group, and those among them that were woken, in the order in which they were.
///
/// Foreign code runs in the wakers of parents alone: where the caller cannot have it run, it is
/// given the waker.
pub(super) struct Ready {
    room: Arc<Room>,
    /// How many seats there are.
    seats: Cell<u32>,
    /// The first of those that are vacant, and behind it the others.
    vacant: Cell<u32>,
    /// The first and the last of those that were taken from the list, or were woken by the owner.
    batch: Cell<u32>,
    last: Cell<u32>,
    poll: Cell<u32>,
    steps: Cell<u32>,
    /// No more are taken from the list: the batch has the last that get a turn.
    is_last_batch: Cell<bool>,
    /// How many leaves had been refused for want of budget as the poll began.
    refusals: Cell<u32>,
}

impl Default for Ready {
    fn default() -> Self {
        Ready {
            room: Room::new(),
            seats: Cell::new(0),
            vacant: Cell::new(NONE),
            batch: Cell::new(NONE),
            last: Cell::new(NONE),
            poll: Cell::new(0),
            steps: Cell::new(0),
            is_last_batch: Cell::new(false),
            refusals: Cell::new(0),
        }
    }
}

impl Ready {
    /// Seats a member, as if woken: in a seat that was vacated, or in a new one behind the last.
    /// Gives the waker to be woken, if the group is being waited for.
    pub(super) fn enter(&self) -> (usize, Option<Waker>) {
        let seat = self.vacant_seat().unwrap_or_else(|| self.new_seat());
        self.append(seat);
        (seat.number() as usize, self.room.take_parent())
    }

    /// Puts a seat that is queued behind all that were woken before.
    fn append(&self, seat: &Seat) {
        if let Some((first, last)) = self.room.take_list() {
            self.append_list(first, last);
        }
        seat.next.store(NONE, Relaxed);
        self.append_list(seat.number(), seat.number());
    }

    fn append_list(&self, first: u32, last: u32) {
        match self.batch.get() {
            NONE => self.batch.set(first),
            _ => self.room.seat(self.last.get()).next.store(first, Relaxed),
        }
        self.last.set(last);
    }

    fn vacant_seat(&self) -> Option<&Seat> {
        if self.vacant.get() == NONE {
            self.vacant.set(self.room.take_returned());
        }
        let number = self.vacant.get();
        (number != NONE).then(|| {
            let seat = self.room.seat(number);
            self.vacant.set(seat.next.load(Relaxed));
            seat.renew();
            seat
        })
    }

    fn new_seat(&self) -> &Seat {
        let number = self.seats.get();
        self.seats.set(number + 1);
        self.room.seat_or_new(number)
    }

    /// Seats so many members, as if woken.
    pub(super) fn of(members: usize) -> Self {
        let members = u32::try_from(members).expect("two milliard members are too many");
        let ready = Ready::default();
        ready.seats.set(members);
        if let Some(last) = members.checked_sub(1) {
            ready.room.seat_all(members);
            ready.room.seat(last).next.store(NONE, Relaxed);
            ready.batch.set(0);
            ready.last.set(last);
        }
        ready
    }

    /// Begins a poll of the group. Gives a waker to be dropped.
    #[must_use]
    pub(super) fn begin(&self) -> Option<Waker> {
        self.poll.set(self.poll.get().wrapping_add(1));
        self.steps.set(0);
        self.refusals.set(budget::refusals());
        self.room.take_parent()
    }

    /// The waker of whoever waits for the group, to be woken because something else has changed.
    #[must_use]
    pub(super) fn take_parent(&self) -> Option<Waker> {
        self.room.take_parent()
    }

    /// Wakes a member, as its waker would, and whoever waits for the group.
    pub(super) fn wake(&self, seat: usize) {
        let seat = self.room.seat(seat as u32);
        if self.is_last_batch.get() || seat.was_queued() {
            return;
        }
        self.append(seat);
        if let Some(parent) = self.room.take_parent() {
            parent.wake();
        }
    }

    /// Whether this is the waker of that member.
    pub(super) fn is_waker_of(&self, seat: usize, waker: &Waker) -> bool {
        self.room.seat(seat as u32).waker().will_wake(waker)
    }

    /// The member whose turn it is; none if the group has nothing to do, or has done enough for
    /// one poll: a member has one turn in each.
    #[inline]
    pub(super) fn next(&self) -> Option<Turn<'_>> {
        while self.may_go_on() && self.refill() {
            let seat = self.room.seat(self.batch.get());
            if seat.left.load(Relaxed) {
                self.batch.set(seat.next.load(Relaxed));
                self.vacate(seat);
                continue;
            }
            if seat.polled_in.load(Relaxed) == self.poll.get() {
                return None;
            }
            self.batch.set(seat.next.load(Relaxed));
            self.steps.set(self.steps.get() + 1);
            seat.polled_in.store(self.poll.get(), Relaxed);
            seat.set_queued(false);
            return Some(Turn(seat));
        }
        None
    }

    /// Once a member was refused for want of budget, the others come first in the next step.
    #[inline]
    fn may_go_on(&self) -> bool {
        self.steps.get() < STEPS_A_POLL && self.refusals.get() == budget::refusals()
    }

    /// Whether there is something in the batch, if need be from the list.
    fn refill(&self) -> bool {
        if self.batch.get() == NONE
            && !self.is_last_batch.get()
            && let Some((first, last)) = self.room.take_list()
        {
            self.append_list(first, last);
        }
        self.batch.get() != NONE
    }

    /// From now on only those get a turn that were woken before.
    pub(super) fn stop_refilling(&self) {
        if let Some((first, last)) = self.room.take_list() {
            self.append_list(first, last);
        }
        self.is_last_batch.set(true);
    }

    /// Whether all that get a turn [until the end](Self::stop_refilling) have had it.
    pub(super) fn is_exhausted(&self) -> bool {
        self.batch.get() == NONE
    }

    /// A member that nobody will follow leaves in its turn.
    pub(super) fn retire(&self, turn: Turn<'_>) {
        if turn.0.set_queued(true) {
            turn.0.left.store(true, Relaxed);
        }
    }

    /// The member leaves in its turn.
    pub(super) fn leave(&self, turn: Turn<'_>) {
        self.settle(turn.0);
    }

    /// A member leaves outside of its turn.
    pub(super) fn remove(&self, seat: usize) {
        self.settle(self.room.seat(seat as u32));
    }

    /// Whoever comes last, the member that leaves or its seat in the list, vacates the seat.
    fn settle(&self, seat: &Seat) {
        match seat.set_queued(true) {
            true => seat.left.store(true, Relaxed),
            false => self.vacate(seat),
        }
    }

    fn vacate(&self, seat: &Seat) {
        if seat.can_be_reused() {
            seat.next.store(self.vacant.replace(seat.number()), Relaxed);
        }
    }

    /// Ends a poll of the group, which waits: for its members, or only for another turn. Then
    /// `parent` is woken.
    pub(super) fn end<T>(&self, parent: &Waker) -> Poll<T> {
        if self.batch.get() != NONE || self.room.is_anyone_woken() {
            parent.wake_by_ref();
            return Poll::Pending;
        }
        let stale = self.room.set_parent(parent.clone());
        drop(stale);
        if self.room.is_anyone_woken()
            && let Some(parent) = self.room.take_parent()
        {
            parent.wake();
        }
        Poll::Pending
    }
}

impl Drop for Ready {
    fn drop(&mut self) {
        let parent = self.room.take_parent();
        drop(parent);
    }
}
