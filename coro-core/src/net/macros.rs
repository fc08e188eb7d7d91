//! Macros that define the methods shared by the sockets.

/// Defines reading from a stream: by `$read` into one buffer, by the standard library into several.
macro_rules! poll_reads {
    ($stream:ident, $read:expr) => {
        impl $stream {
            #[inline]
            fn poll_read(
                &self,
                cx: &std::task::Context<'_>,
                buffer: &mut [u8],
            ) -> std::task::Poll<std::io::Result<usize>> {
                let len = buffer.len();
                self.ready
                    .poll_transfer($crate::event_loop::Direction::Read, len, cx, |io| {
                        $read(io, buffer)
                    })
            }

            #[inline]
            fn poll_read_vectored(
                &self,
                cx: &std::task::Context<'_>,
                buffers: &mut [std::io::IoSliceMut<'_>],
            ) -> std::task::Poll<std::io::Result<usize>> {
                let len = buffers.iter().map(|buffer| buffer.len()).sum();
                self.ready
                    .poll_transfer($crate::event_loop::Direction::Read, len, cx, |mut io| {
                        std::io::Read::read_vectored(&mut io, buffers)
                    })
            }
        }
    };
}

/// Defines writing to a stream.
macro_rules! poll_writes {
    ($stream:ident) => {
        impl $stream {
            #[inline]
            fn poll_write(
                &self,
                cx: &std::task::Context<'_>,
                bytes: &[u8],
            ) -> std::task::Poll<std::io::Result<usize>> {
                let len = bytes.len();
                self.ready
                    .poll_transfer($crate::event_loop::Direction::Write, len, cx, |io| {
                        $crate::sys::send(io, bytes)
                    })
            }

            #[inline]
            fn poll_write_vectored(
                &self,
                cx: &std::task::Context<'_>,
                slices: &[std::io::IoSlice<'_>],
            ) -> std::task::Poll<std::io::Result<usize>> {
                let len = slices.iter().map(|slice| slice.len()).sum();
                self.ready
                    .poll_transfer($crate::event_loop::Direction::Write, len, cx, |mut io| {
                        std::io::Write::write_vectored(&mut io, slices)
                    })
            }
        }
    };
}

/// Implements `AsyncRead` for the stream and a shared reference to it, by the stream's `poll_read`.
macro_rules! read_by_traits {
    ($stream:ident) => {
        read_by_traits!($stream: $stream, &$stream);
    };
    ($stream:ident: $($reader:ty),*) => { $(
        impl futures::io::AsyncRead for $reader {
            #[inline]
            fn poll_read(
                self: std::pin::Pin<&mut Self>,
                cx: &mut std::task::Context<'_>,
                buffer: &mut [u8],
            ) -> std::task::Poll<std::io::Result<usize>> {
                $stream::poll_read(&self, cx, buffer)
            }

            #[inline]
            fn poll_read_vectored(
                self: std::pin::Pin<&mut Self>,
                cx: &mut std::task::Context<'_>,
                buffers: &mut [std::io::IoSliceMut<'_>],
            ) -> std::task::Poll<std::io::Result<usize>> {
                $stream::poll_read_vectored(&self, cx, buffers)
            }
        }
    )* };
}

/// Implements `AsyncWrite` for the stream and a shared reference to it, by the stream's
/// `poll_write`.
macro_rules! write_by_traits {
    ($stream:ident) => {
        write_by_traits!($stream: $stream, &$stream);
    };
    ($stream:ident: $($writer:ty),*) => { $(
        impl futures::io::AsyncWrite for $writer {
            #[inline]
            fn poll_write(
                self: std::pin::Pin<&mut Self>,
                cx: &mut std::task::Context<'_>,
                bytes: &[u8],
            ) -> std::task::Poll<std::io::Result<usize>> {
                $stream::poll_write(&self, cx, bytes)
            }

            #[inline]
            fn poll_write_vectored(
                self: std::pin::Pin<&mut Self>,
                cx: &mut std::task::Context<'_>,
                slices: &[std::io::IoSlice<'_>],
            ) -> std::task::Poll<std::io::Result<usize>> {
                $stream::poll_write_vectored(&self, cx, slices)
            }

            #[inline]
            fn poll_flush(
                self: std::pin::Pin<&mut Self>,
                _: &mut std::task::Context<'_>,
            ) -> std::task::Poll<std::io::Result<()>> {
                std::task::Poll::Ready(Ok(()))
            }

            /// Ends writing, so the other end reads its end.
            #[inline]
            fn poll_close(
                self: std::pin::Pin<&mut Self>,
                _: &mut std::task::Context<'_>,
            ) -> std::task::Poll<std::io::Result<()>> {
                std::task::Poll::Ready(self.end_writing())
            }
        }
    )* };
}

/// Defines the conversions from the standard library's socket and back.
macro_rules! from_and_into_std {
    ($socket:ident, $mio:ty, $std:ty) => {
        impl $socket {
            /// Takes over a socket of the standard library.
            ///
            /// # Errors
            ///
            /// If it cannot be set not to block, or not registered with the loop.
            ///
            /// # Panics
            ///
            /// Outside of a loop, and in a simulation, which has sockets of its own only.
            #[track_caller]
            #[inline]
            pub fn from_std(socket: $std) -> std::io::Result<Self> {
                $crate::event_loop::LoopHandle::refuse_in_simulation(
                    "socket of the standard library",
                );
                socket.set_nonblocking(true)?;
                Self::new(<$mio>::from_std(socket).into())
            }

            /// Gives the socket to the standard library; the loop no longer waits for it.
            ///
            /// It is still set not to block: use `set_nonblocking` to change that.
            ///
            /// # Panics
            ///
            /// If the socket is of a simulated host, as there is none of the system's behind it.
            #[track_caller]
            #[inline]
            pub fn into_std(self) -> $std {
                self.ready.into_inner().into_real().into()
            }
        }

        impl TryFrom<$std> for $socket {
            type Error = std::io::Error;

            #[track_caller]
            #[inline]
            fn try_from(socket: $std) -> std::io::Result<Self> {
                Self::from_std(socket)
            }
        }

        impl From<$socket> for $std {
            #[inline]
            fn from(socket: $socket) -> Self {
                socket.into_std()
            }
        }
    };
}

/// Implements access to the descriptor, and `Debug`.
macro_rules! descriptor_of_ready {
    ($socket:ident) => {
        #[cfg(unix)]
        impl std::os::fd::AsFd for $socket {
            #[inline]
            fn as_fd(&self) -> std::os::fd::BorrowedFd<'_> {
                self.ready.get().as_fd()
            }
        }

        #[cfg(unix)]
        impl std::os::fd::AsRawFd for $socket {
            #[inline]
            fn as_raw_fd(&self) -> std::os::fd::RawFd {
                self.ready.get().as_raw_fd()
            }
        }

        #[cfg(windows)]
        impl std::os::windows::io::AsSocket for $socket {
            #[inline]
            fn as_socket(&self) -> std::os::windows::io::BorrowedSocket<'_> {
                self.ready.get().as_socket()
            }
        }

        #[cfg(windows)]
        impl std::os::windows::io::AsRawSocket for $socket {
            #[inline]
            fn as_raw_socket(&self) -> std::os::windows::io::RawSocket {
                self.ready.get().as_raw_socket()
            }
        }

        impl std::fmt::Debug for $socket {
            #[inline]
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.ready.fmt(f)
            }
        }
    };
}

/// Defines options with a getter and a setter; in braces, their names in `socket2`.
macro_rules! socket_options {
    ($socket:ident: $(
        $(#[$documentation:meta])*
        $get:ident, $set:ident: $value:ty { $getter:ident, $setter:ident }
    )*) => {
        impl $socket { $(
            $(#[$documentation])*
            ///
            /// # Errors
            ///
            /// If the system fails to report it.
            #[inline]
            pub fn $get(&self) -> std::io::Result<$value> {
                self.socket().$getter()
            }

            #[doc = concat!(
                "Sets the option that [`", stringify!($get), "`](Self::", stringify!($get), ") gives."
            )]
            ///
            /// # Errors
            ///
            /// If the system refuses.
            #[inline]
            pub fn $set(&self, value: $value) -> std::io::Result<()> {
                self.socket().$setter(value)
            }
        )* }
    };
}

/// Defines the sizes of the system's buffers, which all sockets have.
macro_rules! buffer_sizes {
    ($socket:ident) => {
        $crate::net::macros::socket_options! { $socket:
            /// The size of the system's buffer for received bytes (`SO_RCVBUF`); Linux reports twice
            /// the number that was set.
            recv_buffer_size, set_recv_buffer_size: usize {
                recv_buffer_size, set_recv_buffer_size
            }
            /// The size of the system's buffer for bytes to be sent (`SO_SNDBUF`); Linux reports twice
            /// the number that was set.
            send_buffer_size, set_send_buffer_size: usize {
                send_buffer_size, set_send_buffer_size
            }
        }
    };
}

pub(super) use {
    buffer_sizes, descriptor_of_ready, from_and_into_std, poll_reads, poll_writes, read_by_traits,
    socket_options, write_by_traits,
};
