//! Waits for servers, for room, and for Unix sockets, dropped at each suspension on a simulated host.

use std::cell::{Cell, RefCell};
use std::fs::{self, File};
use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use coro::net::{
    Protocol, ProtocolServer, Server, StreamReader, StreamWriter, TcpListener, TcpStream,
    TransportReader, UnixDatagram, UnixListener, UnixStream, close_in_order, create_server,
    lookup_host, send_file, start_server, streams,
};
use coro::testing::cancel_everywhere;
use coro::{gather, sleep};
use futures::{AsyncReadExt, AsyncWriteExt};

use crate::cancel_sync::{With, beside};

const MS: Duration = Duration::from_millis(1);

/// Two ends of a TCP connection.
async fn ends() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (client, server) = gather((TcpStream::connect(address), listener.accept())).await;
    (client.unwrap(), server.unwrap().0)
}

/// A client that stays for five milliseconds.
async fn visit(address: SocketAddr) {
    beside(async move {
        let _client = TcpStream::connect(address).await.unwrap();
        sleep(5 * MS).await;
    });
    sleep(MS).await;
}

async fn server() -> (Rc<Server>, Cell<bool>) {
    let until_the_end = async |mut stream: TcpStream, _| drop(stream.read(&mut [0]).await);
    let server = Rc::new(start_server("127.0.0.1:0", until_the_end).unwrap());
    visit(server.local_addr().unwrap()).await;
    (server, Cell::new(false))
}

struct Silent;

impl Protocol for Silent {
    fn data_received(&mut self, _: &[u8]) {}
}

async fn protocol_server() -> (Rc<ProtocolServer>, Cell<bool>) {
    let server = Rc::new(create_server(|| Silent, "127.0.0.1:0").unwrap());
    visit(server.local_addr().unwrap()).await;
    (server, Cell::new(false))
}

/// Drops each wait of a server of that kind.
macro_rules! waits_of_a_server_can_be_dropped {
    ($server:ident, $kind:ty) => {
        let ends = async |(server, _): &(Rc<$kind>, Cell<bool>)| {
            server.close();
            server.wait_closed().await;
            assert_eq!(server.connections(), 0);
        };
        let wait = async |(server, _): &(Rc<$kind>, _)| {
            server.close();
            server.wait_closed().await;
        };
        assert!(cancel_everywhere($server, wait, ends) >= 1);
        let shut_down = async |(server, _): &(Rc<$kind>, _)| server.shutdown(2 * MS).await;
        assert!(cancel_everywhere($server, shut_down, ends) >= 1);
        let serve = async |(server, begun): &(Rc<$kind>, Cell<bool>)| {
            begun.set(true);
            let later = server.clone();
            coro::call_later(2 * MS, move || later.close());
            server.serve_forever().await.unwrap();
        };
        let is_closed = async |(server, begun): &(Rc<$kind>, Cell<bool>)| {
            assert_eq!(server.is_serving(), !begun.get());
            ends(&(server.clone(), Cell::new(false))).await;
        };
        assert!(cancel_everywhere($server, serve, is_closed) >= 1);
    };
}

#[test]
fn a_wait_for_a_server_leaves_it_as_it_is_documented() {
    waits_of_a_server_can_be_dropped!(server, Server);
    waits_of_a_server_can_be_dropped!(protocol_server, ProtocolServer);
}

/// More bytes than a transport holds without a pause, and the window of a connection takes.
const MUCH: usize = 400_000;

/// A writer of bytes that its peer reads to the end, and counts.
async fn much_is_written() -> (StreamWriter, StreamReader<TransportReader>, Rc<Cell<usize>>) {
    let (ours, mut theirs) = ends().await;
    let (reader, writer) = streams(ours);
    let (count, counted) = (Rc::new(Cell::new(0)), Rc::default());
    let all: Rc<Cell<usize>> = Rc::clone(&counted);
    beside(async move {
        let mut buffer = vec![0; 50_000];
        loop {
            sleep(MS).await;
            match theirs.read(&mut buffer).await.unwrap() {
                0 => break,
                len => count.set(count.get() + len),
            }
        }
        all.set(count.get());
    });
    writer.write(&vec![1; MUCH]);
    (writer, reader, counted)
}

#[test]
fn a_writer_loses_no_byte_with_a_wait() {
    type Written = (StreamWriter, StreamReader<TransportReader>, Rc<Cell<usize>>);
    let all_arrive = async |(writer, _, counted): &Written| {
        writer.close();
        writer.wait_closed().await.unwrap();
        sleep(50 * MS).await;
        assert_eq!(counted.get(), MUCH);
    };
    let drain = async |(writer, _, _): &Written| writer.drain().await.unwrap();
    assert!(cancel_everywhere(much_is_written, drain, all_arrive) >= 1);
    let wait_closed = async |(writer, _, _): &Written| {
        writer.close();
        writer.wait_closed().await.unwrap();
    };
    assert!(cancel_everywhere(much_is_written, wait_closed, all_arrive) >= 1);
}

#[test]
fn a_close_in_order_that_is_dropped_drops_the_stream() {
    let places = cancel_everywhere(
        async || {
            let (ours, mut theirs) = ends().await;
            let ended = Rc::new(Cell::new(false));
            let noted = ended.clone();
            beside(async move {
                sleep(MS).await;
                let _ = theirs.write_all(b"and this").await; // it may be gone
                let _ = theirs.read_to_end(&mut Vec::new()).await; // an end, or a reset
                noted.set(true);
            });
            (RefCell::new(Some(ours)), ended)
        },
        async |(ours, _): &(RefCell<Option<_>>, _)| {
            let ours = ours.take().unwrap();
            close_in_order(ours, 9 * MS).await.unwrap();
        },
        async |(ours, ended)| {
            drop(ours.take());
            sleep(20 * MS).await;
            assert!(ended.get());
        },
    );
    assert!(places >= 1);
}

#[test]
fn bytes_that_were_only_looked_at_stay() {
    let places = cancel_everywhere(
        async || {
            let (ours, mut theirs) = ends().await;
            beside(async move {
                sleep(MS).await;
                theirs.write_all(b"here").await.unwrap();
            });
            ours
        },
        async |ours: &TcpStream| assert_eq!(ours.peek(&mut [0; 9]).await.unwrap(), 4),
        async |mut ours| {
            let mut all = Vec::new();
            ours.read_to_end(&mut all).await.unwrap();
            assert_eq!(all, b"here");
        },
    );
    assert_eq!(places, 1);
}

#[test]
fn a_file_that_was_sent_in_part_is_sent_on() {
    let mut file = tempfile();
    file.write_all(&vec![7; MUCH]).unwrap();
    let file = &file;
    let places = cancel_everywhere(
        async || {
            let (ours, mut theirs) = ends().await;
            let count = Rc::new(Cell::new(0));
            let counted = count.clone();
            beside(async move {
                let mut buffer = vec![0; 50_000];
                while let Ok(len @ 1..) = theirs.read(&mut buffer).await {
                    assert!(buffer[..len].iter().all(|byte| *byte == 7));
                    counted.set(counted.get() + len);
                    sleep(MS).await;
                }
            });
            (ours, RefCell::new(0), count)
        },
        async |(ours, offset, _): &(TcpStream, RefCell<u64>, _)| {
            let mut at = offset.take();
            let sent = OnDrop(&mut at, offset);
            send_file(ours, file, sent.0, None).await.unwrap();
        },
        async |(ours, offset, count)| {
            let mut offset = offset.take();
            send_file(ours, file, &mut offset, None).await.unwrap();
            ours.shutdown(std::net::Shutdown::Write).unwrap();
            sleep(50 * MS).await;
            assert_eq!((offset, count.get()), (MUCH as u64, MUCH));
        },
    );
    assert!(places >= 1);
}

/// Puts an offset back, also when the operation is dropped.
struct OnDrop<'a>(&'a mut u64, &'a RefCell<u64>);

impl Drop for OnDrop<'_> {
    fn drop(&mut self) {
        self.1.replace(*self.0);
    }
}

/// A file without a name.
fn tempfile() -> File {
    let path = FreePath::new();
    let mut options = File::options();
    options
        .read(true)
        .write(true)
        .create_new(true)
        .open(&path.0)
        .unwrap()
}

#[test]
fn a_lookup_is_repeated() {
    let look_up = async |(): &()| {
        let found = lookup_host(("test", 80)).await.unwrap();
        assert_eq!(found.count(), 1);
    };
    assert!(cancel_everywhere(async || (), look_up, look_up) <= 1);
}

/// A path that is free again when this is dropped.
struct FreePath(PathBuf);

impl FreePath {
    fn new() -> Self {
        static MADE: AtomicU32 = AtomicU32::new(0);
        let number = MADE.fetch_add(1, Ordering::Relaxed);
        let name = format!("coro-cancel-{}-{number}", std::process::id());
        FreePath(std::env::temp_dir().join(name))
    }
}

impl Drop for FreePath {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

#[test]
fn a_unix_listener_loses_no_connection() {
    type Listening = (UnixListener, Cell<u32>, FreePath);
    let places = cancel_everywhere(
        async || {
            let path = FreePath::new();
            let listener = UnixListener::bind(&path.0).unwrap();
            let at = path.0.clone();
            beside(async move {
                for _ in 0..3 {
                    sleep(MS).await;
                    drop(UnixStream::connect(&at).await.unwrap());
                }
            });
            (listener, Cell::new(0), path)
        },
        async |(listener, accepted, _): &Listening| {
            for _ in 0..3 {
                listener.accept().await.unwrap();
                accepted.set(accepted.get() + 1);
            }
        },
        async |(listener, accepted, _)| {
            for _ in accepted.get()..3 {
                listener.accept().await.unwrap();
            }
        },
    );
    assert_eq!(places, 3);
}

#[test]
fn datagrams_are_sent_once_and_received_once() {
    let places = cancel_everywhere(
        async || {
            let (sender, receiver) = UnixDatagram::pair().unwrap();
            while sender.try_send(b"before").is_ok() {}
            let receiver = Rc::new(receiver);
            let later = receiver.clone();
            coro::call_later(MS, move || {
                assert_eq!(later.try_recv(&mut [0; 9]).unwrap(), 6)
            });
            (sender, receiver, Cell::new(false))
        },
        async |(sender, _, sent): &(UnixDatagram, Rc<UnixDatagram>, Cell<bool>)| {
            sender.send(b"x").await.unwrap();
            sent.set(true);
        },
        async |(_, receiver, sent)| {
            sleep(5 * MS).await;
            let mut last = 0;
            let mut buffer = [0; 9];
            while let Ok(len) = receiver.try_recv(&mut buffer) {
                last = len;
            }
            assert_eq!(last == 1, sent.get());
        },
    );
    assert_eq!(places, 1);
    let places = cancel_everywhere(
        async || {
            let (sender, receiver) = UnixDatagram::pair().unwrap();
            beside(async move {
                for n in 0..3 {
                    sleep(MS).await;
                    sender.send(&[n]).await.unwrap();
                }
            });
            With::new(receiver)
        },
        async |it| receive(it, 2).await,
        async |it| {
            let left = 3 - it.got.borrow().len();
            receive(it, left).await;
            assert_eq!(*it.got.borrow(), [0, 1, 2]);
        },
    );
    assert_eq!(places, 2);
}

async fn receive(it: &With<UnixDatagram, u8>, count: usize) {
    for _ in 0..count {
        let mut buffer = [0];
        let datagram = it.state.recv_datagram(&mut buffer).await.unwrap();
        assert_eq!(datagram.len, 1);
        it.got(buffer[0]);
    }
}

#[cfg(feature = "ancillary")]
#[test]
fn descriptors_that_are_sent_along_are_received_once() {
    use std::os::fd::AsFd;
    let file = tempfile();
    let file = &file;
    let places = cancel_everywhere(
        async || {
            let (ours, theirs) = UnixStream::pair().unwrap();
            let sent = file.try_clone().unwrap();
            beside(async move {
                sleep(MS).await;
                theirs.send_fds(b"one", &[sent.as_fd()]).await.unwrap();
            });
            With::new(ours)
        },
        async |it: &With<UnixStream, usize>| {
            let received = it.state.recv_fds(&mut [0; 9], 2).await.unwrap();
            it.got(received.fds.len());
        },
        async |it| {
            if it.got.borrow().is_empty() {
                let received = it.state.recv_fds(&mut [0; 9], 2).await.unwrap();
                it.got(received.fds.len());
            }
            assert_eq!(*it.got.borrow(), [1]);
        },
    );
    assert_eq!(places, 1);
}
