//! Streams that have ended: they say so, and go on saying so.

use std::pin::pin;

use coro::group::buffered;
use coro::net::{StreamReader, TcpListener};
use coro::sync::broadcast;
use futures::stream::FusedStream;
use futures::{FutureExt, StreamExt, stream};

#[coro::test]
async fn lines_end_for_good() {
    let mut reader = StreamReader::new(&b"one\ntwo"[..]);
    let mut lines = pin!(reader.read_lines());
    assert!(!lines.is_terminated());
    assert_eq!(lines.next().await.unwrap().unwrap(), "one");
    assert_eq!(lines.next().await.unwrap().unwrap(), "two");
    for _ in 0..3 {
        assert!(lines.next().await.is_none());
        assert!(lines.is_terminated());
    }
}

#[coro::test]
async fn lines_end_for_good_after_an_error() {
    let mut reader = StreamReader::with_limit(3, &b"one\ntoo long\n"[..]);
    let mut lines = pin!(reader.read_lines());
    assert!(lines.next().await.unwrap().is_err());
    for _ in 0..3 {
        assert!(lines.next().await.is_none());
        assert!(lines.is_terminated());
    }
}

#[coro::test]
async fn a_broadcast_ends_with_its_last_sender_and_its_last_value() {
    let (sender, mut receiver) = broadcast::channel(4);
    assert!(!receiver.is_terminated());
    sender.send(1).unwrap();
    drop(sender);
    assert!(!receiver.is_terminated());
    assert_eq!(receiver.next().await, Some(Ok(1)));
    assert!(receiver.is_terminated());
    assert_eq!(receiver.next().await, None);
    assert!(receiver.is_terminated());
}

#[coro::test]
async fn buffered_tasks_end_with_the_last_of_them() {
    let mut tasks = buffered(stream::iter(1..=2).map(|n| async move { n }), 1);
    assert!(!tasks.is_terminated());
    assert_eq!(tasks.next().await.unwrap().unwrap(), 1);
    assert!(!tasks.is_terminated());
    assert_eq!(tasks.next().await.unwrap().unwrap(), 2);
    assert!(tasks.next().await.is_none());
    assert!(tasks.is_terminated());
    assert!(tasks.next().await.is_none());
}

#[coro::test(real)]
async fn incoming_connections_and_signals_never_end() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut incoming = pin!(listener.incoming());
    assert!(incoming.next().now_or_never().is_none());
    assert!(!incoming.is_terminated());
    #[cfg(unix)]
    {
        let signals = coro::signal::signal(coro::signal::SignalKind::user_defined1()).unwrap();
        assert!(!signals.is_terminated());
    }
}
