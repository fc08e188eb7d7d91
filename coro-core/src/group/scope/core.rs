//! The children of a scope, from their spawning to their end.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::panic::{AssertUnwindSafe, Location, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use super::super::panics::FirstPanic;
use super::super::ready::{Polling, WokenMembers};
use super::seats::{ChildSeat, ChildSeats};
use crate::event_loop::LoopHandle;
use crate::panics::{Payload, drop_payload};
use crate::report::{ErrorReport, ReportKind};
use crate::task::PooledFuture;

type Boxed<'s> = Pin<Box<dyn Future<Output = ()> + 's>>;

/// The time that all clean-ups together may take by default.
const GRACE: Duration = Duration::from_secs(5);

/// The seat of the body. Children sit behind it.
const BODY: usize = 0;

/// The state of a scope's children. Foreign code runs while one is polled or dropped: then no cell
/// in here is borrowed.
pub(super) struct ScopeCore<'s> {
    ready: &'s WokenMembers,
    children: RefCell<Children<'s>>,
    /// Whether the scope takes no more children.
    closed: Cell<bool>,
    /// Whether the scope is to end: body and children are dropped, and not polled again.
    ending: Cell<bool>,
    /// Whether the scope is to end after the turns of the children that were woken before.
    ending_soon: Cell<bool>,
    /// Whether the children are to end, but not the body.
    ending_children: Cell<bool>,
    /// The seat of the body or child that is being polled, the *running* one.
    running: Cell<Option<usize>>,
    /// Whether the running one is dropped instead of waiting, because it ended without a value.
    stuck: Cell<bool>,
    /// Whether it is dropped because it has asked for a value that will never come.
    in_vain: Cell<bool>,
    panic: FirstPanic,
    isolates: Cell<bool>,
    drops_dependants: Cell<bool>,
    grace: Cell<Duration>,
}

#[derive(Default)]
struct Children<'s> {
    seats: ChildSeats<'s>,
    unfinished: usize,
    spawned: u64,
    clean_ups: Vec<Boxed<'s>>,
}

impl<'s> ScopeCore<'s> {
    /// `ready` stands beside the scope, not in it, because it has a destructor.
    #[inline]
    pub(super) fn new(ready: &'s WokenMembers) -> Self {
        let (body, _) = ready.enter();
        debug_assert_eq!(body, BODY);
        ScopeCore {
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

    /// Adds a child and returns its seat. If the scope takes no more children, the child is
    /// dropped.
    #[inline]
    pub(super) fn spawn(
        &self,
        future: PooledFuture<'s>,
        origin: &'static Location<'static>,
    ) -> Option<usize> {
        if self.closed.get() || self.is_ending() {
            self.contain(|| drop(future));
            return None;
        }
        let (seat, parent) = self.ready.enter();
        self.children.borrow_mut().seat(seat, future, origin);
        if let Some(parent) = parent {
            parent.wake();
        }
        Some(seat)
    }

    /// Drops a child that is not done. A child that is being polled is dropped after the poll.
    #[inline]
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

    /// Wakes the task that polls the scope, because the scope has changed.
    #[inline]
    pub(super) fn wake_parent(&self) {
        let parent = self.ready.take_parent();
        if let Some(parent) = parent {
            parent.wake();
        }
    }

    /// Has the next poll drop body and children.
    #[inline]
    pub(super) fn end_all(&self) {
        self.ending.set(true);
        self.wake_parent();
    }

    /// Has body and children dropped after the turns of those children that were woken before.
    #[inline]
    pub(super) fn end_after_turn(&self) {
        self.ending_soon.set(true);
        self.ready.stop_refilling();
        self.wake_parent();
    }

    /// Has the children dropped, but not the body.
    #[inline]
    pub(super) fn end_children(&self) {
        self.closed.set(true);
        self.ending_children.set(true);
        self.wake_parent();
    }

    #[inline]
    pub(super) fn is_ending(&self) -> bool {
        self.ending.get() || self.ending_soon.get()
    }

    /// Whether body and children are dropped without another poll.
    #[inline]
    pub(super) fn ends_now(&self) -> bool {
        self.ending.get()
    }

    /// Notes that the running body or child ends without a value.
    #[inline]
    pub(super) fn drop_running(&self) {
        self.stuck.set(self.running.get().is_some());
    }

    /// Notes that the running body or child has asked for a value that will never come.
    #[inline]
    pub(super) fn asked_in_vain(&self) {
        let hopeless = self.drops_dependants.get() || self.children.borrow().unfinished == 0;
        self.in_vain.set(hopeless && self.running.get().is_some());
    }

    /// Notes that the running body or child got a value, perhaps after asking for another in vain.
    #[inline]
    pub(super) fn asked_with_success(&self) {
        self.in_vain.set(false);
    }

    /// Whether a body or child that awaits a child without a value is dropped at once.
    #[inline]
    pub(super) fn drops_dependants(&self) -> &Cell<bool> {
        &self.drops_dependants
    }

    #[inline]
    pub(super) fn defer(&self, clean_up: Boxed<'s>) {
        self.children.borrow_mut().clean_ups.push(clean_up);
    }

    #[inline]
    pub(super) fn next_clean_up(&self) -> Option<Boxed<'s>> {
        self.children.borrow_mut().clean_ups.pop()
    }

    #[inline]
    pub(super) fn grace(&self) -> &Cell<Duration> {
        &self.grace
    }

    /// Whether a child's panic goes only to the body or child that awaits it.
    #[inline]
    pub(super) fn isolates(&self) -> &Cell<bool> {
        &self.isolates
    }

    /// Polls the body and the children that were woken. WokenMembers when all of them have finished or
    /// were dropped; then `body` is `None`.
    pub(super) fn poll<B: Future>(
        &self,
        mut body: Pin<&mut Option<B>>,
        output: &mut Option<B::Output>,
    ) -> Poll<()> {
        let stale = self.ready.begin();
        drop(stale);
        let mut looks = self.ready.looks();
        while !self.ending.get() {
            let turn = self.ready.next_look(&mut looks);
            match turn.or_else(|| self.ready.next()) {
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
    #[inline]
    pub(super) fn wake(&self, seat: usize) {
        self.ready.wake(seat, self.running.get() == Some(seat));
    }

    /// The seat of the running body or child, if `waker` is its waker.
    #[inline]
    pub(super) fn running_by(&self, waker: &Waker) -> Option<usize> {
        let running = self.running.get();
        running.filter(|&seat| self.ready.is_waker_of(seat, waker))
    }

    /// Has the task that polls the scope woken when there is more to do.
    #[inline]
    pub(super) fn wait(&self, cx: &Context<'_>) -> Poll<()> {
        self.ready.end(cx.waker())
    }

    /// Polls the body. The body keeps its seat when it is done, because no child may have that
    /// seat.
    fn poll_body<B: Future>(
        &self,
        mut body: Pin<&mut Option<B>>,
        output: &mut Option<B::Output>,
        turn: &Polling<'_>,
    ) {
        if let Some(future) = body.as_mut().as_pin_mut() {
            match self.poll_one(turn, None, future) {
                ScopeOutcome::Waits => {}
                ScopeOutcome::Done(value) => {
                    *output = Some(value);
                    self.contain(|| body.set(None));
                }
                ScopeOutcome::Gone => self.contain(|| body.set(None)),
            }
        }
    }

    #[inline]
    fn poll_child(&self, turn: Polling<'_>) {
        let taken = self.children.borrow_mut().take(turn.seat());
        let (mut child, origin) = taken.expect("a seat that has a turn has a child");
        match self.poll_one(&turn, origin, child.as_mut()) {
            ScopeOutcome::Waits => {
                self.children.borrow_mut().put_back(turn.seat(), child);
            }
            ScopeOutcome::Done(()) | ScopeOutcome::Gone => {
                self.drop_child(child);
                self.children.borrow_mut().unfinished -= 1;
                self.ready.leave(turn);
            }
        }
    }

    fn poll_one<F: Future + ?Sized>(
        &self,
        turn: &Polling<'_>,
        origin: Option<&'static Location<'static>>,
        future: Pin<&mut F>,
    ) -> ScopeOutcome<F::Output> {
        let before = self.running.replace(Some(turn.seat()));
        let look = turn.look(origin);
        let polled = catch_unwind(AssertUnwindSafe(|| {
            future.poll(&mut Context::from_waker(&turn.waker()))
        }));
        turn.end_look(look, matches!(polled, Ok(Poll::Pending)));
        self.running.set(before);
        let stuck = self.stuck.take() | self.in_vain.take();
        match polled {
            Ok(Poll::Ready(output)) => ScopeOutcome::Done(output),
            Ok(Poll::Pending) if stuck => ScopeOutcome::Gone,
            Ok(Poll::Pending) => ScopeOutcome::Waits,
            Err(payload) => {
                self.panicked(payload);
                ScopeOutcome::Gone
            }
        }
    }

    /// A panic ends the scope, and is resumed at its end.
    #[inline]
    fn panicked(&self, payload: Payload) {
        self.panic.keep(payload);
        self.ending.set(true);
    }

    #[inline]
    pub(super) fn take_panic(&self) -> Option<Payload> {
        self.panic.take()
    }

    /// Calls `f`, which drops a foreign value. A panic in it ends the scope.
    pub(super) fn contain(&self, f: impl FnOnce()) {
        if let Err(payload) = catch_unwind(AssertUnwindSafe(f)) {
            self.panicked(payload);
        }
    }

    #[inline]
    fn drop_child(&self, child: PooledFuture<'s>) {
        self.contain(|| drop(child));
    }

    /// Drops all children, in the order in which they were spawned. Their destructors may call the
    /// scope, which is in a valid state but takes no more children.
    #[inline]
    pub(super) fn drain(&self) {
        self.closed.set(true);
        let children = self.children.borrow_mut().unseat_all();
        for (seat, child) in children {
            self.drop_child(child);
            self.ready.remove(seat);
        }
    }

    /// Drops all contents that have a destructor.
    #[inline]
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

/// Drops the children however the scope ends.
pub(super) struct Guard<'a, 's>(pub(super) &'a ScopeCore<'s>);

impl Drop for Guard<'_, '_> {
    #[inline]
    fn drop(&mut self) {
        self.0.clear();
    }
}

enum ScopeOutcome<T> {
    Done(T),
    Waits,
    Gone,
}

impl<'s> Children<'s> {
    #[inline]
    fn seat(&mut self, seat: usize, future: PooledFuture<'s>, origin: &'static Location<'static>) {
        *self.seats.get_or_new(seat) = ChildSeat {
            number: self.spawned,
            child: Some(future),
            origin: Some(origin),
        };
        self.spawned += 1;
        self.unfinished += 1;
    }

    /// Takes the child out of its seat to poll it; also gives the place that spawned it.
    #[inline]
    fn take(
        &mut self,
        seat: usize,
    ) -> Option<(PooledFuture<'s>, Option<&'static Location<'static>>)> {
        let seat = self.seats.get(seat)?;
        Some((seat.child.take()?, seat.origin))
    }

    #[inline]
    fn put_back(&mut self, seat: usize, child: PooledFuture<'s>) {
        if let Some(seat) = self.seats.get(seat) {
            seat.child = Some(child);
        }
    }

    #[inline]
    fn unseat(&mut self, seat: usize) -> Option<PooledFuture<'s>> {
        let (child, _) = self.take(seat)?;
        self.unfinished -= 1;
        Some(child)
    }

    /// Takes out all children with their seats, in the order in which they were spawned.
    #[inline]
    fn unseat_all(&mut self) -> Vec<(usize, PooledFuture<'s>)> {
        if self.unfinished == 0 {
            return Vec::new();
        }
        let all = 0..self.seats.end();
        let children = all.filter_map(|seat| Some((seat, self.unseat(seat)?)));
        let mut children: Vec<_> = children.collect();
        children.sort_unstable_by_key(|&(seat, _)| self.seats.get(seat).map(|seat| seat.number));
        children
    }
}

/// Reports a panic that no body or child can receive.
#[inline]
pub(super) fn report(payload: Payload) {
    if let Some(current) = LoopHandle::try_current() {
        current.report(ErrorReport::of_panic(
            ReportKind::TaskPanicked,
            payload.as_ref(),
        ));
    }
    drop_payload(payload);
}
