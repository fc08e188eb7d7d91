//! The seats of a group, which any thread may reach by a waker.
#![expect(
    unsafe_code,
    reason = "a waker points to a seat among others, and counts the room that they are in"
)]

use std::marker::PhantomData;
use std::mem::ManuallyDrop;
use std::ops::Deref;
use std::process::abort;
use std::sync::{OnceLock, PoisonError};
use std::task::{RawWaker, RawWakerVTable, Waker};

use crate::primitives::{
    Arc, AtomicBool, AtomicPtr, AtomicU32, Mutex, MutexGuard, Ordering, fence_for_loom,
};

/// No seat's number.
pub(super) const NONE: u32 = u32::MAX;

/// So many seats stand in the room itself, and each of the blocks beside it has as many as room and
/// blocks had before.
const FIRST: usize = 4;
const BLOCKS: usize = 28;

/// Set in the count of a seat's wakers when its member has left: the last of them gives it back.
const LEFT: u32 = 1 << 31;

static TABLE: RawWakerVTable = RawWakerVTable::new(clone, wake, wake_by_ref, drop_waker);

/// One member's place. The owner alone reads or writes `polled_in` and `left`, and `next` while the
/// seat is in no list of the room's.
pub(super) struct Seat {
    room: AtomicPtr<Room>,
    number: u32,
    /// The next in whichever list the seat is in.
    pub(super) next: AtomicU32,
    /// Wakers that are counted, not the one that is lent for a poll.
    wakers: AtomicU32,
    pub(super) polled_in: AtomicU32,
    /// Whether the seat is in the list; or it is vacant, and must not get there.
    queued: AtomicBool,
    /// Whether the member has left while its seat was in the list.
    pub(super) left: AtomicBool,
}

impl Seat {
    /// It comes into the world queued, and followed by the next.
    fn new(number: usize, room: *const Room) -> Self {
        let number = number as u32;
        Seat {
            room: AtomicPtr::new(room.cast_mut()),
            number,
            next: AtomicU32::new(number + 1),
            wakers: AtomicU32::new(0),
            polled_in: AtomicU32::new(0),
            queued: AtomicBool::new(true),
            left: AtomicBool::new(false),
        }
    }

    pub(super) fn number(&self) -> u32 {
        self.number
    }

    fn room(&self) -> &Room {
        // SAFETY: a seat is reached through its room, by whoever keeps that, or by a waker, which
        // counts it; and only `Room::new` and `Room::seat_or_new` make seats.
        unsafe { &*self.room.load(Ordering::Relaxed) }
    }

    /// Puts the seat in the list, unless it is there, and wakes whoever polls the group.
    #[inline]
    fn wake(&self) {
        if !self.was_queued()
            && let Some(parent) = self.room().push(self)
        {
            parent.wake();
        }
    }

    /// Marks the seat as queued; gives whether it was so before.
    #[inline]
    pub(super) fn was_queued(&self) -> bool {
        self.queued.swap(true, Ordering::AcqRel)
    }

    /// Sets whether the seat is queued, for its owner, while its member is not polled; gives what
    /// was so before. Whoever finds it queued until here has done before what a poll is to see.
    ///
    /// Where no waker is counted nobody else can reach the seat: what they did comes before.
    #[inline]
    pub(super) fn set_queued(&self, queued: bool) -> bool {
        if self.wakers.load(Ordering::Acquire) != 0 {
            return self.queued.swap(queued, Ordering::AcqRel);
        }
        let before = self.queued.load(Ordering::Relaxed);
        self.queued.store(queued, Ordering::Relaxed);
        before
    }

    /// Whether another member may have the seat, since nobody has a waker of this one's. If not, it
    /// will be among those that are [given back](Room::take_returned).
    pub(super) fn can_be_reused(&self) -> bool {
        if self.wakers.load(Ordering::Acquire) == 0 {
            return true;
        }
        let unshared = self.wakers.fetch_or(LEFT, Ordering::AcqRel) == 0;
        if unshared {
            self.wakers.store(0, Ordering::Relaxed);
        }
        unshared
    }

    /// Makes it as it was in the beginning, for another member: nobody has a waker of it.
    pub(super) fn renew(&self) {
        self.wakers.store(0, Ordering::Relaxed);
        self.polled_in.store(0, Ordering::Relaxed);
        self.left.store(false, Ordering::Relaxed);
        self.queued.store(true, Ordering::Relaxed);
    }

    /// A waker that is lent for as long as the seat is: it counts only when it is cloned.
    #[inline]
    pub(super) fn waker(&self) -> Lent<'_> {
        let data = std::ptr::from_ref(self).cast();
        // SAFETY: the table keeps the contract of `RawWaker` for a pointer to a seat in a room that
        // somebody keeps; the waker is never dropped, so it gives up no count.
        Lent(
            ManuallyDrop::new(unsafe { Waker::new(data, &TABLE) }),
            PhantomData,
        )
    }

    fn retain(&self) {
        let before = self.wakers.fetch_add(1, Ordering::Relaxed);
        if before & !LEFT == 0 {
            // SAFETY: the pointer is that of an `Arc`, which somebody keeps: it is a lent waker
            // that is cloned here.
            unsafe { Arc::increment_strong_count(self.room.load(Ordering::Relaxed).cast_const()) };
        } else if before & !LEFT > LEFT / 2 {
            abort(); // so many can only have been forgotten
        }
    }

    /// # Safety
    ///
    /// One of the seat's wakers that counts is given up. No reference to the seat is used here, as
    /// the seat may go with the count.
    unsafe fn release(this: *const Seat) {
        // SAFETY: the waker keeps the room until its count is taken off, and from then on the count
        // of the room's that the first of the seat's wakers took, if this is the last one.
        unsafe {
            let room = (*this).room.load(Ordering::Relaxed).cast_const();
            let before = (*this).wakers.fetch_sub(1, Ordering::AcqRel);
            if before & !LEFT != 1 {
                return;
            }
            if before & LEFT != 0 {
                push(&(*room).returned, &*this);
            }
            Arc::decrement_strong_count(room);
        }
    }
}

/// A waker that borrows its seat.
pub(in crate::group) struct Lent<'a>(ManuallyDrop<Waker>, PhantomData<&'a Seat>);

impl Deref for Lent<'_> {
    type Target = Waker;

    fn deref(&self) -> &Waker {
        &self.0
    }
}

type Block = OnceLock<Box<[Seat]>>;

/// Where the seats are. Its owner keeps it, and so do the wakers of its seats: those who woke last
/// may do so when there is no owner, and then put in lists what nobody takes out.
pub(super) struct Room {
    /// Those that were woken, the last one first.
    list: AtomicU32,
    /// Those whose last waker was dropped after their members had left.
    returned: AtomicU32,
    /// Whether there is a parent.
    waits: AtomicBool,
    /// Whoever polls the group, while it waits.
    parent: Mutex<Option<Waker>>,
    first: [Seat; FIRST],
    more: OnceLock<Box<[Block; BLOCKS]>>,
}

impl Room {
    pub(super) fn new() -> Arc<Self> {
        let room = Arc::new(Room {
            list: AtomicU32::new(NONE),
            returned: AtomicU32::new(NONE),
            waits: AtomicBool::new(false),
            parent: Mutex::new(None),
            first: std::array::from_fn(|number| Seat::new(number, std::ptr::null())),
            more: OnceLock::new(),
        });
        let address = Arc::as_ptr(&room).cast_mut();
        for seat in &room.first {
            seat.room.store(address, Ordering::Relaxed);
        }
        room
    }

    /// The seat with that number, which is there.
    #[inline]
    pub(super) fn seat(&self, number: u32) -> &Seat {
        match self.first.get(number as usize) {
            Some(seat) => seat,
            None => self.seat_in_block(number).expect("the seat is there"),
        }
    }

    #[inline]
    fn seat_in_block(&self, number: u32) -> Option<&Seat> {
        let (block, start) = block_of(number);
        self.more.get()?[block].get()?.get(number as usize - start)
    }

    /// The seat with that number, which may be the first of a new block.
    pub(super) fn seat_or_new(&self, number: u32) -> &Seat {
        let in_first = self.first.get(number as usize);
        if let Some(seat) = in_first.or_else(|| self.seat_in_block(number)) {
            return seat;
        }
        let (block, start) = block_of(number);
        assert!(block < BLOCKS, "two milliard members are too many");
        let room = self.first[0].room.load(Ordering::Relaxed); // as the `Arc` gave it
        let seats = self.more.get_or_init(Box::default)[block].get_or_init(|| {
            let numbers = start..2 * start + FIRST;
            numbers.map(|number| Seat::new(number, room)).collect()
        });
        &seats[number as usize - start]
    }

    /// Makes so many seats, all that there are.
    pub(super) fn seat_all(&self, seats: u32) {
        let mut there = FIRST as u32;
        while there < seats {
            self.seat_or_new(there);
            there = 2 * there + FIRST as u32;
        }
    }

    /// Puts a seat that is queued in the list; gives the parent, to be woken, if it waits.
    #[inline]
    #[must_use]
    fn push(&self, seat: &Seat) -> Option<Waker> {
        push(&self.list, seat);
        fence_for_loom();
        match self.waits.load(Ordering::SeqCst) {
            true => self.take_parent(),
            false => None,
        }
    }

    /// Takes the list; gives the first and the last that were woken.
    #[inline]
    pub(super) fn take_list(&self) -> Option<(u32, u32)> {
        match self.list.load(Ordering::Relaxed) {
            NONE => None,
            _ => Some(self.take_in_order()),
        }
    }

    fn take_in_order(&self) -> (u32, u32) {
        let mut last = self.list.swap(NONE, Ordering::AcqRel);
        let (mut first, end) = (NONE, last);
        while last != NONE {
            let next = &self.seat(last).next;
            let before = next.load(Ordering::Relaxed);
            next.store(first, Ordering::Relaxed);
            (first, last) = (last, before);
        }
        (first, end)
    }

    /// Takes the seats whose last waker was dropped after their members had left.
    pub(super) fn take_returned(&self) -> u32 {
        match self.returned.load(Ordering::Relaxed) {
            NONE => NONE,
            _ => self.returned.swap(NONE, Ordering::AcqRel),
        }
    }

    /// Whether somebody was woken. Of this and a [`push`](Self::push) one comes first for all: if
    /// this does, that sees the parent that was [set](Self::set_parent) before.
    pub(super) fn is_anyone_woken(&self) -> bool {
        fence_for_loom();
        self.list.load(Ordering::SeqCst) != NONE
    }

    /// No code of anybody else's runs under this lock, so that it is never poisoned for a reason.
    fn lock(&self) -> MutexGuard<'_, Option<Waker>> {
        self.parent.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives the one of before, for the caller to drop.
    #[must_use]
    pub(super) fn set_parent(&self, parent: Waker) -> Option<Waker> {
        let mut present = self.lock();
        self.waits.store(true, Ordering::SeqCst);
        present.replace(parent)
    }

    #[must_use]
    pub(super) fn take_parent(&self) -> Option<Waker> {
        if !self.waits.load(Ordering::SeqCst) {
            return None;
        }
        let mut present = self.lock();
        self.waits.store(false, Ordering::SeqCst);
        present.take()
    }
}

/// In which block a seat is that is not among the first, and the number with which that begins.
#[inline]
fn block_of(number: u32) -> (usize, usize) {
    let size = (number as usize / FIRST + 1).ilog2();
    (size as usize - 1, (FIRST << size) - FIRST)
}

/// Puts a seat that is in no list in front of one.
#[inline]
fn push(list: &AtomicU32, seat: &Seat) {
    let mut first = list.load(Ordering::Relaxed);
    loop {
        seat.next.store(first, Ordering::Relaxed);
        match list.compare_exchange_weak(first, seat.number, Ordering::SeqCst, Ordering::Relaxed) {
            Ok(_) => return,
            Err(other) => first = other,
        }
    }
}

/// # Safety
///
/// The data is that of a waker made by [`Seat::waker`], or of a clone, which counts.
#[inline]
unsafe fn seat<'a>(data: *const ()) -> &'a Seat {
    // SAFETY: whoever has a waker keeps the room in which the seat is: the owner, who lends it, or
    // the count that its clone has taken.
    unsafe { &*data.cast::<Seat>() }
}

unsafe fn clone(data: *const ()) -> RawWaker {
    // SAFETY: the data is a waker's.
    unsafe { seat(data) }.retain();
    RawWaker::new(data, &TABLE)
}

unsafe fn wake(data: *const ()) {
    // SAFETY: the data is a waker's, whose count is given up afterwards.
    unsafe {
        wake_by_ref(data);
        drop_waker(data);
    }
}

unsafe fn wake_by_ref(data: *const ()) {
    // SAFETY: the data is a waker's.
    unsafe { seat(data) }.wake();
}

unsafe fn drop_waker(data: *const ()) {
    // SAFETY: the data is that of a waker that counts: one that is lent is never dropped.
    unsafe { Seat::release(data.cast()) };
}
