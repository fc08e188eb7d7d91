//! Makes a transport of a connected stream.

use std::net::SocketAddr;

use futures::io::{AsyncRead, AsyncWrite};

use super::{Protocol, Transport};
use crate::callbacks::CallbackTransport;
use crate::event_loop::LoopHandle;

/// Makes a transport, and waits until `connection_made` was called.
pub(super) async fn adopt<S, P>(
    factory: impl FnOnce() -> P,
    stream: S,
    peer: Option<SocketAddr>,
) -> Transport
where
    S: AsyncRead + AsyncWrite + Unpin + 'static,
    P: Protocol,
{
    let (transport, driver) = Transport::with_driver(stream, factory(), peer);
    drop(LoopHandle::current().spawn(driver));
    let making = Making(&transport);
    transport.connection().life().made().await;
    drop(making);
    transport
}

/// Aborts the connection if the future is dropped before `connection_made` was called.
struct Making<'a>(&'a Transport);

impl Drop for Making<'_> {
    #[inline]
    fn drop(&mut self) {
        if !self.0.connection().life().is_made() {
            self.0.abort();
        }
    }
}
