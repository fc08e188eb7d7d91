//! Accepting connections for a server.

use std::io;
use std::rc::Rc;

use super::connections::Connections;
use super::outcome::HandlerOutput;
use crate::net::listen::Listen;
use crate::wait::turn::let_others_run;

/// How many connections are accepted in a row before the other tasks have a turn.
const ACCEPTED_MAX: u32 = 64;

/// Accepts connections, each into a task of its own, until the server is closed.
pub(super) async fn accept_all<L, H, R>(
    listener: L,
    handler: Rc<H>,
    connections: Rc<Connections>,
) -> io::Result<()>
where
    L: Listen,
    H: AsyncFn(L::Stream, L::Peer) -> R + 'static,
    R: HandlerOutput + 'static,
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
        let handler = handler.clone();
        let name = L::name(&peer, connections.next_number());
        connections.begin(
            name,
            async move { handler(stream, peer).await.into_result() },
        );
        accepted = accepted.wrapping_add(1);
        if accepted.is_multiple_of(ACCEPTED_MAX) {
            let_others_run().await;
        }
    }
}
