//! The slot through which a suspended body exchanges values with its caller.
//!
//! A step of a coroutine puts a [`Slot`] on the caller's stack and polls the body once, with a
//! waker whose data pointer is the address of that slot. A yield inside the body finds the slot
//! through the waker, leaves its value there and answers `Pending`. The next step brings a slot of
//! its own, with the value to resume with. So a suspended body stores no pointer, moves to other
//! threads whenever its own locals can, and the optimiser sees through the exchange.
//!
//! # Access to a slot
//!
//! A yield of `Y` and `R` must never find a slot of other types. Types cannot be compared at run
//! time, because lifetimes cannot. So instances are compared:
//!
//! 1. No two machines of the process have the same [`Id`]. The one [`Handle`] with this id is made
//!    together with the machine and has its types, down to the lifetimes, because both markers are
//!    invariant; so have the copies that [`Handle::share`] makes. Only machines of types without
//!    lifetimes share an id, one for each pair of types.
//! 2. The field `owner` of a slot names the machine whose body is being polled. [`Handle::slot`]
//!    refuses a handle with another id, as of a handle that was carried into another body.
//! 3. Only [`Slot::lend_to`] changes the owner: to a child that exchanges the same types, for the
//!    time of one poll. The parent's handle vouches for the types.
//! 4. The waker of a slot is lent for the duration of one poll, and a clone of it is a clone of the
//!    waker behind it, which does not know the slot.
//!
//! The macros give out a handle only inside a yield point, whose labelled `break` does not compile in
//! a closure or in another `async` block. That serves the messages: any code can call the functions
//! that the macros call, and the comparison makes them safe.
#![expect(
    unsafe_code,
    reason = "the body and its resumer share a slot on the stack, found through the waker's data pointer"
)]

use core::any::TypeId;
use core::cell::{Cell, UnsafeCell};
use core::fmt;
use core::future::Future;
use core::marker::PhantomData;
use core::mem::{self, ManuallyDrop, MaybeUninit};
use core::pin::Pin;
use core::ptr;
#[cfg(feature = "alloc")]
use core::ptr::NonNull;
use core::task::{Context, Poll, RawWaker, RawWakerVTable, Waker};

#[cfg(feature = "alloc")]
use super::chain::Link;
use super::id::Id;
use super::{AsyncGenerator, CoroutineState, Generator, Status, wrong_status};

/// Makes `Y` and `R` invariant without affecting `Send`, `Sync` or `Unpin`.
pub(crate) type Invariant<Y, R> = PhantomData<fn(Y, R) -> (Y, R)>;

/// The right to use the slot of the body that holds it; see the head of this file.
pub(crate) struct Handle<Y, R> {
    /// Left out if [`Id::as_constant`] knows it: then no yield point has to store it.
    id: MaybeUninit<Id>,
    types: Invariant<Y, R>,
}

impl<Y, R> Handle<Y, R> {
    /// For the constructors of machines, which give it to the body that they keep.
    #[inline]
    pub(super) fn new() -> Self {
        Self::with_id(|| Id::of_types(types::<Y, R>()).unwrap_or_else(Id::new))
    }

    /// A second handle for another future of the same body.
    #[inline]
    pub(crate) fn share(&self) -> Self {
        Self::with_id(|| self.id())
    }

    #[inline]
    fn with_id(id: impl FnOnce() -> Id) -> Self {
        let id = match Id::as_constant(types::<Y, R>) {
            Some(_) => MaybeUninit::uninit(),
            None => MaybeUninit::new(id()),
        };
        let types = PhantomData;
        Handle { id, types }
    }

    /// Whose slot it is a handle of.
    #[inline]
    pub(super) fn id(&self) -> Id {
        // Not read from the memory of the body, so that the optimiser sees through the comparison.
        // SAFETY: all handles come from `with_id`, which leaves the id out only if there is a constant, and
        // whether there is one depends on the types and on how this crate was compiled, on nothing else.
        Id::as_constant(types::<Y, R>).unwrap_or_else(|| unsafe { self.id.assume_init() })
    }

    /// The value that this step resumes the body with.
    ///
    /// # Panics
    ///
    /// As [`slot`](Self::slot).
    #[inline]
    pub(crate) fn take(&self, cx: &Context<'_>) -> R {
        // If `R` has only one value, the slot need not be read.
        let value = unit().or_else(|| self.slot(cx).resumed.take());
        value.expect("a suspended body is only resumed with a value")
    }

    /// The slot of the step that is polling the body.
    ///
    /// # Panics
    ///
    /// If the body is polled by anything else than a step of the machine that this handle was made
    /// for.
    #[inline]
    pub(crate) fn slot<'a, 'w: 'a>(&'a self, cx: &Context<'w>) -> &'a Slot<'a, Y, R> {
        let waker = cx.waker();
        if !is_slot(waker) {
            outside_of_its_coroutine();
        }
        // SAFETY: only `Slot::waker` makes wakers with our vtable, so the data pointer is the address
        // of a slot, which outlives the borrow of its waker, and a slot begins with its head. A head
        // changes in a `Cell` alone, which only the thread that polls uses: a context cannot be sent.
        let head = unsafe { &*waker.data().cast::<Head<'a>>() };
        if head.owner.get() != self.id() {
            of_another_coroutine();
        }
        // SAFETY: as above; and the types of the slot are those of this handle, because the ids are
        // the same: see the head of this file.
        unsafe { &*waker.data().cast::<Slot<'a, Y, R>>() }
    }
}

#[cold]
#[inline(never)]
fn outside_of_its_coroutine() -> ! {
    panic!(
        "a yield point was polled outside of its coroutine; \
         `yield_!` and `yield_from!` work only in the body of a `#[coro::coroutine]` function"
    )
}

#[cold]
#[inline(never)]
fn of_another_coroutine() -> ! {
    panic!(
        "a yield point was polled in another coroutine than its own; \
         `yield_!` and `yield_from!` work only in the body that they are written in"
    )
}

/// The part of a slot that does not depend on its types.
#[repr(C)] // the waker's functions read `outer` while `owner` may be in use on another thread
struct Head<'a> {
    /// The waker of the task that polls, if the coroutine may wait.
    outer: Option<&'a Waker>,
    /// The machine whose body is being polled.
    owner: Cell<Id>,
}

/// The values that one step and the body exchange.
#[repr(C)] // begins with the head, which is read without knowing `Y` and `R`
pub(crate) struct Slot<'a, Y, R> {
    head: Head<'a>,
    /// The leaf of the innermost chain of boxed coroutines that this step is running.
    #[cfg(feature = "alloc")]
    pub(super) chain: Cell<Option<NonNull<Cell<Option<Link>>>>>,
    resumed: Cell<Option<R>>,
    yielded: Cell<Option<Y>>,
}

impl<'a, Y, R> Slot<'a, Y, R> {
    #[inline]
    pub(super) fn new(owner: Id, outer: Option<&'a Waker>, value: Option<R>) -> Self {
        let owner = Cell::new(owner);
        Slot {
            head: Head { outer, owner },
            #[cfg(feature = "alloc")]
            chain: Cell::new(None),
            resumed: Cell::new(value),
            yielded: Cell::new(None),
        }
    }

    /// Lets the body of another machine use the slot, until it is lent on or given back.
    ///
    /// Safe, because the types are in the handle.
    #[inline]
    pub(super) fn lend_to(&self, body: &Handle<Y, R>) {
        self.lend_to_id(body.id());
    }

    /// As [`lend_to`](Self::lend_to); the caller promises that the body exchanges `Y` and `R`.
    #[inline]
    pub(super) fn lend_to_id(&self, body: Id) {
        if Id::as_constant(types::<Y, R>).is_none() {
            self.head.owner.set(body);
        }
    }

    /// Hands `value` to the caller of the step; the body answers `Pending` next.
    #[inline]
    pub(crate) fn give(&self, value: Y) {
        self.yielded.set(Some(value));
    }

    /// The value that a pending body has yielded; `Pending` if it waits instead.
    #[inline]
    pub(super) fn suspended(&self, stage: &mut Stage) -> Poll<Y> {
        let yielded = self.yielded.take();
        *stage = match yielded {
            Some(_) => Stage::AtYield,
            None => Stage::Waiting,
        };
        yielded.map_or(Poll::Pending, Poll::Ready)
    }

    /// Whether the body has left a value.
    #[cfg(feature = "alloc")]
    #[inline]
    pub(super) fn is_given(&self) -> bool {
        // SAFETY: the cell is not written while it is read: no other code runs meanwhile, and a
        // slot is not `Sync`.
        unsafe { &*self.yielded.as_ptr() }.is_some()
    }

    /// Puts a value in place of the one that was taken.
    #[cfg(feature = "alloc")]
    pub(super) fn refill(&self, value: R) {
        self.resumed.set(Some(value));
    }

    /// The waker of the task that polls.
    #[inline]
    pub(crate) fn outer(&self) -> Option<&'a Waker> {
        self.head.outer
    }

    /// A waker through which the body finds this slot.
    #[inline]
    fn waker(&self) -> ManuallyDrop<Waker> {
        // SAFETY: the functions of `VTABLE` uphold the contract of `RawWakerVTable` for the address
        // of a live slot: they read only `outer`, which is never written, so they may run on any
        // thread that the reference to the waker reaches; `clone` makes an independent waker. The
        // waker itself is only lent, from within `Machine::step`, where the slot outlives it.
        ManuallyDrop::new(unsafe { Waker::new(ptr::from_ref(self).cast(), &VTABLE) })
    }
}

/// Polls a body once under a slot. If it panics, `on_panic` is run.
#[inline]
pub(super) fn exchange<Y, R, T>(
    slot: &Slot<'_, Y, R>,
    poll: impl FnOnce(&mut Context<'_>) -> Poll<T>,
    on_panic: impl FnMut(),
) -> Poll<T> {
    let on_panic = OnPanic(on_panic);
    let waker = slot.waker();
    let polled = poll(&mut Context::from_waker(&waker));
    mem::forget(on_panic);
    polled
}

/// Runs a function unless it is forgotten.
struct OnPanic<F: FnMut()>(F);

impl<F: FnMut()> Drop for OnPanic<F> {
    #[cold]
    fn drop(&mut self) {
        self.0();
    }
}

/// A `static`, not a `const`: its address is compared.
static VTABLE: RawWakerVTable = RawWakerVTable::new(clone_outer, wake_outer, wake_outer, |_| {});

#[inline]
fn is_slot(waker: &Waker) -> bool {
    ptr::eq(waker.vtable(), &VTABLE)
}

/// # Safety
///
/// `slot` is the address of a live `Slot<'a, _, _>`.
#[inline]
unsafe fn outer_of<'a>(slot: *const ()) -> &'a Waker {
    // SAFETY: a slot begins with its head, of the same type for all `Y` and `R`, and `outer` is not
    // written while the slot lives. Only this field is read: the cells beside it may be in use on
    // another thread.
    unsafe { (*slot.cast::<Head<'a>>()).outer }.unwrap_or(Waker::noop())
}

unsafe fn clone_outer(slot: *const ()) -> RawWaker {
    // SAFETY: the caller passes the data pointer of a waker made in `Slot::waker`.
    let waker = ManuallyDrop::new(unsafe { outer_of(slot) }.clone());
    RawWaker::new(waker.data(), waker.vtable())
}

unsafe fn wake_outer(slot: *const ()) {
    // SAFETY: the caller passes the data pointer of a waker made in `Slot::waker`.
    unsafe { outer_of(slot) }.wake_by_ref();
}

/// The stage of a machine.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Stage {
    /// None of the body has run.
    NotStarted,
    /// The body is suspended at a yield and needs a value to continue.
    AtYield,
    /// The body waits for a future, in the middle of a step.
    Waiting,
    /// The body has panicked.
    Panicked,
    /// The body has completed or been closed, and has been dropped.
    Over,
}

impl Stage {
    /// Takes the value that a step from this stage passes to the body; `None` if the step starts
    /// the body or continues in the middle of a step.
    ///
    /// # Panics
    ///
    /// If a value would be lost, if one is missing, or if the body is over.
    #[inline]
    pub(super) fn accept<R>(self, value: &mut Option<R>) -> Option<R> {
        match (self, unit()) {
            (Stage::Panicked | Stage::Over, _) => wrong_status(Status::Finished),
            (_, Some(unit)) => Some(unit),
            (Stage::AtYield, None) if value.is_some() => value.take(),
            (Stage::NotStarted, None) if value.is_none() => None,
            (Stage::Waiting, None) => None,
            (stage, None) => wrong_status(stage.status()),
        }
    }

    #[inline]
    pub(super) fn status(self) -> Status {
        match self {
            Stage::NotStarted => Status::NotStarted,
            Stage::AtYield | Stage::Waiting => Status::Suspended,
            Stage::Panicked | Stage::Over => Status::Finished,
        }
    }
}

/// A body with its stage: all that the public coroutine types consist of.
pub(crate) struct Machine<Y, R, F> {
    /// In a cell, because a body borrows from itself: a plain field would be invalidated by any
    /// shared reference to the machine, such as the one that asks for the stage.
    /// Present unless the stage is `Over`.
    body: UnsafeCell<ManuallyDrop<F>>,
    stage: Stage,
    handle: Handle<Y, R>,
}

// SAFETY: a shared reference gives access to `stage` only. The body is reached only through an
// exclusive reference, so sharing a machine between threads shares no part of the body.
unsafe impl<Y, R, F> Sync for Machine<Y, R, F> {}

impl<Y, R, F> Machine<Y, R, F> {
    #[inline]
    pub(super) fn new(body: impl FnOnce(Handle<Y, R>) -> F) -> Self {
        let handle = Handle::new();
        Machine {
            body: UnsafeCell::new(ManuallyDrop::new(body(handle.share()))),
            stage: Stage::NotStarted,
            handle,
        }
    }

    #[inline]
    pub(crate) fn stage(&self) -> Stage {
        self.stage
    }

    /// Takes the body of a machine that has not been pinned, to be polled in place by a body that
    /// exchanges the same types.
    #[inline]
    pub(super) fn into_body(self) -> (F, Handle<Y, R>) {
        if self.stage != Stage::NotStarted {
            wrong_status(self.stage.status());
        }
        let mut machine = ManuallyDrop::new(self);
        // SAFETY: the body is present, and the destructor, which would drop it again, does not run.
        let body = unsafe { ManuallyDrop::take(machine.body.get_mut()) };
        (body, machine.handle.share())
    }

    /// Drops the body where it is.
    #[inline]
    pub(super) fn clear(self: Pin<&mut Self>) {
        // SAFETY: nothing is moved out of the machine.
        unsafe { self.get_unchecked_mut() }.drop_body();
    }

    #[inline]
    fn drop_body(&mut self) {
        if mem::replace(&mut self.stage, Stage::Over) != Stage::Over {
            // SAFETY: the body was present, and from now on counts as gone. It is dropped in place.
            unsafe { ManuallyDrop::drop(self.body.get_mut()) };
        }
    }
}

impl<Y, R, F> Drop for Machine<Y, R, F> {
    #[inline]
    fn drop(&mut self) {
        self.drop_body();
    }
}

impl<Y, R, F: Future> Machine<Y, R, F> {
    /// Runs the body to its next yield, wait or end.
    ///
    /// After a panic, the body is never polled again.
    ///
    /// # Panics
    ///
    /// As [`Stage::accept`].
    #[inline]
    pub(super) fn step(
        self: Pin<&mut Self>,
        outer: Option<&Waker>,
        value: &mut Option<R>,
    ) -> Poll<CoroutineState<Y, F::Output>> {
        // SAFETY: nothing is moved out of the machine.
        let this = unsafe { self.get_unchecked_mut() };
        let value = this.stage.accept(value);
        // SAFETY: the body is present, because `accept` panics if it is not. It is pinned, because
        // the machine is: code that takes the body out by value has the machine by value, so it was
        // not pinned.
        let body = unsafe { Pin::new_unchecked(&mut **this.body.get()) };
        let slot = Slot::new(this.handle.id(), outer, value);
        let stage = &mut this.stage;
        match exchange(&slot, |cx| body.poll(cx), || *stage = Stage::Panicked) {
            Poll::Pending => slot.suspended(&mut this.stage).map(CoroutineState::Yielded),
            Poll::Ready(value) => {
                this.drop_body();
                Poll::Ready(CoroutineState::Complete(value))
            }
        }
    }
}

impl<Y, R, F> Generator<Y, R, F> {
    #[inline]
    pub(super) fn machine(self: Pin<&mut Self>) -> Pin<&mut Machine<Y, R, F>> {
        // SAFETY: the machine is pinned whenever the generator is: no code moves it out of a pinned
        // generator, and the generator has no destructor and is `Unpin` only if the body is.
        unsafe { self.map_unchecked_mut(|generator| &mut generator.machine) }
    }
}

impl<Y, R, F> AsyncGenerator<Y, R, F> {
    #[inline]
    pub(super) fn machine(self: Pin<&mut Self>) -> Pin<&mut Machine<Y, R, F>> {
        // SAFETY: as above.
        unsafe { self.map_unchecked_mut(|generator| &mut generator.machine) }
    }
}

impl<Y, R, F> fmt::Debug for Machine<Y, R, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.stage.status().fmt(f)
    }
}

/// `()` as an `R`, if `R` is `()`: then "start" and "resume" mean the same.
#[inline]
pub(crate) fn unit<R>() -> Option<R> {
    // SAFETY: the types are the same, because `()` has no lifetimes that a type id would not show.
    (type_id::<R>() == TypeId::of::<()>()).then(|| unsafe { mem::transmute_copy(&()) })
}

/// The identities of both types.
pub(super) fn types<Y, R>() -> (TypeId, TypeId) {
    (type_id::<Y>(), type_id::<R>())
}

/// The identity of `T`, without its lifetimes.
#[inline]
fn type_id<T>() -> TypeId {
    trait Identity {
        fn id(&self) -> TypeId
        where
            Self: 'static;
    }
    impl<T> Identity for PhantomData<T> {
        #[inline]
        fn id(&self) -> TypeId
        where
            Self: 'static,
        {
            TypeId::of::<T>()
        }
    }
    let of: PhantomData<T> = PhantomData;
    let of: &dyn Identity = &of;
    // SAFETY: only the lifetime in the bound of the trait object changes, and `id` touches no `T`: it
    // answers with a constant in which lifetimes have no part.
    unsafe { mem::transmute::<&(dyn Identity + '_), &(dyn Identity + 'static)>(of) }.id()
}
