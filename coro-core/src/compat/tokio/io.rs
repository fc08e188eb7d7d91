//! `tokio::io::{AsyncRead, AsyncWrite}` for the streams of this crate.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use ::tokio::io::ReadBuf;
use futures::io as by_futures;

use crate::event_loop::OnLoop;
use crate::net::{
    OwnedReadHalf, OwnedWriteHalf, ReadHalf, Split, Stderr, Stdin, Stdout, StreamReader, TcpStream,
    WriteHalf,
};
#[cfg(unix)]
use crate::net::{PipeReader, PipeWriter, UnixStream};
#[cfg(unix)]
use crate::process::{ChildStderr, ChildStdin, ChildStdout};

fn poll_read<S: by_futures::AsyncRead>(
    stream: Pin<&mut S>,
    cx: &mut Context<'_>,
    into: &mut ReadBuf<'_>,
) -> Poll<io::Result<()>> {
    let read = ready!(stream.poll_read(cx, into.initialize_unfilled()))?;
    into.advance(read);
    Poll::Ready(Ok(()))
}

/// Implements tokio's reading for types that read by the trait of `futures`.
macro_rules! reads {
    ($($(#[$on:meta])? [$($generics:tt)*] $stream:ty;)+) => { $(
        $(#[$on])?
        impl<$($generics)*> ::tokio::io::AsyncRead for $stream {
            fn poll_read(
                self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                into: &mut ReadBuf<'_>,
            ) -> Poll<io::Result<()>> {
                poll_read(self, cx, into)
            }
        }
    )+ };
}

/// Implements tokio's writing for types that write by the trait of `futures`.
macro_rules! writes {
    ($($(#[$on:meta])? [$($generics:tt)*] $stream:ty;)+) => { $(
        $(#[$on])?
        impl<$($generics)*> ::tokio::io::AsyncWrite for $stream {
            fn poll_write(
                self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                bytes: &[u8],
            ) -> Poll<io::Result<usize>> {
                by_futures::AsyncWrite::poll_write(self, cx, bytes)
            }

            fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
                by_futures::AsyncWrite::poll_flush(self, cx)
            }

            fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
                by_futures::AsyncWrite::poll_close(self, cx)
            }

            fn poll_write_vectored(
                self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                slices: &[IoSlice<'_>],
            ) -> Poll<io::Result<usize>> {
                by_futures::AsyncWrite::poll_write_vectored(self, cx, slices)
            }

            fn is_write_vectored(&self) -> bool {
                true
            }
        }
    )+ };
}

reads! {
    [] TcpStream;
    [] &TcpStream;
    [S: Split] OwnedReadHalf<S>;
    [S: Split] ReadHalf<'_, S>;
    [S: by_futures::AsyncRead + Unpin] StreamReader<S>;
    [S: by_futures::AsyncRead + Unpin] OnLoop<S>;
    [] Stdin;
    #[cfg(unix)] [] UnixStream;
    #[cfg(unix)] [] &UnixStream;
    #[cfg(unix)] [] PipeReader;
    #[cfg(unix)] [] ChildStdout;
    #[cfg(unix)] [] ChildStderr;
}

writes! {
    [] TcpStream;
    [] &TcpStream;
    [S: Split] OwnedWriteHalf<S>;
    [S: Split] WriteHalf<'_, S>;
    [S: by_futures::AsyncWrite + Unpin] OnLoop<S>;
    [] Stdout;
    [] Stderr;
    #[cfg(unix)] [] UnixStream;
    #[cfg(unix)] [] &UnixStream;
    #[cfg(unix)] [] PipeWriter;
    #[cfg(unix)] [] ChildStdin;
}

#[cfg(feature = "tls")]
mod tls {
    use futures::io::{AsyncRead, AsyncWrite};

    use super::*;
    use crate::net::tls::TlsStream;

    reads! { [S: AsyncRead + AsyncWrite + Unpin] TlsStream<S>; }
    writes! { [S: AsyncRead + AsyncWrite + Unpin] TlsStream<S>; }
}
