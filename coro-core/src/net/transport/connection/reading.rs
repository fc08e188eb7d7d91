//! The reading half of a connection.

use std::io;
use std::task::{Context, Poll, ready};

use super::{Connection, change};
use crate::callbacks::CallbackTransport;
use crate::net::{BufferedProtocol, Protocol};

/// How often one step reads at most, so that a busy connection cannot keep others waiting. A read
/// that fills the buffer ends the step.
pub(super) const READS_PER_STEP: u32 = 16;

/// How many bytes a buffered protocol is asked to take at once.
const HINT: usize = 64 * 1024;

/// The direction from the other end to this one; see the diagram of [`super`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ReadingHalf {
    /// The protocol is given the bytes that come.
    Open,
    /// The bytes that come wait in the system.
    Paused,
    /// The connection ends: the bytes that come are dropped.
    Discarding,
    /// The other end has ended its direction.
    Eof,
}

/// The duty after reading was resumed.
#[must_use]
#[derive(Debug, PartialEq, Eq)]
pub(super) enum OnResume {
    /// The driver reads again.
    Wake,
    Nothing,
}

/// The duty after the end of the other end.
#[must_use]
#[derive(Debug, PartialEq, Eq)]
pub(super) enum OnEof {
    /// `eof_received` is called, and decides about the other direction.
    Notify,
    /// The connection is ending: the protocol is not told.
    Nothing,
}

impl ReadingHalf {
    #[inline]
    pub(super) fn pause(&mut self) {
        if *self == ReadingHalf::Open {
            *self = ReadingHalf::Paused;
        }
    }

    #[inline]
    pub(super) fn resume(&mut self) -> OnResume {
        match self {
            ReadingHalf::Paused => {
                *self = ReadingHalf::Open;
                OnResume::Wake
            }
            _ => OnResume::Nothing,
        }
    }

    /// The protocol is given nothing any more, as the connection ends.
    #[inline]
    pub(super) fn stop(&mut self) {
        if *self != ReadingHalf::Eof {
            *self = ReadingHalf::Discarding;
        }
    }

    #[inline]
    pub(super) fn on_eof(&mut self) -> OnEof {
        match std::mem::replace(self, ReadingHalf::Eof) {
            ReadingHalf::Open | ReadingHalf::Paused => OnEof::Notify,
            ReadingHalf::Discarding | ReadingHalf::Eof => OnEof::Nothing,
        }
    }
}

impl Connection {
    #[inline]
    pub(in super::super) fn is_reading(&self) -> bool {
        self.reading.get() == ReadingHalf::Open
    }

    #[inline]
    pub(in super::super) fn pause_reading(&self) {
        change(&self.reading, ReadingHalf::pause);
    }

    #[inline]
    pub(in super::super) fn resume_reading(&self) {
        match change(&self.reading, ReadingHalf::resume) {
            OnResume::Wake => self.life.wake(),
            OnResume::Nothing => {}
        }
    }

    /// Whether the end of the other end was read.
    #[inline]
    pub(in super::super) fn has_read_eof(&self) -> bool {
        self.reading.get() == ReadingHalf::Eof
    }

    /// Reads once. The waker of `cx` is woken when there is something to read.
    #[inline]
    pub(in super::super) fn poll_read(
        &self,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        self.with_stream(|stream| stream.poll_read(cx, buffer))
    }

    /// The other end sends no more.
    #[inline]
    pub(in super::super) fn on_eof(&self) {
        match change(&self.reading, ReadingHalf::on_eof) {
            OnEof::Notify => {
                if self.call(|protocol| protocol.eof_received()) == Some(false) {
                    self.close();
                }
            }
            OnEof::Nothing => {}
        }
    }

    /// Gives the protocol the bytes that have come, as many as one step may read.
    #[inline]
    pub(super) fn receive(&self, cx: &mut Context<'_>) {
        for _ in 0..READS_PER_STEP {
            if !self.is_reading() {
                return;
            }
            let read = self.call(|protocol| match protocol.buffered() {
                Some(protocol) => poll_buffered(self, protocol, cx),
                None => poll_shared(self, protocol, cx),
            });
            match read {
                None | Some(Poll::Pending) => return,
                Some(Poll::Ready(Err(error))) => return self.fail(error),
                Some(Poll::Ready(Ok(ReadOutcome::Eof))) => return self.on_eof(),
                Some(Poll::Ready(Ok(ReadOutcome::Full))) => break,
                Some(Poll::Ready(Ok(ReadOutcome::Some))) => {}
            }
        }
        cx.waker().wake_by_ref();
    }
}

/// The outcome of one read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum ReadOutcome {
    /// All the bytes that were there.
    Some,
    /// As many bytes as the buffer takes: there may be more.
    Full,
    Eof,
}

/// Receives into the buffer that the loop lends.
#[inline]
fn poll_shared(
    connection: &Connection,
    protocol: &mut dyn Protocol,
    cx: &mut Context<'_>,
) -> Poll<io::Result<ReadOutcome>> {
    let mut buffer = connection.life.of().lend_buffer();
    let len = ready!(connection.poll_read(cx, &mut buffer))?;
    if len > 0 {
        protocol.data_received(&buffer[..len]);
    }
    Poll::Ready(Ok(ReadOutcome::new(len, buffer.len())))
}

/// Receives into a buffer of the protocol's own.
#[inline]
fn poll_buffered(
    connection: &Connection,
    protocol: &mut dyn BufferedProtocol,
    cx: &mut Context<'_>,
) -> Poll<io::Result<ReadOutcome>> {
    let buffer = protocol.get_buffer(HINT);
    let room = buffer.len();
    if room == 0 {
        return Poll::Ready(Err(io::Error::other(
            "get_buffer() gave a buffer of no length: pause reading before there is no room",
        )));
    }
    let len = ready!(connection.poll_read(cx, buffer))?;
    if len > 0 {
        protocol.buffer_updated(len);
    }
    Poll::Ready(Ok(ReadOutcome::new(len, room)))
}

impl ReadOutcome {
    #[inline]
    fn new(len: usize, room: usize) -> Self {
        match len {
            0 => ReadOutcome::Eof,
            len if len < room => ReadOutcome::Some,
            _ => ReadOutcome::Full,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [ReadingHalf; 4] = [
        ReadingHalf::Open,
        ReadingHalf::Paused,
        ReadingHalf::Discarding,
        ReadingHalf::Eof,
    ];

    /// The states after a transition from each state, with the duties.
    fn after<D>(transition: impl Fn(&mut ReadingHalf) -> D) -> [(ReadingHalf, D); 4] {
        ALL.map(|mut half| {
            let duty = transition(&mut half);
            (half, duty)
        })
    }

    #[test]
    fn only_an_open_half_pauses_and_only_a_paused_one_resumes() {
        use ReadingHalf::*;
        let paused = after(ReadingHalf::pause).map(|it| it.0);
        assert_eq!(paused, [Paused, Paused, Discarding, Eof]);
        let resumed = [
            (Open, OnResume::Nothing),
            (Open, OnResume::Wake),
            (Discarding, OnResume::Nothing),
            (Eof, OnResume::Nothing),
        ];
        assert_eq!(after(ReadingHalf::resume), resumed);
    }

    #[test]
    fn the_end_is_told_unless_the_connection_is_ending_and_once() {
        use ReadingHalf::*;
        let stopped = after(ReadingHalf::stop).map(|it| it.0);
        assert_eq!(stopped, [Discarding, Discarding, Discarding, Eof]);
        let ended = [
            (Eof, OnEof::Notify),
            (Eof, OnEof::Notify),
            (Eof, OnEof::Nothing),
            (Eof, OnEof::Nothing),
        ];
        assert_eq!(after(ReadingHalf::on_eof), ended);
    }
}
