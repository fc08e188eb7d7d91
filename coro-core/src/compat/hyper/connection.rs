//! One connection of a server, from its first byte to its orderly end.

use std::error::Error;
use std::future::{Future, poll_fn};
use std::io;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use futures::io::{AsyncRead, AsyncWrite};
use hyper::body::Body;
use hyper::server::conn::{http1, http2};

use super::activity::{Activity, Overdue, TimeLimits};
use super::plan::{HttpPlan, Versions};
use super::runtime::{LoopExecutor, LoopTimer};
use super::service::{BoxError, Counting, HttpService};
use super::shared_stream::ServedStream;
use crate::event_loop::LoopHandle;
use crate::net::{close_in_order, is_hang_up};
use crate::sync::Event;
use crate::task::looking;
use crate::time::Sleep;

/// The first bytes of every connection of HTTP/2.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// How long a client that was told the end may take to end as well.
const LINGER: Duration = Duration::from_secs(1);

/// Serves a connection, until it has ended or the server stops and its requests are answered.
pub(super) async fn serve<Kind, S, T>(stream: T, plan: Rc<HttpPlan<S>>) -> Result<(), hyper::Error>
where
    S: HttpService<Kind>,
    T: AsyncRead + AsyncWrite + Unpin + 'static,
    Kind: 'static,
{
    let stream = ServedStream::new(stream);
    let activity = &stream.shared().activity;
    let mut stop = pin!(plan.stopping.wait());
    let mut watch = TimeKeeper::new(activity, plan.settings.limits);
    let mut beginning = Beginning::new(plan.settings.versions);
    if !beginning.begins(&stream, stop.as_mut(), &mut watch).await {
        return Ok(());
    }
    let is_http2 = beginning.is_http2();
    let io = stream.for_hyper(beginning.first);
    let service = Counting::new(plan.clone(), stream.shared().clone());
    let ended = if is_http2 {
        activity.share();
        let mut builder = http2::Builder::new(LoopExecutor);
        builder.timer(LoopTimer);
        // In a box, as its state is large, and most connections are of HTTP/1.
        let mut connection = Box::pin(builder.serve_connection(io, service));
        drive(connection.as_mut(), (&plan.stopping, stop), &mut watch).await
    } else {
        let mut builder = http1::Builder::new();
        // A client that has shut down its side still gets the answer.
        builder.half_close(true).header_read_timeout(None);
        let connection = pin!(builder.serve_connection(io, service).with_upgrades());
        drive(connection, (&plan.stopping, stop), &mut watch).await
    };
    let is_in_order = matches!(ended, Ok(Ended::InOrder)) && !activity.has_ended();
    if let Some(stream) = stream.take().filter(|_| is_in_order) {
        let _ = close_in_order(stream, LINGER).await; // the answer was written
    }
    match ended {
        Err(error) if is_failure(&error) => Err(error),
        _ => Ok(()),
    }
}

/// Reads the first bytes of a connection, until they tell its version.
struct Beginning {
    versions: Versions,
    first: Vec<u8>,
}

impl Beginning {
    fn new(versions: Versions) -> Self {
        Beginning {
            versions,
            first: Vec::new(),
        }
    }

    fn is_http2(&self) -> bool {
        match self.versions {
            Versions::Both => self.first.starts_with(PREFACE),
            Versions::Http1 => false,
            Versions::Http2 => true,
        }
    }

    /// Waits until a request begins; none does if the client ends, the time is up or it is to stop.
    async fn begins<T: AsyncRead + Unpin>(
        &mut self,
        stream: &ServedStream<T>,
        mut stop: Pin<&mut impl Future>,
        watch: &mut TimeKeeper<'_>,
    ) -> bool {
        poll_fn(|cx| match self.poll(stream, cx) {
            Poll::Pending if stop.as_mut().poll(cx).is_ready() => Poll::Ready(false),
            Poll::Pending => watch.poll(cx).map(|_| false),
            begins => begins,
        })
        .await
    }

    /// Whether a request begins; none does if the client ends, or the stream fails.
    fn poll<T: AsyncRead + Unpin>(
        &mut self,
        stream: &ServedStream<T>,
        cx: &mut Context<'_>,
    ) -> Poll<bool> {
        let current = LoopHandle::current();
        let mut buffer = current.lend_buffer();
        while self.is_undecided() {
            match ready!(stream.poll_read(cx, &mut buffer)) {
                Ok(0) if self.first.is_empty() => return Poll::Ready(false),
                Ok(0) => break, // hyper says what is wrong with it
                Ok(read) => self.first.extend_from_slice(&buffer[..read]),
                Err(_) => return Poll::Ready(false),
            }
        }
        Poll::Ready(true)
    }

    fn is_undecided(&self) -> bool {
        let could_be_http2 = || self.versions == Versions::Both && PREFACE.starts_with(&self.first);
        self.first.is_empty() || self.first.len() < PREFACE.len() && could_be_http2()
    }
}

/// A connection of hyper, of either version.
trait Graceful: Future<Output = hyper::Result<()>> {
    fn finish(self: Pin<&mut Self>);
}

impl<I, S, B> Graceful for http1::UpgradeableConnection<I, S>
where
    I: hyper::rt::Read + hyper::rt::Write + Unpin + Send + 'static,
    S: hyper::service::HttpService<hyper::body::Incoming, ResBody = B>,
    S::Error: Into<BoxError>,
    B: Body<Error: Into<BoxError>> + 'static,
{
    fn finish(self: Pin<&mut Self>) {
        self.graceful_shutdown();
    }
}

impl<I, S, B> Graceful for http2::Connection<I, S, LoopExecutor>
where
    I: hyper::rt::Read + hyper::rt::Write + Unpin,
    S: hyper::service::HttpService<hyper::body::Incoming, ResBody = B>,
    S::Error: Into<BoxError>,
    S::Future: 'static,
    B: Body<Error: Into<BoxError>> + 'static,
    Self: Future<Output = hyper::Result<()>>,
    LoopExecutor: hyper::rt::bounds::Http2ServerConnExec<S::Future, B>,
{
    fn finish(self: Pin<&mut Self>) {
        self.graceful_shutdown();
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Ended {
    InOrder,
    Cut,
}

/// Runs a connection; finishes it if it is to stop or was idle for too long.
///
/// No async function, whose state would be one more to go through for each request.
fn drive(
    mut connection: Pin<&mut impl Graceful>,
    (stopping, mut stop): (&Event, Pin<&mut impl Future>),
    watch: &mut TimeKeeper<'_>,
) -> impl Future<Output = hyper::Result<Ended>> {
    let activity = watch.activity;
    let mut is_finishing = false;
    // The task that `stop` and `watch` wake, and when `watch` does so.
    let mut wakes = Waker::noop().clone();
    let mut look_at = 0;
    poll_fn(move |cx| {
        loop {
            // First, as a request that has come in is to be answered also if it is to stop.
            if let Poll::Ready(ended) = connection.as_mut().poll(cx) {
                return Poll::Ready(ended.map(|()| Ended::InOrder));
            }
            // Polling these costs more than asking whether they are ready, and a connection is polled
            // for each of its requests.
            let is_awaited = wakes.will_wake(cx.waker()) && !looking::is_looking_here();
            let is_due = activity.is_in_head() || activity.now() >= look_at;
            if is_awaited && !is_due && !stopping.is_set() {
                return Poll::Pending;
            }
            wakes.clone_from(cx.waker());
            let stops = !is_finishing && stop.as_mut().poll(cx).is_ready();
            match watch.poll(cx) {
                Poll::Ready(Overdue::Head) => return Poll::Ready(Ok(Ended::Cut)),
                Poll::Ready(Overdue::Idle) if is_finishing => return Poll::Ready(Ok(Ended::Cut)),
                Poll::Pending if !stops => {
                    look_at = watch.wakes_at();
                    return Poll::Pending;
                }
                _ => {
                    is_finishing = true;
                    connection.as_mut().finish();
                }
            }
        }
    })
}

/// Awaits a future, unless the server stops before it is done.
#[cfg(feature = "tls")]
pub(super) async fn unless_stopped<F: Future>(future: F, stop: &Event) -> Option<F::Output> {
    let mut future = pin!(future);
    let mut stop = pin!(stop.wait());
    poll_fn(|cx| match future.as_mut().poll(cx) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending => stop.as_mut().poll(cx).map(|_| None),
    })
    .await
}

/// Keeps the time limits of a connection, with one timer that is armed rarely.
struct TimeKeeper<'a> {
    activity: &'a Activity,
    limits: TimeLimits,
    armed: Option<ConnectionTimer>,
}

/// The timer of a [`TimeKeeper`].
struct ConnectionTimer {
    sleep: Sleep,
    at: u64,
}

impl<'a> TimeKeeper<'a> {
    fn new(activity: &'a Activity, limits: TimeLimits) -> Self {
        TimeKeeper {
            activity,
            limits,
            armed: None,
        }
    }

    /// When the timer fires, if it is armed. Nothing can be overdue before that, except for the head of
    /// a request.
    fn wakes_at(&self) -> u64 {
        self.armed.as_ref().map_or(u64::MAX, |armed| armed.at)
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Overdue> {
        if self.limits.are_absent() {
            return Poll::Pending;
        }
        loop {
            let due = self.activity.due(self.limits);
            if let Some(armed) = &mut self.armed
                && due.is_none_or(|due| due >= armed.at)
            {
                ready!(Pin::new(&mut armed.sleep).poll(cx));
            }
            match self.activity.next_look(self.limits) {
                Err(overdue) => {
                    self.armed = None;
                    return Poll::Ready(overdue);
                }
                Ok(None) => return Poll::Pending,
                Ok(Some(at)) => {
                    self.armed = Some(ConnectionTimer {
                        sleep: self.activity.sleep_until(at),
                        at,
                    });
                }
            }
        }
    }
}

/// Whether the end of a connection is to be reported: clients that break off, dawdle or send nonsense
/// are no failures of the server.
fn is_failure(error: &hyper::Error) -> bool {
    if error.is_user() {
        return false; // of the service, and reported when it was made
    }
    let mut source = error.source();
    while let Some(error) = source {
        if error.is::<io::Error>() {
            return !is_hang_up(error);
        }
        source = error.source();
    }
    false
}
