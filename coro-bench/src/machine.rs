//! What the harness asks of the operating system.

use std::io;
use std::num::NonZeroU64;
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use rustix::buffer::spare_capacity;
use rustix::event::epoll;
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
use rustix::time::{ClockId, Timespec, clock_gettime};

/// The cores that this process may run on, in order.
pub(crate) fn cores() -> Vec<usize> {
    match sched_getaffinity(None) {
        Ok(set) => (0..CpuSet::MAX_CPU)
            .filter(|&core| set.is_set(core))
            .collect(),
        Err(_) => Vec::new(),
    }
}

/// Binds this thread, and those that it starts, to a core; whether that worked.
pub(crate) fn bind(core: Option<usize>) -> bool {
    let Some(core) = core else { return false };
    let mut set = CpuSet::new();
    set.set(core);
    sched_setaffinity(None, &set).is_ok()
}

/// The CPU time that this process has used, in all its threads.
pub(crate) fn cpu_time() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// The user time of all child processes that have ended, from `/proc`, in steps of 10 ms.
pub(crate) fn children_user_time() -> Option<Duration> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    // The second field is the program's name, in parentheses; the sixteenth is the time.
    let after_name = stat.rsplit_once(") ")?.1;
    let ticks: u64 = after_name.split(' ').nth(13)?.parse().ok()?;
    Some(Duration::from_millis(
        ticks * 1000 / rustix::param::clock_ticks_per_second(),
    ))
}

/// The memory of this process that is resident, in bytes.
pub(crate) fn resident_bytes() -> Option<u64> {
    let statm = std::fs::read_to_string("/proc/self/statm").ok()?;
    let pages: u64 = statm.split(' ').nth(1)?.parse().ok()?;
    Some(pages * rustix::param::page_size() as u64)
}

/// A wait of the kernel's most exact kind, with no loop around it.
pub(crate) struct LoneWait {
    poller: OwnedFd,
    events: Vec<epoll::Event>,
}

impl LoneWait {
    pub(crate) fn new() -> io::Result<Self> {
        rustix::thread::set_current_timer_slack(NonZeroU64::new(1))?;
        let poller = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        let events = Vec::with_capacity(8);
        Ok(LoneWait { poller, events })
    }

    /// Waits until then, or a little longer.
    pub(crate) fn until(&mut self, deadline: Instant) -> io::Result<()> {
        let left = deadline.saturating_duration_since(Instant::now());
        let timeout = Timespec {
            tv_sec: left.as_secs() as i64,
            tv_nsec: left.subsec_nanos().into(),
        };
        epoll::wait(
            &self.poller,
            spare_capacity(&mut self.events),
            Some(&timeout),
        )?;
        Ok(())
    }
}
