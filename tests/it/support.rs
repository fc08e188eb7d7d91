//! Helpers of the tests: traces, counters of polls or drops, loops with a handler.

use std::cell::{Cell, RefCell};
use std::fs::File;
use std::future::Future;
use std::io::{self, Read, Seek};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, ThreadId};
use std::time::Duration;

use coro::event_loop::{ErrorReport, ReportKind};
use coro::{EventLoop, LoopHandle};
use futures::{AsyncRead, AsyncReadExt};

/// A trace of events, in order.
#[derive(Clone, Default)]
pub(crate) struct Trace(Rc<RefCell<Vec<String>>>);

impl Trace {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    pub(crate) fn add(&self, event: impl Into<String>) {
        self.0.borrow_mut().push(event.into());
    }

    /// A closure that adds an event.
    pub(crate) fn adder(&self, event: &'static str) -> impl FnOnce() + use<> {
        let trace = self.clone();
        move || trace.add(event)
    }

    /// A value that adds an event when it is dropped.
    pub(crate) fn on_drop(&self, event: &'static str) -> OnDrop<impl FnOnce() + use<>> {
        OnDrop::new(self.adder(event))
    }

    pub(crate) fn len(&self) -> usize {
        self.0.borrow().len()
    }

    #[track_caller]
    pub(crate) fn assert<const N: usize>(&self, expected: [&str; N]) {
        assert_eq!(*self.0.borrow(), expected);
    }

    #[track_caller]
    pub(crate) fn assert_taken<const N: usize>(&self, expected: [&str; N]) {
        assert_eq!(self.0.take(), expected);
    }
}

/// Calls a closure when it is dropped.
pub(crate) struct OnDrop<F: FnOnce()>(Option<F>);

impl<F: FnOnce()> OnDrop<F> {
    pub(crate) fn new(f: F) -> Self {
        OnDrop(Some(f))
    }
}

impl<F: FnOnce()> Drop for OnDrop<F> {
    fn drop(&mut self) {
        if let Some(f) = self.0.take() {
            f();
        }
    }
}

/// Counts the drops of its [`Counted`] values, with the threads that dropped them.
#[derive(Clone, Default)]
pub(crate) struct Drops(Arc<Mutex<Vec<ThreadId>>>);

pub(crate) struct Counted(Drops);

impl Drops {
    pub(crate) fn counted(&self) -> Counted {
        Counted(self.clone())
    }

    pub(crate) fn count(&self) -> usize {
        self.0.lock().unwrap().len()
    }

    pub(crate) fn all_on_this_thread(&self) -> bool {
        let here = thread::current().id();
        self.0.lock().unwrap().iter().all(|&thread| thread == here)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.0.lock().unwrap().push(thread::current().id());
    }
}

/// Panics when it is dropped.
pub(crate) struct PanicOnDrop(pub(crate) &'static str);

impl Drop for PanicOnDrop {
    fn drop(&mut self) {
        panic!("{}", self.0);
    }
}

/// A future that is never ready. It counts its polls.
pub(crate) struct Pending(pub(crate) Rc<Cell<usize>>);

impl Future for Pending {
    type Output = ();

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        self.0.set(self.0.get() + 1);
        Poll::Pending
    }
}

/// A waker that counts its wakes.
#[derive(Default)]
pub(crate) struct Wakes(AtomicUsize);

impl Wakes {
    pub(crate) fn new() -> (Arc<Self>, Waker) {
        let wakes = Arc::<Self>::default();
        (wakes.clone(), wakes.into())
    }

    pub(crate) fn count(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// A waker that panics when it is woken.
pub(crate) struct PanickyWaker;

impl PanickyWaker {
    pub(crate) fn waker() -> Waker {
        Arc::new(PanickyWaker).into()
    }
}

impl Wake for PanickyWaker {
    fn wake(self: Arc<Self>) {
        panic!("a waker that panics");
    }
}

/// A waker that, when its last clone is dropped, gives the present loop work of every kind.
pub(crate) struct BusyWaker;

impl BusyWaker {
    pub(crate) fn waker() -> Waker {
        Arc::new(BusyWaker).into()
    }
}

impl Wake for BusyWaker {
    fn wake(self: Arc<Self>) {}
}

impl Drop for BusyWaker {
    fn drop(&mut self) {
        coro::spawn(coro::sleep(ms(1)));
        coro::call_soon(|| ());
        coro::call_later(ms(1), || ()).cancel();
        let mut slept = Box::pin(coro::sleep(ms(1)));
        let _ = slept.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    }
}

/// A future that is ready once it is opened. It hands out the waker of its last poll.
#[derive(Clone, Default)]
pub(crate) struct Gate(Rc<GateState>);

#[derive(Default)]
struct GateState {
    open: Cell<bool>,
    waker: RefCell<Option<Waker>>,
    polls: Cell<usize>,
}

impl Gate {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    pub(crate) fn open(&self) {
        self.unlock();
        self.wake();
    }

    /// Opens the gate without waking its waiter.
    pub(crate) fn unlock(&self) {
        self.0.open.set(true);
    }

    pub(crate) fn wake(&self) {
        let waker = self.0.waker.borrow().clone();
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    pub(crate) fn waker(&self) -> Waker {
        self.0.waker.borrow().clone().expect("polled before")
    }

    pub(crate) fn forget_waker(&self) {
        let waker = self.0.waker.take();
        drop(waker);
    }

    pub(crate) fn polls(&self) -> usize {
        self.0.polls.get()
    }
}

impl Future for Gate {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.0.polls.set(self.0.polls.get() + 1);
        if self.0.open.get() {
            return Poll::Ready(());
        }
        *self.0.waker.borrow_mut() = Some(cx.waker().clone());
        Poll::Pending
    }
}

/// The reports of a loop.
#[derive(Clone, Default)]
pub(crate) struct Reports(Rc<RefCell<Vec<ErrorReport>>>);

impl Reports {
    /// Collects the reports of this loop.
    pub(crate) fn of(handle: &LoopHandle) -> Self {
        let reports = Reports::default();
        let seen = reports.clone();
        handle.set_exception_handler(move |report| seen.0.borrow_mut().push(report.clone()));
        reports
    }

    /// Collects the reports of the present loop.
    pub(crate) fn here() -> Self {
        Self::of(&LoopHandle::current())
    }

    pub(crate) fn len(&self) -> usize {
        self.0.borrow().len()
    }

    pub(crate) fn take(&self) -> Vec<ErrorReport> {
        self.0.take()
    }

    /// Asserts the exact reports since the last call, and forgets them.
    #[track_caller]
    pub(crate) fn assert_taken<const N: usize>(&self, expected: [(ReportKind, &str); N]) {
        let reports = self.0.take();
        let reports: Vec<_> = reports
            .iter()
            .map(|report| (report.kind, report.message.as_str()))
            .collect();
        assert_eq!(reports, expected);
    }
}

pub(crate) fn virtual_loop() -> EventLoop {
    EventLoop::builder().virtual_time().build().unwrap()
}

pub(crate) fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// Waits for `n` turns of the loop.
pub(crate) async fn turns(n: usize) {
    for _ in 0..n {
        coro::yield_now().await;
    }
}

/// The processor time of the thread that made this value; 0 if the system does not report it.
pub(crate) struct Processor(Option<File>);

impl Processor {
    pub(crate) fn of_this_thread() -> Self {
        Processor(File::open("/proc/thread-self/stat").ok())
    }

    /// The time used so far, in steps of ten milliseconds.
    pub(crate) fn used(&self) -> Duration {
        let mut stat = String::new();
        if let Some(mut file) = self.0.as_ref() {
            file.rewind().unwrap();
            file.read_to_string(&mut stat).unwrap();
        }
        let after_name = stat.rsplit(')').next().unwrap();
        let times = after_name.split_whitespace().skip(11).take(2);
        ms(times.map(|ticks| ticks.parse::<u64>().unwrap() * 10).sum())
    }
}

/// The text of a panic.
#[track_caller]
pub(crate) fn panic_of<T>(f: impl FnOnce() -> T) -> String {
    let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(f));
    let payload = caught.err().expect("this has to panic");
    match payload.downcast::<String>() {
        Ok(text) => *text,
        Err(payload) => payload.downcast_ref::<&str>().unwrap().to_string(),
    }
}

/// Reads to the end, with a buffer of its own. `AsyncReadExt::read_to_end` fills all of its spare room
/// with zeros at each poll, which takes a test of megabytes a minute without optimization.
pub(crate) trait ReadAll: AsyncRead {
    async fn read_all(&mut self, all: &mut Vec<u8>) -> io::Result<usize>
    where
        Self: Unpin,
    {
        let before = all.len();
        let mut buffer = vec![0; 64 * 1024];
        loop {
            match self.read(&mut buffer).await? {
                0 => return Ok(all.len() - before),
                len => all.extend_from_slice(&buffer[..len]),
            }
        }
    }
}

impl<R: AsyncRead> ReadAll for R {}

/// Whether the tests of this process run in simulations, as `CORO_SIMULATE` asks.
pub(crate) fn is_simulated() -> bool {
    std::env::var_os("CORO_SIMULATE").is_some()
}
