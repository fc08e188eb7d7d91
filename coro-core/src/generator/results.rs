//! Results: the items of a coroutine that may fail, with its error as the last item.
//!
//! A body that returns `Result<(), E>` may use `?`. Its caller sees the values that it yields as
//! `Ok`, and the error that it returns as one `Err` after them.

use core::fmt;
use core::future::Future;
use core::iter::FusedIterator;
use core::pin::Pin;
use core::task::{Context, Poll, ready};

#[cfg(feature = "alloc")]
use alloc::boxed::Box;

use futures_core::stream::{FusedStream, Stream};
use pin_project_lite::pin_project;

use super::{AsyncCoroutine, AsyncGenerator, Coroutine, CoroutineState, Status};
#[cfg(feature = "alloc")]
use super::{BoxAsyncGenerator, BoxGenerator, Generator, SendBoxAsyncGenerator, SendBoxGenerator};

/// An iterator over the values that a coroutine yields, as `Ok`, and over the error that it returns,
/// as one `Err` at the end.
///
/// Made by [`Generator::try_iter`](super::Generator::try_iter).
#[must_use = "iterators are lazy"]
pub struct TryIter<C> {
    coroutine: C,
}

impl<E, C: Coroutine<Resume = (), Return = Result<(), E>> + Unpin> Iterator for TryIter<C> {
    type Item = Result<C::Yield, E>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        match self.coroutine.status() {
            Status::Finished => None,
            _ => item(Pin::new(&mut self.coroutine).resume(())),
        }
    }
}

impl<E, C: Coroutine<Resume = (), Return = Result<(), E>> + Unpin> FusedIterator for TryIter<C> {}

pin_project! {
    /// A stream of the values that an async generator yields, as `Ok`, and of the error that it
    /// returns, as one `Err` at the end.
    ///
    /// Made by [`AsyncGenerator::try_stream`].
    #[must_use = "streams do nothing unless they are polled"]
    pub struct TryItems<C> {
        #[pin]
        coroutine: C,
    }
}

impl<E, C: AsyncCoroutine<Resume = (), Return = Result<(), E>>> Stream for TryItems<C> {
    type Item = Result<C::Yield, E>;

    #[inline]
    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let coroutine = self.project().coroutine;
        if coroutine.status() == Status::Finished {
            return Poll::Ready(None);
        }
        Poll::Ready(item(ready!(coroutine.poll_resume(cx, &mut Some(())))))
    }
}

impl<E, C: AsyncCoroutine<Resume = (), Return = Result<(), E>>> FusedStream for TryItems<C> {
    fn is_terminated(&self) -> bool {
        self.coroutine.status() == Status::Finished
    }
}

#[inline]
fn item<Y, E>(state: CoroutineState<Y, Result<(), E>>) -> Option<Result<Y, E>> {
    match state {
        CoroutineState::Yielded(value) => Some(Ok(value)),
        CoroutineState::Complete(Ok(())) => None,
        CoroutineState::Complete(Err(error)) => Some(Err(error)),
    }
}

impl<C: Coroutine> fmt::Debug for TryIter<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TryIter")
            .field("status", &self.coroutine.status())
            .finish_non_exhaustive()
    }
}

impl<C: AsyncCoroutine> fmt::Debug for TryItems<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TryItems")
            .field("status", &self.coroutine.status())
            .finish_non_exhaustive()
    }
}

#[cfg(feature = "alloc")]
impl<Y, E, F: Future<Output = Result<(), E>>> Generator<Y, (), F> {
    /// Iterates over the results of a body that returns `Result<(), E>`: each yielded value is an
    /// `Ok`, and a returned error is one `Err` after them. Costs one allocation.
    ///
    /// So `?` in the body ends the iteration with its error:
    ///
    /// ```
    /// # use coro::yield_;
    /// #[coro::coroutine(yields = u32)]
    /// fn numbers(text: &str) -> Result<(), std::num::ParseIntError> {
    ///     for word in text.split(' ') {
    ///         yield_!(word.parse()?);
    ///     }
    ///     Ok(())
    /// }
    ///
    /// assert_eq!(numbers("1 2 3").try_iter().sum::<Result<u32, _>>(), Ok(6));
    /// assert!(numbers("1 two 3").try_iter().collect::<Result<Vec<u32>, _>>().is_err());
    /// ```
    #[inline]
    pub fn try_iter(self) -> TryIter<Pin<Box<Self>>> {
        TryIter {
            coroutine: Box::pin(self),
        }
    }
}

impl<Y, E, F: Future<Output = Result<(), E>>> AsyncGenerator<Y, (), F> {
    /// The stream of the results of a body that returns `Result<(), E>`: each yielded value is an
    /// `Ok`, and a returned error is one `Err` after them.
    ///
    /// It is the `try_stream!` of other crates, as a method. Pin the stream to poll it.
    ///
    /// ```
    /// # use coro::yield_;
    /// use std::pin::pin;
    ///
    /// use futures::TryStreamExt;
    ///
    /// #[coro::coroutine(yields = u32)]
    /// async fn numbers(text: &str) -> Result<(), std::num::ParseIntError> {
    ///     for word in text.split(' ') {
    ///         yield_!(word.parse()?);
    ///     }
    ///     Ok(())
    /// }
    ///
    /// # futures::executor::block_on(async {
    /// let mut numbers = pin!(numbers("1 two 3").try_stream());
    /// assert_eq!(numbers.try_next().await, Ok(Some(1)));
    /// assert!(numbers.try_next().await.is_err());
    /// assert_eq!(numbers.try_next().await, Ok(None));
    /// # });
    /// ```
    #[inline]
    #[doc(alias = "try_stream!")]
    pub fn try_stream(self) -> TryItems<Self> {
        TryItems { coroutine: self }
    }
}

#[cfg(feature = "alloc")]
macro_rules! boxed {
    ($($Generator:ident),* ; $($AsyncGenerator:ident),*) => {
        $(impl<Y, E> $Generator<'_, Y, (), Result<(), E>> {
            /// As [`Generator::try_iter`](super::Generator::try_iter), without an allocation.
            ///
            /// ```
            /// # use coro::yield_;
            /// #[coro::coroutine(yields = u32, boxed)]
            /// fn numbers() -> Result<(), String> {
            ///     yield_!(1);
            ///     Err("no more".to_owned())
            /// }
            ///
            /// assert!(numbers().try_iter().eq([Ok(1), Err("no more".to_owned())]));
            /// ```
            #[inline]
            pub fn try_iter(self) -> TryIter<Self> {
                TryIter { coroutine: self }
            }
        })*
        $(impl<Y, E> $AsyncGenerator<'_, Y, (), Result<(), E>> {
            /// As [`AsyncGenerator::try_stream`](super::AsyncGenerator::try_stream). The stream
            /// need not be pinned.
            ///
            /// ```
            /// # use coro::yield_;
            /// use futures::StreamExt;
            ///
            /// #[coro::coroutine(yields = u32, boxed)]
            /// async fn numbers() -> Result<(), String> {
            ///     yield_!(1);
            ///     Err("no more".to_owned())
            /// }
            ///
            /// # futures::executor::block_on(async {
            /// let all: Vec<_> = numbers().try_stream().collect().await;
            /// assert_eq!(all, [Ok(1), Err("no more".to_owned())]);
            /// # });
            /// ```
            #[inline]
            pub fn try_stream(self) -> TryItems<Self> {
                TryItems { coroutine: self }
            }
        })*
    };
}

#[cfg(feature = "alloc")]
boxed!(BoxGenerator, SendBoxGenerator; BoxAsyncGenerator, SendBoxAsyncGenerator);
