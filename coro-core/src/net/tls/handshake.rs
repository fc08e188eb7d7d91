//! The handshake that begins a TLS connection, within its time limit.

use std::future::poll_fn;
use std::io;
use std::task::{Context, Poll};
use std::time::Duration;

use futures::io::{AsyncRead, AsyncWrite};
use rustls::Connection;

use super::TlsStream;
use super::session::Session;
use crate::task::{Step, looking};
use crate::wait::until::Until;

/// asyncio's `ssl_handshake_timeout` and `ssl_shutdown_timeout`.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(60);
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(30);

/// How long a handshake and a shutdown may take; [`Duration::MAX`] is no limit.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    pub(super) handshake: Duration,
    pub(super) shutdown: Duration,
}

impl Default for Limits {
    #[inline]
    fn default() -> Self {
        Limits {
            handshake: HANDSHAKE_TIMEOUT,
            shutdown: SHUTDOWN_TIMEOUT,
        }
    }
}

pub(super) async fn handshake<S: AsyncRead + AsyncWrite + Unpin>(
    connection: Connection,
    mut stream: S,
    limits: Limits,
) -> io::Result<TlsStream<S>> {
    let mut session = Session::new(connection);
    let mut until = Until::After(limits.handshake);
    let poll = |cx: &mut Context<'_>| match session.poll_handshake(&mut stream, cx) {
        Poll::Pending => until
            .poll(cx)
            .map(|()| Err(too_long("the handshake", limits.handshake))),
        done => done,
    };
    let step = || Step::During {
        operation: "TLS",
        object: "handshake".into(),
    };
    looking::shown(step, poll_fn(poll)).await?;
    Ok(TlsStream::new(session, stream, limits.shutdown))
}

#[inline]
pub(super) fn too_long(what: &str, limit: Duration) -> io::Error {
    let text = format!("tls: {what} took longer than {limit:?}");
    io::Error::new(io::ErrorKind::TimedOut, text)
}
