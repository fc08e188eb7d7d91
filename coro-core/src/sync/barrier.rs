//! A barrier: `parties` tasks wait for one another.

use std::cell::Cell;
use std::error::Error;
use std::fmt;

use crate::wait::queue::{Service, Wait, WaitQueue};

/// Lets tasks continue once a given number of them have come. The counterpart of `asyncio.Barrier`.
///
/// It can be used again at once: a task that comes after the last of one meeting waits for the next
/// meeting.
///
/// ```
/// use coro::sync::Barrier;
///
/// coro::run(async {
///     let start = Barrier::new(3);
///     let (a, b, c) = coro::gather((start.wait(), start.wait(), start.wait())).await;
///     assert_eq!((a, b, c), (Ok(0), Ok(1), Ok(2)));
/// });
/// ```
pub struct Barrier {
    parties: usize,
    broken: Cell<bool>,
    waiters: WaitQueue<Arrival>,
}

/// The result of a wait.
pub(crate) type Arrival = Result<usize, BrokenBarrier>;

impl Barrier {
    /// A barrier for `parties` tasks.
    ///
    /// # Panics
    ///
    /// If `parties` is zero: such a barrier would never open.
    #[inline]
    pub const fn new(parties: usize) -> Self {
        assert!(parties > 0, "a barrier needs one party at least");
        Barrier {
            parties,
            broken: Cell::new(false),
            waiters: WaitQueue::new(),
        }
    }

    /// Waits for the other tasks. Gives the place in the order of arrival, from 0; the last task to
    /// come does not suspend, and gets `parties() - 1`.
    ///
    /// Dropping the wait withdraws from the meeting. Once the meeting is complete, dropping changes
    /// nothing.
    ///
    /// # Errors
    ///
    /// [`BrokenBarrier`] if the barrier is broken, or is reset or aborted meanwhile.
    #[inline]
    pub async fn wait(&self) -> Result<usize, BrokenBarrier> {
        Wait::new(self, Ok(0)).await
    }

    /// Ends all present waits with [`BrokenBarrier`]. Afterwards the barrier is whole and empty.
    #[inline]
    pub fn reset(&self) {
        self.broken.set(false);
        self.send_away();
    }

    /// Breaks the barrier: all present waits end with [`BrokenBarrier`], and so do all later ones
    /// until the next [`reset`](Self::reset).
    #[inline]
    pub fn abort(&self) {
        self.broken.set(true);
        self.send_away();
    }

    /// How many tasks make a meeting.
    #[inline]
    pub fn parties(&self) -> usize {
        self.parties
    }

    /// How many tasks are waiting now.
    #[inline]
    pub fn n_waiting(&self) -> usize {
        self.waiters.len()
    }

    /// Whether the barrier was aborted.
    #[inline]
    pub fn is_broken(&self) -> bool {
        self.broken.get()
    }

    #[inline]
    fn send_away(&self) {
        self.waiters.serve_while(|arrival| {
            *arrival = Err(BrokenBarrier);
            true
        });
    }
}

impl Service for Barrier {
    type Request = Arrival;

    #[inline]
    fn queue(&self) -> &WaitQueue<Arrival> {
        &self.waiters
    }

    #[inline]
    fn would_serve(&self, _: &Arrival) -> bool {
        self.broken.get() || self.waiters.len() + 1 == self.parties
    }

    #[inline]
    fn try_serve(&self, arrival: &mut Arrival) -> bool {
        if self.broken.get() {
            *arrival = Err(BrokenBarrier);
            return true;
        }
        let last = self.waiters.len() + 1 == self.parties;
        if last {
            *arrival = Ok(self.parties - 1);
            let mut places = 0..;
            self.waiters.serve_while(|arrival| {
                *arrival = Ok(places.next().unwrap_or_default());
                true
            });
        }
        last
    }

    #[inline]
    fn abandoned(&self, _: Arrival, _: bool) {}
}

impl fmt::Debug for Barrier {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Barrier")
            .field("parties", &self.parties)
            .field("waiting", &self.waiters.len())
            .field("broken", &self.broken.get())
            .finish()
    }
}

/// A [`Barrier`] was aborted, or reset while tasks were waiting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BrokenBarrier;

impl fmt::Display for BrokenBarrier {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the barrier is broken")
    }
}

impl Error for BrokenBarrier {}
