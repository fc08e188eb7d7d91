//! The section `.coro.sight`: the map by which another process finds the tasks of this one.
//!
//! The program `coro` lists the tasks of a process that is stuck or stopped, and so cannot answer.
//! It reads the memory of the process, and it begins in this section, which `strip` leaves in the
//! program. The section gives the offsets of the fields that the reader needs, so that the reader
//! guesses no layout: rustc is free to choose it anew in each program. The layouts of the standard
//! library have no offsets to be given. For them there are samples: values that the reader knows, and
//! from which it learns the places of their parts.
//!
//! Nothing in this process reads the map, and no step of a task writes to it.
#![expect(
    unsafe_code,
    reason = "a section of its own in the program has to be named, and its list is linked by pointers"
)]

use std::cell::Cell;
use std::mem::offset_of;
use std::panic::Location;
use std::ptr::{self, NonNull};
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU32, Ordering};

use super::cell::Header;
use super::extra::Extra;
use super::queue::{Links, Node, ReadyQueue, TaskList};
use super::scheduler::Scheduler;
use super::state::State;
use crate::sys::thread_number;

/// Raised whenever a field of the section changes its place or its meaning.
const VERSION: u32 = 1;

/// The content of the section. The reader knows the order of these fields by the version.
#[repr(C)]
struct SightMap {
    magic: [u8; 16],
    version: u32,
    size: u32,
    word: u32,
    in_record: RecordPlaces,
    in_scheduler: SchedulerPlaces,
    in_header: HeaderPlaces,
    bits: StateBits,
    location_size: u32,
    locations: [LocationSample; 3],
    text: &'static str,
    text_length: usize,
    loops: AtomicPtr<LoopRecord>,
}

/// Offsets in a [`LoopRecord`].
#[repr(C)]
struct RecordPlaces {
    next: u32,
    scheduler: u32,
    inbox: u32,
    thread: u32,
    door: u32,
}

/// Offsets in a [`Scheduler`].
#[repr(C)]
struct SchedulerPlaces {
    first: u32,
    last: u32,
    running: u32,
    main: u32,
    ready: u32,
    last_id: u32,
}

/// Offsets in a [`Header`], and the one of the name in the part of a task that few tasks have.
#[repr(C)]
struct HeaderPlaces {
    state: u32,
    inbox: u32,
    previous: u32,
    next: u32,
    id: u32,
    spawned_by: u32,
    origin: u32,
    extra: u32,
    name_in_extra: u32,
}

/// The bits of a [`State`], of 16 bits.
#[repr(C)]
struct StateBits {
    queued: u32,
    running: u32,
    cancelled: u32,
    done: u32,
}

/// A location whose parts are known.
#[repr(C)]
struct LocationSample {
    location: &'static Location<'static>,
    /// The first byte of the name of the file.
    file: &'static u8,
    file_length: usize,
    line: u32,
    column: u32,
}

impl LocationSample {
    const fn of(location: &'static Location<'static>) -> Self {
        let file = location.file().as_bytes();
        LocationSample {
            location,
            file: &file[0],
            file_length: file.len(),
            line: location.line(),
            column: location.column(),
        }
    }
}

/// A text whose length is known.
const TEXT: &str = "the order of an address and a length";

#[used] // no code reads it, so the compiler would leave out what is stored there
#[cfg_attr(target_os = "linux", unsafe(link_section = ".coro.sight"))]
// SAFETY of the attribute: the section is this static's alone. On Linux a section that the linker does
// not know is placed by its flags, which are those of any static with interior mutability.
static MAP: SightMap = SightMap {
    magic: *b"coro.sight\0\0\0\0\0\0",
    version: VERSION,
    size: size_of::<SightMap>() as u32,
    word: size_of::<usize>() as u32,
    in_record: RecordPlaces {
        next: offset_of!(LoopRecord, next) as u32,
        scheduler: offset_of!(LoopRecord, scheduler) as u32,
        inbox: offset_of!(LoopRecord, inbox) as u32,
        thread: offset_of!(LoopRecord, thread) as u32,
        door: offset_of!(LoopRecord, door) as u32,
    },
    in_scheduler: SchedulerPlaces {
        first: (Scheduler::TASKS + TaskList::FIRST) as u32,
        last: (Scheduler::TASKS + TaskList::LAST) as u32,
        running: Scheduler::RUNNING as u32,
        main: Scheduler::MAIN as u32,
        ready: (Scheduler::READY + ReadyQueue::LEN) as u32,
        last_id: Scheduler::LAST_ID as u32,
    },
    in_header: HeaderPlaces {
        state: (offset_of!(Header, node) + offset_of!(Node, state)) as u32,
        inbox: offset_of!(Header, inbox) as u32,
        previous: (offset_of!(Header, links) + Links::PREVIOUS) as u32,
        next: (offset_of!(Header, links) + Links::NEXT) as u32,
        id: offset_of!(Header, id) as u32,
        spawned_by: Header::SPAWNED_BY as u32,
        origin: offset_of!(Header, origin) as u32,
        extra: Header::EXTRA as u32,
        name_in_extra: Extra::NAME as u32,
    },
    bits: StateBits {
        queued: State::BITS[0] as u32,
        running: State::BITS[1] as u32,
        cancelled: State::BITS[2] as u32,
        done: State::BITS[3] as u32,
    },
    location_size: size_of::<Location<'_>>() as u32,
    locations: [
        LocationSample::of(Location::caller()),
        LocationSample::of(const { Location::caller() }),
        LocationSample::of(const { const { Location::caller() } }),
    ],
    text: TEXT,
    text_length: TEXT.len(),
    loops: AtomicPtr::new(ptr::null_mut()),
};

/// The place of one loop in the list that the map leads to. It is never freed, but used again.
#[repr(C)]
struct LoopRecord {
    /// Set before the record is in the list.
    next: AtomicPtr<LoopRecord>,
    /// Null while no loop has the record.
    scheduler: AtomicPtr<Scheduler>,
    inbox: AtomicPtr<()>,
    /// The number of the loop's thread, as the system has it; zero if that gives none.
    thread: AtomicU32,
    /// The number of the signal that has the loop write its dump; zero if there is none.
    door: AtomicU32,
    taken: AtomicBool,
}

impl LoopRecord {
    /// A record that is free, or a new one.
    fn take() -> &'static LoopRecord {
        let free = LoopRecord::all().find(|record| !record.taken.swap(true, Ordering::AcqRel));
        free.unwrap_or_else(LoopRecord::add)
    }

    fn all() -> impl Iterator<Item = &'static LoopRecord> {
        // SAFETY: a pointer in the list came from a leaked box, so it is valid for ever.
        let at = |pointer: *mut LoopRecord| unsafe { pointer.as_ref() };
        let first = at(MAP.loops.load(Ordering::Acquire));
        std::iter::successors(first, move |record| at(record.next.load(Ordering::Acquire)))
    }

    fn add() -> &'static LoopRecord {
        let record: &'static LoopRecord = Box::leak(Box::new(LoopRecord {
            next: AtomicPtr::default(),
            scheduler: AtomicPtr::default(),
            inbox: AtomicPtr::default(),
            thread: AtomicU32::new(0),
            door: AtomicU32::new(0),
            taken: AtomicBool::new(true),
        }));
        let mut first = MAP.loops.load(Ordering::Acquire);
        loop {
            record.next.store(first, Ordering::Release);
            let new = ptr::from_ref(record).cast_mut();
            let put = MAP
                .loops
                .compare_exchange(first, new, Ordering::AcqRel, Ordering::Acquire);
            match put {
                Ok(_) => return record,
                Err(other) => first = other,
            }
        }
    }
}

/// Keeps a loop in the list that the map leads to.
pub(crate) struct Listed {
    record: Cell<Option<&'static LoopRecord>>,
}

impl Listed {
    /// Lists the loop of this scheduler, whose thread this is.
    pub(crate) fn new(scheduler: &Rc<Scheduler>) -> Self {
        let record = LoopRecord::take();
        let inbox: NonNull<()> = scheduler.inbox_ptr().cast();
        record.thread.store(thread_number(), Ordering::Relaxed);
        record.inbox.store(inbox.as_ptr(), Ordering::Relaxed);
        let scheduler = Rc::as_ptr(scheduler).cast_mut();
        record.scheduler.store(scheduler, Ordering::Release);
        Listed {
            record: Cell::new(Some(record)),
        }
    }

    /// Lists the signal that has the loop write its dump; zero for none.
    pub(crate) fn open_door(&self, signal: u32) {
        if let Some(record) = self.record.get() {
            record.door.store(signal, Ordering::Release);
        }
    }

    /// Takes the loop out of the list.
    pub(crate) fn withdraw(&self) {
        if let Some(record) = self.record.take() {
            record.door.store(0, Ordering::Relaxed);
            record.scheduler.store(ptr::null_mut(), Ordering::Release);
            record.taken.store(false, Ordering::Release);
        }
    }
}

impl Drop for Listed {
    fn drop(&mut self) {
        self.withdraw();
    }
}
