//! The two halves of a connection, ended in every order.

use std::cell::RefCell;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use coro::event_loop::ReportKind;
use coro::net::Transport;
use futures::io::{AsyncRead, AsyncWrite};

use super::{Callback, Log, Spy};
use crate::support::{Reports, turns};

/// A stream in memory, whose other end is the test.
#[derive(Clone, Default)]
struct Wire(Rc<RefCell<WireState>>);

#[derive(Default)]
struct WireState {
    incoming: Vec<u8>,
    eof: bool,
    /// How many more bytes can be written.
    room: usize,
    written: Vec<u8>,
    shut_down: bool,
    dropped: bool,
    wakers: Vec<Waker>,
}

impl Wire {
    fn change(&self, f: impl FnOnce(&mut WireState)) {
        f(&mut self.0.borrow_mut());
        let wakers = std::mem::take(&mut self.0.borrow_mut().wakers);
        wakers.into_iter().for_each(Waker::wake);
    }

    fn wait<T>(&self, cx: &Context<'_>) -> Poll<io::Result<T>> {
        self.0.borrow_mut().wakers.push(cx.waker().clone());
        Poll::Pending
    }

    fn written(&self) -> String {
        String::from_utf8(self.0.borrow().written.clone()).unwrap()
    }

    fn is_shut_down(&self) -> bool {
        self.0.borrow().shut_down
    }
}

/// The end that the transport has.
struct End(Wire);

impl AsyncRead for End {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let mut state = self.0.0.borrow_mut();
        if state.incoming.is_empty() && !state.eof {
            drop(state);
            return self.0.wait(cx);
        }
        let len = state.incoming.len().min(buffer.len());
        buffer[..len].copy_from_slice(&state.incoming[..len]);
        state.incoming.drain(..len);
        Poll::Ready(Ok(len))
    }
}

impl AsyncWrite for End {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let mut state = self.0.0.borrow_mut();
        assert!(!state.shut_down, "a write after the end");
        let len = state.room.min(bytes.len());
        if len == 0 {
            drop(state);
            return self.0.wait(cx);
        }
        state.room -= len;
        state.written.extend_from_slice(&bytes[..len]);
        Poll::Ready(Ok(len))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.0.borrow_mut().shut_down = true;
        Poll::Ready(Ok(()))
    }
}

impl Drop for End {
    fn drop(&mut self) {
        self.0.0.borrow_mut().dropped = true;
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// The other end sends its end.
    Eof,
    /// The other end sends a byte.
    Byte,
    /// The transport's `write_eof`.
    Shutdown,
    /// The bytes that wait can be written.
    Room,
    Resume,
    Close,
    Abort,
}

/// A transport that has two bytes of five unsent.
struct Pair {
    transport: Transport,
    wire: Wire,
    log: Log,
    done: Vec<Step>,
}

impl Pair {
    async fn new(react: impl FnMut(Callback<'_>, &Transport) -> bool + 'static) -> Self {
        let (wire, log) = (Wire::default(), Log::default());
        wire.change(|state| state.room = 3);
        let transport = Transport::new(End(wire.clone()), Spy::new(&log, react));
        transport.write(b"hello");
        turns(3).await;
        assert_eq!((wire.written(), log.count("made")), ("hel".into(), 1));
        Pair {
            transport,
            wire,
            log,
            done: Vec::new(),
        }
    }

    async fn take(&mut self, step: Step) {
        match step {
            Step::Eof => self.wire.change(|state| state.eof = true),
            Step::Byte => self.wire.change(|state| state.incoming.push(b'x')),
            Step::Shutdown => self.transport.write_eof(),
            Step::Room => self.wire.change(|state| state.room = 10),
            Step::Resume => self.transport.resume_reading(),
            Step::Close => self.transport.close(),
            Step::Abort => self.transport.abort(),
        }
        self.done.push(step);
        turns(5).await;
    }

    fn has(&self, step: Step) -> bool {
        self.done.contains(&step)
    }

    fn is_before(&self, step: Step, other: Step) -> bool {
        let at = |step| self.done.iter().position(|done| *done == step);
        at(step).is_some_and(|first| at(other).is_none_or(|second| first < second))
    }

    #[track_caller]
    fn assert(&self, event: &str, happened: bool) {
        let count = self.log.count(event);
        assert_eq!(
            count,
            usize::from(happened),
            "{event:?} after {:?}",
            self.done
        );
    }

    #[track_caller]
    fn assert_shut_down(&self, happened: bool) {
        assert_eq!(self.wire.is_shut_down(), happened, "after {:?}", self.done);
        let written = match self.has(Step::Room) && !self.is_before(Step::Abort, Step::Room) {
            true => "hello",
            false => "hel",
        };
        assert_eq!(self.wire.written(), written, "after {:?}", self.done);
    }

    /// The connection ends without an error, and its stream is closed.
    async fn assert_ends(&mut self) {
        self.transport.close();
        self.log.until_event("lost").await;
        turns(5).await;
        assert_eq!(self.log.count("lost"), 1, "after {:?}", self.done);
        assert_eq!(self.log.count("lost:"), 0, "after {:?}", self.done);
        assert!(self.wire.0.borrow().dropped);
    }
}

fn orders(steps: &[Step]) -> Vec<Vec<Step>> {
    if steps.is_empty() {
        return vec![Vec::new()];
    }
    let mut found = Vec::new();
    for (at, first) in steps.iter().enumerate() {
        let rest = [&steps[..at], &steps[at + 1..]].concat();
        let orders = orders(&rest).into_iter();
        found.extend(orders.map(|rest| [&[*first], &rest[..]].concat()));
    }
    found
}

fn keep_open(_: Callback<'_>, _: &Transport) -> bool {
    true
}

fn close_at_eof(_: Callback<'_>, _: &Transport) -> bool {
    false
}

#[coro::test]
async fn each_half_ends_by_itself_if_the_protocol_keeps_the_connection() {
    for order in orders(&[Step::Eof, Step::Shutdown, Step::Room]) {
        let mut pair = Pair::new(keep_open).await;
        for step in order {
            pair.take(step).await;
            pair.assert("eof", pair.has(Step::Eof));
            pair.assert_shut_down(pair.has(Step::Shutdown) && pair.has(Step::Room));
            pair.assert("lost", false);
            assert_eq!(pair.transport.is_reading(), !pair.has(Step::Eof));
            assert!(!pair.transport.is_closing());
        }
        pair.assert_ends().await;
    }
}

#[coro::test]
async fn the_end_of_the_other_end_closes_if_the_protocol_does_not_keep_the_connection() {
    for order in orders(&[Step::Eof, Step::Shutdown, Step::Room]) {
        let mut pair = Pair::new(close_at_eof).await;
        for step in order {
            pair.take(step).await;
            let is_ending = pair.has(Step::Eof) || pair.has(Step::Shutdown);
            pair.assert("eof", pair.has(Step::Eof));
            pair.assert_shut_down(is_ending && pair.has(Step::Room));
            pair.assert("lost", pair.has(Step::Eof) && pair.has(Step::Room));
            assert_eq!(pair.transport.is_closing(), pair.has(Step::Eof));
        }
        pair.assert_ends().await;
    }
}

#[coro::test]
async fn a_paused_half_tells_its_end_when_it_is_resumed() {
    for order in orders(&[Step::Eof, Step::Shutdown, Step::Room, Step::Resume]) {
        let mut pair = Pair::new(keep_open).await;
        pair.transport.pause_reading();
        for step in order {
            pair.take(step).await;
            pair.assert("eof", pair.has(Step::Eof) && pair.has(Step::Resume));
            pair.assert_shut_down(pair.has(Step::Shutdown) && pair.has(Step::Room));
            pair.assert("lost", false);
        }
        pair.transport.pause_reading(); // nothing to pause after the end
        pair.transport.resume_reading();
        pair.assert_ends().await;
        pair.assert("eof", true);
    }
}

#[coro::test]
async fn a_close_sends_all_and_lingers_until_the_other_end_ends() {
    for paused in [false, true] {
        for order in orders(&[Step::Eof, Step::Close, Step::Room, Step::Byte]) {
            if order.iter().position(|step| *step == Step::Eof)
                < order.iter().position(|step| *step == Step::Byte)
            {
                continue; // no byte comes after the end
            }
            let mut pair = Pair::new(keep_open).await;
            if paused {
                pair.transport.pause_reading();
            }
            for step in order {
                pair.take(step).await;
                let is_told = |step| !paused && pair.is_before(step, Step::Close);
                pair.assert("eof", is_told(Step::Eof) && pair.has(Step::Eof));
                pair.assert("data", is_told(Step::Byte) && pair.has(Step::Byte));
                let is_sent = pair.has(Step::Close) && pair.has(Step::Room);
                pair.assert_shut_down(is_sent);
                pair.assert("lost", is_sent && pair.has(Step::Eof));
            }
            pair.assert_ends().await;
        }
    }
}

#[coro::test]
async fn a_close_lingers_no_longer_than_the_other_end_is_silent() {
    let mut pair = Pair::new(keep_open).await;
    for step in [Step::Room, Step::Close, Step::Byte] {
        pair.take(step).await;
    }
    pair.assert_shut_down(true);
    pair.assert("lost", false);
    pair.transport.resume_reading(); // it discards, paused or not
    pair.assert_ends().await;
    pair.assert("data", false);
}

#[coro::test]
async fn an_abort_waits_for_neither_half() {
    for order in orders(&[Step::Eof, Step::Shutdown, Step::Room, Step::Abort]) {
        let mut pair = Pair::new(keep_open).await;
        for step in order {
            pair.take(step).await;
            pair.assert(
                "eof",
                pair.has(Step::Eof) && pair.is_before(Step::Eof, Step::Abort),
            );
            pair.assert("lost", pair.has(Step::Abort));
            let is_sent = [Step::Shutdown, Step::Room]
                .iter()
                .all(|step| pair.has(*step) && pair.is_before(*step, Step::Abort));
            pair.assert_shut_down(is_sent);
        }
        pair.assert_ends().await;
    }
}

#[coro::test]
async fn an_abort_cuts_a_close_short() {
    for order in orders(&[Step::Eof, Step::Close, Step::Abort]) {
        let mut pair = Pair::new(keep_open).await;
        for step in order {
            pair.take(step).await;
            pair.assert("lost", pair.has(Step::Abort));
            pair.assert_shut_down(false); // not without the bytes before it
        }
        pair.assert_ends().await;
    }
}

#[coro::test]
async fn a_panic_ends_both_halves() {
    for panics_at in [Step::Byte, Step::Eof] {
        for order in orders(&[panics_at, Step::Shutdown, Step::Room]) {
            let reports = Reports::here();
            let mut pair = Pair::new(|callback, _| match callback {
                Callback::Data(_) | Callback::Eof => panic!("at the end of it"),
                _ => true,
            })
            .await;
            for step in order {
                let was_lost = pair.has(panics_at);
                let was_sent = pair.wire.written();
                pair.take(step).await;
                pair.assert("lost: Other", pair.has(panics_at));
                if was_lost {
                    assert_eq!(pair.wire.written(), was_sent, "after {:?}", pair.done);
                }
            }
            assert_eq!(pair.log.count("lost"), 1);
            reports.assert_taken([(ReportKind::ProtocolPanicked, "at the end of it")]);
        }
    }
}
