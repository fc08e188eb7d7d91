//! Transports that go on in TLS in the midst of their conversation.

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

/// What a future that was spawned has come to.
type Outcome = coro::Task<io::Result<()>>;

/// A transport over one end of a connection in memory, with a protocol that notes what it is told,
/// and the other end.
fn spied(
    streams: (Duplex, Duplex),
    react: impl FnMut(Callback<'_>, &Transport) -> bool + 'static,
) -> (Transport, Log, Duplex) {
    let log = Log::default();
    let transport = Transport::new(streams.0, Spy::new(&log, react));
    (transport, log, streams.1)
}

/// A client's transport that goes on in TLS when it is told "go", and the server's end; in the
/// place there will be what came of it.
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

/// Has a client of that kind begin: tells it to go, and hears that it does.
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

/// A transport whose handshake is over, and the other end.
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
