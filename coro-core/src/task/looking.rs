//! Reports of the waits of a task, which is polled once more so that a dump can show them.
//!
//! A leaf that is not ready asks [`is_looking`] and reports its reason to wait. A future that polls
//! others opens a bracket around them. Nothing else may depend on the answer: a poll for a dump is a
//! step like any other, which may end the task, wake another, or panic.

use std::cell::Cell;
use std::future::{Future, poll_fn};
use std::panic::Location;
use std::pin::pin;
use std::rc::Rc;
use std::task::{Poll, Waker};

pub(crate) use super::collector::PlaceInLine;
use super::collector::{Account, Look, OpenBracket};
use super::count::TaskRef;
use super::current;
use super::scheduler::Scheduler;
use super::step::Step;

/// Whether this thread is polling a task for a dump. Where the flag is one for all threads, it may be
/// another thread that does.
#[inline(always)]
pub(crate) fn is_looking() -> bool {
    flag::is_up()
}

/// Whether the task that this thread runs is polled for a dump.
#[inline]
pub(crate) fn is_looking_here() -> bool {
    is_looking() && here().is_some()
}

/// The flag of this thread, which is found without a call. The compiler sees that the flag of one
/// await is that of the await around it, so that a chain of awaits asks once on the way out.
#[cfg(not(any(target_vendor = "apple", coro_portable)))]
mod flag {
    use super::current;

    #[inline(always)]
    pub(super) fn is_up() -> bool {
        current::looking() != 0
    }

    pub(super) fn raise() {
        current::set_looking(current::looking() + 1);
    }

    pub(super) fn lower() {
        current::set_looking(current::looking() - 1);
    }
}

/// One flag for all threads, where a variable of a thread costs a call.
#[cfg(any(target_vendor = "apple", coro_portable))]
mod flag {
    use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

    static LOOKING: AtomicU32 = AtomicU32::new(0);

    #[inline(always)]
    pub(super) fn is_up() -> bool {
        LOOKING.load(Relaxed) != 0
    }

    pub(super) fn raise() {
        LOOKING.fetch_add(1, Relaxed);
    }

    pub(super) fn lower() {
        LOOKING.fetch_sub(1, Relaxed);
    }
}

/// The scheduler whose task is polled for a dump on this thread.
#[cold]
#[inline(never)]
fn here() -> Option<Rc<Scheduler>> {
    let inside = current::is_inside();
    let here = inside.then(|| Scheduler::with_current(Rc::clone))?;
    here.collector().is_active().then_some(here)
}

/// Reports a wait that has a waker of the task, and that only this loop ends.
#[cold]
#[inline(never)]
pub(crate) fn leaf(step: Step) {
    if let Some(here) = here() {
        here.collector().add(step, 1);
    }
}

/// As [`leaf`], with the place of the await if no function around it reports one.
#[cold]
#[inline(never)]
pub(crate) fn leaf_at(step: Step, location: &'static Location<'static>, awaits: &'static str) {
    let Some(here) = here() else { return };
    let collector = here.collector();
    if !collector.is_at_top() || is_our_own(location) {
        return collector.add(step, 1);
    }
    let opened = collector.open(Step::At { location, awaits });
    collector.add(step, 1);
    collector.close(&opened, true);
}

/// Whether a place is in this library.
fn is_our_own(location: &Location<'_>) -> bool {
    let here = file!();
    let root = here.strip_suffix("task/looking.rs");
    root.is_some_and(|root| location.file().starts_with(root))
}

/// Reports a wait that something outside of this loop ends.
#[cold]
#[inline(never)]
pub(crate) fn outside(step: Step) {
    if let Some(here) = here() {
        here.collector().go_astray();
        here.collector().add(step, 1);
    }
}

/// Reports a wait for a lock that was given to the task whose waker has this address.
#[cold]
#[inline(never)]
pub(crate) fn line(step: Step, holder: usize) {
    match here() {
        None => {}
        Some(here) if holder == 0 => here.collector().add(step, 1),
        Some(here) => here.collector().add_held(step, holder),
    }
}

/// Counts the waiters before one in its line, with the place that was counted last in this dump.
#[cold]
#[inline(never)]
pub(crate) fn counting(count: impl Fn(&Cell<PlaceInLine>) -> usize) -> usize {
    here().map_or(0, |here| count(here.collector().counted()))
}

/// Reports a wait that has no waker of its own, as its group wakes it.
#[cold]
#[inline(never)]
pub(crate) fn leaf_without_waker(step: Step) {
    if let Some(here) = here() {
        here.collector().add(step, 0);
    }
}

/// Reports that a group has a waker of the task, to wake it when a member is woken.
#[cold]
pub(crate) fn hold() {
    if let Some(here) = here() {
        here.collector().hold();
    }
}

/// Whether a future that was polled before may be left alone: the poll is for a dump only.
pub(crate) fn may_be_skipped() -> bool {
    is_looking() && here().is_some_and(|here| !here.collector().is_woken())
}

/// Calls `poll`, whose steps lie under `step`.
#[inline(always)]
pub(crate) fn under<T>(step: impl FnOnce() -> Step, poll: impl FnOnce() -> Poll<T>) -> Poll<T> {
    match is_looking() {
        true => look_under(step(), poll),
        false => poll(),
    }
}

#[cold]
#[inline(never)]
fn look_under<T>(step: Step, poll: impl FnOnce() -> Poll<T>) -> Poll<T> {
    let Some(bracket) = Bracket::open(step) else {
        return poll();
    };
    let polled = poll();
    bracket.close(polled.is_pending());
    polled
}

/// Begins an await, whose steps lie under its line until [`close_await`].
#[cold]
#[inline(never)]
pub(crate) fn open_await(location: &'static Location<'static>, awaits: &'static str) {
    if let Some(here) = here() {
        here.collector().open_await(location, awaits);
    }
}

/// Ends the await that was begun last at this place.
#[cold]
#[inline(never)]
pub(crate) fn close_await(location: &'static Location<'static>, is_pending: bool) {
    if let Some(here) = here() {
        here.collector().close_await(location, is_pending);
    }
}

/// As [`group`], but a bracket to be closed. It adds no frame to the stack in builds without
/// optimisation, and little to the caller's, so it is for futures that are nested deep.
#[inline(always)]
pub(crate) fn open_group(group: &'static str, any: bool) -> MaybeBracket {
    match is_looking() {
        true => open_named(group, any),
        false => MaybeBracket(None),
    }
}

#[cold]
#[inline(never)]
fn open_named(group: &'static str, any: bool) -> MaybeBracket {
    open(Step::Together { group, any })
}

/// A bracket around one member of a group that is polled with the group's waker.
#[inline(always)]
pub(crate) fn open_member(number: usize) -> MaybeBracket {
    match is_looking() {
        true => open_numbered(number),
        false => MaybeBracket(None),
    }
}

#[cold]
#[inline(never)]
fn open_numbered(number: usize) -> MaybeBracket {
    open(Step::Member {
        number,
        spawned_at: None,
    })
}

fn open(step: Step) -> MaybeBracket {
    MaybeBracket(Bracket::open(step))
}

/// A bracket that is open if the task is polled for a dump.
pub(crate) struct MaybeBracket(Option<Bracket>);

impl MaybeBracket {
    /// Closes it; if its future is ready, its steps are taken back.
    #[inline]
    pub(crate) fn close<T>(self, polled: Poll<T>) -> Poll<T> {
        if let Some(bracket) = self.0 {
            bracket.close(polled.is_pending());
        }
        polled
    }
}

/// Awaits `future`, whose steps lie under `step`.
pub(crate) async fn shown<F: Future>(step: impl Fn() -> Step, future: F) -> F::Output {
    let mut future = pin!(future);
    poll_fn(|cx| under(&step, || future.as_mut().poll(cx))).await
}

/// Polls the futures of a group; `any`: the first of them to end may end the wait.
#[inline(always)]
pub(crate) fn group<T>(group: &'static str, any: bool, poll: impl FnOnce() -> Poll<T>) -> Poll<T> {
    under(|| Step::Together { group, any }, poll)
}

/// The look at one member of a group that has a waker of its own.
pub(crate) struct MemberLook {
    account: MemberAccount,
    bracket: Option<Bracket>,
}

impl MemberLook {
    /// Begins it, before the member is polled. `woken`: it would be polled without the dump, too.
    #[cold]
    pub(crate) fn begin(member: Step, waker: &Waker, woken: bool) -> Self {
        MemberLook {
            account: MemberAccount::begin(waker, woken),
            bracket: Bracket::open(member),
        }
    }

    /// Ends it; `wakers` counts the wakers of a member that still waits.
    #[cold]
    pub(crate) fn end(mut self, wakers: Option<usize>) {
        if let Some(bracket) = self.bracket {
            bracket.close(wakers.is_some());
        }
        self.account.end(wakers);
    }
}

/// An open bracket. Dropped in a panic, it takes its steps back.
struct Bracket(OpenBracket);

impl Bracket {
    fn open(step: Step) -> Option<Self> {
        Some(Bracket(here()?.collector().open(step)))
    }

    fn close(self, keep: bool) {
        self.end(keep);
        std::mem::forget(self);
    }

    fn end(&self, keep: bool) {
        if let Some(here) = here() {
            here.collector().close(&self.0, keep);
        }
    }
}

impl Drop for Bracket {
    fn drop(&mut self) {
        self.end(false);
    }
}

/// The account of a member that has a waker of its own, while the member is polled.
struct MemberAccount(Option<Account>);

impl MemberAccount {
    fn begin(waker: &Waker, woken: bool) -> Self {
        let address = waker.data().addr();
        MemberAccount(here().map(|here| here.collector().begin_member(address, woken)))
    }

    /// Ends it; `wakers` counts the wakers of a member that is not done.
    fn end(&mut self, wakers: Option<usize>) {
        if let Some(outside) = self.0.take()
            && let Some(here) = here()
        {
            here.collector().end_member(outside, wakers);
        }
    }
}

impl Drop for MemberAccount {
    fn drop(&mut self) {
        self.end(None);
    }
}

/// Keeps the flag up for as long as this lives.
pub(super) struct FlagUp;

impl FlagUp {
    pub(super) fn raise() -> Self {
        flag::raise();
        FlagUp
    }
}

impl Drop for FlagUp {
    fn drop(&mut self) {
        flag::lower();
    }
}

/// The steps that a task reports while it is polled with the flag up. Dropped in a panic, it has none.
pub(crate) struct Collecting {
    task: TaskRef,
    _flag: FlagUp,
}

impl Collecting {
    pub(super) fn begin(task: TaskRef) -> Self {
        let address = task.as_ptr().as_ptr().addr();
        let collector = task.scheduler().collector();
        collector.begin(task.header().id, address);
        let flag = FlagUp::raise();
        super::budget::begin_step();
        Collecting { task, _flag: flag }
    }

    /// Ends the collecting, after the poll.
    pub(crate) fn end(self) -> Look {
        self.task.scheduler().collector().end(self.task.wakers())
    }
}

impl Drop for Collecting {
    fn drop(&mut self) {
        drop(self.task.scheduler().collector().end(0));
    }
}

impl Scheduler {
    /// The holders of locks that the tasks looked at wait for. Ends a dump.
    pub(crate) fn take_holders(&self) -> Vec<(super::collector::Holder, super::TaskId)> {
        self.collector().take_holders()
    }
}
