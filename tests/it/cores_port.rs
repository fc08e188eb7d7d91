//! A port that the servers of several cores share.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::Duration;

use coro::cores::{Builder, SharedPort};
use coro::io::{AsyncReadExt, AsyncWriteExt};
use coro::net::{self, Server};
use coro::sync::remote::{Event, channel};
use coro::threads::to_thread;

use crate::support::panic_of;

const ANY: &str = "127.0.0.1:0";
const GRACE: Duration = Duration::from_secs(20);

/// A client that hears from which core it is served, and may stay.
struct Client(TcpStream);

impl Client {
    fn connect(address: SocketAddr) -> io::Result<(Self, u8)> {
        let mut stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(GRACE))?;
        let mut core = [0];
        stream.read_exact(&mut core)?;
        Ok((Client(stream), core[0]))
    }

    /// Is served, and waits until the server has closed.
    fn visit(address: SocketAddr) -> u8 {
        let (mut client, core) = Client::connect(address).unwrap();
        client.0.write_all(b"bye").unwrap();
        assert_eq!(client.0.read_to_end(&mut Vec::new()).unwrap(), 0);
        core
    }
}

async fn greet(mut stream: net::TcpStream, core: usize) -> io::Result<()> {
    stream.write_all(&[core as u8]).await?;
    stream.read_exact(&mut [0; 3]).await
}

/// Serves on two cores while `clients` runs on a thread of its own.
fn serve<T: Send + 'static>(
    port: &SharedPort,
    settings: &(impl Fn() -> net::ServerBuilder + Sync),
    clients: impl FnOnce(SocketAddr) -> T + Clone + Send + Sync + 'static,
) -> T {
    let started = [Event::new(), Event::new()];
    let ran = Builder::new().threads(2).run(async |core| {
        let index = core.index();
        let handler = async move |stream, _| greet(stream, index).await;
        let server = port.start_with(&settings(), handler)?;
        started[index].set();
        let mut result = None;
        if index == 0 {
            started[1].wait().await;
            let (clients, address) = (clients.clone(), port.local_addr());
            result = Some(to_thread(move || clients(address)).await.unwrap());
            core.shut_down("the clients are done");
        }
        core.shutdown().cancelled().await;
        assert_eq!(server.shutdown(GRACE).await, 0);
        io::Result::Ok(result)
    });
    ran.unwrap().swap_remove(0).unwrap()
}

#[test]
fn all_cores_serve_one_port() {
    let port = SharedPort::bind(ANY).unwrap();
    let both = serve(&port, &Server::builder, |address| {
        let mut seen = [0; 2];
        while seen.contains(&0) {
            seen[usize::from(Client::visit(address))] += 1;
        }
        seen
    });
    assert!(both[0] > 0 && both[1] > 0);
}

#[test]
fn in_turn_each_core_gets_its_share() {
    let port = SharedPort::bind_in_turn(ANY).unwrap();
    let cores = serve(&port, &Server::builder, |address| {
        let clients = (0..20).map(|_| Client::connect(address).unwrap());
        let clients: Vec<_> = clients.collect(); // all stay until the last has come
        clients
            .into_iter()
            .map(|(mut client, core)| {
                client.0.write_all(b"bye").unwrap();
                core
            })
            .collect::<Vec<_>>()
    });
    let alternate = cores.windows(2).all(|pair| pair[0] != pair[1]);
    assert!(alternate, "{cores:?}");
}

#[test]
fn in_turn_clients_beyond_the_limit_wait_and_all_are_served() {
    let port = SharedPort::bind_in_turn(ANY).unwrap();
    let one = || Server::builder().max_connections(1);
    let served = serve(&port, &one, |address| {
        let visits = (0..12).map(|_| thread::spawn(move || Client::visit(address)));
        let visits: Vec<_> = visits.collect();
        visits.into_iter().filter_map(|it| it.join().ok()).count()
    });
    assert_eq!(served, 12);
}

#[test]
fn a_server_that_has_closed_leaves_the_port_to_the_others_and_the_last_closes_it() {
    let port = SharedPort::bind_in_turn(ANY).unwrap();
    let address = port.local_addr();
    let (closed, left) = (Event::new(), channel::unbounded());
    let started = [Event::new(), Event::new()];
    let ran = Builder::new().threads(2).run(async |core| {
        let index = core.index();
        let server = port.start(async move |stream, _| greet(stream, index).await)?;
        assert_eq!(server.local_addr()?, address);
        started[index].set();
        started[1 - index].wait().await;
        if index == 0 {
            server.shutdown(GRACE).await;
            closed.set();
            return io::Result::Ok(());
        }
        closed.wait().await;
        let visits = to_thread(move || [(); 5].map(|()| Client::visit(address)));
        left.0.try_send(visits.await.unwrap()).unwrap();
        server.shutdown(GRACE).await;
        while is_open(net::TcpStream::connect(address).await) {
            coro::yield_now().await; // the acceptor, on the other core, closes when it hears of it
        }
        let again = port.start(async move |stream, _| greet(stream, 7).await)?;
        assert_eq!(to_thread(move || Client::visit(address)).await.unwrap(), 7);
        again.shutdown(GRACE).await;
        Ok(())
    });
    ran.unwrap();
    assert_eq!(left.1.blocking_recv(), Some([1; 5]));
}

fn is_open(connected: io::Result<net::TcpStream>) -> bool {
    match connected {
        Ok(_) => true,
        Err(error) => error.kind() != io::ErrorKind::ConnectionRefused, // reset while it closes
    }
}

#[test]
fn a_server_may_start_while_the_last_one_closes() {
    let port = SharedPort::bind_in_turn(ANY).unwrap();
    let ran = Builder::new().threads(2).run(async |core| {
        for _ in 0..300 {
            let index = core.index();
            let server = port.start(async move |stream, _| greet(stream, index).await)?;
            server.shutdown(GRACE).await; // the acceptor, here or on the other core, hears of it later
        }
        io::Result::Ok(())
    });
    ran.unwrap();
    assert_eq!(greets_once(&port), 5);
}

/// Starts a server on one core, and gives what it says to a client.
fn greets_once(port: &SharedPort) -> u8 {
    let ran = Builder::new().threads(1).run(async |_| {
        let server = port.start(async |stream, _| greet(stream, 5).await)?;
        let address = port.local_addr();
        let core = to_thread(move || Client::visit(address)).await.unwrap();
        server.shutdown(GRACE).await;
        io::Result::Ok(core)
    });
    ran.unwrap()[0]
}

/// Until it runs its program, a child has a copy of each descriptor, of listeners, too.
#[cfg(target_os = "linux")] // elsewhere the port stays in use for as long
#[test]
fn a_server_may_start_again_while_children_are_started() {
    use std::panic::AssertUnwindSafe;
    use std::sync::atomic::AtomicBool;
    use std::sync::atomic::Ordering::Relaxed;

    let port = SharedPort::bind_in_turn(ANY).unwrap();
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                while !over.load(Relaxed) {
                    drop(std::process::Command::new("true").status());
                }
            });
        }
        let greeted = std::panic::catch_unwind(AssertUnwindSafe(|| {
            (0..400).map(|_| greets_once(&port)).collect::<Vec<_>>()
        }));
        over.store(true, Relaxed);
        assert_eq!(greeted.unwrap(), [5; 400]);
    });
}

#[test]
fn servers_are_told_if_the_loop_that_accepts_for_all_closes() {
    let port = SharedPort::bind_in_turn(ANY).unwrap();
    let (started, close) = (Event::new(), Event::new());
    let error = thread::scope(|scope| {
        scope.spawn(|| {
            coro::run(async {
                let _server = port
                    .start(async |stream, _| greet(stream, 0).await)
                    .unwrap();
                started.set();
                close.wait().await; // its loop closes, and its server with it
            });
        });
        started.blocking_wait();
        coro::run(async {
            let server = port
                .start(async |stream, _| greet(stream, 1).await)
                .unwrap();
            close.set();
            server.serve_forever().await.unwrap_err()
        })
    });
    let text = error.to_string();
    assert!(
        text.contains("the loop that accepted for all has closed"),
        "{text}"
    );
    // The port is free, so another server listens there anew.
    let ran = Builder::new().threads(1).run(async |_| {
        let server = port.start(async |stream, _| greet(stream, 2).await)?;
        let address = port.local_addr();
        let core = to_thread(move || Client::visit(address)).await.unwrap();
        server.shutdown(GRACE).await;
        io::Result::Ok(core)
    });
    assert_eq!(ran.unwrap(), [2]);
}

#[test]
fn a_port_that_is_taken_is_an_error() {
    let taken = std::net::TcpListener::bind(ANY).unwrap();
    let address = taken.local_addr().unwrap();
    for bound in [SharedPort::bind(address), SharedPort::bind_in_turn(address)] {
        assert_eq!(bound.unwrap_err().kind(), io::ErrorKind::AddrInUse);
    }
}

#[test]
fn a_simulation_is_refused_in_words() {
    let port = SharedPort::bind(ANY).unwrap();
    let port = std::sync::Arc::new(port);
    let refused = panic_of(move || {
        coro::testing::explore()
            .seeds(1)
            .run(async move |_: &coro::testing::Sim| {
                drop(port.start(async |_: net::TcpStream, _| ()));
            });
    });
    assert!(
        refused.contains("there is no port that loops share in a simulation"),
        "{refused}"
    );
}
