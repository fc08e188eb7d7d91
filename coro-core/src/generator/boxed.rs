//! Boxed coroutines, for recursion or for methods of traits used as objects.

use alloc::boxed::Box;
use core::fmt;
use core::future::Future;
use core::iter::FusedIterator;
use core::pin::Pin;
use core::task::{Context, Poll};

use futures_core::stream::{FusedStream, Stream};

use super::chain::{Body, BoxMachine, Boxed};
use super::slot::Handle;
use super::stream::poll_next;
use super::{AsyncCoroutine, Coroutine, CoroutineState, Iter, Resume, Status, foreign_await};

/// Defines a boxed type, with all that the four boxed types have in common.
macro_rules! boxed_coroutine {
    ($(#[$doc:meta])* $name:ident $(: $send:ident)?) => {
        $(#[$doc])*
        pub struct $name<'a, Y, R = (), T = ()> {
            machine: BoxMachine<Y, R, dyn Body<Output = T> $(+ $send)? + 'a>,
        }

        impl<'a, Y, R, T> $name<'a, Y, R, T> {
            /// For the attribute only: it makes sure that the handle stays in the body.
            #[inline]
            pub(crate) fn new<F>(body: impl FnOnce(Handle<Y, R>) -> F) -> Self
            where
                F: Future<Output = T> $(+ $send)? + 'a,
                $(T: $send,)?
            {
                let root = |handle| -> Pin<Box<dyn Body<Output = T> $(+ $send)? + 'a>> {
                    Boxed::pin(body(handle))
                };
                $name { machine: BoxMachine::new(root) }
            }

            #[inline]
            pub(crate) fn into_machine(
                self,
            ) -> BoxMachine<Y, R, dyn Body<Output = T> $(+ $send)? + 'a> {
                self.machine
            }

            /// The state of the coroutine.
            #[inline]
            pub fn status(&self) -> Status {
                self.machine.stage().status()
            }

            /// Drops the body now, after those that it delegates to, the innermost first.
            ///
            /// Only destructors run. Closing a finished coroutine does nothing. Dropping the
            /// coroutine is the same.
            pub fn close(self: Pin<&mut Self>) {
                self.get_mut().machine.clear();
            }
        }

        impl<Y, R, T> fmt::Debug for $name<'_, Y, R, T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($name))
                    .field("status", &self.status())
                    .finish_non_exhaustive()
            }
        }
    };
}

/// Defines the items that the two generators have in common.
macro_rules! boxed_generator {
    ($name:ident) => {
        impl<Y, R, T> $name<'_, Y, R, T> {
            /// Runs one step.
            #[inline]
            fn step(mut self: Pin<&mut Self>, mut value: Option<R>) -> CoroutineState<Y, T> {
                match self.machine.step(None, &mut value) {
                    Poll::Ready(state) => state,
                    Poll::Pending => {
                        self.close();
                        foreign_await()
                    }
                }
            }
        }

        impl<Y, T> $name<'_, Y, (), T> {
            /// Iterates over the yielded values, for any return type.
            #[inline]
            pub fn iter(self: Pin<&mut Self>) -> Iter<'_, Self> {
                Iter::new(self)
            }
        }

        impl<Y, R, E, T> $name<'_, Y, Result<R, E>, T> {
            /// Resumes with `Ok(value)`.
            ///
            /// # Panics
            ///
            /// As [`Coroutine::resume`].
            #[inline]
            pub fn send(self: Pin<&mut Self>, value: R) -> CoroutineState<Y, T> {
                self.resume(Ok(value))
            }

            /// Resumes with `Err(error)`, which reaches the innermost coroutine first.
            ///
            /// # Panics
            ///
            /// As [`Coroutine::resume`].
            #[inline]
            pub fn throw(self: Pin<&mut Self>, error: E) -> CoroutineState<Y, T> {
                self.resume(Err(error))
            }
        }

        impl<Y, R, T> Coroutine for $name<'_, Y, R, T> {
            type Yield = Y;
            type Resume = R;
            type Return = T;

            #[inline]
            fn start(self: Pin<&mut Self>) -> CoroutineState<Y, T> {
                self.step(None)
            }

            #[inline]
            fn resume(self: Pin<&mut Self>, value: R) -> CoroutineState<Y, T> {
                self.step(Some(value))
            }

            #[inline]
            fn status(&self) -> Status {
                self.status()
            }
        }

        /// Needs no further allocation: the body is already in a box.
        impl<Y> Iterator for $name<'_, Y, (), ()> {
            type Item = Y;

            #[inline]
            fn next(&mut self) -> Option<Y> {
                match self.status() {
                    Status::Finished => None,
                    _ => Pin::new(self).resume(()).yielded(),
                }
            }
        }

        impl<Y> FusedIterator for $name<'_, Y, (), ()> {}
    };
}

/// Defines the items that the two async generators have in common.
macro_rules! boxed_async_generator {
    ($name:ident) => {
        impl<Y, R, T> $name<'_, Y, R, T> {
            /// As [`AsyncGenerator::start`](super::AsyncGenerator::start).
            pub fn start(self: Pin<&mut Self>) -> Resume<'_, Self> {
                Resume::new(self, None)
            }

            /// As [`AsyncGenerator::resume`](super::AsyncGenerator::resume).
            pub fn resume(self: Pin<&mut Self>, value: R) -> Resume<'_, Self> {
                Resume::new(self, Some(value))
            }
        }

        impl<Y, R, T> AsyncCoroutine for $name<'_, Y, R, T> {
            type Yield = Y;
            type Resume = R;
            type Return = T;

            #[inline]
            fn poll_resume(
                self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                value: &mut Option<R>,
            ) -> Poll<CoroutineState<Y, T>> {
                self.get_mut().machine.step(Some(cx.waker()), value)
            }

            #[inline]
            fn status(&self) -> Status {
                self.status()
            }
        }

        impl<Y> Stream for $name<'_, Y, (), ()> {
            type Item = Y;

            #[inline]
            fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Y>> {
                poll_next(self, cx)
            }
        }

        impl<Y> FusedStream for $name<'_, Y, (), ()> {
            fn is_terminated(&self) -> bool {
                self.status() == Status::Finished
            }
        }
    };
}

boxed_coroutine! {
    /// The type that a `#[coro::coroutine(yields = Y, boxed)]` function returns: its body, in a
    /// box.
    ///
    /// A [`Generator`](super::Generator) cannot contain itself, nor be returned by a method of a
    /// trait that is used as an object. A boxed one can. `'a` is the lifetime of the body's
    /// borrows, `T` its return type.
    ///
    /// It can be moved after it has been started, and is itself an iterator. Boxed coroutines that
    /// delegate to each other cost the same for each item at any depth, and use no stack: the
    /// outermost remembers the innermost and polls it directly.
    ///
    /// ```
    /// use coro::{yield_, yield_from};
    ///
    /// #[derive(Default)]
    /// struct Node {
    ///     value: u32,
    ///     children: Vec<Node>,
    /// }
    ///
    /// #[coro::coroutine(yields = u32, boxed)]
    /// fn preorder(node: &Node) {
    ///     yield_!(node.value);
    ///     for child in &node.children {
    ///         yield_from!(preorder(child));
    ///     }
    /// }
    ///
    /// let leaf = |value| Node { value, children: vec![] };
    /// let tree = Node { value: 1, children: vec![leaf(2), leaf(3)] };
    /// assert_eq!(preorder(&tree).collect::<Vec<_>>(), [1, 2, 3]);
    /// ```
    ///
    /// A panic in one of them reaches the caller that resumed the outermost, and drops them all,
    /// the innermost first.
    #[must_use = "a generator does nothing until it is iterated, resumed or delegated to"]
    BoxGenerator
}
boxed_generator!(BoxGenerator);

boxed_coroutine! {
    /// The type that a `#[coro::coroutine(yields = Y, boxed, send)]` function returns: a
    /// [`BoxGenerator`] that may change threads between its items, because its body and its return
    /// value are `Send`.
    #[must_use = "a generator does nothing until it is iterated, resumed or delegated to"]
    SendBoxGenerator: Send
}
boxed_generator!(SendBoxGenerator);

boxed_coroutine! {
    /// The type that a `#[coro::coroutine(yields = Y, boxed)] async fn` returns: its body, in a
    /// box.
    ///
    /// It relates to [`AsyncGenerator`](super::AsyncGenerator) as [`BoxGenerator`] does to a
    /// generator: it may contain itself, may be moved after it has been started, and delegates to
    /// other boxed ones at the same cost for each item at any depth.
    #[must_use = "a generator does nothing until it is polled as a stream, resumed or delegated to"]
    BoxAsyncGenerator
}
boxed_async_generator!(BoxAsyncGenerator);

boxed_coroutine! {
    /// The type that a `#[coro::coroutine(yields = Y, boxed, send)] async fn` returns: a
    /// [`BoxAsyncGenerator`] that may change threads, because its body and its return value are
    /// `Send`.
    #[must_use = "a generator does nothing until it is polled as a stream, resumed or delegated to"]
    SendBoxAsyncGenerator: Send
}
boxed_async_generator!(SendBoxAsyncGenerator);
