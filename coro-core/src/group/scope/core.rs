//! The children of a scope, from when they are spawned until they are gone.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use super::super::panics::{FirstPanic, Payload, drop_payload};
use super::super::ready::{Ready, Turn};
use crate::event_loop::LoopHandle;
use crate::report::{ErrorReport, ReportKind};

type Boxed<'s> = Pin<Box<dyn Future<Output = ()> + 's>>;

/// How long all clean-ups together may take, unless the scope says otherwise.
const GRACE: Duration = Duration::from_secs(5);

/// Where the body sits; children sit behind it.
const BODY: usize = 0;

/// What a scope knows of its children. While foreign code runs, which is when one is polled or
/// dropped, nothing in here is borrowed.
pub(super) struct Core<'s> {
    ready: &'s Ready,
    children: RefCell<Children<'s>>,
    /// Nobody may enter any more.
    closed: Cell<bool>,
    /// The scope is to end: body and children are dropped, none is polled again.
    ending: Cell<bool>,
    /// The scope is to end when those that were woken before have had their turns.
    ending_soon: Cell<bool>,
    /// The children are to end, but not the body.
    ending_children: Cell<bool>,
    /// Who is being polled.
    running: Cell<Option<usize>>,
    /// Who is being polled is dropped instead of waiting: it ended without a value,
    stuck: Cell<bool>,
    /// or has asked for one that will never come.
    in_vain: Cell<bool>,
    panic: FirstPanic,
    isolates: Cell<bool>,
    drops_dependants: Cell<bool>,
    grace: Cell<Duration>,
}

#[derive(Default)]
struct Children<'s> {
    seats: Vec<Seat<'s>>,
    unfinished: usize,
    spawned: u64,
    clean_ups: Vec<Boxed<'s>>,
}

#[derive(Default)]
struct Seat<'s> {
    /// When its child was spawned, among all.
    number: u64,
    /// Not here while it is being polled.
    child: Option<Boxed<'s>>,
}

impl<'s> Core<'s> {
    /// The list of those who were woken has a destructor, so it stands beside the scope.
    pub(super) fn new(ready: &'s Ready) -> Self {
        let (body, _) = ready.enter();
        debug_assert_eq!(body, BODY);
        Core {
            ready,
            children: RefCell::default(),
            closed: Cell::new(false),
            ending: Cell::new(false),
            ending_soon: Cell::new(false),
            ending_children: Cell::new(false),
            running: Cell::new(None),
            stuck: Cell::new(false),
            in_vain: Cell::new(false),
            panic: FirstPanic::default(),
            isolates: Cell::new(false),
            drops_dependants: Cell::new(false),
            grace: Cell::new(GRACE),
        }
    }

    /// Takes a child in, and gives its seat; if the scope takes none any more, the child is
    /// dropped.
    pub(super) fn spawn(&self, future: Boxed<'s>) -> Option<usize> {
        if self.closed.get() || self.is_ending() {
            self.contain(|| drop(future));
            return None;
        }
        let (seat, parent) = self.ready.enter();
        self.children.borrow_mut().seat(seat, future);
        if let Some(parent) = parent {
            parent.wake();
        }
        Some(seat)
    }

    /// Drops a child that is not done; one that is being polled, after that.
    pub(super) fn cancel(&self, seat: usize) {
        if self.running.get() == Some(seat) {
            return self.stuck.set(true);
        }
        let child = self.children.borrow_mut().unseat(seat);
        if let Some(child) = child {
            self.drop_child(child);
            self.ready.remove(seat);
            self.wake_parent();
        }
    }

    /// Has the scope's own poll look at what has changed.
    pub(super) fn wake_parent(&self) {
        let parent = self.ready.take_parent();
        if let Some(parent) = parent {
            parent.wake();
        }
    }

    /// Has body and children dropped.
    pub(super) fn end_all(&self) {
        self.ending.set(true);
        self.wake_parent();
    }

    /// Has body and children dropped after the turns of those that were woken before.
    pub(super) fn end_after_turn(&self) {
        self.ending_soon.set(true);
        self.ready.stop_refilling();
        self.wake_parent();
    }

    /// Has the children dropped, but not the body.
    pub(super) fn end_children(&self) {
        self.closed.set(true);
        self.ending_children.set(true);
        self.wake_parent();
    }

    pub(super) fn is_ending(&self) -> bool {
        self.ending.get() || self.ending_soon.get()
    }

    /// Whether body and children are dropped without another poll.
    pub(super) fn ends_now(&self) -> bool {
        self.ending.get()
    }

    /// Whoever is being polled ends without a value.
    pub(super) fn drop_running(&self) {
        self.stuck.set(self.running.get().is_some());
    }

    /// Whoever is being polled has asked for a value that will never come.
    pub(super) fn asked_in_vain(&self) {
        let hopeless = self.drops_dependants.get() || self.children.borrow().unfinished == 0;
        self.in_vain.set(hopeless && self.running.get().is_some());
    }

    /// Whoever is being polled got a value, if perhaps not the first that it asked for.
    pub(super) fn asked_with_success(&self) {
        self.in_vain.set(false);
    }

    /// Whether who awaits a child that has no value is dropped at once.
    pub(super) fn drops_dependants(&self) -> &Cell<bool> {
        &self.drops_dependants
    }

    pub(super) fn defer(&self, clean_up: Boxed<'s>) {
        self.children.borrow_mut().clean_ups.push(clean_up);
    }

    pub(super) fn next_clean_up(&self) -> Option<Boxed<'s>> {
        self.children.borrow_mut().clean_ups.pop()
    }

    pub(super) fn grace(&self) -> &Cell<Duration> {
        &self.grace
    }

    /// Whether a child's panic concerns only who awaits it.
    pub(super) fn isolates(&self) -> &Cell<bool> {
        &self.isolates
    }

    /// Polls those that were woken. Ready when body and children have finished or were dropped;
    /// then the body's place is empty.
    pub(super) fn poll<B: Future>(
        &self,
        mut body: Pin<&mut Option<B>>,
        output: &mut Option<B::Output>,
    ) -> Poll<()> {
        let stale = self.ready.begin();
        drop(stale);
        while !self.ending.get() {
            let turn = self.ready.next();
            match turn {
                None => break,
                Some(turn) if turn.seat() == BODY => self.poll_body(body.as_mut(), output, &turn),
                Some(turn) => self.poll_child(turn),
            }
            if self.ending_children.take() {
                self.drain();
                self.wake(BODY);
            }
        }
        if self.ending_soon.get() && self.ready.is_exhausted() {
            self.ending.set(true);
        }
        if self.ending.get() {
            self.contain(|| body.set(None));
            self.drain();
        }
        if body.is_some() || self.children.borrow().unfinished > 0 {
            return Poll::Pending;
        }
        self.closed.set(true);
        Poll::Ready(())
    }

    /// Wakes the body or a child.
    pub(super) fn wake(&self, seat: usize) {
        self.ready.wake(seat);
    }

    /// Who is being polled, if by that waker.
    pub(super) fn running_by(&self, waker: &Waker) -> Option<usize> {
        let running = self.running.get();
        running.filter(|&seat| self.ready.is_waker_of(seat, waker))
    }

    /// Has whoever polls the scope woken when there is more to do.
    pub(super) fn wait(&self, cx: &Context<'_>) -> Poll<()> {
        self.ready.end(cx.waker())
    }

    /// The body keeps its seat when it is done: nobody else may have that.
    fn poll_body<B: Future>(
        &self,
        mut body: Pin<&mut Option<B>>,
        output: &mut Option<B::Output>,
        turn: &Turn<'_>,
    ) {
        if let Some(future) = body.as_mut().as_pin_mut() {
            match self.poll_one(turn, future) {
                Outcome::Waits => {}
                Outcome::Done(value) => {
                    *output = Some(value);
                    self.contain(|| body.set(None));
                }
                Outcome::Gone => self.contain(|| body.set(None)),
            }
        }
    }

    fn poll_child(&self, turn: Turn<'_>) {
        let child = self.children.borrow_mut().seats[turn.seat()].child.take();
        let mut child = child.expect("a seat that has a turn has a child");
        match self.poll_one(&turn, child.as_mut()) {
            Outcome::Waits => {
                self.children.borrow_mut().seats[turn.seat()].child = Some(child);
            }
            Outcome::Done(()) | Outcome::Gone => {
                self.drop_child(child);
                self.children.borrow_mut().unfinished -= 1;
                self.ready.leave(turn);
            }
        }
    }

    fn poll_one<F: Future + ?Sized>(
        &self,
        turn: &Turn<'_>,
        future: Pin<&mut F>,
    ) -> Outcome<F::Output> {
        let before = self.running.replace(Some(turn.seat()));
        let polled = catch_unwind(AssertUnwindSafe(|| {
            future.poll(&mut Context::from_waker(&turn.waker()))
        }));
        self.running.set(before);
        let stuck = self.stuck.take() | self.in_vain.take();
        match polled {
            Ok(Poll::Ready(output)) => Outcome::Done(output),
            Ok(Poll::Pending) if stuck => Outcome::Gone,
            Ok(Poll::Pending) => Outcome::Waits,
            Err(payload) => {
                self.panicked(payload);
                Outcome::Gone
            }
        }
    }

    /// A panic ends the scope, and is resumed at its end.
    fn panicked(&self, payload: Payload) {
        self.panic.keep(payload);
        self.ending.set(true);
    }

    pub(super) fn take_panic(&self) -> Option<Payload> {
        self.panic.take()
    }

    /// Calls what drops somebody's future; that it panics ends the scope.
    pub(super) fn contain(&self, f: impl FnOnce()) {
        if let Err(payload) = catch_unwind(AssertUnwindSafe(f)) {
            self.panicked(payload);
        }
    }

    fn drop_child(&self, child: Boxed<'s>) {
        self.contain(|| drop(child));
    }

    /// Drops all children, in the order in which they were spawned. Their destructors may well
    /// call the scope, which is whole, but takes nobody in.
    pub(super) fn drain(&self) {
        self.closed.set(true);
        let children = self.children.borrow_mut().unseat_all();
        for (seat, child) in children {
            self.drop_child(child);
            self.ready.remove(seat);
        }
    }

    /// Leaves nothing that would need a destructor.
    fn clear(&self) {
        self.drain();
        while let Some(clean_up) = self.next_clean_up() {
            self.contain(|| drop(clean_up));
        }
        self.children.take();
        if let Some(payload) = self.panic.take() {
            report(payload);
        }
    }
}

/// However the scope ends, its children do, too.
pub(super) struct Guard<'a, 's>(pub(super) &'a Core<'s>);

impl Drop for Guard<'_, '_> {
    fn drop(&mut self) {
        self.0.clear();
    }
}

enum Outcome<T> {
    Done(T),
    Waits,
    Gone,
}

impl<'s> Children<'s> {
    fn seat(&mut self, seat: usize, future: Boxed<'s>) {
        if self.seats.len() <= seat {
            self.seats.resize_with(seat + 1, Seat::default);
        }
        self.seats[seat] = Seat {
            number: self.spawned,
            child: Some(future),
        };
        self.spawned += 1;
        self.unfinished += 1;
    }

    fn unseat(&mut self, seat: usize) -> Option<Boxed<'s>> {
        let child = self.seats.get_mut(seat)?.child.take()?;
        self.unfinished -= 1;
        Some(child)
    }

    /// All with their seats, in the order in which they were spawned.
    fn unseat_all(&mut self) -> Vec<(usize, Boxed<'s>)> {
        if self.unfinished == 0 {
            return Vec::new();
        }
        let all = 0..self.seats.len();
        let children = all.filter_map(|seat| Some((seat, self.unseat(seat)?)));
        let mut children: Vec<_> = children.collect();
        children.sort_unstable_by_key(|&(seat, _)| self.seats[seat].number);
        children
    }
}

/// A panic that has nobody to go to.
pub(super) fn report(payload: Payload) {
    if let Some(current) = LoopHandle::try_current() {
        current.report(ErrorReport::of_panic(
            ReportKind::TaskPanicked,
            payload.as_ref(),
        ));
    }
    drop_payload(payload);
}
