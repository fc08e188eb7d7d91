//! `Enter`: something that a loop is run inside of.

use std::fmt;
use std::sync::Arc;

use super::Builder;

/// Something that a loop is run inside of, such as another runtime; see
/// [`Builder::around`](crate::event_loop::Builder::around).
///
/// A closure that returns a guard is one.
pub trait Enter {
    /// Is kept while the thread is inside.
    type Guard<'a>: 'a
    where
        Self: 'a;

    /// Enters. Dropping the guard leaves.
    fn enter(&self) -> Self::Guard<'_>;
}

impl<F, G> Enter for F
where
    F: Fn() -> G,
    G: 'static,
{
    type Guard<'a>
        = G
    where
        F: 'a;

    fn enter(&self) -> G {
        self()
    }
}

/// An [`Enter`] without its type.
trait Surround: Send + Sync {
    fn enter_it(&self) -> Box<dyn AnyGuard + '_>;
}

/// Any value, which does something when it is dropped.
trait AnyGuard {}

impl<T> AnyGuard for T {}

impl<E: Enter + Send + Sync> Surround for E {
    fn enter_it(&self) -> Box<dyn AnyGuard + '_> {
        Box::new(self.enter())
    }
}

/// All that a loop is run inside of, the outermost first.
#[derive(Clone, Default)]
pub(super) struct Surroundings(Vec<Arc<dyn Surround>>);

/// The guards of surroundings that were entered.
#[must_use]
pub(super) struct Within<'a>(Vec<Box<dyn AnyGuard + 'a>>);

impl Surroundings {
    pub(super) fn enter(&self) -> Within<'_> {
        let mut within = Within(Vec::with_capacity(self.0.len()));
        for outer in &self.0 {
            within.0.push(outer.enter_it());
        }
        within
    }
}

impl Drop for Within<'_> {
    /// Leaves the innermost first.
    fn drop(&mut self) {
        while let Some(inner) = self.0.pop() {
            drop(inner);
        }
    }
}

impl fmt::Debug for Surroundings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} entered", self.0.len())
    }
}

impl Builder {
    /// Has the loop run inside of something: `enter` is called before the loop begins, and its guard
    /// is dropped after the loop has stopped.
    ///
    /// So another runtime, or a span of tracing, is entered for all tasks of the loop. The loop enters anew for each of its runs, for the cancelling of the tasks
    /// that are left over at the end of [`run`](crate::run), and for its closing: between runs the
    /// thread is as it was, and several loops may take turns on one thread. Called several times,
    /// the first is the outermost.
    ///
    /// Take a closure that returns a guard. A type whose guard borrows from it implements
    /// [`Enter`]; with the feature `tokio` a `tokio::runtime::Handle`, a `tokio::runtime::Runtime` and
    /// `compat::tokio::Runtime` do. `enter` is dropped with the loop and its last handle.
    ///
    /// ```
    /// use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
    ///
    /// static INSIDE: AtomicBool = AtomicBool::new(false);
    ///
    /// struct Left;
    ///
    /// impl Drop for Left {
    ///     fn drop(&mut self) {
    ///         INSIDE.store(false, Relaxed);
    ///     }
    /// }
    ///
    /// let mut event_loop = coro::EventLoop::builder()
    ///     .around(|| {
    ///         INSIDE.store(true, Relaxed);
    ///         Left
    ///     })
    ///     .build()?;
    /// let inside = event_loop.run_until_complete(async { INSIDE.load(Relaxed) });
    /// assert_eq!(inside, Ok(true));
    /// assert!(!INSIDE.load(Relaxed));
    /// # std::io::Result::Ok(())
    /// ```
    pub fn around<E: Enter + Send + Sync + 'static>(mut self, enter: E) -> Self {
        self.around.0.push(Arc::new(enter));
        self
    }
}
