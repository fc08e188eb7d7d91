//! The room with a group's seats, which any thread may reach by a waker.
#![expect(
    unsafe_code,
    reason = "a waker points to a seat among others, and counts the room that they are in; a row of pinned members"
)]

use std::marker::PhantomData;
use std::mem::ManuallyDrop;
use std::ops::Deref;
use std::pin::Pin;
use std::process::abort;
use std::sync::OnceLock;
use std::task::{RawWaker, RawWakerVTable, Waker};

use crate::panics::unpoisoned;
use crate::primitives::{
    Arc, AtomicBool, AtomicPtr, AtomicU32, Mutex, MutexGuard, Ordering, fence_for_loom,
};

/// A number that no seat has. It ends a list.
pub(super) const NONE: u32 = u32::MAX;

/// The number of seats in the room itself. Each block beside it has as many seats as the room and
/// all blocks before it together, and `FIRST` more.
const FIRST: usize = 4;
const BLOCKS: usize = 28;

/// A flag in the count of a seat's wakers: the member has left, so the last waker gives the seat
/// back.
const LEFT: u32 = 1 << 31;

static TABLE: RawWakerVTable = RawWakerVTable::new(clone, wake, wake_by_ref, drop_waker);

/// The place of one member. Only the owner reads or writes `polled_in` and `left`. The same holds
/// for `next` while the seat is in no list of the room.
pub(super) struct WakeNode {
    room: AtomicPtr<WakeList>,
    number: u32,
    /// The next seat in the list that this seat is in.
    pub(super) next: AtomicU32,
    /// The number of counted wakers. The waker that is lent for a poll does not count.
    wakers: AtomicU32,
    pub(super) polled_in: AtomicU32,
    /// Whether the seat is in the list. Also true for a vacant seat, which must not get there.
    queued: AtomicBool,
    /// Whether the member has left while its seat was in the list.
    pub(super) left: AtomicBool,
}

impl WakeNode {
    /// A new seat is queued, and followed by the seat with the next number.
    #[inline]
    fn new(number: usize, room: *const WakeList) -> Self {
        let number = number as u32;
        WakeNode {
            room: AtomicPtr::new(room.cast_mut()),
            number,
            next: AtomicU32::new(number + 1),
            wakers: AtomicU32::new(0),
            polled_in: AtomicU32::new(0),
            queued: AtomicBool::new(true),
            left: AtomicBool::new(false),
        }
    }

    #[inline]
    pub(super) fn number(&self) -> u32 {
        self.number
    }

    #[inline]
    fn room(&self) -> &WakeList {
        // SAFETY: a seat is reached through its room, which the owner keeps, or by a waker. A lent
        // waker borrows from the owner, and a cloned one counts the room. Only `WakeList::new` and
        // `WakeList::seat_or_new` make seats.
        unsafe { &*self.room.load(Ordering::Relaxed) }
    }

    /// Puts the seat in the list, unless it is there, and wakes the parent.
    #[inline]
    fn wake(&self) {
        if !self.was_queued()
            && let Some(parent) = self.room().push(self)
        {
            parent.wake();
        }
    }

    /// Marks the seat as queued. Returns whether it was queued before.
    #[inline]
    pub(super) fn was_queued(&self) -> bool {
        self.queued.swap(true, Ordering::AcqRel)
    }

    /// Whether the seat is in the list, or is vacant, or its member has left.
    #[inline]
    pub(super) fn is_queued(&self) -> bool {
        self.queued.load(Ordering::Acquire)
    }

    /// How many wakers of the member there are.
    #[inline]
    pub(super) fn wakers(&self) -> usize {
        (self.wakers.load(Ordering::Relaxed) & !LEFT) as usize
    }

    /// Sets whether the seat is queued. Returns whether it was queued before. The owner calls this
    /// while the member is not polled. A waker that found the seat queued before this call does
    /// nothing more, and the next poll sees all that its thread did before.
    ///
    /// If no waker is counted, no other thread can reach the seat. The `Acquire` makes the effects
    /// of all earlier wakers visible.
    #[inline]
    pub(super) fn set_queued(&self, queued: bool) -> bool {
        if self.wakers.load(Ordering::Acquire) != 0 {
            return self.queued.swap(queued, Ordering::AcqRel);
        }
        let before = self.queued.load(Ordering::Relaxed);
        self.queued.store(queued, Ordering::Relaxed);
        before
    }

    /// Whether another member may have the seat, because this member has no waker any more. If it
    /// has, the last waker [gives the seat back](WakeList::take_returned).
    #[inline]
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

    /// Resets the seat for another member. No waker of the seat exists.
    #[inline]
    pub(super) fn renew(&self) {
        self.wakers.store(0, Ordering::Relaxed);
        self.polled_in.store(0, Ordering::Relaxed);
        self.left.store(false, Ordering::Relaxed);
        self.queued.store(true, Ordering::Relaxed);
    }

    /// A waker that is lent for as long as the seat is borrowed. Only its clones are counted.
    #[inline]
    pub(super) fn waker(&self) -> BorrowedWaker<'_> {
        let data = std::ptr::from_ref(self).cast();
        // SAFETY: the table keeps the contract of `RawWaker` for a pointer to a seat in a room that
        // is kept, here by the owner that lends the waker. The waker is never dropped, so it gives
        // up no count.
        BorrowedWaker(
            ManuallyDrop::new(unsafe { Waker::new(data, &TABLE) }),
            PhantomData,
        )
    }

    #[inline]
    fn retain(&self) {
        let before = self.wakers.fetch_add(1, Ordering::Relaxed);
        if before & !LEFT == 0 {
            // SAFETY: the pointer is that of an `Arc`. Its owner keeps it: no waker was counted, so
            // the waker that is cloned here is one that the owner lends.
            unsafe { Arc::increment_strong_count(self.room.load(Ordering::Relaxed).cast_const()) };
        } else if before & !LEFT > LEFT / 2 {
            abort(); // only wakers that were forgotten can reach this number
        }
    }

    /// # Safety
    ///
    /// The caller gives up one counted waker of the seat. `this` is a pointer, not a reference,
    /// because the seat may be freed together with the count.
    #[inline]
    unsafe fn release(this: *const WakeNode) {
        // SAFETY: the waker keeps the room until its own count is taken off. If it is the seat's
        // last waker, the room is kept from then on by the count of the `Arc` that the seat's first
        // waker took, which is given up at the end.
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
pub(in crate::group) struct BorrowedWaker<'a>(ManuallyDrop<Waker>, PhantomData<&'a WakeNode>);

impl Deref for BorrowedWaker<'_> {
    type Target = Waker;

    #[inline]
    fn deref(&self) -> &Waker {
        &self.0
    }
}

type Block = OnceLock<Box<[WakeNode]>>;

/// The memory of the seats. Its owner and the wakers of its seats keep it. A waker may outlive the
/// owner: the seats that it puts in a list are then never taken out.
pub(super) struct WakeList {
    /// The seats that were woken, the latest first.
    list: AtomicU32,
    /// The seats whose last waker was dropped after their member had left.
    returned: AtomicU32,
    /// Whether the parent waits.
    waits: AtomicBool,
    /// The waker of the parent, the task that polls the group, while it waits.
    parent: Mutex<Option<Waker>>,
    first: [WakeNode; FIRST],
    more: OnceLock<Box<[Block; BLOCKS]>>,
}

impl WakeList {
    #[inline]
    pub(super) fn new() -> Arc<Self> {
        let room = Arc::new(WakeList {
            list: AtomicU32::new(NONE),
            returned: AtomicU32::new(NONE),
            waits: AtomicBool::new(false),
            parent: Mutex::new(None),
            first: std::array::from_fn(|number| WakeNode::new(number, std::ptr::null())),
            more: OnceLock::new(),
        });
        let address = Arc::as_ptr(&room).cast_mut();
        for seat in &room.first {
            seat.room.store(address, Ordering::Relaxed);
        }
        room
    }

    /// The seat with that number, which exists.
    #[inline]
    pub(super) fn seat(&self, number: u32) -> &WakeNode {
        match self.first.get(number as usize) {
            Some(seat) => seat,
            None => self.seat_in_block(number).expect("the seat is there"),
        }
    }

    #[inline]
    fn seat_in_block(&self, number: u32) -> Option<&WakeNode> {
        let (block, start) = block_of(number);
        self.more.get()?[block].get()?.get(number as usize - start)
    }

    /// The seat with that number, which may be the first of a new block.
    #[inline]
    pub(super) fn seat_or_new(&self, number: u32) -> &WakeNode {
        let in_first = self.first.get(number as usize);
        if let Some(seat) = in_first.or_else(|| self.seat_in_block(number)) {
            return seat;
        }
        let (block, start) = block_of(number);
        assert!(block < BLOCKS, "a group of 2^31 members is too large");
        let room = self.first[0].room.load(Ordering::Relaxed); // as the `Arc` gave it
        let seats = self.more.get_or_init(Box::default)[block].get_or_init(|| {
            let numbers = start..2 * start + FIRST;
            numbers.map(|number| WakeNode::new(number, room)).collect()
        });
        &seats[number as usize - start]
    }

    /// Makes all seats up to this number.
    #[inline]
    pub(super) fn seat_all(&self, seats: u32) {
        let mut there = FIRST as u32;
        while there < seats {
            self.seat_or_new(there);
            there = 2 * there + FIRST as u32;
        }
    }

    /// Puts a seat that is marked as queued in the list. Returns the parent's waker, for the caller
    /// to wake, if the parent waits.
    #[inline]
    #[must_use]
    fn push(&self, seat: &WakeNode) -> Option<Waker> {
        push(&self.list, seat);
        fence_for_loom();
        match self.waits.load(Ordering::SeqCst) {
            true => self.take_parent(),
            false => None,
        }
    }

    /// Takes the list. Returns the numbers of the seats that were woken first and last.
    #[inline]
    pub(super) fn take_list(&self) -> Option<(u32, u32)> {
        match self.list.load(Ordering::Relaxed) {
            NONE => None,
            _ => Some(self.take_in_order()),
        }
    }

    #[inline]
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

    /// Takes the seats whose last waker was dropped after their member had left. Returns the number
    /// of the first; the others follow it.
    #[inline]
    pub(super) fn take_returned(&self) -> u32 {
        match self.returned.load(Ordering::Relaxed) {
            NONE => NONE,
            _ => self.returned.swap(NONE, Ordering::AcqRel),
        }
    }

    /// Whether a member was woken. All threads agree on the order of this and of a
    /// [`push`](Self::push): if this comes first, the push sees the parent that was
    /// [set](Self::set_parent) before.
    #[inline]
    pub(super) fn is_anyone_woken(&self) -> bool {
        fence_for_loom();
        self.list.load(Ordering::SeqCst) != NONE
    }

    #[inline]
    fn lock(&self) -> MutexGuard<'_, Option<Waker>> {
        unpoisoned(self.parent.lock())
    }

    /// Registers the parent's waker. Returns the previous one, for the caller to drop.
    #[must_use]
    #[inline]
    pub(super) fn set_parent(&self, parent: Waker) -> Option<Waker> {
        let mut present = self.lock();
        self.waits.store(true, Ordering::SeqCst);
        present.replace(parent)
    }

    #[must_use]
    #[inline]
    pub(super) fn take_parent(&self) -> Option<Waker> {
        if !self.waits.load(Ordering::SeqCst) {
            return None;
        }
        let mut present = self.lock();
        self.waits.store(false, Ordering::SeqCst);
        present.take()
    }
}

/// The block of a seat that is not in the room itself, and the number of the block's first seat.
#[inline]
fn block_of(number: u32) -> (usize, usize) {
    let size = (number as usize / FIRST + 1).ilog2();
    (size as usize - 1, (FIRST << size) - FIRST)
}

/// Puts a seat that is in no list at the front of this list.
#[inline]
fn push(list: &AtomicU32, seat: &WakeNode) {
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
/// The data is that of a waker made by [`WakeNode::waker`], or of a clone of one, which is counted.
#[inline]
unsafe fn seat<'a>(data: *const ()) -> &'a WakeNode {
    // SAFETY: the seat's room exists as long as the waker: the owner keeps it while a waker is
    // lent, and each clone has taken a count.
    unsafe { &*data.cast::<WakeNode>() }
}

#[inline]
unsafe fn clone(data: *const ()) -> RawWaker {
    // SAFETY: the data is a waker's.
    unsafe { seat(data) }.retain();
    RawWaker::new(data, &TABLE)
}

#[inline]
unsafe fn wake(data: *const ()) {
    // SAFETY: the data is a waker's, whose count is given up afterwards.
    unsafe {
        wake_by_ref(data);
        drop_waker(data);
    }
}

#[inline]
unsafe fn wake_by_ref(data: *const ()) {
    // SAFETY: the data is a waker's.
    unsafe { seat(data) }.wake();
}

#[inline]
unsafe fn drop_waker(data: *const ()) {
    // SAFETY: the data is that of a counted waker: a lent one is never dropped.
    unsafe { WakeNode::release(data.cast()) };
}

/// Members of a group that has few, in one allocation. They do not move in it.
pub(in crate::group) struct PinnedRow<T>(Box<[T]>);

impl<T> FromIterator<T> for PinnedRow<T> {
    #[inline]
    fn from_iter<I: IntoIterator<Item = T>>(members: I) -> Self {
        PinnedRow(members.into_iter().collect())
    }
}

impl<T> PinnedRow<T> {
    /// Each member, pinned.
    #[inline]
    pub(in crate::group) fn each(&mut self) -> impl Iterator<Item = Pin<&mut T>> {
        let pin = |member| {
            // SAFETY: the allocation has its members until it is freed, which drops them in their
            // places. The field is private, and this function alone reads it: so no reference to a
            // member is given out but pinned ones, and no member is moved, also if the row is.
            unsafe { Pin::new_unchecked(member) }
        };
        self.0.iter_mut().map(pin)
    }
}
