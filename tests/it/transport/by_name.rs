//! Transports to a host that is named.

use std::cell::Cell;
use std::io::ErrorKind;
use std::net::SocketAddr;

use coro::net::{ConnectError, Protocol, create_connection, create_server};
use coro::sync::oneshot;

use crate::tcp::listen;

/// Sends on the address of the other end, as it is known when the connection is made.
struct Tell(Option<oneshot::Sender<Option<SocketAddr>>>);

impl Protocol for Tell {
    fn connection_made(&mut self, transport: &coro::net::Transport) {
        let _ = self.0.take().unwrap().send(transport.peer_addr());
    }

    fn data_received(&mut self, _: &[u8]) {}
}

struct Silent;

impl Protocol for Silent {
    fn data_received(&mut self, _: &[u8]) {}
}

#[coro::test(real)]
async fn a_host_is_reached_by_its_name_though_the_first_address_refuses() {
    // The name has one address of each family, or IPv4's alone; only IPv4 listens.
    let server = create_server(|| Silent, "127.0.0.1:0").unwrap();
    let address = server.local_addr().unwrap();
    let port = address.port();
    for _ in 0..2 {
        let (sender, peer) = oneshot::channel();
        let transport = create_connection(|| Tell(Some(sender)), ("localhost", port)).await;
        assert_eq!(peer.await.unwrap(), Some(address));
        transport.unwrap().close();
    }
    let transport = create_connection(|| Silent, format!("localhost:{port}")).await;
    assert_eq!(transport.unwrap().peer_addr(), Some(address));
}

#[coro::test(real)]
async fn the_first_of_several_addresses_that_answers_gets_the_protocol() {
    let (refusing, server) = (listen().1, create_server(|| Silent, "127.0.0.1:0").unwrap());
    let addresses = [refusing, server.local_addr().unwrap()];
    let transport = create_connection(|| Silent, addresses).await.unwrap();
    assert_eq!(transport.peer_addr(), Some(addresses[1]));
}

#[coro::test(real)]
async fn the_factory_is_not_called_for_a_connection_that_fails() {
    let called = Cell::new(false);
    let factory = || {
        called.set(true);
        Silent
    };
    let refusing = [listen().1, listen().1];
    let error = create_connection(factory, refusing).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
    let inner = error
        .get_ref()
        .unwrap()
        .downcast_ref::<ConnectError>()
        .unwrap();
    assert_eq!(inner.attempts().len(), 2);
    let error = create_connection(factory, "no port").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert!(!called.get());
}
