//! What was written before an orderly close arrives whole.

use std::cell::{Cell, RefCell};
use std::io::{self, Read};
use std::net;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use coro::net::{Protocol, TcpListener, TcpStream, Transport, close_in_order, create_server};
use coro::sync::oneshot;
use coro::{LoopHandle, gather, sleep, spawn};
use futures::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use socket2::SockRef;

use crate::support::{is_simulated, ms};
use crate::transport::{Callback, Log, MUCH, Spy, keep_open, nothing, spied};

/// How the sender uses its stream.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Way {
    Stream,
    Transport,
}

pub(crate) const WAYS: [Way; 2] = [Way::Stream, Way::Transport];

/// The sizes that are sent, and how often each; the environment may want them more often, as by
/// "200,20".
pub(crate) fn sizes(small: usize, large: usize) -> Vec<(usize, usize)> {
    let wanted = std::env::var("CORO_ORDERLY_CLOSES").unwrap_or_default();
    let mut wanted = wanted.split(',').map(|times| times.parse().ok());
    let mut times = |usual| wanted.next().flatten().unwrap_or(usual);
    let (small, large) = (times(small), times(large));
    let kib = if is_simulated() { 64 } else { 1024 }; // of a seed among many
    vec![(1, small), (kib * 1024, small), (kib * 16 * 1024, large)]
}

/// All of one size have arrived.
pub(crate) fn arrived(len: usize, times: usize) {
    println!("{len} bytes arrived {times} of {times} times each way");
}

/// Bytes that are not alike at any two places that could be mistaken for one another.
pub(crate) fn payload(len: usize) -> Vec<u8> {
    (0..len).map(|n| (n ^ (n >> 8) ^ (n >> 16)) as u8).collect()
}

/// Writes all of it and closes at once, and then has nothing more to do with the stream.
pub(crate) async fn send<S>(way: Way, mut stream: S, data: &[u8]) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin + 'static,
{
    match way {
        Way::Stream => {
            stream.write_all(data).await?;
            stream.close().await
        }
        Way::Transport => {
            let (protocol, lost) = Sender::of(data);
            drop(Transport::new(stream, protocol));
            lost.await.expect("connection_lost is called")
        }
    }
}

/// Writes and closes as soon as it may.
pub(crate) struct Sender {
    data: Vec<u8>,
    lost: Option<oneshot::Sender<io::Result<()>>>,
}

impl Sender {
    pub(crate) fn of(data: &[u8]) -> (Self, oneshot::Receiver<io::Result<()>>) {
        let (lost, told) = oneshot::channel();
        let sender = Sender {
            data: data.to_vec(),
            lost: Some(lost),
        };
        (sender, told)
    }
}

impl Protocol for Sender {
    fn connection_made(&mut self, transport: &Transport) {
        transport.write(&self.data);
        transport.close();
    }

    fn data_received(&mut self, _: &[u8]) {
        panic!("it was closed before any data came");
    }

    fn connection_lost(&mut self, error: Option<io::Error>) {
        let _ = self.lost.take().unwrap().send(error.map_or(Ok(()), Err));
    }
}

/// Reads to the end, and checks that it is all of it.
pub(crate) async fn receive(mut stream: impl AsyncRead + Unpin, data: &[u8]) -> io::Result<()> {
    let mut buffer = vec![0; 64 * 1024];
    let mut len = 0;
    loop {
        match stream.read(&mut buffer).await? {
            0 => break,
            read => {
                assert!(buffer[..read] == data[len..len + read]);
                len += read;
            }
        }
    }
    assert_eq!(len, data.len());
    Ok(())
}

async fn tcp_pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (client, server) = gather((TcpStream::connect(address), listener.accept())).await;
    (client.unwrap(), server.unwrap().0)
}

/// From one end to the other, which says a little before it reads: the sender does not read that.
async fn through<S>(way: Way, (from, mut to): (S, S), data: &[u8])
where
    S: AsyncRead + AsyncWrite + Unpin + 'static,
{
    let theirs = async {
        if matches!(way, Way::Transport) {
            to.write_all(&[1; 1000]).await?;
        }
        receive(to, data).await
    };
    let (sent, received) = gather((send(way, from, data), theirs)).await;
    received.unwrap();
    sent.unwrap();
}

#[coro::test(real)]
async fn all_that_was_written_arrives_over_tcp_from_either_side() {
    for (len, times) in sizes(20, 3) {
        let data = payload(len);
        for _ in 0..times {
            for way in WAYS {
                through(way, tcp_pair().await, &data).await;
                let (client, server) = tcp_pair().await;
                through(way, (server, client), &data).await;
            }
        }
        arrived(len, times);
    }
}

#[cfg(unix)]
#[coro::test(real)]
async fn all_that_was_written_arrives_over_unix_sockets() {
    use coro::net::UnixStream;
    for (len, times) in sizes(20, 3) {
        let data = payload(len);
        for _ in 0..times {
            for way in WAYS {
                through(way, UnixStream::pair().unwrap(), &data).await;
            }
        }
        arrived(len, times);
    }
}

/// The other end sends before it reads, while it reads, and afterwards.
async fn talk_and_receive(stream: TcpStream, data: &[u8]) {
    let talk = async {
        for _ in 0..100 {
            (&stream).write_all(&[1; 10_000]).await.unwrap();
            sleep(ms(1)).await;
        }
        (&stream).close().await.unwrap();
    };
    let ((), received) = gather((talk, receive(&stream, data))).await;
    received.unwrap();
}

#[coro::test(real)]
async fn a_transport_reads_on_while_the_other_end_sends() {
    let data = payload(1024 * 1024);
    let (from, to) = tcp_pair().await;
    let sent = send(Way::Transport, from, &data);
    gather((sent, talk_and_receive(to, &data))).await.0.unwrap();
}

#[coro::test(real)]
async fn a_stream_that_is_closed_in_order_reads_on_while_the_other_end_sends() {
    let data = payload(1024 * 1024);
    let (mut from, to) = tcp_pair().await;
    let sent = async {
        from.write_all(&data).await?;
        close_in_order(from, ms(60_000)).await
    };
    gather((sent, talk_and_receive(to, &data))).await.0.unwrap();
}

#[coro::test(real)]
async fn two_ends_that_both_close_do_not_wait_for_each_other() {
    let (one, other) = tcp_pair().await;
    let data = payload(1024 * 1024);
    let begun = LoopHandle::current().time();
    let ends = (
        send(Way::Transport, one, &data),
        send(Way::Transport, other, &data),
    );
    let (one, other) = gather(ends).await;
    one.unwrap();
    other.unwrap();
    let (one, other) = tcp_pair().await;
    let ends = (
        close_in_order(one, ms(60_000)),
        close_in_order(other, ms(60_000)),
    );
    let (one, other) = gather(ends).await;
    one.unwrap();
    other.unwrap();
    assert!(LoopHandle::current().time() - begun < ms(4_500));
}

#[coro::test(real)]
async fn what_is_dropped_of_a_busy_sender_keeps_nobody_waiting() {
    let (transport, log, mut peer) = spied(nothing).await;
    let busy = spawn(async move { while peer.write_all(&[1; 100_000]).await.is_ok() {} });
    transport.close();
    let mut ticks = 0;
    let begun = LoopHandle::current().time();
    while LoopHandle::current().time() - begun < ms(300) {
        sleep(ms(1)).await;
        ticks += 1;
    }
    assert!(ticks >= 3, "{ticks} of 300"); // of none, if it kept the loop
    log.assert(["made"]); // the other end still sends
    transport.abort();
    log.until_event("lost").await;
    log.assert(["made", "lost"]);
    busy.await.unwrap();
}

#[coro::test(real)]
async fn a_reset_after_all_was_sent_is_an_error() {
    let (transport, log, peer) = spied(nothing).await;
    transport.write(b"hello");
    transport.close();
    crate::support::turns(5).await;
    log.assert(["made"]);
    drop(peer); // with "hello" unread
    log.until_event("lost").await;
    log.assert(["made", "lost: ConnectionReset"]);

    let (mut from, to) = tcp_pair().await;
    from.write_all(b"hello").await.unwrap();
    let closing = spawn(close_in_order(from, ms(60_000)));
    sleep(ms(1)).await;
    drop(to);
    let error = closing.await.unwrap().unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
}

#[coro::test(real)]
async fn an_end_that_has_come_before_is_not_waited_for() {
    let (transport, log, peer) = spied(keep_open).await;
    peer.shutdown(net::Shutdown::Write).unwrap();
    log.until_event("eof").await;
    let begun = LoopHandle::current().time();
    transport.close();
    log.until_event("lost").await;
    assert!(LoopHandle::current().time() - begun < ms(4_500));
    log.assert(["made", "eof", "lost"]);
}

#[cfg(unix)]
#[coro::test(real)]
async fn a_pipe_that_is_only_read_from_is_closed_at_once() {
    let (reader, _writer) = io::pipe().unwrap();
    let log = Log::default();
    let spy = Spy::new(&log, nothing);
    let transport = coro::net::connect_read_pipe(|| spy, reader).await.unwrap();
    transport.close();
    let begun = LoopHandle::current().time();
    log.until_event("lost").await;
    assert!(LoopHandle::current().time() - begun < ms(4_500));
    log.assert(["made", "lost"]);
}

#[coro::test(real)]
async fn a_server_that_is_shut_down_gives_its_connections_time_to_end_in_order() {
    let data = payload(MUCH);
    let mine = data.clone();
    let log = Log::default();
    let noted = log.clone();
    let factory = move || {
        let mine = mine.clone();
        Spy::new(&noted, move |callback, transport| {
            if callback == Callback::Made {
                transport.write(&mine);
                transport.close();
            }
            false
        })
    };
    let server = create_server(factory, "127.0.0.1:0").unwrap();
    let mut client = net::TcpStream::connect(server.local_addr().unwrap()).unwrap();
    io::Write::write_all(&mut client, b"nobody reads this").unwrap();
    let reading = std::thread::spawn(move || {
        let mut received = Vec::new();
        client.read_to_end(&mut received).map(|_| received)
    });
    log.until_event("made").await;
    server.shutdown(Duration::from_secs(60)).await;
    assert_eq!(log.count("lost"), 1);
    assert_eq!(log.count("lost:"), 0);
    let received = crate::tcp::join(reading).await.unwrap();
    assert!(received == data);
}

/// A stream that takes all that is written, and on which something comes once a second, until it is
/// silent.
#[derive(Clone)]
struct Talker {
    seconds: Rc<Cell<u32>>,
    next: Rc<RefCell<Option<Pin<Box<coro::time::Sleep>>>>>,
    broken: bool,
}

fn talker(seconds: u32) -> Talker {
    Talker {
        seconds: Rc::new(Cell::new(seconds)),
        next: Rc::default(),
        broken: false,
    }
}

impl AsyncRead for Talker {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        _: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        if self.seconds.get() == 0 {
            return match self.broken {
                true => Poll::Ready(Err(io::ErrorKind::ConnectionReset.into())),
                false => Poll::Pending,
            };
        }
        let mut next = self.next.borrow_mut();
        let second = next.get_or_insert_with(|| Box::pin(sleep(ms(1000))));
        ready!(second.as_mut().poll(cx));
        *next = None;
        self.seconds.set(self.seconds.get() - 1);
        Poll::Ready(Ok(1))
    }
}

impl AsyncWrite for Talker {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// How long a transport over this takes to be closed, and what its protocol is told.
async fn closed(stream: Talker) -> (Duration, io::Result<()>) {
    let begun = LoopHandle::current().time();
    let told = send(Way::Transport, stream, b"hello").await;
    (LoopHandle::current().time() - begun, told)
}

#[coro::test]
async fn a_silent_end_is_waited_for_for_five_seconds() {
    for (seconds, expected) in [(0, 5_000), (1, 6_000), (20, 25_000)] {
        let (took, told) = closed(talker(seconds)).await;
        assert_eq!(took, ms(expected));
        told.unwrap();
    }
}

#[coro::test]
async fn an_end_that_goes_on_sending_is_cut_off_after_half_a_minute_and_that_is_told() {
    let stream = talker(u32::MAX);
    let (took, told) = closed(stream.clone()).await;
    assert_eq!(took, ms(30_000));
    let error = told.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    assert!(
        error.to_string().contains("still sent 30s after"),
        "{error}"
    );
    assert_eq!(Rc::strong_count(&stream.seconds), 1, "it is dropped");
}

#[coro::test]
async fn a_stream_that_breaks_meanwhile_is_told() {
    let mut stream = talker(3);
    stream.broken = true;
    let (took, told) = closed(stream).await;
    assert_eq!(took, ms(3_000));
    assert_eq!(told.unwrap_err().kind(), io::ErrorKind::ConnectionReset);
}

#[coro::test]
async fn an_abort_cuts_the_wait_short() {
    let log = Log::default();
    let transport = Transport::new(talker(0), Spy::new(&log, nothing));
    transport.close();
    sleep(ms(2_000)).await;
    log.assert(["made"]);
    assert!(transport.is_closing() && !transport.is_reading());
    let begun = LoopHandle::current().time();
    transport.abort();
    log.until_event("lost").await;
    log.assert(["made", "lost"]);
    assert_eq!(LoopHandle::current().time(), begun);
}

#[coro::test]
async fn closing_in_order_has_a_limit() {
    for seconds in [0, u32::MAX] {
        let stream = talker(seconds);
        let begun = LoopHandle::current().time();
        let error = close_in_order(stream.clone(), ms(7_500)).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert!(error.to_string().contains("within 7.5s"), "{error}");
        assert_eq!(LoopHandle::current().time() - begun, ms(7_500));
        assert_eq!(Rc::strong_count(&stream.seconds), 1, "it is dropped");
    }
}

#[coro::test(real)]
async fn a_stream_that_is_dropped_with_something_unread_is_reset() {
    let (from, mut to) = tcp_pair().await;
    to.write_all(b"unread").await.unwrap();
    from.readable().await.unwrap();
    assert!(
        SockRef::from(&from)
            .peek(&mut [std::mem::MaybeUninit::uninit()])
            .is_ok()
    );
    drop(from);
    let error = to.read(&mut [0; 8]).await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
}
