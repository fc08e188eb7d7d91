//! Which members of a group were woken.
//!
//! Every member sits in a *seat* and has a waker of its own, which puts the seat's number in a list
//! and wakes whoever polls the group: so a member is polled only if it was woken, and members that
//! finish one by one cost a constant each. Wakers are `Arc`s, as any thread may hold one; they
//! stay with their seats, so that a group whose members come and go makes few.

use std::mem;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering, fence};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Wake, Waker};

/// A group is polled no further after this many steps, as with the loop's own queue: others on the
/// loop want their turn.
const STEPS_A_POLL: u32 = 64;

/// What the wakers of a group share.
#[derive(Default)]
struct Shared(Mutex<Woken>);

#[derive(Default)]
struct Woken {
    seats: Vec<u32>,
    /// Whoever polls the group, while it waits.
    parent: Option<Waker>,
}

impl Shared {
    /// No code of anybody else's runs under this lock, so that it is never poisoned for a reason.
    fn lock(&self) -> MutexGuard<'_, Woken> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct SeatWaker {
    /// It changes only while nobody else has the waker.
    seat: AtomicU32,
    /// Whether the seat is in the list; or it is vacant, and must not get there.
    queued: AtomicBool,
    shared: Arc<Shared>,
}

impl Wake for SeatWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if self.queued.swap(true, Ordering::AcqRel) {
            return;
        }
        let parent = {
            let mut woken = self.shared.lock();
            woken.seats.push(self.seat.load(Ordering::Relaxed));
            woken.parent.take()
        };
        if let Some(parent) = parent {
            parent.wake();
        }
    }
}

/// The waker of a seat, twice: to be looked at, and to be passed on.
struct Own {
    seat: Arc<SeatWaker>,
    waker: Waker,
}

impl Own {
    /// It comes into the world queued.
    fn new(seat: u32, shared: &Arc<Shared>) -> Self {
        let seat = Arc::new(SeatWaker {
            seat: AtomicU32::new(seat),
            queued: AtomicBool::new(true),
            shared: shared.clone(),
        });
        let waker = seat.clone().into();
        Own { seat, waker }
    }

    /// Whether nobody else has the waker any more, so that another member may have it.
    fn is_unshared(&self) -> bool {
        let unshared = Arc::strong_count(&self.seat) == 2;
        fence(Ordering::Acquire); // what others did with it has been done
        unshared
    }
}

#[derive(Default)]
struct Seat {
    /// Not here while the member is being polled.
    own: Option<Own>,
    polled_in: u64,
    /// Whether the member has left while its seat was in the list.
    left: bool,
}

/// The turn of one member: it is polled with [`waker`](Self::waker), and then the turn is given
/// back, by [`Ready::wait`], [`Ready::leave`] or [`Ready::retire`].
#[must_use]
pub(super) struct Turn {
    own: Own,
}

impl Turn {
    pub(super) fn seat(&self) -> usize {
        self.own.seat.seat.load(Ordering::Relaxed) as usize
    }

    pub(super) fn waker(&self) -> &Waker {
        &self.own.waker
    }
}

/// The seats of a group, and those among them that were woken, in the order in which they were.
///
/// Foreign code runs in the destructors of wakers alone: those of the parent are passed out or
/// dropped where the caller has nothing borrowed.
#[derive(Default)]
pub(super) struct Ready {
    shared: Arc<Shared>,
    seats: Vec<Seat>,
    vacant: Vec<u32>,
    /// What was taken from the list, and how far it has been gone through.
    batch: Vec<u32>,
    done: usize,
    poll: u64,
    steps: u32,
    spare: Option<Own>,
}

impl Ready {
    /// Seats a member, as if woken: in a seat that was vacated, or in a new one behind the last.
    /// Gives the waker to be woken, if the group is being waited for.
    pub(super) fn enter(&mut self) -> (usize, Option<Waker>) {
        let number = self.vacant.pop().unwrap_or_else(|| {
            let number =
                u32::try_from(self.seats.len()).expect("four milliard members are too many");
            self.seats.push(Seat::default());
            number
        });
        let seat = &mut self.seats[number as usize];
        match &seat.own {
            Some(own) => own.seat.queued.store(true, Ordering::Relaxed),
            None => seat.own = Some(Own::new(number, &self.shared)),
        }
        let mut woken = self.shared.lock();
        woken.seats.push(number);
        (number as usize, woken.parent.take())
    }

    /// Seats so many members, as if woken. Their wakers are made when their turns come.
    pub(super) fn of(members: usize) -> Self {
        let numbers = u32::try_from(members).expect("four milliard members are too many");
        let mut ready = Ready::default();
        ready.seats.resize_with(members, Seat::default);
        ready.batch.extend(0..numbers);
        ready
    }

    /// Begins a poll of the group. Gives a waker to be dropped.
    #[must_use]
    pub(super) fn begin(&mut self) -> Option<Waker> {
        self.poll += 1;
        self.steps = 0;
        self.shared.lock().parent.take()
    }

    /// The waker of whoever waits for the group, to be woken because something else has changed.
    #[must_use]
    pub(super) fn take_parent(&self) -> Option<Waker> {
        self.shared.lock().parent.take()
    }

    /// The waker of a member that is not being polled.
    pub(super) fn waker(&self, seat: usize) -> Option<Waker> {
        let own = self.seats[seat].own.as_ref()?;
        Some(own.waker.clone())
    }

    /// The member whose turn it is; none if the group has nothing to do, or has done enough for
    /// one poll: a member has one turn in each.
    pub(super) fn next(&mut self) -> Option<Turn> {
        while self.steps < STEPS_A_POLL && self.refill() {
            let number = self.batch[self.done];
            let seat = &mut self.seats[number as usize];
            if mem::take(&mut seat.left) {
                self.done += 1;
                self.vacate(number);
                continue;
            }
            if seat.polled_in == self.poll {
                return None;
            }
            self.done += 1;
            self.steps += 1;
            seat.polled_in = self.poll;
            let own = seat.own.take();
            let own = own.unwrap_or_else(|| self.spare(number));
            // Whoever finds it queued until here has done before what the poll is to see.
            own.seat.queued.swap(false, Ordering::AcqRel);
            return Some(Turn { own });
        }
        None
    }

    /// A waker for a member that has none yet: one that another has left behind, if there is.
    fn spare(&mut self, number: u32) -> Own {
        match self.spare.take() {
            Some(own) => {
                own.seat.seat.store(number, Ordering::Relaxed);
                own
            }
            None => Own::new(number, &self.shared),
        }
    }

    /// A member that nobody will follow leaves in its turn, and its waker, if nobody else has it,
    /// is kept for another.
    pub(super) fn retire(&mut self, turn: Turn) {
        if !turn.own.seat.queued.swap(true, Ordering::AcqRel) && turn.own.is_unshared() {
            self.spare = Some(turn.own);
        }
    }

    /// Whether there is something in the batch, if need be from the list.
    fn refill(&mut self) -> bool {
        if self.done == self.batch.len() {
            self.batch.clear();
            self.done = 0;
            mem::swap(&mut self.batch, &mut self.shared.lock().seats);
        }
        !self.batch.is_empty()
    }

    /// The member waits to be woken.
    pub(super) fn wait(&mut self, turn: Turn) {
        let seat = turn.seat();
        self.seats[seat].own = Some(turn.own);
    }

    /// The member leaves in its turn.
    pub(super) fn leave(&mut self, turn: Turn) {
        self.settle(turn.own);
    }

    /// A member leaves outside of its turn.
    pub(super) fn remove(&mut self, seat: usize) {
        if let Some(own) = self.seats[seat].own.take() {
            self.settle(own);
        }
    }

    /// Whoever comes last, the member that leaves or its number in the list, vacates the seat.
    fn settle(&mut self, own: Own) {
        let number = own.seat.seat.load(Ordering::Relaxed);
        let in_list = own.seat.queued.swap(true, Ordering::AcqRel);
        let seat = &mut self.seats[number as usize];
        if own.is_unshared() {
            seat.own = Some(own);
        }
        match in_list {
            true => seat.left = true,
            false => self.vacate(number),
        }
    }

    fn vacate(&mut self, number: u32) {
        self.seats[number as usize].polled_in = 0;
        self.vacant.push(number);
    }

    /// Ends a poll of the group, which waits: for its members, or only for another turn. Then
    /// `parent` is woken.
    pub(super) fn end(&mut self, parent: Waker) -> Ended {
        let mut woken = self.shared.lock();
        let again = self.done < self.batch.len() || !woken.seats.is_empty();
        let (to_wake, to_drop) = match again {
            true => (Some(parent), None),
            false => (None, woken.parent.replace(parent)),
        };
        Ended { to_wake, to_drop }
    }
}

impl Drop for Ready {
    fn drop(&mut self) {
        let parent = self.shared.lock().parent.take();
        drop(parent);
    }
}

/// What to do once nothing is borrowed.
#[must_use]
pub(super) struct Ended {
    to_wake: Option<Waker>,
    to_drop: Option<Waker>,
}

impl Ended {
    pub(super) fn pending<T>(self) -> Poll<T> {
        drop(self.to_drop);
        if let Some(parent) = self.to_wake {
            parent.wake();
        }
        Poll::Pending
    }
}
