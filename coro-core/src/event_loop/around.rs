//! `Enter`: something that a loop is run inside of.

use std::fmt;
use std::sync::Arc;

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
    pub(super) fn add<E: Enter + Send + Sync + 'static>(&mut self, enter: E) {
        self.0.push(Arc::new(enter));
    }

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
