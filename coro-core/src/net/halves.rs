//! The two halves of a stream: a reader, a writer.

use std::error::Error;
use std::fmt;
use std::io::{self, IoSlice, IoSliceMut};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use futures::io::{AsyncRead, AsyncWrite};

/// Streams that can be split: a shared reference to one can read and write too.
///
/// Implemented by the streams of this module only.
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

/// The reading half of a stream that was split by `into_split`.
///
/// The descriptor is closed when both halves are dropped. As with a whole stream, the other end may
/// lose what it was sent last if something is unread then: the half that reads is best kept until it
/// has read the end, or [reunited](Self::reunite) for
/// [`close_in_order`](crate::net::close_in_order).
#[derive(Debug)]
pub struct OwnedReadHalf<S: Split> {
    stream: Rc<S>,
}

/// The writing half of a stream that was split by `into_split`.
///
/// Dropping it ends writing, so the other end reads its end; the reading half continues.
#[derive(Debug)]
pub struct OwnedWriteHalf<S: Split> {
    stream: Rc<S>,
    /// Set by [`reunite`](OwnedReadHalf::reunite), which must not end writing.
    reunited: bool,
}

/// The reading half of a stream that is borrowed by `halves`.
#[derive(Debug)]
pub struct ReadHalf<'a, S: Split>(&'a S);

/// The writing half of a stream that is borrowed by `halves`. Dropping it does not end writing.
#[derive(Debug)]
pub struct WriteHalf<'a, S: Split>(&'a S);

/// The halves that were to be reunited belong to different streams; they are given back.
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
    /// Reunites the two halves of a stream.
    ///
    /// # Errors
    ///
    /// If the halves belong to different streams; the error contains them.
    pub fn reunite(self, mut write: OwnedWriteHalf<S>) -> Result<S, ReuniteError<S>> {
        if !Rc::ptr_eq(&self.stream, &write.stream) {
            return Err(ReuniteError(self, write));
        }
        write.reunited = true;
        drop(write);
        Ok(Rc::into_inner(self.stream).expect("only the two halves share it"))
    }

    /// The stream, for its addresses and options.
    pub fn get_ref(&self) -> &S {
        &self.stream
    }
}

impl<S: Split> OwnedWriteHalf<S> {
    /// The stream, for its addresses and options.
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

/// Implements reading or writing for a half, through its stream.
macro_rules! half {
    (read $half:ty, $stream:tt) => {
        impl<S: Split> AsyncRead for $half {
            #[inline]
            fn poll_read(
                self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                buffer: &mut [u8],
            ) -> Poll<io::Result<usize>> {
                self.$stream.poll_read(cx, buffer)
            }

            #[inline]
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
            #[inline]
            fn poll_write(
                self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                bytes: &[u8],
            ) -> Poll<io::Result<usize>> {
                self.$stream.poll_write(cx, bytes)
            }

            #[inline]
            fn poll_write_vectored(
                self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                slices: &[IoSlice<'_>],
            ) -> Poll<io::Result<usize>> {
                self.$stream.poll_write_vectored(cx, slices)
            }

            #[inline]
            fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
                Poll::Ready(Ok(()))
            }

            /// Ends writing, so the other end reads its end.
            #[inline]
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

/// Defines the splitting of a stream, through its own methods.
macro_rules! split {
    ($stream:ident) => {
        impl $crate::net::halves::sealed::Split for $stream {
            #[inline]
            fn poll_read(
                &self,
                cx: &std::task::Context<'_>,
                buffer: &mut [u8],
            ) -> std::task::Poll<std::io::Result<usize>> {
                $stream::poll_read(self, cx, buffer)
            }

            #[inline]
            fn poll_read_vectored(
                &self,
                cx: &std::task::Context<'_>,
                buffers: &mut [std::io::IoSliceMut<'_>],
            ) -> std::task::Poll<std::io::Result<usize>> {
                $stream::poll_read_vectored(self, cx, buffers)
            }

            #[inline]
            fn poll_write(
                &self,
                cx: &std::task::Context<'_>,
                bytes: &[u8],
            ) -> std::task::Poll<std::io::Result<usize>> {
                $stream::poll_write(self, cx, bytes)
            }

            #[inline]
            fn poll_write_vectored(
                &self,
                cx: &std::task::Context<'_>,
                slices: &[std::io::IoSlice<'_>],
            ) -> std::task::Poll<std::io::Result<usize>> {
                $stream::poll_write_vectored(self, cx, slices)
            }

            #[inline]
            fn end_writing(&self) -> std::io::Result<()> {
                $stream::end_writing(self)
            }
        }

        impl $stream {
            /// Splits the stream into a reading and a writing half, for two tasks.
            ///
            /// Dropping the writing half ends writing;
            /// [`reunite`](crate::net::OwnedReadHalf::reunite) makes one stream of the two again.
            /// (`AsyncReadExt::split` works too, but offers neither.)
            #[inline]
            pub fn into_split(
                self,
            ) -> (
                $crate::net::OwnedReadHalf<Self>,
                $crate::net::OwnedWriteHalf<Self>,
            ) {
                $crate::net::halves::into_halves(self)
            }

            /// Borrows the stream as a reading and a writing half, for use in one task.
            ///
            /// A shared reference to the stream does both; the halves restrict it to one direction
            /// each.
            #[inline]
            pub fn halves(
                &self,
            ) -> (
                $crate::net::ReadHalf<'_, Self>,
                $crate::net::WriteHalf<'_, Self>,
            ) {
                $crate::net::halves::halves(self)
            }

            /// Waits until it may be possible to read. Any number of tasks may wait in this way.
            ///
            /// It stays ready until a read finds no data. So read by [`try_read`], or by the
            /// traits, before waiting again.
            ///
            /// [`try_read`]: Self::try_read
            ///
            /// # Errors
            ///
            /// If it is awaited outside of the loop in which the stream was made.
            #[inline]
            pub async fn readable(&self) -> std::io::Result<()> {
                self.ready.ready($crate::event_loop::Direction::Read).await
            }

            /// Waits until it may be possible to write. Any number of tasks may wait in this way.
            ///
            /// # Errors
            ///
            /// If it is awaited outside of the loop in which the stream was made.
            #[inline]
            pub async fn writable(&self) -> std::io::Result<()> {
                self.ready.ready($crate::event_loop::Direction::Write).await
            }
        }
    };
}

pub(super) use split;
