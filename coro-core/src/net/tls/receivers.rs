//! The two receivers of a TLS connection: a task that reads, and a task that closes.

use std::sync::Arc;
use std::task::{Wake, Waker};

use crate::wait::queue::wake_each;

/// The task that takes in the bytes that arrive.
#[derive(Clone, Copy)]
pub(super) enum TaskOfDirection {
    Reader,
    /// Waits for the other end to end.
    Closer,
}

/// The wakers of the two tasks. A stream wakes only the last task that polled it, so each task
/// registers a waker that wakes both, and wakes the other when it has taken bytes in.
#[derive(Default)]
pub(super) struct Receivers {
    reader: Option<Waker>,
    closer: Option<Waker>,
}

impl Receivers {
    #[inline]
    fn places(&mut self, of: TaskOfDirection) -> (&mut Option<Waker>, &mut Option<Waker>) {
        match of {
            TaskOfDirection::Reader => (&mut self.reader, &mut self.closer),
            TaskOfDirection::Closer => (&mut self.closer, &mut self.reader),
        }
    }

    /// A waker for the stream that wakes `own` and the other task, if one waits.
    #[inline]
    pub(super) fn waker_of_both(&mut self, of: TaskOfDirection, own: &Waker) -> Option<Waker> {
        let (_, other) = self.places(of);
        let other = other.as_ref().filter(|other| !other.will_wake(own))?;
        let both = [own.clone(), other.clone()];
        Some(Arc::new(Both(both)).into())
    }

    /// Registers the waker of `of`.
    #[inline]
    pub(super) fn note(&mut self, of: TaskOfDirection, waker: &Waker) {
        let (own, _) = self.places(of);
        match own {
            Some(own) => own.clone_from(waker),
            None => *own = Some(waker.clone()),
        }
    }

    /// Wakes the other task, as `of` has taken bytes in for which that may wait.
    #[inline]
    pub(super) fn wake_other(&mut self, of: TaskOfDirection) {
        let (_, other) = self.places(of);
        if let Some(other) = other.take() {
            other.wake();
        }
    }
}

struct Both([Waker; 2]);

impl Wake for Both {
    #[inline]
    fn wake(self: Arc<Self>) {
        let mut wakers = self.0.iter().cloned();
        wake_each(|| wakers.next());
    }
}
