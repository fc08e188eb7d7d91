//! Flow control: watermarks of the write buffer, paused reading.

use std::io::ErrorKind;
use std::net::Shutdown;

use coro::net::TcpStream;
use futures::{AsyncReadExt, AsyncWriteExt};

use super::{Callback, MUCH, join, keep_open, nothing, spied};
use crate::support::{ReadAll, panic_of, turns};

/// Sends until the transport's buffers are full. Returns how many bytes it sent.
fn fill(peer: &TcpStream) -> usize {
    let mut sent = 0;
    loop {
        match peer.try_write(&[7; 64 * 1024]) {
            Ok(len) => sent += len,
            Err(error) if error.kind() == ErrorKind::WouldBlock => return sent,
            Err(error) => panic!("{error}"),
        }
    }
}

/// Writes until the system takes no more bytes.
async fn stuff(transport: &coro::net::Transport) {
    while transport.get_write_buffer_size() == 0 {
        transport.write(&[1; 1024]);
    }
    // The system takes more for a while.
    turns(20).await;
}

#[coro::test(real)]
async fn the_limits_are_those_of_asyncio() {
    let (transport, ..) = spied(nothing).await;
    assert_eq!(transport.get_write_buffer_limits(), (16 * 1024, 64 * 1024));
    for (high, low, expected) in [
        (Some(100), None, (25, 100)),
        (None, Some(100), (100, 400)),
        (Some(0), None, (0, 0)),
        (Some(5), Some(5), (5, 5)),
        (None, None, (16 * 1024, 64 * 1024)),
    ] {
        transport.set_write_buffer_limits(high, low);
        assert_eq!(transport.get_write_buffer_limits(), expected);
    }
    let said = panic_of(|| transport.set_write_buffer_limits(Some(1), Some(2)));
    assert!(said.contains("give a lower one"), "{said}");
}

#[coro::test(real)]
async fn pause_and_resume_come_at_the_watermarks_and_pause_within_the_write() {
    let (transport, log, mut peer) = spied(nothing).await;
    stuff(&transport).await;
    let waits = transport.get_write_buffer_size();
    log.assert(["made"]);

    transport.set_write_buffer_limits(Some(waits + 1000), Some(10));
    assert_eq!(transport.write(&[1; 1000]), waits + 1000);
    log.assert(["made"]); // exactly at the limit: not above it
    assert_eq!(transport.write(b"x"), waits + 1001);
    log.assert(["made", "pause"]);
    transport.write(b"y");
    log.assert(["made", "pause"]);

    let reader = coro::spawn(async move {
        let mut all = Vec::new();
        peer.read_all(&mut all).await.unwrap();
        all
    });
    log.until_event("resume").await;
    assert!(transport.get_write_buffer_size() <= 10);
    transport.close();
    let all = join(reader).await;
    assert!(all.ends_with(b"\x01xy"));
    log.until_event("lost").await;
    log.assert(["made", "pause", "resume", "lost"]);
}

#[coro::test(real)]
async fn limits_that_are_set_apply_at_once() {
    let (transport, log, _peer) = spied(nothing).await;
    stuff(&transport).await;
    transport.set_write_buffer_limits(Some(0), None);
    log.assert(["made", "pause"]);
    transport.set_write_buffer_limits(Some(MUCH), Some(MUCH));
    log.assert(["made", "pause", "resume"]);
}

#[coro::test(real)]
async fn a_protocol_that_heeds_pause_writing_bounds_the_buffer_for_a_slow_reader() {
    use std::cell::Cell;
    use std::rc::Rc;
    let paused = Rc::new(Cell::new(false));
    let heeds = paused.clone();
    let (transport, log, mut peer) = spied(move |callback, _| {
        match callback {
            Callback::Pause => heeds.set(true),
            Callback::Resume => heeds.set(false),
            _ => {}
        }
        true
    })
    .await;
    let reader = coro::spawn(async move {
        let (mut all, mut buffer) = (0, [0; 10_000]);
        loop {
            match peer.read(&mut buffer).await.unwrap() {
                0 => return all,
                len => all += len,
            }
        }
    });
    let mut most = 0;
    for _ in 0..MUCH / 1000 {
        let resumed = |_: &super::Log| !paused.get();
        log.until(resumed).await;
        most = most.max(transport.write(&[1; 1000]));
    }
    transport.write_eof();
    assert_eq!(join(reader).await, MUCH / 1000 * 1000);
    assert!(most <= 64 * 1024 + 1000, "{most} bytes waited");
    assert_eq!(log.count("pause"), log.count("resume"));
}

#[coro::test(real)]
async fn a_protocol_that_pauses_reading_receives_nothing_and_its_peer_has_to_wait() {
    let (transport, log, mut peer) = spied(|callback, transport| {
        if callback == Callback::Data(b"pause") {
            transport.pause_reading();
        }
        false
    })
    .await;
    assert!(transport.is_reading());
    peer.write_all(b"pause").await.unwrap();
    log.until_received(5).await;
    assert!(!transport.is_reading());
    let sent = fill(&peer);
    turns(20).await;
    assert_eq!(log.data().len(), 5);
    assert_eq!(fill(&peer), 0, "nobody has read");
    transport.resume_reading();
    transport.resume_reading();
    log.until_received(5 + sent).await;
    assert!(transport.is_reading());
}

#[coro::test(real)]
async fn reading_that_is_paused_in_connection_made_never_begins() {
    let (transport, log, mut peer) = spied(|callback, transport| {
        if callback == Callback::Made {
            transport.pause_reading();
        }
        false
    })
    .await;
    peer.write_all(b"early").await.unwrap();
    peer.shutdown(Shutdown::Write).unwrap();
    turns(20).await;
    log.assert(["made"]);
    transport.resume_reading();
    log.until_event("lost").await;
    log.assert(["made", "data", "eof", "lost"]);
}

#[coro::test(real)]
async fn single_bytes_arrive_in_their_order_both_ways() {
    let (transport, log, peer) = spied(keep_open).await;
    peer.set_nodelay(true).unwrap();
    let (mut reader, mut writer) = peer.into_split();
    let sender = coro::spawn(async move {
        for byte in 0..=255 {
            writer.write_all(&[byte]).await.unwrap();
        }
        writer.close().await.unwrap();
    });
    for byte in 0..=255 {
        transport.write(&[byte]);
    }
    transport.write_eof();
    log.until_event("eof").await;
    assert_eq!(log.data(), (0..=255).collect::<Vec<u8>>());
    let mut all = Vec::new();
    reader.read_all(&mut all).await.unwrap();
    assert_eq!(all, (0..=255).collect::<Vec<u8>>());
    join(sender).await;
}

#[coro::test(real)]
async fn a_connection_that_is_always_readable_does_not_hold_up_another() {
    let (_busy, busy_log, mut flood) = spied(nothing).await;
    let (_quiet, quiet_log, mut calm) = spied(nothing).await;
    let flooding =
        coro::spawn(async move { while flood.write_all(&[1; 256 * 1024]).await.is_ok() {} });
    busy_log.until_received(MUCH).await;
    calm.write_all(b"hello").await.unwrap();
    quiet_log.until_received(5).await;
    _busy.abort();
    busy_log.until_event("lost").await;
    join(flooding).await;
}
