//! What servers listen on.

use std::io::ErrorKind;
use std::net::{self, SocketAddr};
use std::time::Duration;

use coro::net::{Server, TcpListener, TcpStream, start_server};

use crate::server::{LOCAL, connect, ping, serve_echo};

#[coro::test(real)]
async fn one_server_listens_on_several_addresses() {
    let mut addresses = vec![SocketAddr::from(([127, 0, 0, 1], 0))];
    let v6 = SocketAddr::from(([0, 0, 0, 0, 0, 0, 0, 1], 0));
    match net::TcpListener::bind(v6) {
        Ok(_) => addresses.push(v6),
        Err(error) => println!("skipped: IP version 6, as {error}"),
    }
    let server = start_server(&addresses[..], serve_echo).unwrap();
    assert_eq!(server.local_addrs().len(), addresses.len());
    for &address in server.local_addrs() {
        let mut client = TcpStream::connect(address).await.unwrap();
        ping(&mut client).await.unwrap();
    }
    server.shutdown(Duration::MAX).await;
    for &address in server.local_addrs() {
        net::TcpStream::connect(address).expect_err("nobody listens any more");
    }
}

#[coro::test(real)]
async fn an_address_in_use_is_an_error_that_leaves_nothing_listening() {
    let taken = TcpListener::bind(LOCAL).unwrap();
    let free = net::TcpListener::bind(LOCAL).unwrap();
    let addresses = [free.local_addr().unwrap(), taken.local_addr().unwrap()];
    drop(free);
    let error = start_server(&addresses[..], serve_echo).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AddrInUse);
    net::TcpStream::connect(addresses[0]).expect_err("nobody listens");
}

#[coro::test(real)]
async fn an_address_of_another_machine_is_passed_over_if_another_is_left() {
    let other = SocketAddr::from(([192, 0, 2, 1], 0));
    let addresses = [other, SocketAddr::from(([127, 0, 0, 1], 0))];
    let server = start_server(&addresses[..], serve_echo).unwrap();
    assert_eq!(server.local_addrs().len(), 1);
    let error = start_server(other, serve_echo).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AddrNotAvailable);
    let none: [SocketAddr; 0] = [];
    let error = start_server(&none[..], serve_echo).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
}

#[cfg(target_os = "linux")]
#[coro::test(real)]
async fn servers_may_share_a_port_if_both_say_so() {
    let builder = Server::builder().reuse_port(true);
    let first = builder.start(LOCAL, serve_echo).unwrap();
    let address = first.local_addr().unwrap();
    let _second = builder.start(address, serve_echo).unwrap();
    let error = start_server(address, serve_echo).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AddrInUse);
}

#[test]
fn a_server_for_nobody_is_refused() {
    let refused = crate::support::panic_of(|| Server::builder().max_connections(0));
    assert!(refused.contains("do not start one"), "{refused}");
}

#[coro::test(real)]
async fn a_listener_made_before_is_served() {
    let listener = TcpListener::bind(LOCAL).unwrap();
    let address = listener.local_addr().unwrap();
    let server = Server::builder().start_on([listener], serve_echo).unwrap();
    assert_eq!(server.local_addr().unwrap(), address);
    ping(&mut connect(&server).await).await.unwrap();
}
