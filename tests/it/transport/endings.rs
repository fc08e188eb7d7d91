//! All ways in which a connection ends; the protocol is told of each exactly once.

use std::net::{self, Shutdown, SocketAddr};
use std::rc::Rc;
use std::time::Duration;

use coro::EventLoop;
use coro::event_loop::ReportKind;
use coro::net::{TcpListener, TcpStream, create_connection};
use futures::{AsyncReadExt, AsyncWriteExt};

use super::{Callback, Log, MUCH, Spy, join, keep_open, nothing, spied};
use crate::support::{ReadAll, Reports, turns};

fn reset(peer: TcpStream) {
    peer.set_linger(Some(Duration::ZERO)).unwrap();
    drop(peer);
}

#[coro::test(real)]
async fn the_other_end_closes() {
    let (_transport, log, peer) = spied(nothing).await;
    drop(peer);
    log.until_event("lost").await;
    turns(5).await;
    log.assert(["made", "eof", "lost"]);
}

#[coro::test(real)]
async fn the_other_end_resets() {
    let (_transport, log, peer) = spied(nothing).await;
    reset(peer);
    log.until_event("lost").await;
    turns(5).await;
    log.assert(["made", "lost: ConnectionReset"]);
}

#[coro::test(real)]
async fn an_abort_ends_it_in_a_later_turn_and_does_not_send_buffered_bytes() {
    let (transport, log, mut peer) = spied(nothing).await;
    let waits = transport.write(&vec![1; MUCH]);
    assert!(waits > 0);
    transport.abort();
    transport.abort();
    transport.close();
    log.assert(["made", "pause"]); // not from within
    assert!(transport.is_closing());
    assert_eq!(transport.get_write_buffer_size(), 0);
    log.until_event("lost").await;
    turns(5).await;
    log.assert(["made", "pause", "lost"]);
    let mut received = Vec::new();
    let _ = peer.read_all(&mut received).await;
    assert_eq!(received.len(), MUCH - waits);
}

#[coro::test(real)]
async fn a_close_sends_buffered_bytes_first() {
    let (transport, log, mut peer) = spied(nothing).await;
    assert!(transport.write(&vec![1; MUCH]) > 0);
    transport.close();
    transport.close();
    transport.resume_reading();
    peer.write_all(b"nobody reads this any more").await.unwrap();
    turns(5).await;
    log.assert(["made", "pause"]);
    let reader = coro::spawn(async move {
        let mut received = vec![0; MUCH];
        peer.read_exact(&mut received).await.unwrap();
        received.len()
    });
    log.until_event("lost").await;
    turns(5).await;
    log.assert(["made", "pause", "resume", "lost"]);
    assert_eq!(join(reader).await, MUCH);
}

#[coro::test(real)]
async fn a_close_that_can_send_nothing_is_cut_short_by_an_abort() {
    let (transport, log, _peer) = spied(nothing).await;
    transport.write(&vec![1; MUCH]);
    transport.close();
    turns(5).await;
    log.assert(["made", "pause"]);
    transport.abort();
    log.until_event("lost").await;
    log.assert(["made", "pause", "lost"]);
}

#[coro::test(real)]
async fn a_reset_while_closing_is_an_error() {
    let (transport, log, peer) = spied(nothing).await;
    transport.write(&vec![1; MUCH]);
    transport.close();
    turns(5).await;
    reset(peer);
    log.until_event("lost").await;
    let (reset, broken) = (
        log.count("lost: ConnectionReset"),
        log.count("lost: BrokenPipe"),
    );
    assert_eq!(reset + broken, 1);
}

#[coro::test(real)]
async fn a_write_that_fails_ends_it_though_nothing_is_read() {
    let (transport, log, peer) = spied(nothing).await;
    transport.pause_reading();
    reset(peer);
    turns(5).await;
    log.assert(["made"]);
    transport.write(b"to nobody");
    log.assert(["made"]); // not from within
    log.until_event("lost").await;
    turns(5).await;
    log.assert(["made", "lost: ConnectionReset"]);
}

#[coro::test(real)]
async fn a_panic_in_any_callback_is_reported_and_ends_the_connection_once() {
    let panics = |panics_in: &'static str| {
        move |callback: Callback<'_>, transport: &coro::net::Transport| {
            let name = format!("{callback:?}");
            assert!(!name.starts_with(panics_in), "in {panics_in}");
            if matches!(callback, Callback::Data([b'w', ..])) {
                transport.write(&vec![1; MUCH]);
            }
            true
        }
    };
    for panics_in in ["Made", "Data", "Eof", "Lost", "Pause", "Resume"] {
        let reports = Reports::here();
        let (transport, log, peer) = spied(panics(panics_in)).await;
        let peer = Rc::new(peer);
        match panics_in {
            "Data" => (&*peer).write_all(b"data").await.unwrap(),
            "Eof" => peer.shutdown(Shutdown::Write).unwrap(),
            "Lost" => transport.abort(),
            "Pause" => (&*peer).write_all(b"write").await.unwrap(),
            "Resume" => {
                transport.write(&vec![1; MUCH]);
                let peer = peer.clone();
                let read = async move { (&*peer).read_all(&mut Vec::new()).await };
                drop(coro::spawn(read));
            }
            _ => {}
        }
        log.until_event("lost").await;
        turns(5).await;
        assert_eq!(log.count("lost"), 1, "in {panics_in}");
        assert_eq!(log.count("lost: Other"), usize::from(panics_in != "Lost"));
        let expected = format!("in {panics_in}");
        reports.assert_taken([(ReportKind::ProtocolPanicked, expected.as_str())]);
        let _ = (&*peer).read_all(&mut Vec::new()).await; // it is closed, or this would hang
    }
}

#[coro::test(real)]
async fn writes_after_the_end_are_ignored_and_from_the_fifth_on_reported() {
    let reports = Reports::here();
    let (transport, log, peer) = spied(nothing).await;
    drop(peer);
    log.until_event("lost").await;
    for _ in 0..4 {
        assert_eq!(transport.write(b"x"), 0);
    }
    assert_eq!(reports.len(), 0);
    for _ in 0..4 {
        transport.write(b"x");
    }
    reports.assert_taken([(ReportKind::WriteIgnored, "5 writes were ignored so far")]);
}

#[coro::test(real)]
async fn a_write_after_write_eof_panics_and_says_what_to_do() {
    let (transport, _, _peer) = spied(keep_open).await;
    transport.write_eof();
    let said = crate::support::panic_of(|| transport.write(b"more"));
    assert!(said.contains("write everything before the end"), "{said}");
}

#[coro::test(real)]
async fn half_a_connection_stays_open_when_the_protocol_wants_it() {
    let (transport, log, mut peer) = spied(keep_open).await;
    peer.write_all(b"question").await.unwrap();
    peer.shutdown(Shutdown::Write).unwrap();
    log.until_event("eof").await;
    assert!(!transport.is_closing() && !transport.is_reading());
    transport.write(b"answer");
    let mut answer = [0; 6];
    peer.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"answer");
    turns(5).await;
    log.assert(["made", "data", "eof"]);
    transport.close();
    log.until_event("lost").await;
    assert_eq!(peer.read(&mut answer).await.unwrap(), 0);
}

#[coro::test(real)]
async fn write_eof_comes_after_buffered_bytes_and_leaves_the_other_half_open() {
    let (transport, log, mut peer) = spied(nothing).await;
    assert!(transport.can_write_eof());
    transport.write(&vec![1; MUCH]);
    transport.write_eof();
    transport.write_eof();
    let reader = coro::spawn(async move {
        let mut received = Vec::new();
        peer.read_all(&mut received).await.unwrap();
        peer.write_all(b"all of it").await.unwrap();
        received.len()
    });
    assert_eq!(join(reader).await, MUCH);
    log.until_event("lost").await;
    log.assert(["made", "pause", "resume", "data", "eof", "lost"]);
    assert_eq!(log.data(), b"all of it");
}

#[coro::test(real)]
async fn a_connection_that_reads_outlives_its_handles() {
    let (listener, address) = silent_listener();
    let log = Log::default();
    let received = log.clone();
    let sink = Sink(received);
    drop(create_connection(|| sink, address).await.unwrap());
    let (mut peer, _) = listener.accept().await.unwrap();
    turns(5).await;
    peer.write_all(b"still there").await.unwrap();
    log.until_received(11).await;
    drop(peer);
    log.until_event("lost").await;
}

#[coro::test(real)]
async fn a_transport_that_does_not_read_sends_buffered_bytes_and_closes_with_its_last_handle() {
    let (listener, address) = silent_listener();
    let log = Log::default();
    let sink = Sink(log.clone());
    let transport = create_connection(|| sink, address).await.unwrap();
    let (mut peer, _) = listener.accept().await.unwrap();
    let other = transport.clone();
    transport.pause_reading();
    transport.write(&vec![1; MUCH]);
    drop(transport);
    turns(5).await;
    assert!(!other.is_closing());
    drop(other);
    let reader = coro::spawn(async move { peer.read_all(&mut Vec::new()).await.unwrap() });
    log.until_event("lost").await;
    assert_eq!(join(reader).await, MUCH);
}

/// A protocol that keeps no handle of its transport.
struct Sink(Log);

impl coro::net::Protocol for Sink {
    fn data_received(&mut self, data: &[u8]) {
        self.0.add_data(data);
    }

    fn connection_lost(&mut self, _: Option<std::io::Error>) {
        self.0.add("lost");
    }
}

fn silent_listener() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

/// The same with blocking sockets, which outlive a loop.
fn blocking_listener() -> (net::TcpListener, SocketAddr) {
    let listener = net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

#[test]
fn the_end_of_run_tells_the_protocols() {
    let log = Log::default();
    let spy_log = log.clone();
    let peer = coro::run(async move {
        let (listener, address) = blocking_listener();
        let spy = Spy::new(&spy_log, nothing);
        create_connection(|| spy, address).await.unwrap();
        listener.accept().unwrap().0
    });
    log.assert(["made", "lost"]);
    drop(peer);
}

#[test]
fn a_loop_that_is_closed_tells_and_drops_protocols_and_closes_sockets() {
    let log = Log::default();
    let mut event_loop = EventLoop::new().unwrap();
    let (transport, mut peer) = event_loop
        .run_until_complete(async {
            let (listener, address) = blocking_listener();
            let spy = Spy::new(&log, nothing);
            (
                create_connection(|| spy, address).await.unwrap(),
                listener.accept().unwrap().0,
            )
        })
        .unwrap();
    event_loop.close();
    assert_eq!(Rc::strong_count(&log.0), 1, "the protocol is dropped");
    assert_eq!(std::io::Read::read(&mut peer, &mut [0; 10]).unwrap(), 0);
    transport.write(b"ignored");
    transport.close();
    transport.set_protocol(Sink(log.clone()));
    assert_eq!(Rc::strong_count(&log.0), 1);
    log.assert(["made", "lost"]);
}
