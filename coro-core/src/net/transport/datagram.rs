//! Datagrams by callbacks: a protocol, its transport, and the endpoint of both.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use crate::callbacks::{CallbackTransport, Driver, Life, ProtocolCell, WriteLimits, callbacks_of};
use crate::event_loop::LoopHandle;
use crate::net::UdpSocket;

/// How many datagrams one step receives at most, so that a busy endpoint cannot keep others
/// waiting.
const DATAGRAMS_PER_STEP: u32 = 32;

/// How much a datagram that waits counts in addition to its bytes, so that many short ones count
/// too.
const OVERHEAD: usize = 8;

/// Callbacks for the datagrams of an endpoint: the counterpart of `asyncio.DatagramProtocol`.
///
/// [`connection_made`](Self::connection_made) is called first, once, and
/// [`connection_lost`](Self::connection_lost) last, exactly once. For calls from within, and
/// for panics, see [`Protocol`](super::Protocol).
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
    /// The endpoint is open. Keep a clone of the transport to send datagrams.
    fn connection_made(&mut self, transport: &DatagramTransport) {
        let _ = transport;
    }

    /// A datagram was received, perhaps an empty one. It is in a buffer that the loop reuses.
    fn datagram_received(&mut self, data: &[u8], from: SocketAddr);

    /// Sending or receiving has failed, as when an earlier datagram was refused. The endpoint stays
    /// open.
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

/// Makes a protocol by `factory`, and calls it with the datagrams that a socket receives. The
/// counterpart of `loop.create_datagram_endpoint`.
///
/// A socket that is [connected](UdpSocket::connect) sends to that address, and receives its
/// refusals as errors. `connection_made` has been called when this is done.
///
/// ```
/// use std::net::SocketAddr;
///
/// use coro::net::{DatagramProtocol, UdpSocket, create_datagram_endpoint};
/// use coro::sync::channel::{self, Sender};
///
/// struct Forward(Sender<Vec<u8>>);
///
/// impl DatagramProtocol for Forward {
///     fn datagram_received(&mut self, data: &[u8], _from: SocketAddr) {
///         let _ = self.0.try_send(data.to_vec());
///     }
/// }
///
/// coro::run(async {
///     let (sender, mut received) = channel::unbounded();
///     let socket = UdpSocket::bind("127.0.0.1:0")?;
///     let endpoint = create_datagram_endpoint(|| Forward(sender), socket).await;
///     UdpSocket::bind("127.0.0.1:0")?.send_to(b"hello", endpoint.local_addr()?).await?;
///     assert_eq!(received.recv().await.unwrap(), b"hello");
///     std::io::Result::Ok(())
/// })
/// # .unwrap();
/// ```
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
        life: Life::new(of.clone()),
        is_connected: socket.peer_addr().is_ok(),
        socket: RefCell::new(Some(Rc::new(socket))),
        protocol: ProtocolCell::new(Box::new(factory())),
        out: RefCell::default(),
        waiting: Cell::new(0),
        errors: RefCell::default(),
    });
    drop(of.spawn(Driver::new(endpoint.clone(), begin)));
    endpoint.life.made().await;
    DatagramTransport(endpoint)
}

/// An endpoint as its [`DatagramProtocol`] sees it: the counterpart of
/// `asyncio.DatagramTransport`.
///
/// A handle: clones are of the same endpoint. It belongs to the loop, and is open until it is
/// closed or the loop ends, whether or not there are handles.
#[derive(Clone)]
pub struct DatagramTransport(Rc<Endpoint>);

struct Endpoint {
    life: Life,
    is_connected: bool,
    /// `None` once it is closed.
    socket: RefCell<Option<Rc<UdpSocket>>>,
    protocol: ProtocolCell<dyn DatagramProtocol>,
    out: RefCell<VecDeque<(Vec<u8>, Option<SocketAddr>)>>,
    /// How many bytes are in `out`, with overhead.
    waiting: Cell<usize>,
    /// Errors that the protocol is still to be told of.
    errors: RefCell<VecDeque<io::Error>>,
}

callbacks_of!(dyn DatagramProtocol);

impl DatagramTransport {
    /// Sends a datagram, which may be empty: at once, or when there is room. Without an address it
    /// goes to the address that the socket is connected to.
    ///
    /// It never waits. It gives how many bytes wait to be sent, each datagram counting 8 more; see
    /// [`set_write_buffer_limits`](Self::set_write_buffer_limits). Errors go to
    /// [`error_received`](DatagramProtocol::error_received). Datagrams that are sent when the
    /// endpoint is closing are ignored; a program that goes on doing so is reported to the loop's
    /// exception handler.
    ///
    /// # Panics
    ///
    /// If there is no address and the socket is not connected, or the other way round.
    #[inline]
    pub fn send_to(&self, data: &[u8], to: Option<SocketAddr>) -> usize {
        let endpoint = &self.0;
        assert!(
            endpoint.is_connected != to.is_some(),
            "an endpoint sends either to the address it is connected to, without naming one, or to \
             the one that each call names"
        );
        if endpoint.life.is_closing() {
            endpoint.life.ignore_write();
        } else if !endpoint.try_now(data, to) {
            endpoint.out.borrow_mut().push_back((data.to_vec(), to));
            endpoint.count(|waiting| waiting + data.len() + OVERHEAD);
            endpoint.life.wake();
        }
        endpoint.waiting.get()
    }

    /// Sends the datagrams that wait, then closes the endpoint. Nothing more is received.
    #[inline]
    pub fn close(&self) {
        if self.0.life.close() {
            self.0.life.wake();
        }
    }

    /// Closes the endpoint without sending the datagrams that wait. Errors that the protocol was
    /// not told of yet are dropped.
    #[inline]
    pub fn abort(&self) {
        self.0.abort();
    }

    /// Whether the endpoint is closed, or about to be.
    #[inline]
    pub fn is_closing(&self) -> bool {
        self.0.life.is_closing()
    }

    /// As [`Transport::set_write_buffer_limits`](super::Transport::set_write_buffer_limits).
    ///
    /// # Panics
    ///
    /// If `low` is above `high`.
    #[inline]
    pub fn set_write_buffer_limits(&self, high: Option<usize>, low: Option<usize>) {
        self.0.set_limits(WriteLimits::new(high, low));
    }

    /// The limits as `(low, high)`.
    #[inline]
    pub fn get_write_buffer_limits(&self) -> (usize, usize) {
        self.0.limits().get()
    }

    /// How many bytes wait to be sent, each datagram counting 8 more.
    #[inline]
    pub fn get_write_buffer_size(&self) -> usize {
        self.0.waiting.get()
    }

    /// The address of this end.
    ///
    /// # Errors
    ///
    /// If the endpoint is closed.
    #[inline]
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
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DatagramTransport")
            .field("closing", &self.is_closing())
            .field("to_write", &self.get_write_buffer_size())
            .finish()
    }
}

impl CallbackTransport for Endpoint {
    type Protocol = dyn DatagramProtocol;

    #[inline]
    fn life(&self) -> &Life {
        &self.life
    }

    #[inline]
    fn protocol(&self) -> &ProtocolCell<dyn DatagramProtocol> {
        &self.protocol
    }

    #[inline]
    fn buffered(&self) -> usize {
        self.waiting.get()
    }

    #[inline]
    fn poll_step(&self, cx: &mut Context<'_>) -> Poll<()> {
        self.receive(cx);
        self.flush(cx);
        match self.life.is_broken() || (self.life.is_closing() && self.out.borrow().is_empty()) {
            true => Poll::Ready(()),
            false => Poll::Pending,
        }
    }

    #[inline]
    fn discard(&self) {
        self.waiting.set(0);
        drop(self.out.take());
    }

    #[inline]
    fn release(&self) {
        drop(self.socket.take());
    }
}

/// Calls `connection_made`, from the driver's first step.
#[inline]
fn begin(endpoint: &Rc<Endpoint>) {
    let transport = DatagramTransport(endpoint.clone());
    endpoint.call(|protocol| protocol.connection_made(&transport));
}

impl Endpoint {
    #[inline]
    fn socket(&self) -> Option<Rc<UdpSocket>> {
        self.socket.borrow().clone()
    }

    /// Changes the number of bytes that wait.
    fn count(&self, change: impl FnOnce(usize) -> usize) {
        self.waiting.set(change(self.waiting.get()));
        self.note_waiting();
    }

    /// Whether a datagram was sent, or has failed, without waiting.
    #[inline]
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
                self.life.wake();
            }
            Ok(_) => {}
        }
        true
    }

    /// Tells the protocol of the errors, unless it has panicked meanwhile.
    #[inline]
    fn notify_errors(&self) {
        let next = || self.errors.borrow_mut().pop_front();
        while let Some(error) = next().filter(|_| !self.life.is_broken()) {
            self.call(|protocol| protocol.error_received(error));
        }
    }

    #[inline]
    fn receive(&self, cx: &mut Context<'_>) {
        for _ in 0..DATAGRAMS_PER_STEP {
            let Some(socket) = self.socket().filter(|_| self.life.is_open()) else {
                return;
            };
            let received = self.call(|protocol| {
                let mut buffer = self.life.of().lend_buffer();
                match ready!(socket.poll_recv_while_open(cx, &mut buffer)) {
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

    /// Sends the datagrams that wait, as many as the system takes.
    #[inline]
    fn flush(&self, cx: &mut Context<'_>) {
        let mut sent = 0;
        while let Some((data, to)) = self.take_first() {
            let Some(socket) = self.socket() else { return };
            let polled = match to {
                Some(to) => socket.poll_send_to(cx, &data, to),
                None => socket.poll_send(cx, &data),
            };
            match polled {
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
        self.notify_errors();
    }

    #[inline]
    fn take_first(&self) -> Option<(Vec<u8>, Option<SocketAddr>)> {
        self.out.borrow_mut().pop_front()
    }
}
