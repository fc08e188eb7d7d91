//! How a stream that is connected becomes a transport.

use std::net::SocketAddr;

use futures::io::{AsyncRead, AsyncWrite};

use super::{Protocol, Transport};
use crate::event_loop::LoopHandle;

/// Makes a transport, and waits until the protocol knows of it.
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
    transport.made().await;
    drop(making);
    transport
}

/// Whoever gives up waiting for a connection shall not have one.
struct Making<'a>(&'a Transport);

impl Drop for Making<'_> {
    fn drop(&mut self) {
        if !self.0.is_made() {
            self.0.abort();
        }
    }
}
