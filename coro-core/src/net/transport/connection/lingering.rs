//! The lingering of a connection: bytes that still come are dropped, as the last part of a close.

use std::io;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use super::Connection;
use super::reading::READS_PER_STEP;
use crate::callbacks::CallbackTransport;
use crate::wait::until::Until;

/// How long the other end may go on sending.
const LIMIT: Duration = Duration::from_secs(30);

/// How long the other end may be silent.
const SILENCE: Duration = Duration::from_secs(5);

/// Waits for the end of the other end of a connection whose writing half is shut down.
///
/// The system resets a connection that is closed with bytes unread, or for which bytes come
/// afterwards. A reset drops the bytes that were written and not yet sent, and makes the other end
/// drop the bytes that it has not read yet.
#[derive(Default)]
pub(super) struct Lingering {
    /// None until the first poll.
    times: Option<Times>,
    timer: Option<Until>,
}

#[derive(Clone, Copy)]
struct Times {
    /// When bytes came last.
    heard: Instant,
    deadline: Instant,
}

impl Lingering {
    /// Ready once the other end has ended, or is waited for no longer. Fails the connection if the
    /// other end has reset it, or still sends at the deadline.
    #[inline]
    pub(super) fn poll(&mut self, connection: &Connection, cx: &mut Context<'_>) -> Poll<()> {
        let heard = match discard(connection, cx) {
            Discarded::Eof => {
                connection.on_eof();
                return Poll::Ready(());
            }
            Discarded::Error(error) => {
                connection.fail(error);
                return Poll::Ready(());
            }
            Discarded::Nothing => false,
            Discarded::Some => true,
        };
        let now = connection.life.of().time();
        let times = self.times.get_or_insert(Times {
            heard: now,
            deadline: now + LIMIT,
        });
        if heard {
            times.heard = now;
        }
        let times = *times;
        if now >= times.deadline {
            connection.fail(still_sending());
            return Poll::Ready(());
        }
        self.poll_silence(times, now, cx)
    }

    /// Ready once no byte has come for long enough. The timer is set once for a silence, and not
    /// each time that bytes come.
    #[inline]
    fn poll_silence(&mut self, times: Times, now: Instant, cx: &mut Context<'_>) -> Poll<()> {
        let over = times.heard + SILENCE;
        loop {
            if now >= over {
                return Poll::Ready(());
            }
            let until = || Until::At(over.min(times.deadline));
            let timer = self.timer.get_or_insert_with(until);
            if timer.poll(cx).is_pending() {
                return Poll::Pending;
            }
            self.timer = None;
        }
    }
}

enum Discarded {
    Nothing,
    Some,
    Eof,
    Error(io::Error),
}

/// Reads the bytes that are there, at most as often as a step may.
#[inline]
fn discard(connection: &Connection, cx: &mut Context<'_>) -> Discarded {
    let mut buffer = connection.life.of().lend_buffer();
    let mut discarded = Discarded::Nothing;
    for _ in 0..READS_PER_STEP {
        match connection.poll_read(cx, &mut buffer) {
            Poll::Pending => return discarded,
            Poll::Ready(Ok(0)) => return Discarded::Eof,
            Poll::Ready(Ok(_)) => discarded = Discarded::Some,
            Poll::Ready(Err(error)) => return eof_or_error(error),
        }
    }
    cx.waker().wake_by_ref();
    discarded
}

/// TLS that ends without close_notify may have been cut short. That says nothing of the bytes that
/// this end has sent, so it counts as an end.
#[inline]
fn eof_or_error(error: io::Error) -> Discarded {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => Discarded::Eof,
        _ => Discarded::Error(error),
    }
}

#[inline]
fn still_sending() -> io::Error {
    let text = format!(
        "the other end still sent {LIMIT:?} after the transport was closed, so that the connection \
         was cut: what was written last may not have arrived"
    );
    io::Error::new(io::ErrorKind::TimedOut, text)
}
