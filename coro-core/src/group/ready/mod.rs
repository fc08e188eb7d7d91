//! The seats of a group, with the list of members that were woken.
//!
//! Every member sits in a *seat* and has a waker of its own. The waker puts the seat in a list and
//! wakes the *parent*, the task that polls the group. So a member is polled only if it was woken,
//! and each member that finishes costs constant time. A waker is a pointer to the seat, so it costs
//! no allocation. Any thread may hold a waker, so lists and marks are atomic. A seat is vacant, for
//! another member, once its member has left and no waker of it exists.

#[cfg(all(loom, test))]
mod interleavings;
mod wake_list;

pub(super) use wake_list::PinnedRow;

use std::cell::Cell;
use std::panic::Location;
use std::task::{Poll, Waker};

use self::wake_list::{BorrowedWaker, NONE, WakeList, WakeNode};
use crate::primitives::Arc;
use crate::primitives::Ordering::Relaxed;
use crate::task::looking::{self, MemberLook};
use crate::task::{Step, budget};

/// The greatest number of steps in one poll of the group, as in one turn of the loop: other tasks
/// on the loop want their turn.
const STEPS_PER_GROUP_POLL: u32 = 64;

/// The turn of one member. The member is polled with [`waker`](Self::waker). If it leaves
/// afterwards, its owner passes the turn to [`WokenMembers::leave`] or [`WokenMembers::retire`].
pub(super) struct Polling<'a> {
    seat: &'a WakeNode,
    /// Whether the member was woken: if not, it is polled for a dump only.
    woken: bool,
}

impl Polling<'_> {
    #[inline]
    pub(super) fn seat(&self) -> usize {
        self.seat.number() as usize
    }

    #[inline]
    pub(super) fn waker(&self) -> BorrowedWaker<'_> {
        self.seat.waker()
    }

    /// Begins a look at the member, if its task is polled for a dump.
    #[inline(always)]
    pub(super) fn look(&self, spawned_at: Option<&'static Location<'static>>) -> TurnLook {
        TurnLook(match looking::is_looking() {
            false => None,
            true => {
                let number = self.seat();
                let step = Step::Member { number, spawned_at };
                Some(MemberLook::begin(step, &self.seat.waker(), self.woken))
            }
        })
    }

    /// Ends the look at a member that was polled; `waits` says whether it still waits.
    #[inline(always)]
    pub(super) fn end_look(&self, look: TurnLook, waits: bool) {
        if let Some(look) = look.0 {
            look.end(waits.then(|| self.seat.wakers()));
        }
    }
}

/// The look at the member whose turn it is, if its task is polled for a dump.
pub(super) struct TurnLook(Option<MemberLook>);

/// The seats whose members are polled for a dump though they were not woken.
pub(super) struct Looks {
    next: u32,
    end: u32,
}

/// The seats of a group, and the seats that were woken, in the order of waking.
///
/// The only foreign code here is in the wakers of parents. A method whose callers cannot allow
/// foreign code returns the waker instead of using it.
pub(super) struct WokenMembers {
    room: Arc<WakeList>,
    /// The number of seats.
    seats: Cell<u32>,
    /// The first vacant seat. The other vacant seats follow it.
    vacant: Cell<u32>,
    /// The first and the last seat of the batch: seats that were taken from the room's list, or
    /// that the owner has woken.
    batch: Cell<u32>,
    last: Cell<u32>,
    poll: Cell<u32>,
    steps: Cell<u32>,
    /// Whether only members in the batch still get a turn: no more are taken from the list.
    is_last_batch: Cell<bool>,
    /// How many leaves had been refused for want of budget as the poll began.
    refusals: Cell<u32>,
}

impl Default for WokenMembers {
    #[inline]
    fn default() -> Self {
        WokenMembers {
            room: WakeList::new(),
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

impl WokenMembers {
    /// Seats a member, as if it were woken, in a vacant seat or in a new one behind the last.
    /// Returns the parent's waker, for the caller to wake, if the parent waits.
    #[inline]
    pub(super) fn enter(&self) -> (usize, Option<Waker>) {
        let seat = self.vacant_seat().unwrap_or_else(|| self.new_seat());
        self.append(seat);
        (seat.number() as usize, self.room.take_parent())
    }

    /// Appends a seat that is marked as queued, behind all seats that were woken before.
    #[inline]
    fn append(&self, seat: &WakeNode) {
        if let Some((first, last)) = self.room.take_list() {
            self.append_list(first, last);
        }
        seat.next.store(NONE, Relaxed);
        self.append_list(seat.number(), seat.number());
    }

    #[inline]
    fn append_list(&self, first: u32, last: u32) {
        match self.batch.get() {
            NONE => self.batch.set(first),
            _ => self.room.seat(self.last.get()).next.store(first, Relaxed),
        }
        self.last.set(last);
    }

    #[inline]
    fn vacant_seat(&self) -> Option<&WakeNode> {
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

    #[inline]
    fn new_seat(&self) -> &WakeNode {
        let number = self.seats.get();
        self.seats.set(number + 1);
        self.room.seat_or_new(number)
    }

    /// Makes seats for this number of members, as if all were woken.
    #[inline]
    pub(super) fn of(members: usize) -> Self {
        let members = u32::try_from(members).expect("a group of 2^31 members is too large");
        let ready = WokenMembers::default();
        ready.seats.set(members);
        if let Some(last) = members.checked_sub(1) {
            ready.room.seat_all(members);
            ready.room.seat(last).next.store(NONE, Relaxed);
            ready.batch.set(0);
            ready.last.set(last);
        }
        ready
    }

    /// Begins a poll of the group. Returns the parent's old waker, for the caller to drop.
    #[must_use]
    #[inline]
    pub(super) fn begin(&self) -> Option<Waker> {
        self.poll.set(self.poll.get().wrapping_add(1));
        self.steps.set(0);
        self.refusals.set(budget::refusals());
        self.room.take_parent()
    }

    /// Takes the parent's waker, which the caller wakes because something else has changed.
    #[must_use]
    #[inline]
    pub(super) fn take_parent(&self) -> Option<Waker> {
        self.room.take_parent()
    }

    /// Wakes a member, as its waker would, and the parent. `is_polled` says whether the member is being
    /// polled now, so that its lent waker may be in use elsewhere.
    #[inline]
    pub(super) fn wake(&self, seat: usize, is_polled: bool) {
        let seat = self.room.seat(seat as u32);
        if self.is_last_batch.get() {
            return;
        }
        let was_queued = match is_polled {
            true => seat.was_queued(),
            false => seat.set_queued(true),
        };
        if was_queued {
            return;
        }
        self.append(seat);
        if let Some(parent) = self.room.take_parent() {
            parent.wake();
        }
    }

    /// Whether this is the waker of the member in that seat.
    #[inline]
    pub(super) fn is_waker_of(&self, seat: usize, waker: &Waker) -> bool {
        self.room.seat(seat as u32).waker().will_wake(waker)
    }

    /// The turn of the next member. `None` if no member was woken, or if the group has done enough
    /// for one poll: each member has one turn in a poll.
    #[inline]
    pub(super) fn next(&self) -> Option<Polling<'_>> {
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
            return Some(Polling { seat, woken: true });
        }
        None
    }

    /// All seats, if the group is polled for a dump now.
    #[inline]
    pub(super) fn looks(&self) -> Looks {
        let is_looked_at = looking::is_looking() && looking::is_looking_here();
        let end = match is_looked_at && !self.is_last_batch.get() {
            true => self.seats.get(),
            false => 0,
        };
        Looks { next: 0, end }
    }

    /// The turn of the next member that is polled only for a dump: one that was not woken.
    #[inline]
    pub(super) fn next_look(&self, looks: &mut Looks) -> Option<Polling<'_>> {
        while looks.next < looks.end {
            let seat = self.room.seat(looks.next);
            looks.next += 1;
            if !seat.is_queued() {
                return Some(Polling { seat, woken: false });
            }
        }
        None
    }

    /// Once a member was refused for want of budget, the others come first in the next step.
    #[inline]
    fn may_go_on(&self) -> bool {
        self.steps.get() < STEPS_PER_GROUP_POLL && self.refusals.get() == budget::refusals()
    }

    /// Fills an empty batch from the list. Returns whether the batch has a seat.
    #[inline]
    fn refill(&self) -> bool {
        if self.batch.get() == NONE
            && !self.is_last_batch.get()
            && let Some((first, last)) = self.room.take_list()
        {
            self.append_list(first, last);
        }
        self.batch.get() != NONE
    }

    /// From now on, only members that were woken before get a turn.
    #[inline]
    pub(super) fn stop_refilling(&self) {
        if let Some((first, last)) = self.room.take_list() {
            self.append_list(first, last);
        }
        self.is_last_batch.set(true);
    }

    /// Whether all members that get a turn [until the end](Self::stop_refilling) have had it.
    #[inline]
    pub(super) fn is_exhausted(&self) -> bool {
        self.batch.get() == NONE
    }

    /// Lets a member leave in its turn, if no other member will take its seat.
    #[inline]
    pub(super) fn retire(&self, turn: Polling<'_>) {
        if turn.seat.set_queued(true) {
            turn.seat.left.store(true, Relaxed);
        }
    }

    /// Lets a member leave in its turn, and vacates its seat.
    #[inline]
    pub(super) fn leave(&self, turn: Polling<'_>) {
        self.settle(turn.seat);
    }

    /// Lets a member leave outside of its turn, and vacates its seat.
    #[inline]
    pub(super) fn remove(&self, seat: usize) {
        self.settle(self.room.seat(seat as u32));
    }

    /// Vacates the seat of a member that leaves. A seat that is still in the list is vacated when
    /// it is taken out.
    #[inline]
    fn settle(&self, seat: &WakeNode) {
        match seat.set_queued(true) {
            true => seat.left.store(true, Relaxed),
            false => self.vacate(seat),
        }
    }

    #[inline]
    fn vacate(&self, seat: &WakeNode) {
        if seat.can_be_reused() {
            seat.next.store(self.vacant.replace(seat.number()), Relaxed);
        }
    }

    /// Ends a poll of a group that is not done. If members are woken already, the group only needs
    /// another poll, and `parent` is woken at once. If not, `parent` is registered.
    pub(super) fn end<T>(&self, parent: &Waker) -> Poll<T> {
        if self.batch.get() != NONE || self.room.is_anyone_woken() {
            parent.wake_by_ref();
            return Poll::Pending;
        }
        let stale = self.room.set_parent(parent.clone());
        drop(stale);
        if looking::is_looking() {
            looking::hold();
        }
        if self.room.is_anyone_woken()
            && let Some(parent) = self.room.take_parent()
        {
            parent.wake();
        }
        Poll::Pending
    }
}

impl Drop for WokenMembers {
    #[inline]
    fn drop(&mut self) {
        let parent = self.room.take_parent();
        drop(parent);
    }
}
