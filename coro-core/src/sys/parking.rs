//! `Parking`: the wait of a loop without a poller, whose thread parks.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use super::platform::PreciseWaits;

/// Stands in for a poller: no descriptor is waited for, so only time and a wake-up end a wait.
pub(crate) struct Parking {
    woken: Arc<AtomicBool>,
    precise: Option<PreciseWaits>,
}

/// Wakes the loop of a [`Parking`] from another thread.
pub(crate) struct ParkedWake {
    woken: Arc<AtomicBool>,
    thread: Thread,
}

impl Parking {
    /// A wait of the calling thread, which is the loop's.
    #[inline]
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Parking {
            woken: Arc::default(),
            precise: None,
        })
    }

    /// From which a wake-up is made.
    #[inline]
    pub(crate) fn registry(&self) -> &Arc<AtomicBool> {
        &self.woken
    }

    /// Waits for a wake-up, for at most `timeout`; `None` waits until one comes.
    ///
    /// The thread's token is not enough: foreign code on this thread may park too, and take the token
    /// of a wake-up. The flag stays until a wait has seen it.
    #[inline]
    pub(crate) fn wait(&mut self, timeout: Option<Duration>) {
        if timeout.is_some_and(|timeout| !timeout.is_zero()) && self.precise.is_none() {
            self.precise = Some(PreciseWaits::begin());
        }
        let end = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        while !self.woken.swap(false, Ordering::Acquire) {
            match end {
                None => thread::park(),
                Some(end) => match end.saturating_duration_since(Instant::now()) {
                    Duration::ZERO => return,
                    left => thread::park_timeout(left),
                },
            }
        }
    }

    /// Leaves the thread as it was before the waits.
    #[inline]
    pub(crate) fn end_waits(&mut self) {
        self.precise = None;
    }
}

impl ParkedWake {
    /// Must be called on the loop's thread.
    #[inline]
    pub(crate) fn new(woken: &Arc<AtomicBool>) -> io::Result<Self> {
        Ok(ParkedWake {
            woken: woken.clone(),
            thread: thread::current(),
        })
    }

    /// Makes the loop's wait return: the present one, or else the next.
    #[inline]
    pub(crate) fn wake(&self) {
        // Set before the thread is unparked, so that it cannot park again without having seen it.
        self.woken.store(true, Ordering::Release);
        self.thread.unpark();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    #[test]
    fn a_wake_up_before_the_wait_ends_it() {
        let mut parking = Parking::new().unwrap();
        ParkedWake::new(parking.registry()).unwrap().wake();
        thread::park(); // foreign code takes the token
        parking.wait(Some(HOUR));
    }

    #[test]
    fn a_foreign_token_ends_no_wait_before_its_time() {
        let mut parking = Parking::new().unwrap();
        thread::current().unpark();
        let (begun, least) = (Instant::now(), Duration::from_millis(2));
        parking.wait(Some(least));
        assert!(begun.elapsed() >= least);
        parking.end_waits();
    }

    #[test]
    fn wake_ups_of_another_thread_are_never_lost() {
        let mut parking = Parking::new().unwrap();
        let unpark = ParkedWake::new(parking.registry()).unwrap();
        let (ask, asked) = mpsc::channel();
        let waker = thread::spawn(move || {
            while asked.recv().is_ok() {
                unpark.wake();
            }
        });
        for _ in 0..10_000 {
            ask.send(()).unwrap();
            parking.wait(None); // for ever, if the wake-up were lost
        }
        drop(ask);
        waker.join().unwrap();
    }
}
