//! Protocols that are called back for data that comes through TLS.

use std::cell::RefCell;
use std::io;
use std::rc::Rc;

use coro::net::{Protocol, Transport};
use futures::io::{AsyncReadExt, AsyncWriteExt};

use super::duplex::duplex;
use super::tls_pair;
use crate::support::turns;

/// The received data of a connection, with its end.
#[derive(Default)]
struct Seen {
    received: Vec<u8>,
    lost: Option<Result<(), io::ErrorKind>>,
}

/// Sends `mine`, then closes after it has received as many bytes.
struct Exchange {
    mine: Vec<u8>,
    transport: Option<Transport>,
    seen: Rc<RefCell<Seen>>,
}

impl Exchange {
    fn of(mine: &[u8]) -> (Self, Rc<RefCell<Seen>>) {
        let seen = Rc::<RefCell<Seen>>::default();
        let protocol = Exchange {
            mine: mine.to_vec(),
            transport: None,
            seen: seen.clone(),
        };
        (protocol, seen)
    }
}

impl Protocol for Exchange {
    fn connection_made(&mut self, transport: &Transport) {
        transport.write(&self.mine);
        self.transport = Some(transport.clone());
    }

    fn data_received(&mut self, data: &[u8]) {
        let mut seen = self.seen.borrow_mut();
        seen.received.extend_from_slice(data);
        if let Some(transport) = &self.transport
            && seen.received.len() >= self.mine.len()
        {
            transport.close();
        }
    }

    fn connection_lost(&mut self, error: Option<io::Error>) {
        let how = error.map_or(Ok(()), |error| Err(error.kind()));
        assert!(self.seen.borrow_mut().lost.replace(how).is_none());
    }
}

/// Waits for the end of a connection.
async fn lost(seen: &RefCell<Seen>) -> Result<(), io::ErrorKind> {
    loop {
        if let Some(how) = seen.borrow().lost {
            return how;
        }
        turns(1).await;
    }
}

#[coro::test]
async fn a_protocol_sends_receives_and_closes_through_tls() {
    let (client, mut server) = tls_pair(duplex(1000, 5000)).await;
    let mine = vec![7; 300_000];
    let (protocol, seen) = Exchange::of(&mine);
    drop(Transport::new(client, protocol));

    let mut received = vec![0; mine.len()];
    server.read_exact(&mut received).await.unwrap();
    assert!(received == mine);
    server.write_all(&received).await.unwrap();
    server.flush().await.unwrap();
    // The protocol closes with close_notify: a clean end.
    assert_eq!(server.read(&mut received).await.unwrap(), 0);
    turns(10).await;
    assert_eq!(seen.borrow().lost, None, "the other end has not ended");
    drop(server);
    assert_eq!(lost(&seen).await, Ok(()));
    assert!(seen.borrow().received == mine);
}

#[coro::test]
async fn a_protocol_is_told_of_a_connection_that_was_cut_short() {
    let (client, mut server) = tls_pair(duplex(1000, 5000)).await;
    let (protocol, seen) = Exchange::of(b"more than comes");
    drop(Transport::new(client, protocol));
    server.write_all(b"half").await.unwrap();
    server.flush().await.unwrap();
    turns(10).await;
    server.get_mut().close().await.unwrap();
    assert_eq!(lost(&seen).await, Err(io::ErrorKind::UnexpectedEof));
    assert_eq!(seen.borrow().received, b"half");
}

#[coro::test]
async fn a_protocol_that_is_done_is_known_to_be_so() {
    let (client, mut server) = tls_pair(duplex(1000, 5000)).await;
    let (protocol, seen) = Exchange::of(b"hello");
    drop(Transport::new(client, protocol));
    let mut received = [0; 5];
    server.read_exact(&mut received).await.unwrap();
    server.close().await.unwrap();
    assert_eq!(lost(&seen).await, Ok(()));
    assert_eq!(server.read(&mut received).await.unwrap(), 0);
}
