//! The two halves of a stream: one reads, the other writes.

use std::error::Error;
use std::fmt;
use std::io::{self, IoSlice, IoSliceMut};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use futures::io::{AsyncRead, AsyncWrite};

/// What can be split: a stream of which a shared reference reads and writes too.
///
/// Implemented by the streams of this module, and by no others.
pub trait Split: sealed::Split {}

impl<S: sealed::Split> Split for S {}

pub(super) mod sealed {
    use std::io;
    use std::task::{Context, Poll};

    pub trait Split {
        fn poll_read(&self, cx: &Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>>;
        fn poll_read_vectored(
            &self,
            cx: &Context<'_>,
            buffers: &mut [io::IoSliceMut<'_>],
        ) -> Poll<io::Result<usize>>;
        fn poll_write(&self, cx: &Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>>;
        fn poll_write_vectored(
            &self,
            cx: &Context<'_>,
            slices: &[io::IoSlice<'_>],
        ) -> Poll<io::Result<usize>>;
        fn end_writing(&self) -> io::Result<()>;
    }
}

/// The half that reads of a stream that was split by `into_split`.
///
/// The descriptor is closed when both halves are dropped. As with a whole stream, the other end may
/// lose what it was sent last if something is unread then: the half that reads is best kept until it
/// has read the end, or [reunited](Self::reunite) for
/// [`close_in_order`](crate::net::close_in_order).
#[derive(Debug)]
pub struct OwnedReadHalf<S: Split> {
    stream: Rc<S>,
}

/// The half that writes of a stream that was split by `into_split`.
///
/// Dropping it ends writing, so that the other end reads its end; the half that reads goes on.
#[derive(Debug)]
pub struct OwnedWriteHalf<S: Split> {
    stream: Rc<S>,
    /// Taken apart by [`reunite`](OwnedReadHalf::reunite), which must not end writing.
    reunited: bool,
}

/// The half that reads of a stream that is lent out by `halves`.
#[derive(Debug)]
pub struct ReadHalf<'a, S: Split>(&'a S);

/// The half that writes of a stream that is lent out by `halves`. Dropping it ends nothing.
#[derive(Debug)]
pub struct WriteHalf<'a, S: Split>(&'a S);

/// The halves that were to be one stream again are not of the same one; here they are.
#[derive(Debug)]
pub struct ReuniteError<S: Split>(pub OwnedReadHalf<S>, pub OwnedWriteHalf<S>);

impl<S: Split> fmt::Display for ReuniteError<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the halves are not of the same stream")
    }
}

impl<S: Split + fmt::Debug> Error for ReuniteError<S> {}

pub(super) fn into_halves<S: Split>(stream: S) -> (OwnedReadHalf<S>, OwnedWriteHalf<S>) {
    let stream = Rc::new(stream);
    let read = OwnedReadHalf {
        stream: stream.clone(),
    };
    let write = OwnedWriteHalf {
        stream,
        reunited: false,
    };
    (read, write)
}

pub(super) fn halves<S: Split>(stream: &S) -> (ReadHalf<'_, S>, WriteHalf<'_, S>) {
    (ReadHalf(stream), WriteHalf(stream))
}

impl<S: Split> OwnedReadHalf<S> {
    /// Makes the stream again of its halves.
    ///
    /// # Errors
    ///
    /// If the halves are not of the same stream; the error has them.
    pub fn reunite(self, mut write: OwnedWriteHalf<S>) -> Result<S, ReuniteError<S>> {
        if !Rc::ptr_eq(&self.stream, &write.stream) {
            return Err(ReuniteError(self, write));
        }
        write.reunited = true;
        drop(write);
        Ok(Rc::into_inner(self.stream).expect("only the two halves share it"))
    }

    /// The stream, as for its addresses and options.
    pub fn get_ref(&self) -> &S {
        &self.stream
    }
}

impl<S: Split> OwnedWriteHalf<S> {
    /// The stream, as for its addresses and options.
    pub fn get_ref(&self) -> &S {
        &self.stream
    }
}

impl<S: Split> Drop for OwnedWriteHalf<S> {
    fn drop(&mut self) {
        if !self.reunited {
            let _ = self.stream.end_writing(); // a stream that has failed has ended already
        }
    }
}

/// A half reads or writes by the stream that it is of.
macro_rules! half {
    (read $half:ty, $stream:tt) => {
        impl<S: Split> AsyncRead for $half {
            fn poll_read(
                self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                buffer: &mut [u8],
            ) -> Poll<io::Result<usize>> {
                self.$stream.poll_read(cx, buffer)
            }

            fn poll_read_vectored(
                self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                buffers: &mut [IoSliceMut<'_>],
            ) -> Poll<io::Result<usize>> {
                self.$stream.poll_read_vectored(cx, buffers)
            }
        }
    };
    (write $half:ty, $stream:tt) => {
        impl<S: Split> AsyncWrite for $half {
            fn poll_write(
                self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                bytes: &[u8],
            ) -> Poll<io::Result<usize>> {
                self.$stream.poll_write(cx, bytes)
            }

            fn poll_write_vectored(
                self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                slices: &[IoSlice<'_>],
            ) -> Poll<io::Result<usize>> {
                self.$stream.poll_write_vectored(cx, slices)
            }

            fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
                Poll::Ready(Ok(()))
            }

            /// Ends writing, so that the other end reads its end.
            fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
                Poll::Ready(self.$stream.end_writing())
            }
        }
    };
}

half!(read OwnedReadHalf<S>, stream);
half!(read ReadHalf<'_, S>, 0);
half!(write OwnedWriteHalf<S>, stream);
half!(write WriteHalf<'_, S>, 0);

/// How a stream is split, by what it has for reading and writing.
macro_rules! split {
    ($stream:ident) => {
        impl $crate::net::halves::sealed::Split for $stream {
            fn poll_read(
                &self,
                cx: &std::task::Context<'_>,
                buffer: &mut [u8],
            ) -> std::task::Poll<std::io::Result<usize>> {
                $stream::poll_read(self, cx, buffer)
            }

            fn poll_read_vectored(
                &self,
                cx: &std::task::Context<'_>,
                buffers: &mut [std::io::IoSliceMut<'_>],
            ) -> std::task::Poll<std::io::Result<usize>> {
                $stream::poll_read_vectored(self, cx, buffers)
            }

            fn poll_write(
                &self,
                cx: &std::task::Context<'_>,
                bytes: &[u8],
            ) -> std::task::Poll<std::io::Result<usize>> {
                $stream::poll_write(self, cx, bytes)
            }

            fn poll_write_vectored(
                &self,
                cx: &std::task::Context<'_>,
                slices: &[std::io::IoSlice<'_>],
            ) -> std::task::Poll<std::io::Result<usize>> {
                $stream::poll_write_vectored(self, cx, slices)
            }

            fn end_writing(&self) -> std::io::Result<()> {
                $stream::end_writing(self)
            }
        }

        impl $stream {
            /// Splits the stream into a half that reads and one that writes, for two tasks.
            ///
            /// Dropping the half that writes ends writing;
            /// [`reunite`](crate::net::OwnedReadHalf::reunite) makes one stream of the two again.
            /// (`AsyncReadExt::split` works too, but knows nothing of either.)
            pub fn into_split(
                self,
            ) -> (
                $crate::net::OwnedReadHalf<Self>,
                $crate::net::OwnedWriteHalf<Self>,
            ) {
                $crate::net::halves::into_halves(self)
            }

            /// Lends the stream as a half that reads and one that writes, to be used in one task.
            ///
            /// A shared reference to the stream does both; this is for whoever wants it to do one.
            pub fn halves(
                &self,
            ) -> (
                $crate::net::ReadHalf<'_, Self>,
                $crate::net::WriteHalf<'_, Self>,
            ) {
                $crate::net::halves::halves(self)
            }

            /// Waits until it may be possible to read. Any number of tasks may wait so.
            ///
            /// It is ready until a read found that it is not; so read by [`try_read`], or by the
            /// traits, before waiting again.
            ///
            /// [`try_read`]: Self::try_read
            ///
            /// # Errors
            ///
            /// Outside of the loop in which it was made.
            pub async fn readable(&self) -> std::io::Result<()> {
                self.ready.ready($crate::event_loop::Direction::Read).await
            }

            /// Waits until it may be possible to write. Any number of tasks may wait so.
            ///
            /// # Errors
            ///
            /// Outside of the loop in which it was made.
            pub async fn writable(&self) -> std::io::Result<()> {
                self.ready.ready($crate::event_loop::Direction::Write).await
            }
        }
    };
}

pub(super) use split;
