//! Every method of a transport, called from within the callbacks of its own protocol.

use std::cell::{Cell, RefCell};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use coro::event_loop::{ErrorReport, ReportKind};
use coro::net::{Protocol, Transport};
use futures::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::{Callback, Log, MUCH, Spy, join, nothing, spied};
use crate::support::{ReadAll, Reports, turns};

/// Calls every method that does not end the connection.
fn meddle(transport: &Transport) {
    transport.pause_reading();
    transport.set_write_buffer_limits(Some(10), None);
    transport.resume_reading();
    transport.set_write_buffer_limits(None, None);
    transport.write(b"x");
    transport.write_vectored(&[std::io::IoSlice::new(b"y")]);
    let _ = (transport.peer_addr(), transport.local_addr());
    let inside = |_: &coro::net::TcpStream| transport.write(b"z");
    transport.with_stream(inside);
    drop(transport.clone());
    let _ = format!("{transport:?}");
}

#[coro::test(real)]
async fn every_method_may_be_called_in_every_callback() {
    let reports = Reports::here();
    for ends_in in ["Made", "Data", "Eof", "Pause", "Resume", "Lost"] {
        for abort in [false, true] {
            let (_, log, mut peer) = spied(move |callback, transport| {
                meddle(transport);
                if callback == Callback::Data(b"data") {
                    transport.write(&vec![1; MUCH]);
                }
                if format!("{callback:?}").starts_with(ends_in) {
                    match abort {
                        true => transport.abort(),
                        false => transport.close(),
                    }
                }
                meddle(transport);
                false
            })
            .await;
            let end = coro::spawn(async move {
                let _ = peer.write_all(b"data").await;
                let mut received = vec![0; 1024];
                while peer.read(&mut received).await.is_ok_and(|len| len > 0) {
                    let _ = peer.shutdown(std::net::Shutdown::Write);
                }
            });
            log.until_event("lost").await;
            join(end).await;
            assert_eq!(log.count("lost"), 1);
        }
    }
    let is_of_a_write = |report: &ErrorReport| report.kind == ReportKind::WriteIgnored;
    assert!(reports.take().iter().all(is_of_a_write));
}

#[coro::test(real)]
async fn a_pause_that_a_callback_leads_to_comes_when_it_returns() {
    let log = Rc::new(RefCell::new(Vec::new()));
    let inner = log.clone();
    let (transport, told, mut peer) = spied(move |callback, transport| {
        if let Callback::Data(_) = callback {
            transport.write(&vec![1; MUCH]);
            inner.borrow_mut().push("data returns");
        }
        if callback == Callback::Pause {
            inner.borrow_mut().push("pause");
        }
        false
    })
    .await;
    peer.write_all(b"go").await.unwrap();
    told.until_event("pause").await;
    assert_eq!(*log.borrow(), ["data returns", "pause"]);
    transport.abort();
}

#[coro::test(real)]
async fn a_resumed_protocol_may_write_over_the_limit_again() {
    let rounds = Rc::new(Cell::new(0));
    let round = rounds.clone();
    let (transport, log, mut peer) = spied(move |callback, transport| {
        if callback == Callback::Resume {
            round.set(round.get() + 1);
            match round.get() {
                3 => transport.close(),
                _ => drop(transport.write(&vec![1; MUCH])),
            }
        }
        false
    })
    .await;
    transport.write(&vec![1; MUCH]);
    let reader = coro::spawn(async move {
        let mut all = Vec::new();
        peer.read_all(&mut all).await.unwrap();
        all.len()
    });
    log.until_event("lost").await;
    assert_eq!(join(reader).await, 3 * MUCH);
    log.assert([
        "made", "pause", "resume", "pause", "resume", "pause", "resume", "lost",
    ]);
}

#[coro::test(real)]
async fn a_protocol_that_is_set_in_a_callback_is_called_from_the_next_on() {
    let second = Log::default();
    let set = second.clone();
    let (_transport, first, mut peer) = spied(move |callback, transport| {
        if callback == Callback::Data(b"upgrade") {
            transport.set_protocol(Second(set.clone()));
            transport.write(b"ok");
        }
        true
    })
    .await;
    let upgrades = coro::spawn(async move {
        peer.write_all(b"upgrade").await.unwrap();
        peer.read_exact(&mut [0; 2]).await.unwrap();
        peer.write_all(b"more").await.unwrap();
    });
    second.until_event("lost").await;
    join(upgrades).await;
    assert_eq!(second.data(), b"more");
    first.assert(["made", "data"]);
    assert_eq!(Rc::strong_count(&first.0), 1, "the first is dropped");
    second.assert(["data", "lost"]);
}

/// A protocol that only logs.
struct Second(Log);

impl Protocol for Second {
    fn data_received(&mut self, data: &[u8]) {
        self.0.add_data(data);
    }

    fn connection_lost(&mut self, _: Option<std::io::Error>) {
        self.0.add("lost");
    }

    fn pause_writing(&mut self) {
        self.0.add("pause");
    }
}

#[coro::test(real)]
async fn a_protocol_that_is_set_while_writing_is_paused_is_told_so() {
    let (transport, first, _peer) = spied(nothing).await;
    transport.write(&vec![1; MUCH]);
    first.assert(["made", "pause"]);
    let second = Log::default();
    transport.set_protocol(Second(second.clone()));
    second.assert(["pause"]);
}

/// A stream that calls its own transport whenever it is polled.
struct Meddler {
    transport: Rc<RefCell<Option<Transport>>>,
    written: Rc<RefCell<Vec<u8>>>,
    polls: u32,
}

impl Meddler {
    fn meddle(&mut self) {
        self.polls += 1;
        let transport = self.transport.borrow().clone();
        if let Some(transport) = transport.filter(|_| self.polls < 10) {
            transport.write(b"!");
            transport.set_write_buffer_limits(Some(0), None);
            transport.with_stream(|_: &Meddler| ());
            transport.pause_reading();
            transport.resume_reading();
        }
    }
}

impl AsyncRead for Meddler {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<std::io::Result<usize>> {
        self.meddle();
        match self.polls {
            0..20 => {
                cx.waker().wake_by_ref();
                buffer[0] = b'r';
                Poll::Ready(Ok(1))
            }
            _ => Poll::Ready(Ok(0)),
        }
    }
}

impl AsyncWrite for Meddler {
    fn poll_write(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        self.meddle();
        self.written.borrow_mut().push(bytes[0]);
        Poll::Ready(Ok(1))
    }

    fn poll_flush(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        self.meddle();
        Poll::Ready(Ok(()))
    }

    fn poll_close(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        self.meddle();
        Poll::Ready(Ok(()))
    }
}

#[coro::test]
async fn a_stream_that_calls_its_own_transport_does_no_harm() {
    let (slot, written) = (Rc::<RefCell<_>>::default(), Rc::<RefCell<_>>::default());
    let log = Log::default();
    let stream = Meddler {
        transport: slot.clone(),
        written: Rc::clone(&written),
        polls: 0,
    };
    let transport = Transport::new(stream, Spy::new(&log, nothing));
    *slot.borrow_mut() = Some(transport.clone());
    transport.write(b"abcdef");
    log.assert([]);
    log.until_event("lost").await;
    turns(5).await;
    slot.take();
    let text = written.borrow().clone();
    let of_ours: Vec<u8> = text.iter().copied().filter(|&b| b != b'!').collect();
    assert_eq!(of_ours, b"abcdef");
    assert!(text.contains(&b'!'));
    assert_eq!(log.count("lost"), 1);
}
