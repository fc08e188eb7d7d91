//! Protocols that provide the memory to receive into.

use std::io;

use coro::net::{Buffered, BufferedProtocol, TcpListener, Transport, create_connection};
use futures::AsyncWriteExt;

use super::{Log, join};

/// Receives into a buffer of a given length, repeatedly.
struct Small {
    log: Log,
    buffer: Vec<u8>,
    transport: Option<Transport>,
}

impl BufferedProtocol for Small {
    fn connection_made(&mut self, transport: &Transport) {
        self.transport = Some(transport.clone());
        self.log.add("made");
    }

    fn get_buffer(&mut self, hint: usize) -> &mut [u8] {
        assert!(hint > 0);
        &mut self.buffer
    }

    fn buffer_updated(&mut self, len: usize) {
        assert!(len > 0);
        self.log.add_data(&self.buffer[..len]);
    }

    fn connection_lost(&mut self, error: Option<io::Error>) {
        self.log.add(match error {
            None => "lost".to_owned(),
            Some(error) => format!("lost: {error}"),
        });
    }
}

async fn receive(buffer: usize, sent: &'static [u8]) -> Log {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let log = Log::default();
    let small = Small {
        log: log.clone(),
        buffer: vec![0; buffer],
        transport: None,
    };
    create_connection(|| Buffered(small), address)
        .await
        .unwrap();
    let (mut peer, _) = listener.accept().await.unwrap();
    let sender = coro::spawn(async move {
        let _ = peer.write_all(sent).await;
    });
    log.until_event("lost").await;
    join(sender).await;
    log
}

#[coro::test(real)]
async fn data_is_received_into_the_protocols_own_buffer() {
    const SENT: &[u8] = &[9; 100_000];
    let log = receive(777, SENT).await;
    assert_eq!(log.data(), SENT);
    log.assert(["made", "data", "lost"]);
}

#[coro::test(real)]
async fn a_buffer_of_no_length_ends_the_connection_with_an_error() {
    let log = receive(0, b"nowhere to go").await;
    log.assert([
        "made",
        "lost: get_buffer() gave a buffer of no length: pause reading before there is no room",
    ]);
}

#[test]
fn data_that_is_handed_over_by_hand_fills_buffer_after_buffer() {
    use coro::net::Protocol;
    let log = Log::default();
    let mut protocol = Buffered(Small {
        log: log.clone(),
        buffer: vec![0; 3],
        transport: None,
    });
    protocol.data_received(b"abcdefgh");
    assert_eq!(log.data(), b"abcdefgh");
}
