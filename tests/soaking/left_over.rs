//! The resources of a process: descriptors, threads, children, memory.
#![expect(unsafe_code, reason = "counting allocated bytes takes an allocator")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::fmt;
use std::fs;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// A difference in bytes that does not count as a leak.
const SLACK: usize = 1024;

static ALLOCATED: AtomicUsize = AtomicUsize::new(0);

/// The system's allocator, counting bytes.
struct Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

// SAFETY: each method passes its arguments to the system's allocator and returns the result.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATED.fetch_add(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller keeps the contract.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        ALLOCATED.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller keeps the contract.
        unsafe { System.dealloc(memory, layout) }
    }
}

/// The amount of each resource.
pub(crate) struct LeftOver {
    pub(crate) descriptors: usize,
    threads: usize,
    children: usize,
    bytes: usize,
}

impl LeftOver {
    pub(crate) fn now() -> Self {
        let bytes = ALLOCATED.load(Ordering::Relaxed);
        LeftOver {
            descriptors: entries("/proc/self/fd"),
            threads: entries("/proc/self/task"),
            children: children(),
            bytes,
        }
    }

    /// The amounts as soon as they are good, or when `patience` is over: threads and children take
    /// some time to end.
    pub(crate) fn settled(good: impl Fn(&Self) -> bool, patience: Duration) -> Self {
        let give_up = Instant::now() + patience;
        loop {
            let now = LeftOver::now();
            if good(&now) || Instant::now() > give_up {
                return now;
            }
            thread::sleep(Duration::from_millis(20));
        }
    }

    pub(crate) fn exceeds(&self, before: &Self) -> bool {
        self.descriptors > before.descriptors
            || self.threads > before.threads
            || self.children > before.children
            || self.bytes > before.bytes + SLACK
    }
}

fn entries(folder: &str) -> usize {
    fs::read_dir(folder).map_or(0, Iterator::count)
}

/// The number of processes whose parent is this one, including zombies.
fn children() -> usize {
    let own = std::process::id().to_string();
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    let of_this = processes.filter(|process| {
        let stat = fs::read_to_string(process.path().join("stat")).unwrap_or_default();
        let after_name = stat.rsplit(')').next().unwrap_or_default();
        after_name.split_whitespace().nth(1) == Some(&own)
    });
    of_this.count()
}

impl fmt::Display for LeftOver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let LeftOver {
            descriptors,
            threads,
            children,
            bytes,
        } = self;
        write!(
            f,
            "{descriptors} descriptors, {threads} threads, {children} children, {bytes} bytes"
        )
    }
}
