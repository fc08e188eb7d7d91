//! Calls to the operating system for the harness: cores, clocks, the bare poller.

use std::io;
use std::num::NonZeroU64;
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use nix::time::{ClockId, clock_gettime};
use rustix::buffer::spare_capacity;
use rustix::event::{EventfdFlags, epoll, eventfd};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
use rustix::time::Timespec;

/// The cores that this process may run on, in order.
pub(crate) fn cores() -> Vec<usize> {
    match sched_getaffinity(None) {
        Ok(set) => (0..CpuSet::MAX_CPU)
            .filter(|&core| set.is_set(core))
            .collect(),
        Err(_) => Vec::new(),
    }
}

/// Binds this thread, with the threads it starts later, to a core. Returns whether that worked.
pub(crate) fn bind(core: Option<usize>) -> bool {
    let Some(core) = core else { return false };
    let mut set = CpuSet::new();
    set.set(core);
    sched_setaffinity(None, &set).is_ok()
}

/// The CPU time that this process has used, in all its threads.
pub(crate) fn cpu_time() -> Duration {
    read(ClockId::CLOCK_PROCESS_CPUTIME_ID)
}

/// The CPU time that this thread has used.
pub(crate) fn thread_time() -> Duration {
    read(ClockId::CLOCK_THREAD_CPUTIME_ID)
}

fn read(clock: ClockId) -> Duration {
    // Both clocks exist wherever this crate compiles.
    clock_gettime(clock).map_or(Duration::ZERO, Duration::from)
}

/// The user time of all child processes that have ended, from `/proc`, in steps of 10 ms.
fn children_user_time() -> Option<Duration> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    // The second field is the program's name, in parentheses; the sixteenth is the time.
    let after_name = stat.rsplit_once(") ")?.1;
    let ticks: u64 = after_name.split(' ').nth(13)?.parse().ok()?;
    Some(Duration::from_millis(
        ticks * 1000 / rustix::param::clock_ticks_per_second(),
    ))
}

/// The user CPU time of the processes that the body runs.
pub(crate) fn user_seconds(body: impl FnOnce() -> Result<(), String>) -> Result<f64, String> {
    let time = || children_user_time().ok_or("/proc/self/stat says nothing");
    let before = time()?;
    body()?;
    Ok((time()? - before).as_secs_f64())
}

/// The memory of this process that is resident, in bytes.
pub(crate) fn resident_bytes() -> Option<u64> {
    let statm = std::fs::read_to_string("/proc/self/statm").ok()?;
    let pages: u64 = statm.split(' ').nth(1)?.parse().ok()?;
    Some(pages * rustix::param::page_size() as u64)
}

/// The kernel's poller, with no loop around it.
pub(crate) struct Poller {
    epoll: OwnedFd,
    /// The one registered descriptor.
    event: OwnedFd,
    events: Vec<epoll::Event>,
}

impl Poller {
    pub(crate) fn with_idle_descriptor() -> io::Result<Self> {
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        let event = eventfd(0, EventfdFlags::NONBLOCK)?;
        let flags = epoll::EventFlags::IN | epoll::EventFlags::ET;
        epoll::add(&epoll, &event, epoll::EventData::new_u64(0), flags)?;
        let events = Vec::with_capacity(64);
        Ok(Poller {
            epoll,
            event,
            events,
        })
    }

    /// Polls without waiting.
    pub(crate) fn look(&mut self) -> io::Result<()> {
        self.wait(Some(Duration::ZERO))
    }

    /// Makes the descriptor ready, and waits for it.
    pub(crate) fn signal_and_wait(&mut self) -> io::Result<()> {
        rustix::io::write(&self.event, &1_u64.to_ne_bytes())?;
        self.wait(None)
    }

    /// A handle by which another thread makes the descriptor ready.
    pub(crate) fn signaller(&self) -> io::Result<Signaller> {
        Ok(Signaller(self.event.try_clone()?))
    }

    /// Waits for the descriptor.
    pub(crate) fn wait_for_event(&mut self) -> io::Result<()> {
        self.wait(None)
    }

    /// Waits until the deadline, overshooting as little as the kernel can.
    pub(crate) fn wait_until(&mut self, deadline: Instant) -> io::Result<()> {
        self.wait(Some(deadline.saturating_duration_since(Instant::now())))
    }

    fn wait(&mut self, timeout: Option<Duration>) -> io::Result<()> {
        let timeout = timeout.map(|timeout| Timespec {
            tv_sec: timeout.as_secs() as i64,
            tv_nsec: timeout.subsec_nanos().into(),
        });
        self.events.clear();
        epoll::wait(
            &self.epoll,
            spare_capacity(&mut self.events),
            timeout.as_ref(),
        )?;
        Ok(())
    }
}

/// Makes the descriptor of a [`Poller`] ready.
pub(crate) struct Signaller(OwnedFd);

impl Signaller {
    pub(crate) fn signal(&self) -> io::Result<()> {
        rustix::io::write(&self.0, &1_u64.to_ne_bytes())?;
        Ok(())
    }
}

/// Sets the least timer slack, so that a wait of this thread ends as soon after its deadline as the
/// kernel can.
pub(crate) fn set_least_slack() -> io::Result<()> {
    Ok(rustix::thread::set_current_timer_slack(NonZeroU64::new(1))?)
}
