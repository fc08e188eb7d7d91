//! Listeners whose accepts fail.

use std::fs;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::os::fd::AsFd;
use std::time::Duration;

use coro::event_loop::ReportKind;
use coro::net::{
    Protocol, TcpListener, TcpStream, Transport, UnixStream, create_server, create_unix_server,
    start_server, start_unix_server,
};
use coro::{spawn, timeout};
use futures::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use socket2::SockRef;

use crate::process_injected::{is_under_strace, under_strace};
use crate::support::{Reports, turns};

const LOCAL: &str = "127.0.0.1:0";

/// Greets its client, and closes.
struct Greet;

impl Protocol for Greet {
    fn connection_made(&mut self, transport: &Transport) {
        transport.write(b"hello");
        transport.close();
    }

    fn data_received(&mut self, _: &[u8]) {}
}

async fn is_greeted(mut client: impl AsyncRead + Unpin) {
    let mut greeting = Vec::new();
    let read = timeout(Duration::from_secs(20), client.read_to_end(&mut greeting));
    read.await.expect("a client was not served").unwrap();
    assert_eq!(greeting, b"hello");
}

/// Every kind of server greets its clients one after another, whatever happens to their accepts.
async fn greet_by_every_server() {
    let reports = Reports::here();
    let path = |n: u8| std::env::temp_dir().join(format!("coro-accept-{}-{n}", std::process::id()));
    let greet = async |mut stream: TcpStream, _: SocketAddr| stream.write_all(b"hello").await;
    let server = start_server(LOCAL, greet).unwrap();
    let greet_unix = async |mut stream: UnixStream, _| stream.write_all(b"hello").await;
    let unix_server = start_unix_server(path(1), greet_unix).unwrap();
    let protocols = create_server(|| Greet, LOCAL).unwrap();
    let unix_protocols = create_unix_server(|| Greet, path(2)).unwrap();
    let bare = TcpListener::bind(LOCAL).unwrap();
    let tcp = [
        server.local_addr().unwrap(),
        protocols.local_addr().unwrap(),
        bare.local_addr().unwrap(),
    ];
    let _accepting = spawn(async move {
        while let Ok((mut stream, _)) = bare.accept().await {
            stream.write_all(b"hello").await.unwrap();
        }
    });
    for _ in 0..3 {
        for address in tcp {
            is_greeted(TcpStream::connect(address).await.unwrap()).await;
        }
        for n in [1, 2] {
            is_greeted(UnixStream::connect(path(n)).await.unwrap()).await;
        }
    }
    for report in reports.take() {
        assert_eq!(report.kind, ReportKind::AcceptPaused);
    }
    drop((unix_server, unix_protocols));
    turns(2).await;
    let _ = fs::remove_file(path(2));
}

fn survives(name: &str, errors: &[&str]) {
    for error in errors {
        let inject = format!("inject=accept4:error={error}:when=1+2");
        under_strace(name, &["-e", "trace=accept4", "-e", &inject]);
    }
}

#[test]
fn failures_of_single_connections_end_no_listener() {
    if is_under_strace() {
        return coro::run(greet_by_every_server());
    }
    let name = "accepting::failures_of_single_connections_end_no_listener";
    survives(
        name,
        &[
            "ENONET",
            "EPERM",
            "ETIMEDOUT",
            "EPROTONOSUPPORT",
            "ESOCKTNOSUPPORT",
        ],
    );
}

#[test]
fn failures_that_no_list_names_end_no_listener() {
    if is_under_strace() {
        return coro::run(greet_by_every_server());
    }
    let name = "accepting::failures_that_no_list_names_end_no_listener";
    survives(name, &["ENOSR", "EIO", "EMFILE"]);
}

#[test]
fn a_system_that_forbids_every_connection_delays_no_other_task() {
    if is_under_strace() {
        return coro::run(accept_what_is_forbidden());
    }
    let name = "accepting::a_system_that_forbids_every_connection_delays_no_other_task";
    let inject = "inject=accept4:error=EPERM:when=1+";
    under_strace(name, &["-e", "trace=accept4", "-e", inject]);
}

async fn accept_what_is_forbidden() {
    let reports = Reports::here();
    let listener = TcpListener::bind(LOCAL).unwrap();
    let _client = TcpStream::connect(listener.local_addr().unwrap())
        .await
        .unwrap();
    let waited = timeout(Duration::from_millis(50), listener.accept()).await;
    assert!(waited.is_err(), "nothing can be accepted");
    let kinds: Vec<_> = reports.take().iter().map(|it| it.kind).collect();
    assert_eq!(kinds, [ReportKind::AcceptPaused]);
}

#[coro::test(real)]
async fn a_listener_that_was_shut_down_ends_its_accepts() {
    let listener = TcpListener::bind(LOCAL).unwrap();
    SockRef::from(&listener.as_fd())
        .shutdown(std::net::Shutdown::Both)
        .unwrap();
    let accepted = timeout(Duration::from_secs(20), listener.accept()).await;
    assert_eq!(
        accepted.unwrap().unwrap_err().kind(),
        ErrorKind::InvalidInput
    );
}

#[test]
fn an_accept_in_another_loop_is_refused_at_once() {
    let listener = coro::run(async { TcpListener::bind(LOCAL).unwrap() });
    let accepted = coro::run(timeout(Duration::from_secs(20), async move {
        listener.accept().await.map(drop)
    }));
    assert_eq!(accepted.unwrap().unwrap_err().kind(), ErrorKind::Other);
}
