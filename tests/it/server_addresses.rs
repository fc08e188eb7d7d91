//! The addresses of a server: several, in use, shared, or in the file system.

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
fn a_server_for_no_connections_is_refused() {
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

#[cfg(unix)]
mod unix {
    //! Sockets of the file system.

    use std::fs;
    use std::io::{self, ErrorKind, Read, Write};
    use std::os::unix::net::{UnixListener, UnixStream};
    use std::path::PathBuf;
    use std::thread;
    use std::time::Duration;

    use coro::event_loop::ReportKind;
    use coro::net::start_unix_server;
    use coro::{net, yield_from};
    use futures::{AsyncReadExt, AsyncWriteExt};

    use crate::support::Reports;
    use crate::tcp::join;

    fn path(name: &str) -> PathBuf {
        let path = std::env::temp_dir().join(format!("coro-{}-{name}", std::process::id()));
        let _ = fs::remove_file(&path);
        path
    }

    #[coro::coroutine]
    fn shout(mut stream: net::UnixStream, _: std::os::unix::net::SocketAddr) -> io::Result<()> {
        let mut text = String::new();
        yield_from!(stream.read_to_string(&mut text))?;
        yield_from!(stream.write_all(text.to_uppercase().as_bytes()))
    }

    #[coro::test(real)]
    async fn a_server_at_a_path_serves_and_removes_its_socket() {
        let path = path("serves");
        let server = start_unix_server(&path, shout).unwrap();
        assert!(server.local_addr().is_err());
        let client = thread::spawn({
            let path = path.clone();
            move || {
                let mut client = UnixStream::connect(path).unwrap();
                client.write_all(b"hello").unwrap();
                client.shutdown(std::net::Shutdown::Write).unwrap();
                let mut answer = String::new();
                client.read_to_string(&mut answer).unwrap();
                answer
            }
        });
        assert_eq!(join(client).await, "HELLO");
        assert_eq!(server.shutdown(Duration::MAX).await, 0);
        assert!(!path.exists());
    }

    #[coro::test(real)]
    async fn a_socket_left_over_is_replaced_and_nothing_else_is() {
        let path = path("left-over");
        drop(UnixListener::bind(&path).unwrap());
        let server = start_unix_server(&path, shout).unwrap();
        let error = start_unix_server(&path, shout).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AddrInUse);
        server.shutdown(Duration::ZERO).await;

        fs::write(&path, "precious").unwrap();
        assert!(start_unix_server(&path, shout).is_err());
        assert_eq!(fs::read_to_string(&path).unwrap(), "precious");
        fs::remove_file(&path).unwrap();
    }

    #[coro::test(real)]
    async fn a_socket_that_took_the_servers_place_stays() {
        let path = path("taken-over");
        let server = start_unix_server(&path, shout).unwrap();
        fs::remove_file(&path).unwrap();
        let _other = UnixListener::bind(&path).unwrap();
        server.shutdown(Duration::ZERO).await;
        assert!(path.exists());
        fs::remove_file(&path).unwrap();
    }

    #[coro::test(real)]
    async fn a_failure_is_reported_under_the_number_of_the_connection() {
        let reports = Reports::here();
        let path = path("fails");
        let failing = |_, _| async { Err("no service today") };
        let server = start_unix_server(&path, failing).unwrap();
        let mut client = net::UnixStream::connect(&path).await.unwrap();
        assert_eq!(client.read(&mut [0]).await.unwrap(), 0);
        server.shutdown(Duration::MAX).await;
        let report = reports.take().remove(0);
        assert_eq!(report.kind, ReportKind::TaskFailed);
        assert_eq!(report.task.as_deref(), Some("connection 1"));
    }
}
