//! What moves a connection on: a task that waits for its stream.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use super::connection::Connection;
use super::lingering::Lingering;
use super::protocol_cell::Host;
use super::{BufferedProtocol, Protocol};

/// One step reads at most so often, and only once as much as the buffer takes, so that a busy
/// connection cannot keep others waiting.
pub(super) const READS_PER_STEP: u32 = 16;

/// How much a buffered protocol is asked to take at once.
const HINT: usize = 64 * 1024;

/// The future of a connection's task. The loop owns it, and with it the connection.
pub(super) struct Driver {
    connection: Rc<Connection>,
    lingering: Lingering,
}

impl Driver {
    pub(super) fn new(connection: Rc<Connection>) -> Self {
        Driver {
            connection,
            lingering: Lingering::default(),
        }
    }
}

impl Future for Driver {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let Driver {
            connection,
            lingering,
        } = &mut *self;
        if !connection.is_made() {
            connection.begin(cx.waker());
        }
        receive(connection, cx);
        connection.flush(cx);
        connection.close_if_forgotten();
        if !connection.is_over() {
            return Poll::Pending;
        }
        if connection.lingers() {
            ready!(lingering.poll(connection, cx));
        }
        connection.lose();
        Poll::Ready(())
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        self.connection.cut();
    }
}

/// What one read has brought.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Received {
    /// All there was, for now.
    Some,
    /// As much as the buffer takes: there may be more.
    Full,
    End,
}

fn receive(connection: &Connection, cx: &mut Context<'_>) {
    for _ in 0..READS_PER_STEP {
        if !connection.is_reading() {
            return;
        }
        let received = connection.call(|protocol| match protocol.buffered() {
            Some(protocol) => poll_buffered(connection, protocol, cx),
            None => poll_shared(connection, protocol, cx),
        });
        match received {
            None | Some(Poll::Pending) => return,
            Some(Poll::Ready(Err(error))) => return connection.fail(error),
            Some(Poll::Ready(Ok(Received::End))) => return connection.take_end(),
            Some(Poll::Ready(Ok(Received::Full))) => break,
            Some(Poll::Ready(Ok(Received::Some))) => {}
        }
    }
    cx.waker().wake_by_ref();
}

/// Receives into the buffer that the loop lends.
fn poll_shared(
    connection: &Connection,
    protocol: &mut dyn Protocol,
    cx: &mut Context<'_>,
) -> Poll<io::Result<Received>> {
    let mut buffer = connection.of().lend_buffer();
    let len = ready!(connection.poll_read(cx, &mut buffer))?;
    if len > 0 {
        protocol.data_received(&buffer[..len]);
    }
    Poll::Ready(Ok(Received::new(len, buffer.len())))
}

/// Receives into a buffer of the protocol's own.
fn poll_buffered(
    connection: &Connection,
    protocol: &mut dyn BufferedProtocol,
    cx: &mut Context<'_>,
) -> Poll<io::Result<Received>> {
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
    Poll::Ready(Ok(Received::new(len, room)))
}

impl Received {
    fn new(len: usize, room: usize) -> Self {
        match len {
            0 => Received::End,
            len if len < room => Received::Some,
            _ => Received::Full,
        }
    }
}
