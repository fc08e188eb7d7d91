//! Servers of protocols.

use std::cell::Cell;
use std::io::{Read, Write};
use std::net;
use std::rc::Rc;
use std::time::Duration;

use coro::event_loop::ReportKind;
use coro::net::{Protocol, ProtocolServer, TcpStream, Transport, create_server};
use coro::{spawn, timeout};
use futures::{AsyncReadExt, AsyncWriteExt};

use super::{Log, Spy, join, keep_open};
#[cfg(unix)]
use crate::descriptors::{in_a_process_of_its_own, is_in_a_process_of_its_own};
use crate::support::{Reports, ms, turns};

#[derive(Default)]
struct Echo(Option<Transport>);

impl Protocol for Echo {
    fn connection_made(&mut self, transport: &Transport) {
        self.0 = Some(transport.clone());
    }

    fn data_received(&mut self, data: &[u8]) {
        self.0.as_ref().unwrap().write(data);
    }
}

fn echo_server() -> ProtocolServer {
    create_server(Echo::default, "127.0.0.1:0").unwrap()
}

async fn connect(server: &ProtocolServer) -> TcpStream {
    TcpStream::connect(server.local_addr().unwrap())
        .await
        .unwrap()
}

/// Waits until the server has `count` connections.
async fn connected(server: &ProtocolServer, count: usize) {
    while server.connections() != count {
        coro::sleep(ms(1)).await;
    }
}

#[test]
fn a_thousand_connections_are_echoed_and_none_is_lost() {
    #[cfg(unix)]
    if !is_in_a_process_of_its_own() {
        let name = "transport::server::a_thousand_connections_are_echoed_and_none_is_lost";
        return in_a_process_of_its_own(name, 2100);
    }
    coro::run(echo_to_a_thousand());
}

async fn echo_to_a_thousand() {
    const CONNECTIONS: usize = 1000;
    let server = echo_server();
    let address = server.local_addr().unwrap();
    let clients = std::thread::spawn(move || {
        let mut streams: Vec<_> = (0..CONNECTIONS)
            .map(|_| net::TcpStream::connect(address).unwrap())
            .collect();
        for round in 0..3 {
            for (n, stream) in streams.iter_mut().enumerate() {
                write!(stream, "{n:06} {round}").unwrap();
            }
            for (n, stream) in streams.iter_mut().enumerate() {
                let mut answer = [0; 8];
                Read::read_exact(stream, &mut answer).unwrap();
                assert_eq!(answer, format!("{n:06} {round}").as_bytes());
            }
        }
        streams
    });
    let streams = crate::tcp::join(clients).await;
    assert_eq!(server.connections(), CONNECTIONS);
    drop(streams);
    server.close();
    server.wait_closed().await;
    assert_eq!(server.connections(), 0);
}

#[coro::test(real)]
async fn a_closed_server_accepts_no_connection_and_its_connections_go_on() {
    let server = echo_server();
    let mut client = connect(&server).await;
    connected(&server, 1).await;
    server.close();
    turns(3).await;
    assert!(
        TcpStream::connect(server.local_addr().unwrap())
            .await
            .is_err()
    );
    let waits = timeout(ms(5), server.wait_closed()).await;
    assert!(waits.is_err(), "a connection is left");
    let echoed = spawn(async move {
        client.write_all(b"still").await.unwrap();
        client.read_exact(&mut [0; 5]).await.unwrap();
    });
    server.wait_closed().await;
    join(echoed).await;
}

#[coro::test(real)]
async fn shutdown_gives_connections_time_and_then_cuts_them() {
    let log = Log::default();
    let made = log.clone();
    let server = create_server(move || Spy::new(&made, keep_open), "127.0.0.1:0").unwrap();
    let patient = connect(&server).await;
    connected(&server, 1).await;
    let brief = connect(&server).await;
    connected(&server, 2).await;
    drop(brief);
    assert_eq!(server.shutdown(ms(20)).await, 2);
    assert_eq!(server.connections(), 0);
    assert_eq!(log.count("lost"), 2);
    drop(patient);
}

#[coro::test(real)]
async fn shutdown_does_not_wait_longer_than_it_has_to() {
    let server = echo_server();
    let client = connect(&server).await;
    connected(&server, 1).await;
    let leaves = spawn(async move { drop(client) });
    server.shutdown(Duration::from_secs(3600)).await;
    join(leaves).await;
}

#[coro::test(real)]
async fn clients_are_closed_or_aborted_together() {
    for abort in [false, true] {
        let server = echo_server();
        let mut clients = [connect(&server).await, connect(&server).await];
        connected(&server, 2).await;
        server.close();
        let ended = match abort {
            true => server.abort_clients(),
            false => server.close_clients(),
        };
        assert_eq!(ended, 2);
        server.wait_closed().await;
        for client in &mut clients {
            assert_eq!(client.read(&mut [0; 1]).await.unwrap(), 0);
        }
    }
}

#[coro::test(real)]
async fn a_server_that_is_dropped_cuts_its_connections() {
    let server = echo_server();
    let address = server.local_addr().unwrap();
    let mut client = connect(&server).await;
    connected(&server, 1).await;
    drop(server);
    turns(3).await;
    assert_eq!(client.read(&mut [0; 1]).await.unwrap(), 0);
    assert!(TcpStream::connect(address).await.is_err());
}

#[coro::test(real)]
async fn serving_for_ever_ends_with_its_wait() {
    let server = Rc::new(echo_server());
    let serving = spawn({
        let server = server.clone();
        async move { server.serve_forever().await }
    });
    let client = connect(&server).await;
    connected(&server, 1).await;
    drop(client);
    serving.cancel();
    server.wait_closed().await;
}

#[coro::test(real)]
async fn a_factory_that_panics_costs_one_connection() {
    let reports = Reports::here();
    let calls = Cell::new(0);
    let factory = move || {
        calls.set(calls.get() + 1);
        assert!(calls.get() > 1, "not yet");
        Echo::default()
    };
    let server = create_server(factory, "127.0.0.1:0").unwrap();
    let mut refused = connect(&server).await;
    let served = connect(&server).await;
    connected(&server, 1).await;
    assert_eq!(refused.read(&mut [0; 1]).await.unwrap(), 0);
    reports.assert_taken([(ReportKind::ProtocolPanicked, "not yet")]);
    drop(served);
}

#[coro::test(real)]
async fn a_connection_that_is_aborted_in_connection_made_is_told_of_its_end() {
    let log = Log::default();
    let made = log.clone();
    let factory = move || {
        Spy::new(&made, |callback, transport| {
            if callback == super::Callback::Made {
                transport.abort();
            }
            false
        })
    };
    let server = create_server(factory, "127.0.0.1:0").unwrap();
    let mut client = connect(&server).await;
    let _ = client.write_all(b"too late to be read").await; // it may be broken off by now
    log.until_event("lost").await;
    log.assert(["made", "lost"]);
}
