//! Transports that switch to TLS during their conversation.

mod endings;
mod meanwhile;
mod peers;
mod refusals;
mod talking;

use std::cell::RefCell;
use std::io;
use std::rc::Rc;

use coro::net::Transport;
use coro::net::tls::TlsStream;
use futures::io::{AsyncReadExt, AsyncWriteExt};

use super::Identity;
use super::duplex::{Duplex, duplex};
use crate::transport::{Callback, Log, Spy};

/// The spawned future of a `start_tls`.
type Outcome = coro::Task<io::Result<()>>;

/// A transport over one end of a connection in memory, with a protocol that logs its callbacks. The
/// other end is returned with them.
fn spied(
    streams: (Duplex, Duplex),
    react: impl FnMut(Callback<'_>, &Transport) -> bool + 'static,
) -> (Transport, Log, Duplex) {
    let log = Log::default();
    let transport = Transport::new(streams.0, Spy::new(&log, react));
    (transport, log, streams.1)
}

/// A client's transport that switches to TLS when it receives "go", with the server's end. The cell
/// then holds the spawned `start_tls`.
fn client(
    identity: &Identity,
    streams: (Duplex, Duplex),
) -> (Transport, Log, Duplex, Rc<RefCell<Option<Outcome>>>) {
    let connector = identity.connector();
    let place = Rc::new(RefCell::new(None));
    let outcome = place.clone();
    let (transport, log, peer) = spied(streams, move |callback, transport| {
        if callback == Callback::Data(b"go") {
            transport.write(b"gone");
            let shaking = transport.start_tls(&connector, "localhost");
            transport.write(b"secret");
            outcome.replace(Some(coro::spawn(shaking)));
        }
        false
    });
    (transport, log, peer, place)
}

/// Sends "go" to such a client, and reads its answer.
async fn go(peer: &mut Duplex) {
    peer.write_all(b"go").await.unwrap();
    let mut answer = [0; 4];
    peer.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"gone");
}

async fn outcome(place: &RefCell<Option<Outcome>>) -> io::Result<()> {
    let task = place.take().expect("it has begun");
    task.await.unwrap()
}

/// A transport after its handshake, with the other end.
async fn started(identity: &Identity) -> (Transport, Log, TlsStream<Duplex>) {
    let (transport, log, mut peer, place) = client(identity, duplex(1000, 5000));
    go(&mut peer).await;
    let mut tls = identity.acceptor().accept(peer).await.unwrap();
    outcome(&place).await.unwrap();
    let mut secret = [0; 6];
    tls.read_exact(&mut secret).await.unwrap();
    assert_eq!(&secret, b"secret");
    (transport, log, tls)
}
