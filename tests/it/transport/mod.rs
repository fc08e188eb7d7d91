//! Protocols with their transports, over sockets of the system.

mod buffered;
mod by_name;
mod datagrams;
mod endings;
mod flow;
mod half_close;
mod reentrancy;
mod server;
#[cfg(unix)]
mod unix;

use std::cell::RefCell;
use std::future::poll_fn;
use std::io;
use std::net::Shutdown;
use std::rc::Rc;
use std::task::{Poll, Waker};

use coro::net::{Protocol, TcpListener, TcpStream, Transport, create_connection};
use futures::{AsyncReadExt, AsyncWriteExt};

/// The callbacks of a protocol, in order, with the waker of the test that waits for one of them.
#[derive(Clone, Default)]
pub(crate) struct Log(Rc<RefCell<LogState>>);

#[derive(Default)]
struct LogState {
    events: Vec<String>,
    data: Vec<u8>,
    waiting: Option<Waker>,
}

impl Log {
    pub(crate) fn add(&self, event: impl Into<String>) {
        self.0.borrow_mut().events.push(event.into());
        let waker = self.0.borrow_mut().waiting.take();
        waker.into_iter().for_each(Waker::wake);
    }

    /// Logs received data; consecutive pieces are one event.
    pub(crate) fn add_data(&self, data: &[u8]) {
        self.0.borrow_mut().data.extend_from_slice(data);
        let last = self.0.borrow().events.last().cloned();
        match last.as_deref() {
            Some("data") => self.add_nothing(),
            _ => self.add("data"),
        }
    }

    fn add_nothing(&self) {
        let waker = self.0.borrow_mut().waiting.take();
        waker.into_iter().for_each(Waker::wake);
    }

    pub(crate) fn count(&self, event: &str) -> usize {
        let state = self.0.borrow();
        state.events.iter().filter(|e| e.starts_with(event)).count()
    }

    pub(crate) fn data(&self) -> Vec<u8> {
        self.0.borrow().data.clone()
    }

    pub(crate) async fn until(&self, is_so: impl Fn(&Log) -> bool) {
        poll_fn(|cx| {
            if is_so(self) {
                return Poll::Ready(());
            }
            self.0.borrow_mut().waiting = Some(cx.waker().clone());
            Poll::Pending
        })
        .await;
    }

    /// Waits for an event that begins with this text.
    pub(crate) async fn until_event(&self, event: &str) {
        self.until(|log| log.count(event) > 0).await;
    }

    pub(crate) async fn until_received(&self, len: usize) {
        self.until(|log| log.0.borrow().data.len() >= len).await;
    }

    #[track_caller]
    pub(crate) fn assert<const N: usize>(&self, expected: [&str; N]) {
        assert_eq!(self.0.borrow().events, expected);
    }
}

/// One callback.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Callback<'a> {
    Made,
    Data(&'a [u8]),
    Eof,
    Lost,
    Pause,
    Resume,
}

/// A protocol that logs each callback, then calls `react`. That returns whether to keep half of the
/// connection open.
pub(crate) struct Spy<F> {
    pub(crate) log: Log,
    transport: Option<Transport>,
    react: F,
}

impl<F: FnMut(Callback<'_>, &Transport) -> bool + 'static> Spy<F> {
    pub(crate) fn new(log: &Log, react: F) -> Self {
        Spy {
            log: log.clone(),
            transport: None,
            react,
        }
    }

    fn react(&mut self, callback: Callback<'_>) -> bool {
        let transport = self.transport.clone().expect("connection_made came first");
        (self.react)(callback, &transport)
    }
}

impl<F: FnMut(Callback<'_>, &Transport) -> bool + 'static> Protocol for Spy<F> {
    fn connection_made(&mut self, transport: &Transport) {
        self.transport = Some(transport.clone());
        self.log.add("made");
        self.react(Callback::Made);
    }

    fn data_received(&mut self, data: &[u8]) {
        self.log.add_data(data);
        self.react(Callback::Data(data));
    }

    fn eof_received(&mut self) -> bool {
        self.log.add("eof");
        self.react(Callback::Eof)
    }

    fn connection_lost(&mut self, error: Option<io::Error>) {
        self.log.add(match error {
            None => "lost".to_owned(),
            Some(error) => format!("lost: {:?}", error.kind()),
        });
        self.react(Callback::Lost);
    }

    fn pause_writing(&mut self) {
        self.log.add("pause");
        self.react(Callback::Pause);
    }

    fn resume_writing(&mut self) {
        self.log.add("resume");
        self.react(Callback::Resume);
    }
}

/// A spy on one end of a connection, with the stream at the other end.
pub(crate) async fn spied(
    react: impl FnMut(Callback<'_>, &Transport) -> bool + 'static,
) -> (Transport, Log, TcpStream) {
    let log = Log::default();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let spy = Spy::new(&log, react);
    let transport = create_connection(|| spy, address).await.unwrap();
    assert_eq!(log.count("made"), 1);
    assert_eq!(transport.peer_addr(), Some(address));
    let (peer, ours) = listener.accept().await.unwrap();
    assert!(transport.is_closing() || transport.local_addr() == Some(ours));
    (transport, log, peer)
}

pub(crate) fn nothing(_: Callback<'_>, _: &Transport) -> bool {
    false
}

pub(crate) fn keep_open(_: Callback<'_>, _: &Transport) -> bool {
    true
}

/// More bytes than the system buffers without a reader.
pub(crate) const MUCH: usize = 16 * 1024 * 1024;

#[coro::test(real)]
async fn bytes_go_both_ways_and_the_end_comes_after_them() {
    let (transport, log, mut peer) = spied(|callback, transport| {
        if let Callback::Data(data) = callback {
            transport.write(data);
        }
        false
    })
    .await;
    let echoed = coro::spawn(async move {
        peer.write_all(b"hello ").await.unwrap();
        peer.write_all(b"world").await.unwrap();
        peer.shutdown(Shutdown::Write).unwrap();
        let mut echoed = String::new();
        peer.read_to_string(&mut echoed).await.unwrap();
        echoed
    });
    log.until_event("lost").await;
    log.assert(["made", "data", "eof", "lost"]);
    assert_eq!(log.data(), b"hello world");
    assert_eq!(join(echoed).await, "hello world");
    assert!(transport.is_closing() && !transport.is_reading());
}

#[coro::test(real)]
async fn the_stream_of_a_transport_has_its_options() {
    let (transport, log, _peer) = spied(nothing).await;
    let nodelay = |stream: &TcpStream| stream.nodelay().unwrap();
    assert_eq!(transport.with_stream(nodelay), Some(true));
    assert_eq!(transport.with_stream(|_: &String| ()), None);
    transport.abort();
    log.until_event("lost").await;
    assert_eq!(transport.with_stream(nodelay), None, "it is closed by now");
    assert!(transport.peer_addr().is_some());
}

#[coro::test(real)]
async fn pieces_are_written_in_their_order() {
    let (transport, _, mut peer) = spied(nothing).await;
    let slices = [b"one ".as_slice(), b"", b"two "].map(io::IoSlice::new);
    transport.write_vectored(&slices);
    transport.write(b"");
    transport.write(b"three");
    transport.close();
    let read = coro::spawn(async move {
        let mut all = String::new();
        peer.read_to_string(&mut all).await.unwrap();
        all
    });
    assert_eq!(join(read).await, "one two three");
}

/// Awaits a task that has to succeed.
pub(crate) async fn join<T>(task: coro::Task<T>) -> T {
    task.await.unwrap()
}

#[test]
fn the_example_prints_what_it_promises() {
    use crate::examples::{printed, promised};
    let printed = printed("protocol_echo", "0.02");
    assert!(printed[0].starts_with("listening on 127.0.0.1:"));
    assert_eq!(printed[1..], promised("protocol_echo")[1..]);
}
