//! The rules that both kinds of servers keep: names, ends, and which errors are failures.

use std::cell::RefCell;
use std::error::Error;
use std::fmt;
use std::io::{self, Read, Write};
use std::net;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use coro::event_loop::ReportKind;
use coro::net::{
    HandlerOutput, Protocol, ProtocolServer, ReadError, Server, StreamReader, TcpListener,
    TcpStream, create_server, create_server_on, is_hang_up, start_server,
};
use coro::{sleep, spawn, timeout};
use futures::{AsyncReadExt, AsyncWriteExt};
use socket2::{SockRef, Socket};

use crate::support::{Reports, ms, turns};

const LOCAL: &str = "127.0.0.1:0";
const LONG: Duration = Duration::from_secs(20);

struct Quiet;

impl Protocol for Quiet {
    fn data_received(&mut self, _: &[u8]) {}
}

async fn hold(mut stream: TcpStream, _: SocketAddr) {
    let _ = stream.read(&mut [0]).await;
}

/// Has a test use servers of both kinds by the same names.
macro_rules! with_both {
    (|$server:ident| $body:expr) => {{
        let $server: Rc<Server> = Rc::new(start_server(LOCAL, hold).unwrap());
        $body;
        let $server: Rc<ProtocolServer> = Rc::new(create_server(|| Quiet, LOCAL).unwrap());
        $body;
    }};
}

macro_rules! connected {
    ($server:expr, $count:expr) => {
        while $server.connections() != $count {
            sleep(ms(1)).await;
        }
    };
}

#[coro::test(real)]
async fn dropping_the_wait_for_ever_closes_the_server_and_leaves_its_connections() {
    with_both!(|server| {
        let address = server.local_addr().unwrap();
        let mut client = net::TcpStream::connect(address).unwrap();
        connected!(server, 1);
        assert!(server.is_serving());
        assert!(timeout(ms(1), server.serve_forever()).await.is_err());
        assert!(!server.is_serving());
        turns(3).await;
        net::TcpStream::connect(address).expect_err("nothing listens any more");
        assert_eq!(server.connections(), 1);
        client.write_all(b"x").unwrap();
        drop(client);
        timeout(LONG, server.wait_closed()).await.unwrap();
    });
}

#[coro::test(real)]
async fn a_closed_server_serves_until_its_last_connection_has_ended() {
    with_both!(|server| {
        let client = net::TcpStream::connect(server.local_addr().unwrap()).unwrap();
        connected!(server, 1);
        let serving = spawn({
            let server = server.clone();
            async move { server.serve_forever().await }
        });
        turns(2).await;
        server.close();
        turns(5).await;
        assert!(!serving.is_finished());
        drop(client);
        timeout(LONG, serving).await.unwrap().unwrap().unwrap();
    });
}

#[coro::test(real)]
async fn clients_that_are_closed_or_aborted_are_counted_and_the_server_goes_on() {
    with_both!(|server| {
        for abort in [false, true] {
            let address = server.local_addr().unwrap();
            let mut clients = [(); 2].map(|()| net::TcpStream::connect(address).unwrap());
            connected!(server, 2);
            let ended = match abort {
                true => server.abort_clients(),
                false => server.close_clients(),
            };
            assert_eq!(ended, 2);
            connected!(server, 0);
            for client in &mut clients {
                assert_eq!(client.read(&mut [0]).unwrap(), 0);
            }
            assert!(server.is_serving());
        }
        assert_eq!(server.shutdown(LONG).await, 0);
    });
}

fn shut_down(listener: &TcpListener) {
    SockRef::from(listener)
        .shutdown(net::Shutdown::Both)
        .unwrap();
}

#[coro::test(real)]
async fn a_listener_that_fails_ends_the_serving_with_its_error() {
    let reports = Reports::here();
    let listener = TcpListener::bind(LOCAL).unwrap();
    shut_down(&listener);
    let server = create_server_on(|| Quiet, listener).unwrap();
    let served = timeout(LONG, server.serve_forever()).await.unwrap();
    assert_eq!(served.unwrap_err().kind(), io::ErrorKind::InvalidInput);
    assert!(!server.is_serving());
    let listener = TcpListener::bind(LOCAL).unwrap();
    shut_down(&listener);
    let server = Server::builder().start_on([listener], hold).unwrap();
    let served = timeout(LONG, server.serve_forever()).await.unwrap();
    assert_eq!(served.unwrap_err().kind(), io::ErrorKind::InvalidInput);
    assert!(!server.is_serving());
    turns(2).await;
    let kinds: Vec<_> = reports.take().iter().map(|it| it.kind).collect();
    assert_eq!(kinds, [ReportKind::TaskFailed; 2]);
}

// ---- clients that hang up ----

/// What is reported when a handler ends with the outcome.
async fn reported<R: HandlerOutput + 'static>(outcome: R) -> usize {
    let reports = Reports::here();
    let outcome = Rc::new(RefCell::new(Some(outcome)));
    let server = start_server(LOCAL, move |_, _| {
        let outcome = outcome.take().unwrap();
        async move { outcome }
    })
    .unwrap();
    let mut client = net::TcpStream::connect(server.local_addr().unwrap()).unwrap();
    while server.connections() == 0 {
        turns(1).await;
    }
    server.close();
    timeout(LONG, server.wait_closed()).await.unwrap();
    let _ = client.read(&mut [0]);
    turns(2).await;
    reports.take().len()
}

/// An error with a source.
#[derive(Debug)]
struct Wrapped(io::Error);

impl fmt::Display for Wrapped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the answer could not be sent")
    }
}

impl Error for Wrapped {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}

#[coro::test(real)]
async fn ends_of_the_other_end_are_no_failures_of_a_handler() {
    use io::ErrorKind::*;
    for kind in [
        ConnectionReset,
        ConnectionAborted,
        BrokenPipe,
        NotConnected,
        UnexpectedEof,
    ] {
        let error = || io::Error::from(kind);
        assert_eq!(reported(Err::<(), _>(error())).await, 0, "{kind:?}");
        let boxed: Box<dyn Error> = Box::new(Wrapped(error()));
        assert_eq!(reported(Err::<(), _>(boxed)).await, 0);
        let boxed: Box<dyn Error + Send + Sync> = Box::new(Wrapped(error()));
        assert_eq!(reported(Err::<(), _>(boxed)).await, 0);
        let twice = io::Error::other(Wrapped(io::Error::other(error())));
        assert_eq!(reported(Err::<(), _>(twice)).await, 0);
        assert_eq!(reported(Err::<(), _>(ReadError::from(error()))).await, 0);
        assert!(is_hang_up(&Wrapped(error())));
    }
    let mut reader = StreamReader::new(&b"abc"[..]);
    let ended = reader.read_exactly(5).await.map(drop);
    assert_eq!(reported(ended).await, 0);
}

#[coro::test(real)]
async fn other_errors_of_a_handler_are_reported() {
    use io::ErrorKind::*;
    for kind in [PermissionDenied, TimedOut, InvalidData, ConnectionRefused] {
        assert_eq!(
            reported(Err::<(), _>(io::Error::from(kind))).await,
            1,
            "{kind:?}"
        );
        let boxed: Box<dyn Error> = Box::new(Wrapped(kind.into()));
        assert_eq!(reported(Err::<(), _>(boxed)).await, 1);
    }
    assert_eq!(reported(Err::<(), _>(String::from("no"))).await, 1);
    assert_eq!(
        reported(Err::<(), _>(Wrapped(ConnectionReset.into()))).await,
        1
    );
}

#[coro::test(real)]
async fn a_client_that_resets_its_connection_in_the_middle_is_reported_to_no_one() {
    let reports = Reports::here();
    let echo = async |mut stream: TcpStream, _: SocketAddr| -> io::Result<()> {
        let mut message = [0; 100];
        stream.read_exact(&mut message).await?;
        stream.write_all(&message).await
    };
    let server = start_server(LOCAL, echo).unwrap();
    for reset in [false, true] {
        let mut client = net::TcpStream::connect(server.local_addr().unwrap()).unwrap();
        client.write_all(b"begun").unwrap();
        while server.connections() == 0 {
            sleep(ms(1)).await;
        }
        let client = Socket::from(client);
        if reset {
            client.set_linger(Some(Duration::ZERO)).unwrap();
        }
        drop(client);
        while server.connections() > 0 {
            sleep(ms(1)).await;
        }
    }
    turns(2).await;
    assert_eq!(reports.len(), 0);
}
