//! Iterators over the values that a coroutine yields.

use core::fmt;
use core::iter::FusedIterator;
use core::pin::Pin;

use super::{Coroutine, CoroutineState, Status};

/// An iterator over the values that a pinned coroutine yields.
#[must_use = "iterators are lazy"]
pub struct Iter<'a, C: Coroutine + ?Sized> {
    coroutine: Pin<&'a mut C>,
    returned: Option<C::Return>,
}

impl<'a, C: Coroutine<Resume = ()> + ?Sized> Iter<'a, C> {
    #[inline]
    pub(super) fn new(coroutine: Pin<&'a mut C>) -> Self {
        Iter {
            coroutine,
            returned: None,
        }
    }
}

impl<C: Coroutine + ?Sized> Iter<'_, C> {
    /// The return value of the coroutine, once it has been iterated to its end.
    pub fn into_return(self) -> Option<C::Return> {
        self.returned
    }
}

impl<C: Coroutine<Resume = ()> + ?Sized> Iterator for Iter<'_, C> {
    type Item = C::Yield;

    #[inline]
    fn next(&mut self) -> Option<C::Yield> {
        next(self.coroutine.as_mut(), &mut self.returned)
    }
}

impl<C: Coroutine<Resume = ()> + ?Sized> FusedIterator for Iter<'_, C> {}

#[inline]
fn next<C: Coroutine<Resume = ()> + ?Sized>(
    coroutine: Pin<&mut C>,
    returned: &mut Option<C::Return>,
) -> Option<C::Yield> {
    if coroutine.status() == Status::Finished {
        return None;
    }
    match coroutine.resume(()) {
        CoroutineState::Yielded(value) => Some(value),
        CoroutineState::Complete(value) => {
            *returned = Some(value);
            None
        }
    }
}

impl<C: Coroutine + ?Sized> fmt::Debug for Iter<'_, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Iter")
            .field("status", &self.coroutine.status())
            .finish_non_exhaustive()
    }
}

#[cfg(feature = "alloc")]
pub use boxed::IntoIter;

#[cfg(feature = "alloc")]
mod boxed {
    use alloc::boxed::Box;
    use core::fmt;
    use core::iter::FusedIterator;
    use core::pin::Pin;

    use super::next;
    use crate::generator::Coroutine;

    /// An iterator over the values that a coroutine yields; it owns the coroutine, in a box.
    #[must_use = "iterators are lazy"]
    pub struct IntoIter<C: Coroutine> {
        coroutine: Pin<Box<C>>,
        returned: Option<C::Return>,
    }

    impl<C: Coroutine<Resume = ()>> IntoIter<C> {
        #[inline]
        pub(in super::super) fn new(coroutine: Pin<Box<C>>) -> Self {
            IntoIter {
                coroutine,
                returned: None,
            }
        }
    }

    impl<C: Coroutine> IntoIter<C> {
        /// The return value of the coroutine, once it has been iterated to its end.
        pub fn into_return(self) -> Option<C::Return> {
            self.returned
        }
    }

    impl<C: Coroutine<Resume = ()>> Iterator for IntoIter<C> {
        type Item = C::Yield;

        #[inline]
        fn next(&mut self) -> Option<C::Yield> {
            next(self.coroutine.as_mut(), &mut self.returned)
        }
    }

    impl<C: Coroutine<Resume = ()>> FusedIterator for IntoIter<C> {}

    impl<C: Coroutine> fmt::Debug for IntoIter<C> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.debug_struct("IntoIter")
                .field("status", &self.coroutine.status())
                .finish_non_exhaustive()
        }
    }
}
