//! Servers, with the fate of their connections.

use std::cell::{Cell, RefCell};
use std::io::{self, ErrorKind, Read, Write};
use std::net::{self, SocketAddr};
use std::pin::pin;
use std::rc::Rc;
use std::thread;
use std::time::{Duration, Instant};

use coro::event_loop::ReportKind;
use coro::net::{Server, TcpStream, start_server};
use coro::task::current_task;
use coro::{LoopHandle, gather, sleep, spawn, timeout, yield_from};
use futures::future::poll_immediate;
use futures::{AsyncReadExt, AsyncWriteExt};
use socket2::{Domain, Socket, Type};

use crate::support::{Gate, Reports, Trace, ms, turns};
use crate::tcp::{echo, join};

pub(crate) const LOCAL: &str = "127.0.0.1:0";

#[coro::coroutine]
pub(crate) fn serve_echo(stream: TcpStream, _peer: SocketAddr) -> io::Result<()> {
    yield_from!(echo(stream))
}

pub(crate) async fn connect(server: &Server) -> TcpStream {
    TcpStream::connect(server.local_addr().unwrap())
        .await
        .unwrap()
}

/// Sends a byte, and waits for its echo.
pub(crate) async fn ping(client: &mut TcpStream) -> io::Result<()> {
    client.write_all(b"!").await?;
    client.read_exact(&mut [0]).await
}

/// The client's read after its connection has ended.
async fn end_of(client: &mut TcpStream) -> Result<usize, ErrorKind> {
    let mut byte = [0];
    let read = timeout(Duration::from_secs(5), client.read(&mut byte));
    let read = read.await.expect("the connection is over");
    read.map_err(|error| error.kind())
}

pub(crate) async fn until(holds: impl Fn() -> bool) {
    while !holds() {
        sleep(ms(1)).await;
    }
}

// ---- serving ----

#[coro::test(real)]
async fn each_connection_is_a_task_named_after_its_peer() {
    let names = Rc::new(RefCell::new(Vec::new()));
    let noted = names.clone();
    let server = start_server(LOCAL, move |stream, peer| {
        let noted = noted.clone();
        async move {
            let name = current_task().unwrap().name();
            noted.borrow_mut().push((name, peer));
            echo(stream).await
        }
    });
    let server = server.unwrap();
    let mut clients = Vec::new();
    for n in 1..=3 {
        let mut client = connect(&server).await;
        ping(&mut client).await.unwrap();
        assert_eq!(server.connections(), n);
        clients.push(client);
    }
    for ((name, peer), client) in names.borrow().iter().zip(&clients) {
        assert_eq!(client.local_addr().unwrap(), *peer);
        assert_eq!(*name, format!("connection {peer}"));
    }
    clients.truncate(1);
    until(|| server.connections() == 1).await;
    ping(&mut clients[0]).await.unwrap();
    drop(clients);
    assert_eq!(server.shutdown(Duration::MAX).await, 0);
    assert_eq!(server.connections(), 0);
}

#[coro::test(real)]
async fn an_error_or_a_panic_of_a_handler_is_reported_and_harms_no_other_connection() {
    let reports = Reports::here();
    let server = start_server(LOCAL, |mut stream: TcpStream, _| async move {
        let mut byte = [0];
        while stream.read(&mut byte).await.unwrap() > 0 {
            match byte[0] {
                b'e' => return Err("something of the handler's"),
                b'p' => panic!("no such luck"),
                _ => stream.write_all(&byte).await.unwrap(),
            }
        }
        Ok(())
    });
    let server = server.unwrap();
    let mut other = connect(&server).await;
    for (sent, kind, message) in [
        (b"e", ReportKind::TaskFailed, "something of the handler's"),
        (b"p", ReportKind::TaskPanicked, "no such luck"),
    ] {
        let mut client = connect(&server).await;
        let peer = client.local_addr().unwrap();
        client.write_all(sent).await.unwrap();
        assert_eq!(end_of(&mut client).await, Ok(0));
        until(|| reports.len() > 0).await;
        let report = reports.take().remove(0);
        assert_eq!((report.kind, report.message.as_str()), (kind, message));
        assert_eq!(report.task, Some(format!("connection {peer}")));
        ping(&mut other).await.unwrap();
        assert_eq!(server.connections(), 1);
    }
    drop(other);
    server.shutdown(Duration::MAX).await;
    assert_eq!(reports.len(), 0);
}

#[coro::test(real)]
async fn a_panic_in_the_handlers_call_is_the_connections_too() {
    let reports = Reports::here();
    let server = start_server(LOCAL, |_, _| -> std::future::Ready<()> {
        panic!("at once")
    });
    let server = server.unwrap();
    for _ in 0..2 {
        let mut client = connect(&server).await;
        assert_eq!(end_of(&mut client).await, Ok(0));
        until(|| reports.len() > 0).await;
        reports.assert_taken([(ReportKind::TaskPanicked, "at once")]);
    }
    assert_eq!(server.connections(), 0);
}

#[coro::test(real)]
async fn beyond_the_limit_connections_wait_until_one_ends() {
    let builder = Server::builder().max_connections(2);
    let server = builder.start(LOCAL, serve_echo).unwrap();
    let (mut first, mut second) = gather((connect(&server), connect(&server))).await;
    ping(&mut first).await.unwrap();
    ping(&mut second).await.unwrap();
    let mut third = connect(&server).await; // in the system's queue
    assert!(timeout(ms(30), ping(&mut third)).await.is_err());
    assert_eq!(server.connections(), 2);
    drop(first);
    third.read_exact(&mut [0]).await.unwrap(); // the echo of the byte it sent while it waited
    ping(&mut second).await.unwrap();
    assert_eq!(server.connections(), 2);
    drop((second, third));
    server.shutdown(Duration::MAX).await;
}

#[coro::test(real)]
async fn a_flood_of_connections_leaves_the_other_tasks_their_turns() {
    let served = Rc::new(Cell::new(0));
    let serving = served.clone();
    let server = start_server(LOCAL, move |_, _| {
        serving.set(serving.get() + 1);
        std::future::ready(())
    });
    let server = server.unwrap();
    let address = server.local_addr().unwrap();
    let _queued: Vec<_> = (0..500)
        .map(|_| spawn(TcpStream::connect(address)))
        .collect();
    let mut seen = Vec::new();
    while served.get() < 500 {
        seen.push(served.get());
        coro::yield_now().await;
    }
    let most = seen.windows(2).map(|it| it[1] - it[0]).max();
    assert!(most <= Some(64), "{most:?} at a time");
}

#[coro::test(real)]
async fn blocking_clients_that_reset_their_connections_harm_no_other_client() {
    let reports = Reports::here();
    let server = start_server(LOCAL, serve_echo).unwrap();
    let address = server.local_addr().unwrap();
    let resetting = thread::spawn(move || {
        for n in 0..100 {
            let client = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
            client.set_linger(Some(Duration::ZERO)).unwrap();
            client.connect(&address.into()).unwrap();
            let mut client = net::TcpStream::from(client);
            if n % 2 == 0 {
                client.write_all(b"unanswered").unwrap();
            }
        }
    });
    join(resetting).await;
    let mut client = connect(&server).await;
    ping(&mut client).await.unwrap();
    drop(client);
    assert_eq!(server.shutdown(Duration::from_secs(5)).await, 0);
    for report in reports.take() {
        assert_eq!(report.kind, ReportKind::TaskFailed, "{report}");
        assert!(report.task.unwrap().starts_with("connection 127.0.0.1:"));
    }
}

#[coro::test(real)]
async fn a_gate_in_a_handler_holds_back_only_its_own_connection() {
    let gate = Gate::new();
    let held = gate.clone();
    let first = Rc::new(Cell::new(true));
    let comes_first = first.clone();
    let server = start_server(LOCAL, move |stream, _| {
        let held = comes_first.replace(false).then(|| held.clone());
        async move {
            if let Some(held) = held {
                held.await;
            }
            echo(stream).await
        }
    });
    let server = server.unwrap();
    let mut slow = connect(&server).await;
    slow.write_all(b"!").await.unwrap();
    until(|| !first.get()).await; // else the handler of the other could be called before
    let mut quick = connect(&server).await;
    ping(&mut quick).await.unwrap();
    gate.open();
    slow.read_exact(&mut [0]).await.unwrap();
}

// ---- ending ----

#[coro::test(real)]
async fn within_the_grace_connections_finish() {
    let server = start_server(LOCAL, serve_echo).unwrap();
    let mut client = connect(&server).await;
    ping(&mut client).await.unwrap();
    let begun = Instant::now();
    let (cut, answered) = gather((server.shutdown(Duration::from_secs(60)), async {
        sleep(ms(20)).await;
        ping(&mut client).await?;
        client.close().await
    }))
    .await;
    answered.unwrap();
    assert_eq!(cut, 0);
    assert!(begun.elapsed() < Duration::from_secs(30));
    assert_eq!(end_of(&mut client).await, Ok(0));
    let address = server.local_addr().unwrap();
    TcpStream::connect(address)
        .await
        .expect_err("nobody listens any more");
}

#[coro::test(real)]
async fn after_the_grace_connections_are_cut() {
    let trace = Trace::new();
    let dropping = trace.clone();
    let server = start_server(LOCAL, move |stream, _| {
        let dropped = dropping.on_drop("the handler is gone");
        async move {
            let _dropped = dropped;
            echo(stream).await
        }
    });
    let server = server.unwrap();
    let mut clients = [connect(&server).await, connect(&server).await];
    for client in &mut clients {
        ping(client).await.unwrap();
    }
    let begun = coro::time::now();
    assert_eq!(server.shutdown(ms(30)).await, 2);
    assert!(coro::time::now() - begun >= ms(30));
    trace.assert(["the handler is gone", "the handler is gone"]);
    for client in &mut clients {
        assert_eq!(end_of(client).await, Ok(0));
    }
}

#[coro::test(real)]
async fn closing_stops_listening_and_lets_connections_live_on() {
    let server = start_server(LOCAL, serve_echo).unwrap();
    let address = server.local_addr().unwrap();
    let mut client = connect(&server).await;
    ping(&mut client).await.unwrap();
    assert!(server.is_serving());
    server.close();
    server.close();
    assert!(!server.is_serving());
    turns(2).await;
    TcpStream::connect(address)
        .await
        .expect_err("nobody listens any more");
    ping(&mut client).await.unwrap();
    assert!(timeout(ms(20), server.wait_closed()).await.is_err());
    drop(client);
    server.wait_closed().await;
    server.serve_forever().await.unwrap();
    assert_eq!(server.shutdown(Duration::ZERO).await, 0);
}

#[coro::test(real)]
async fn a_connection_that_comes_as_the_server_closes_is_broken_off() {
    let called = Rc::new(Cell::new(false));
    let calling = called.clone();
    let server = start_server(LOCAL, move |_, _| {
        calling.set(true);
        std::future::ready(())
    });
    let server = server.unwrap();
    turns(3).await; // the server waits for connections
    let mut late = pin!(TcpStream::connect(server.local_addr().unwrap()));
    let begun = poll_immediate(late.as_mut()).await; // it is under way at least
    server.close();
    server.wait_closed().await;
    assert!(!called.get());
    let late = match begun {
        Some(connected) => connected,
        None => late.await,
    };
    match late {
        Ok(mut late) => assert!(matches!(
            end_of(&mut late).await,
            Ok(0) | Err(ErrorKind::ConnectionReset)
        )),
        Err(error) => assert!(matches!(
            error.kind(),
            ErrorKind::ConnectionRefused | ErrorKind::ConnectionReset
        )),
    }
}

#[coro::test(real)]
async fn dropping_the_server_cuts_its_connections() {
    let server = start_server(LOCAL, serve_echo).unwrap();
    let address = server.local_addr().unwrap();
    let mut client = connect(&server).await;
    ping(&mut client).await.unwrap();
    drop(server);
    assert_eq!(end_of(&mut client).await, Ok(0));
    assert!(LoopHandle::current().all_tasks().is_empty());
    TcpStream::connect(address)
        .await
        .expect_err("nobody listens any more");
}

#[coro::test(real)]
async fn a_server_that_is_dropped_at_once_listens_no_more() {
    let server = start_server(LOCAL, serve_echo).unwrap();
    let address = server.local_addr().unwrap();
    drop(server);
    turns(2).await;
    TcpStream::connect(address)
        .await
        .expect_err("nobody listens");
}

#[coro::test(real)]
async fn cutting_connections_leaves_the_server_listening() {
    let server = start_server(LOCAL, serve_echo).unwrap();
    let mut client = connect(&server).await;
    ping(&mut client).await.unwrap();
    assert_eq!(server.abort_clients(), 1);
    assert_eq!(end_of(&mut client).await, Ok(0));
    let mut client = connect(&server).await;
    ping(&mut client).await.unwrap();
}

#[coro::test(real)]
async fn a_handler_may_drop_its_own_server() {
    let own: Rc<RefCell<Option<Server>>> = Rc::default();
    let owned = own.clone();
    let server = start_server(LOCAL, move |mut stream: TcpStream, _| {
        let owned = owned.clone();
        async move {
            stream.read_exact(&mut [0]).await.unwrap();
            let server = owned.take();
            drop(server);
            std::future::pending::<()>().await;
        }
    });
    let server = server.unwrap();
    let (mut client, mut other) = gather((connect(&server), connect(&server))).await;
    own.replace(Some(server));
    client.write_all(b"!").await.unwrap();
    assert_eq!(end_of(&mut client).await, Ok(0));
    assert_eq!(end_of(&mut other).await, Ok(0));
}

#[test]
fn the_end_of_the_loop_ends_its_servers() {
    let (server, mut client) = coro::run(async {
        let server = start_server(LOCAL, serve_echo).unwrap();
        let mut client = net::TcpStream::connect(server.local_addr().unwrap()).unwrap();
        client.write_all(b"!").unwrap();
        until(|| server.connections() == 1).await;
        (server, client)
    });
    let mut rest = Vec::new();
    let _ = client.read_to_end(&mut rest); // the connection ends, in order or by a reset
    assert_eq!(server.connections(), 0);
    drop(server);
}
