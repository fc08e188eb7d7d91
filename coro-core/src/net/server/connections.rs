//! The listeners and the connections of a server.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::future::Future;
use std::io;
use std::panic::Location;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;

use super::outcome::HandlerOutput;
use crate::error::duplicate;
use crate::event_loop::LoopHandle;
use crate::task::TaskHandle;
use crate::wait::change::Change;

pub(super) struct Connections {
    /// The tasks of the connections, by their numbers, in the order in which they came.
    tasks: RefCell<BTreeMap<u64, TaskHandle>>,
    count: Cell<usize>,
    last: Cell<u64>,
    /// The largest number of connections at a time.
    limit: Option<usize>,
    listeners: Cell<usize>,
    accepting: RefCell<Vec<TaskHandle>>,
    closed: Cell<bool>,
    failure: RefCell<Option<io::Error>>,
    change: Change,
    /// Where the server was started.
    origin: &'static Location<'static>,
}

impl Connections {
    #[track_caller]
    #[inline]
    pub(super) fn new(limit: Option<usize>) -> Rc<Self> {
        Rc::new(Connections {
            tasks: RefCell::default(),
            count: Cell::new(0),
            last: Cell::new(0),
            limit,
            listeners: Cell::new(0),
            accepting: RefCell::default(),
            closed: Cell::new(false),
            failure: RefCell::default(),
            change: Change::default(),
            origin: Location::caller(),
        })
    }

    #[inline]
    pub(super) fn count(&self) -> usize {
        self.count.get()
    }

    #[inline]
    pub(super) fn is_closed(&self) -> bool {
        self.closed.get()
    }

    /// Waits until another connection is allowed, or the server is closed.
    #[inline]
    pub(super) async fn until_allowed(&self) {
        let is_allowed = || self.limit.is_none_or(|limit| self.count() < limit);
        self.change.until(|| self.is_closed() || is_allowed()).await;
    }

    /// Whether a listener is there, and goes on.
    #[inline]
    pub(super) fn is_serving(&self) -> bool {
        !self.is_closed() && self.listeners.get() > 0
    }

    /// Waits until no listener is there.
    #[inline]
    pub(super) async fn until_not_listening(&self) {
        self.change.until(|| self.listeners.get() == 0).await;
    }

    /// Waits until there is neither a listener nor a connection.
    #[inline]
    pub(super) async fn until_over(&self) {
        let is_over = || self.listeners.get() == 0 && self.count() == 0;
        self.change.until(is_over).await;
    }

    /// Has the loop run a future that accepts connections.
    pub(super) fn listen<F>(self: &Rc<Self>, name: String, accepting: F)
    where
        F: Future<Output = io::Result<()>> + 'static,
    {
        self.listeners.set(self.listeners.get() + 1);
        let listening = Listening(self.clone());
        let task = LoopHandle::current().spawn_from(self.origin, async move {
            let result = accepting.await;
            if let Err(error) = &result {
                listening.0.fail(error);
            }
            drop(listening);
            result
        });
        task.set_name(name);
        self.accepting.borrow_mut().push(task.handle());
    }

    /// The number of the connection that begins next.
    #[inline]
    pub(super) fn next_number(&self) -> u64 {
        self.last.get() + 1
    }

    /// Has the loop run a future that serves a connection.
    pub(super) fn begin<F>(self: &Rc<Self>, name: String, serving: F)
    where
        F: Future<Output: HandlerOutput> + 'static,
    {
        let number = self.next_number();
        self.last.set(number);
        self.count.set(self.count.get() + 1);
        let served = Served {
            serving,
            connected: Some(Connected(self.clone(), number)),
        };
        let task = LoopHandle::current().spawn_from(self.origin, served);
        task.set_name(name);
        if !task.is_finished() {
            self.tasks.borrow_mut().insert(number, task.handle());
        }
    }

    /// Stops listening.
    #[inline]
    pub(super) fn close(&self) {
        self.closed.set(true);
        for task in self.accepting.take() {
            task.cancel();
        }
        self.change.announce();
    }

    /// Cancels the tasks of all connections; gives how many there were.
    #[inline]
    pub(super) fn cut(&self) -> usize {
        let tasks = self.tasks.borrow().clone();
        tasks.values().filter(|task| task.cancel()).count()
    }

    #[inline]
    fn fail(&self, error: &io::Error) {
        self.failure.replace(Some(duplicate(error)));
    }

    #[inline]
    pub(super) fn take_failure(&self) -> io::Result<()> {
        self.failure.take().map_or(Ok(()), Err)
    }
}

/// Counts as a listener for as long as it lives.
struct Listening(Rc<Connections>);

impl Drop for Listening {
    #[inline]
    fn drop(&mut self) {
        self.0.listeners.set(self.0.listeners.get() - 1);
        self.0.change.announce();
    }
}

/// Counts as a connection for as long as it lives.
struct Connected(Rc<Connections>, u64);

pin_project! {
    /// A connection that is served. An async block would keep its future twice, as captured and as
    /// awaited, and so double the memory of each connection.
    struct Served<F> {
        #[pin]
        serving: F,
        connected: Option<Connected>,
    }
}

impl<F: Future<Output: HandlerOutput>> Future for Served<F> {
    type Output = Result<(), String>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let output = ready!(this.serving.poll(cx));
        drop(this.connected.take());
        Poll::Ready(output.into_result())
    }
}

impl Drop for Connected {
    #[inline]
    fn drop(&mut self) {
        let task = self.0.tasks.borrow_mut().remove(&self.1);
        drop(task);
        self.0.count.set(self.0.count.get() - 1);
        self.0.change.announce();
    }
}
