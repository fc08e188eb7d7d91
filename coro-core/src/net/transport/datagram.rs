//! Datagrams by callbacks.

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::VecDeque;
use std::fmt;
use std::future::{Future, poll_fn};
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker, ready};

use super::protocol_cell::{Host, Limits, ProtocolCell, notify_lost, notify_lost_soon};
use crate::event_loop::LoopHandle;
use crate::net::UdpSocket;

/// One step receives at most so many datagrams, so that a busy endpoint cannot keep others waiting.
const DATAGRAMS_A_STEP: u32 = 32;

/// What a datagram that waits counts beside its bytes, so that many short ones are not for nothing.
const OVERHEAD: usize = 8;

/// What a program does with datagrams, as callbacks: the counterpart of `asyncio.DatagramProtocol`.
///
/// [`connection_made`](Self::connection_made) is called first, once, and
/// [`connection_lost`](Self::connection_lost) last, exactly once. For what may be called from
/// within, and for panics, see [`Protocol`](super::Protocol).
///
/// ```
/// use std::net::SocketAddr;
/// use coro::net::{DatagramProtocol, DatagramTransport, UdpSocket, create_datagram_endpoint};
///
/// #[derive(Default)]
/// struct Echo(Option<DatagramTransport>);
///
/// impl DatagramProtocol for Echo {
///     fn connection_made(&mut self, transport: &DatagramTransport) {
///         self.0 = Some(transport.clone());
///     }
///
///     fn datagram_received(&mut self, data: &[u8], from: SocketAddr) {
///         if let Some(transport) = &self.0 {
///             transport.send_to(data, Some(from));
///         }
///     }
/// }
///
/// coro::run(async {
///     let server = create_datagram_endpoint(Echo::default, UdpSocket::bind("127.0.0.1:0")?).await;
///     let client = UdpSocket::bind("127.0.0.1:0")?;
///     client.send_to(b"hello", server.local_addr()?).await?;
///     let mut answer = [0; 5];
///     client.recv_from(&mut answer).await?;
///     assert_eq!(&answer, b"hello");
///     std::io::Result::Ok(())
/// })
/// # .unwrap();
/// ```
pub trait DatagramProtocol: 'static {
    /// The endpoint is there. Keep a clone of the transport to send by it.
    fn connection_made(&mut self, transport: &DatagramTransport) {
        let _ = transport;
    }

    /// A datagram has come, perhaps an empty one. It is in a buffer that the loop reuses.
    fn datagram_received(&mut self, data: &[u8], from: SocketAddr);

    /// Sending or receiving has failed, as when an earlier datagram was refused. The endpoint goes
    /// on.
    fn error_received(&mut self, error: io::Error) {
        let _ = error;
    }

    /// The endpoint is closed: the last call. With an error if the protocol panicked.
    fn connection_lost(&mut self, error: Option<io::Error>) {
        let _ = error;
    }

    /// As [`Protocol::pause_writing`](super::Protocol::pause_writing).
    fn pause_writing(&mut self) {}

    /// As [`Protocol::resume_writing`](super::Protocol::resume_writing).
    fn resume_writing(&mut self) {}
}

/// Has the protocol that `factory` makes told of the datagrams that come to a socket. The
/// counterpart of `loop.create_datagram_endpoint`.
///
/// A socket that is [connected](UdpSocket::connect) sends to that address, and hears of its
/// refusals. `connection_made` has been called when this is done.
///
/// # Panics
///
/// When polled outside of a loop, and if `factory` does.
pub async fn create_datagram_endpoint<P: DatagramProtocol>(
    factory: impl FnOnce() -> P,
    socket: UdpSocket,
) -> DatagramTransport {
    let of = LoopHandle::current();
    let endpoint = Rc::new(Endpoint {
        of: of.clone(),
        is_connected: socket.peer_addr().is_ok(),
        socket: RefCell::new(Some(Rc::new(socket))),
        protocol: ProtocolCell::new(Box::new(factory())),
        waker: OnceCell::new(),
        out: RefCell::default(),
        waiting: Cell::new(0),
        errors: RefCell::default(),
        phase: Cell::new(Phase::Open),
        error: Cell::new(None),
    });
    drop(of.spawn(Driver(endpoint.clone())));
    poll_fn(|cx| match endpoint.waker.get() {
        Some(_) => Poll::Ready(()),
        None => {
            cx.waker().wake_by_ref(); // the driver stands in the queue before us
            Poll::Pending
        }
    })
    .await;
    DatagramTransport(endpoint)
}

/// An endpoint as its [`DatagramProtocol`] sees it: the counterpart of
/// `asyncio.DatagramTransport`.
///
/// A handle: clones are of the same endpoint, which belongs to the loop, and is open until it is
/// closed or the loop ends, whether or not there are handles.
#[derive(Clone)]
pub struct DatagramTransport(Rc<Endpoint>);

struct Endpoint {
    of: LoopHandle,
    is_connected: bool,
    /// Away for good once it is closed.
    socket: RefCell<Option<Rc<UdpSocket>>>,
    protocol: ProtocolCell<dyn DatagramProtocol>,
    /// Of the driver, once that has begun.
    waker: OnceCell<Waker>,
    out: RefCell<VecDeque<(Vec<u8>, Option<SocketAddr>)>>,
    /// How much is in `out`, with overhead.
    waiting: Cell<usize>,
    /// Those that the protocol is still to be told of.
    errors: RefCell<VecDeque<io::Error>>,
    phase: Cell<Phase>,
    /// The one that ended it.
    error: Cell<Option<io::Error>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    Open,
    /// What was sent still goes out, and nothing is received.
    Closing,
    Broken,
    Lost,
}

impl DatagramTransport {
    /// Sends a datagram, which may be empty: at once, or when there is room. Without an address it
    /// goes to the one that the socket is connected to.
    ///
    /// It never waits. How many bytes wait to be sent is given, each datagram counting 8 more; see
    /// [`set_write_buffer_limits`](Self::set_write_buffer_limits). Errors go to
    /// [`error_received`](DatagramProtocol::error_received). After the end it does nothing.
    ///
    /// # Panics
    ///
    /// If there is no address and the socket is not connected, or the other way round.
    pub fn send_to(&self, data: &[u8], to: Option<SocketAddr>) -> usize {
        let endpoint = &self.0;
        assert!(
            endpoint.is_connected != to.is_some(),
            "an endpoint sends either to the address it is connected to, without naming one, or to \
             the one that each call names"
        );
        if endpoint.phase.get() == Phase::Open && !endpoint.try_now(data, to) {
            endpoint.out.borrow_mut().push_back((data.to_vec(), to));
            endpoint.count(|waiting| waiting + data.len() + OVERHEAD);
            endpoint.wake();
        }
        endpoint.waiting.get()
    }

    /// Sends what waits, then closes the endpoint. Nothing more is received.
    pub fn close(&self) {
        if self.0.phase.get() == Phase::Open {
            self.0.phase.set(Phase::Closing);
            self.0.wake();
        }
    }

    /// Closes the endpoint without sending what waits.
    pub fn abort(&self) {
        self.0.abort();
    }

    /// Whether the endpoint is closed, or about to be.
    pub fn is_closing(&self) -> bool {
        self.0.phase.get() != Phase::Open
    }

    /// As [`Transport::set_write_buffer_limits`](super::Transport::set_write_buffer_limits).
    ///
    /// # Panics
    ///
    /// If `low` is above `high`.
    pub fn set_write_buffer_limits(&self, high: Option<usize>, low: Option<usize>) {
        self.0.protocol.set_limits(Limits::new(high, low));
        self.0.count(|waiting| waiting);
    }

    /// The limits as `(low, high)`.
    pub fn get_write_buffer_limits(&self) -> (usize, usize) {
        let limits = self.0.protocol.limits();
        (limits.low, limits.high)
    }

    /// How many bytes wait to be sent, each datagram counting 8 more.
    pub fn get_write_buffer_size(&self) -> usize {
        self.0.waiting.get()
    }

    /// The address of this end.
    ///
    /// # Errors
    ///
    /// If the endpoint is closed.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.with_socket(UdpSocket::local_addr)
            .unwrap_or_else(|| Err(io::ErrorKind::NotConnected.into()))
    }

    /// Calls `f` with the socket, for its options, unless it is closed.
    pub fn with_socket<T>(&self, f: impl FnOnce(&UdpSocket) -> T) -> Option<T> {
        self.0.socket().map(|socket| f(&socket))
    }
}

impl fmt::Debug for DatagramTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DatagramTransport")
            .field("closing", &self.is_closing())
            .field("to_write", &self.get_write_buffer_size())
            .finish()
    }
}

impl Host for Endpoint {
    fn of(&self) -> &LoopHandle {
        &self.of
    }

    fn fail(&self, error: io::Error) {
        if !matches!(self.phase.get(), Phase::Broken | Phase::Lost) {
            self.error.set(Some(error));
            self.abort();
        }
    }
}

impl Endpoint {
    fn socket(&self) -> Option<Rc<UdpSocket>> {
        self.socket.borrow().clone()
    }

    fn wake(&self) {
        if let Some(waker) = self.waker.get() {
            waker.wake_by_ref();
        }
    }

    fn abort(&self) {
        if !matches!(self.phase.get(), Phase::Broken | Phase::Lost) {
            self.phase.set(Phase::Broken);
            self.waiting.set(0);
            drop(self.out.take());
            self.wake();
        }
    }

    /// How much waits has changed.
    fn count(&self, change: impl FnOnce(usize) -> usize) {
        self.waiting.set(change(self.waiting.get()));
        self.protocol.note_waiting(self, self.waiting.get());
    }

    /// Whether a datagram was sent, or has failed, without waiting.
    fn try_now(&self, data: &[u8], to: Option<SocketAddr>) -> bool {
        let Some(socket) = self.socket().filter(|_| self.out.borrow().is_empty()) else {
            return false;
        };
        let sent = match to {
            Some(to) => socket.try_send_to(data, to),
            None => socket.try_send(data),
        };
        match sent {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return false,
            Err(error) => {
                self.errors.borrow_mut().push_back(error);
                self.wake();
            }
            Ok(_) => {}
        }
        true
    }

    /// Calls `connection_made`, from the driver's first step.
    fn begin(self: &Rc<Self>, waker: &Waker) {
        let _ = self.waker.set(waker.clone());
        let transport = DatagramTransport(self.clone());
        let made = |protocol: &mut dyn DatagramProtocol| protocol.connection_made(&transport);
        self.protocol.call(self.as_ref(), made);
    }

    fn say_errors(&self) {
        let next = || self.errors.borrow_mut().pop_front();
        while let Some(error) = next() {
            self.protocol
                .call(self, |protocol| protocol.error_received(error));
        }
    }

    fn receive(&self, cx: &mut Context<'_>) {
        for _ in 0..DATAGRAMS_A_STEP {
            let Some(socket) = self.socket().filter(|_| self.phase.get() == Phase::Open) else {
                return;
            };
            let received = self.protocol.call(self, |protocol| {
                let mut buffer = self.of.lend_buffer();
                match ready!(socket.poll_recv_from(cx, &mut buffer)) {
                    Ok((len, from)) => protocol.datagram_received(&buffer[..len], from),
                    Err(error) => protocol.error_received(error),
                }
                Poll::Ready(())
            });
            if received != Some(Poll::Ready(())) {
                return;
            }
        }
        cx.waker().wake_by_ref();
    }

    /// Sends what waits, as many datagrams as go.
    fn flush(&self, cx: &mut Context<'_>) {
        let mut sent = 0;
        while let Some((data, to)) = self.take_first() {
            let Some(socket) = self.socket() else { return };
            match socket.poll_send(cx, &data, to) {
                Poll::Pending => {
                    self.out.borrow_mut().push_front((data, to));
                    break;
                }
                Poll::Ready(Err(error)) => self.errors.borrow_mut().push_back(error),
                Poll::Ready(Ok(_)) => {}
            }
            sent += data.len() + OVERHEAD;
        }
        if sent > 0 {
            self.count(|waiting| waiting - sent);
        }
        self.say_errors();
    }

    fn take_first(&self) -> Option<(Vec<u8>, Option<SocketAddr>)> {
        self.out.borrow_mut().pop_front()
    }

    fn is_over(&self) -> bool {
        match self.phase.get() {
            Phase::Open => false,
            Phase::Closing => self.out.borrow().is_empty(),
            Phase::Broken | Phase::Lost => true,
        }
    }

    /// Calls `connection_lost`, then closes the socket.
    fn lose(&self) {
        self.phase.set(Phase::Lost);
        let error = self.error.take();
        if let Some(protocol) = self.protocol.take() {
            notify_lost(&self.of, protocol, error);
        }
        drop(self.socket.take());
    }

    /// The driver is dropped as its loop ends, before the endpoint was closed.
    fn cut(&self) {
        if self.phase.replace(Phase::Lost) == Phase::Lost {
            return;
        }
        drop(self.out.take());
        drop(self.socket.take());
        notify_lost_soon(&self.of, self.protocol.take(), self.error.take());
    }
}

/// What moves an endpoint on: the future of its task.
struct Driver(Rc<Endpoint>);

impl Future for Driver {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let endpoint = &self.0;
        if endpoint.waker.get().is_none() {
            endpoint.begin(cx.waker());
        }
        endpoint.receive(cx);
        endpoint.flush(cx);
        if !endpoint.is_over() {
            return Poll::Pending;
        }
        endpoint.lose();
        Poll::Ready(())
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        self.0.cut();
    }
}
