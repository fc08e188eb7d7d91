//! Accepting connections for a server.

use std::future::Future;
use std::io;
use std::rc::Rc;

use super::connections::Connections;
use super::outcome::HandlerOutput;
use crate::net::listen::Listen;
use crate::wait::turn::let_others_run;

/// How many connections are accepted in a row before the other tasks have a turn.
const ACCEPTED_MAX: u32 = 64;

/// Something that makes the future of each connection.
pub(super) trait ServeEach<S, P>: 'static {
    /// The future that serves a connection.
    fn serve(
        self: Rc<Self>,
        stream: S,
        peer: P,
    ) -> impl Future<Output: HandlerOutput + 'static> + 'static;
}

/// Serves by an async function, whose futures borrow from it.
pub(super) struct ByAsyncFn<H>(pub(super) H);

impl<S, P, H, R> ServeEach<S, P> for ByAsyncFn<H>
where
    S: 'static,
    P: 'static,
    H: AsyncFn(S, P) -> R + 'static,
    R: HandlerOutput + 'static,
{
    fn serve(
        self: Rc<Self>,
        stream: S,
        peer: P,
    ) -> impl Future<Output: HandlerOutput + 'static> + 'static {
        async move { (self.0)(stream, peer).await }
    }
}

/// Serves by the futures of a function. They own all that they use, and no future is put around them:
/// the state of each layer would be one more piece of memory to fetch when a connection has an event.
#[cfg(feature = "hyper")]
pub(super) struct ByFutures<F>(pub(super) F);

#[cfg(feature = "hyper")]
impl<S, P, F, R> ServeEach<S, P> for ByFutures<F>
where
    F: Fn(S, P) -> R + 'static,
    R: Future<Output: HandlerOutput + 'static> + 'static,
{
    fn serve(
        self: Rc<Self>,
        stream: S,
        peer: P,
    ) -> impl Future<Output: HandlerOutput + 'static> + 'static {
        (self.0)(stream, peer)
    }
}

/// Accepts connections, each into a task of its own, until the server is closed.
pub(super) async fn accept_all<L, H>(
    listener: L,
    handler: Rc<H>,
    connections: Rc<Connections>,
) -> io::Result<()>
where
    L: Listen,
    H: ServeEach<L::Stream, L::Peer>,
{
    let mut accepted = 0_u32;
    loop {
        connections.until_allowed().await;
        if connections.is_closed() {
            return Ok(());
        }
        let (stream, peer) = listener.accept().await?;
        if connections.is_closed() {
            return Ok(()); // the connection came too late, and is dropped
        }
        let name = L::name(&peer, connections.next_number());
        connections.begin(name, handler.clone().serve(stream, peer));
        accepted = accepted.wrapping_add(1);
        if accepted.is_multiple_of(ACCEPTED_MAX) {
            let_others_run().await;
        }
    }
}
