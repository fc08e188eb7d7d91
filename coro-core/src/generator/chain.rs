//! Chains of boxed coroutines that delegate to each other, at a constant cost for each item.
//!
//! Polling a chain of delegating bodies from the outside in would cost one call for each level.
//! Instead the box at its root remembers the innermost body, the *leaf*, and polls that directly. A
//! body that delegates to a boxed child makes the child the leaf and answers `Pending`. When the
//! child has completed, its value is parked in its frame, and its parent is the leaf again, is
//! polled, and takes the value. So depth costs neither time for each item nor stack, neither in a
//! step nor in a drop.
//!
//! # Access to a frame
//!
//! A [`Link`] is a pointer to a [`Frame`] that has another owner: an [`InChain`], awaited in the
//! body of the parent frame. It is made only for an `InChain` that the attribute's macro awaits, which
//! an `InBody` says; see `place`. So the body of the parent frame is suspended at that await, and no
//! code can forget the `InChain` alone. Another `InChain` polls its child itself. A link is in use from the moment when its `InChain` is first polled
//! until the frame has completed or has been cleared. During that time
//!
//! - the frame stays where it is: it is in a pinned box, which the `InChain` does not touch;
//! - the frame stays alive: its `InChain` is dropped with the parent's body, and that body is not
//!   polled while it has a child. It can only be dropped with the root, whose destructor first clears
//!   all frames, the leaf first; or when a frame further out is cleared, which comes after this one;
//! - the frame has no other borrow: the root polls one frame at a time, and a frame that is being
//!   polled touches no other frame, except to make a child of its own the leaf.
//!
//! The box of the root itself is never linked to, so that a root that has been started may move.
#![expect(
    unsafe_code,
    reason = "the root of a chain polls its innermost frame, which a body further out owns"
)]

use alloc::boxed::Box;
use core::cell::{Cell, UnsafeCell};
use core::future::Future;
use core::mem::{self, ManuallyDrop};
use core::pin::Pin;
use core::ptr::NonNull;
use core::task::{Context, Poll, Waker};

use pin_project_lite::pin_project;

use super::id::Id;
use super::place::{Delegation, Position};
use super::slot::{Handle, Slot, Stage, exchange, types, unit};
use super::{CoroutineState, Status, wrong_status};

/// A boxed body without its types.
pub trait Frame {
    /// Polls the body; when it completes, parks its value in the frame.
    fn poll_body(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()>;

    /// The frame whose body delegates to this one: `None` if that is the root.
    fn parent(self: Pin<&mut Self>) -> &mut Option<Link>;

    /// A pointer to this frame, which is of the machine `owner`.
    fn link(self: Pin<&mut Self>, owner: Id) -> Link;

    /// Drops the body, and the parked value if there is one.
    fn clear(self: Pin<&mut Self>);

    /// Whether [`clear`](Self::clear) has been called.
    fn is_cleared(&self) -> bool;
}

/// A boxed body with a return type.
pub trait Body: Frame {
    /// The return type.
    type Output;

    /// The value that [`Frame::poll_body`] parked.
    fn take(self: Pin<&mut Self>) -> Option<Self::Output>;
}

/// A pointer to a frame of a chain; a chain's links lead from the innermost frame outwards.
#[derive(Clone, Copy, Debug)]
pub struct Link {
    frame: NonNull<dyn Frame>,
    /// Who the slot belongs to while the frame is polled.
    owner: Id,
}

// SAFETY: a link is stored in a root, or in a frame of a chain, and leads to frames that are owned
// by bodies which that root owns. A root is `Send` only if its body is, and the body only if every
// child in it is.
unsafe impl Send for Link {}

impl Link {
    #[inline]
    fn address(self) -> NonNull<()> {
        self.frame.cast()
    }

    /// The frame.
    ///
    /// # Safety
    ///
    /// The link is in use, and the frame is not borrowed; see the head of this file.
    #[inline]
    unsafe fn frame<'a>(self) -> Pin<&'a mut dyn Frame> {
        // SAFETY: the frame is alive and not borrowed, says the caller; and it is pinned, because
        // `Frame::link` takes it pinned.
        unsafe { Pin::new_unchecked(&mut *self.frame.as_ptr()) }
    }
}

pin_project! {
    /// The content of a boxed coroutine's box.
    pub(super) struct Boxed<F: Future> {
        parent: Option<Link>,
        value: Option<F::Output>,
        #[pin]
        body: Option<F>,
    }
}

/// Reached only by code that calls the functions behind `yield_from!` itself.
#[cold]
#[inline(never)]
fn awaited_no_longer() -> ! {
    panic!("a coroutine was dropped while the body around it delegated to it")
}

impl<F: Future> Frame for Boxed<F> {
    #[inline]
    fn poll_body(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.project();
        let Some(body) = this.body.as_pin_mut() else {
            awaited_no_longer()
        };
        body.poll(cx).map(|value| *this.value = Some(value))
    }

    fn parent(self: Pin<&mut Self>) -> &mut Option<Link> {
        self.project().parent
    }

    fn link(self: Pin<&mut Self>, owner: Id) -> Link {
        // SAFETY: nothing is moved out of the frame: `Link::frame` pins it again.
        let frame: &mut (dyn Frame + '_) = unsafe { self.get_unchecked_mut() };
        let frame = NonNull::from(frame);
        // SAFETY: only the lifetime in the bound of the trait object changes. A link is not used
        // for longer than its frame lives, and the frame does not outlive the borrows of its body.
        let frame = unsafe { mem::transmute::<NonNull<dyn Frame + '_>, NonNull<dyn Frame>>(frame) };
        Link { frame, owner }
    }

    fn clear(self: Pin<&mut Self>) {
        let mut this = self.project();
        this.body.set(None);
        *this.value = None;
    }

    fn is_cleared(&self) -> bool {
        self.body.is_none()
    }
}

impl<F: Future> Body for Boxed<F> {
    type Output = F::Output;

    fn take(self: Pin<&mut Self>) -> Option<F::Output> {
        self.project().value.take()
    }
}

impl<F: Future> Boxed<F> {
    pub(super) fn pin(body: F) -> Pin<Box<Self>> {
        Box::pin(Boxed {
            parent: None,
            value: None,
            body: Some(body),
        })
    }
}

/// A boxed body with its stage, and with the frames that it delegates to.
pub(crate) struct BoxMachine<Y, R, B: Body + ?Sized> {
    chain: Chain<B>,
    stage: Stage,
    handle: Handle<Y, R>,
}

impl<Y, R, B: Body + ?Sized> BoxMachine<Y, R, B> {
    pub(super) fn new(root: impl FnOnce(Handle<Y, R>) -> Pin<Box<B>>) -> Self {
        let handle = Handle::new();
        BoxMachine {
            chain: Chain::new(root(handle.share())),
            stage: Stage::NotStarted,
            handle,
        }
    }

    #[inline]
    pub(super) fn stage(&self) -> Stage {
        self.stage
    }

    /// Runs the innermost body to its next yield or wait, or the root to its end.
    ///
    /// If one of them panics, all are dropped.
    ///
    /// # Panics
    ///
    /// As [`Stage::accept`].
    #[inline]
    pub(super) fn step(
        &mut self,
        outer: Option<&Waker>,
        value: &mut Option<R>,
    ) -> Poll<CoroutineState<Y, B::Output>> {
        let value = self.stage.accept(value);
        let slot = Slot::<Y, R>::new(self.chain.owner(&self.handle), outer, value);
        slot.chain.set(Some(NonNull::from(&self.chain.leaf)));
        let (chain, root, stage) = (&self.chain, &self.handle, &mut self.stage);
        let on_panic = || {
            *stage = Stage::Over;
            chain.clear();
        };
        let polled = exchange(&slot, |cx| chain.poll(root, &slot, cx), on_panic);
        match polled {
            Poll::Pending => slot.suspended(&mut self.stage).map(CoroutineState::Yielded),
            Poll::Ready(value) => {
                self.stage = Stage::Over;
                Poll::Ready(CoroutineState::Complete(value))
            }
        }
    }

    /// Runs this chain within the step of another body, which drops the chain if it panics.
    #[inline(never)]
    fn poll_within(&self, parent: &Handle<Y, R>, cx: &mut Context<'_>) -> Poll<B::Output> {
        let slot = parent.slot(cx);
        let _back = GiveBack {
            slot,
            parent,
            around: slot.chain.replace(Some(NonNull::from(&self.chain.leaf))),
        };
        slot.lend_to_id(self.chain.owner(&self.handle));
        self.chain.poll(&self.handle, slot, cx)
    }

    /// Drops all bodies now, the innermost first.
    pub(super) fn clear(&mut self) {
        self.stage = Stage::Over;
        self.chain.clear();
    }
}

/// Gives a slot back to a parent, which may delegate again in this step: also when its child panics,
/// because what the slot knows of the child must not outlive it.
struct GiveBack<'a, Y, R> {
    slot: &'a Slot<'a, Y, R>,
    parent: &'a Handle<Y, R>,
    around: Option<NonNull<Cell<Option<Link>>>>,
}

impl<Y, R> Drop for GiveBack<'_, Y, R> {
    #[inline]
    fn drop(&mut self) {
        self.slot.lend_to(self.parent);
        self.slot.chain.set(self.around);
    }
}

/// A root and the frames that it delegates to.
struct Chain<B: Body + ?Sized> {
    /// The innermost frame below the root.
    leaf: Cell<Option<Link>>,
    /// In a cell, so that the leaf can be shared with the slot while the root is polled.
    root: UnsafeCell<Pin<Box<B>>>,
}

impl<B: Body + ?Sized> Chain<B> {
    fn new(root: Pin<Box<B>>) -> Self {
        Chain {
            leaf: Cell::new(None),
            root: UnsafeCell::new(root),
        }
    }

    /// The machine that the slot belongs to while the leaf is polled.
    #[inline]
    fn owner<Y, R>(&self, root: &Handle<Y, R>) -> Id {
        match Id::as_constant(types::<Y, R>) {
            Some(shared) => shared,
            None => self.leaf.get().map_or(root.id(), |link| link.owner),
        }
    }

    /// Polls the leaf, and each later leaf, until one of them is suspended. The slot has been lent to
    /// the first leaf.
    ///
    /// If one of them panics, the other bodies still exist.
    #[inline]
    fn poll<Y, R>(
        &self,
        root: &Handle<Y, R>,
        slot: &Slot<'_, Y, R>,
        cx: &mut Context<'_>,
    ) -> Poll<B::Output> {
        let leaf = self.leaf_address();
        match self.poll_leaf(cx) {
            Poll::Pending if slot.is_given() => Poll::Pending,
            polled => self.change_leaf(leaf, polled, root, slot, cx),
        }
    }

    /// What tells the leaf from others: a link has more words than fit into registers.
    #[inline]
    fn leaf_address(&self) -> Option<NonNull<()>> {
        self.leaf.get().map(Link::address)
    }

    #[inline]
    fn poll_leaf(&self, cx: &mut Context<'_>) -> Poll<()> {
        match self.leaf.get() {
            // SAFETY: the leaf is in use and not borrowed: a chain is polled only by its owner, and
            // never from within one of its bodies.
            Some(link) => unsafe { link.frame() }.poll_body(cx),
            None => self.root().poll_body(cx),
        }
    }

    /// Continues after a leaf has completed or has made a child the leaf.
    #[cold]
    #[inline(never)]
    fn change_leaf<Y, R>(
        &self,
        mut leaf: Option<NonNull<()>>,
        mut polled: Poll<()>,
        root: &Handle<Y, R>,
        slot: &Slot<'_, Y, R>,
        cx: &mut Context<'_>,
    ) -> Poll<B::Output> {
        loop {
            match (polled, self.leaf.get()) {
                (Poll::Pending, _) if leaf == self.leaf_address() => return Poll::Pending,
                (Poll::Pending, _) => {}
                (Poll::Ready(()), Some(link)) => {
                    // SAFETY: the leaf is in use, and its borrow by `poll_leaf` has ended.
                    let frame = unsafe { link.frame() };
                    self.leaf.set(frame.parent().take());
                }
                (Poll::Ready(()), None) => match self.root().take() {
                    Some(value) => return Poll::Ready(value),
                    None => unreachable!("a body that completes parks its value"),
                },
            }
            leaf = self.leaf_address();
            slot.lend_to_id(self.owner(root));
            polled = self.poll_leaf(cx);
        }
    }

    /// Drops all bodies now, the innermost first.
    fn clear(&self) {
        while let Some(link) = self.leaf.get() {
            // SAFETY: the leaf is in use and not borrowed: none of the bodies is running.
            let mut frame = unsafe { link.frame() };
            self.leaf.set(frame.as_mut().parent().take());
            frame.clear();
        }
        self.root().clear();
    }

    /// The frame of the root, for a moment: not to be called while the root is borrowed.
    #[inline]
    #[expect(clippy::mut_from_ref, reason = "see its comment")]
    fn root(&self) -> Pin<&mut B> {
        // SAFETY: only the functions of this type borrow the root, each for one call, and they do
        // not call each other meanwhile: a chain is used only by its owner, which is not used by
        // the bodies that it owns.
        unsafe { &mut *self.root.get() }.as_mut()
    }
}

impl<B: Body + ?Sized> Drop for Chain<B> {
    fn drop(&mut self) {
        self.clear();
    }
}

/// A boxed child of the body that awaits this.
#[expect(missing_debug_implementations, reason = "only `yield_from!` makes it")]
pub struct InChain<Y, R, B: Body + ?Sized> {
    child: ManuallyDrop<BoxMachine<Y, R, B>>,
    parent: Handle<Y, R>,
    place: Place,
}

/// The poller of the child.
#[derive(Clone, Copy)]
enum Place {
    /// The child has not been polled yet.
    New,
    /// The root of the chain that the awaiting body is part of.
    Linked,
    /// This future: there is no chain around it, or the child has been started and brings its own.
    Root,
}

impl<Y, R, B: Body + ?Sized> InChain<Y, R, B> {
    #[inline]
    pub(crate) fn new(child: BoxMachine<Y, R, B>, parent: Handle<Y, R>) -> Self {
        InChain {
            child: ManuallyDrop::new(child),
            parent,
            place: Place::New,
        }
    }

    /// The work that is done once for each child, kept out of the path of each item.
    #[cold]
    #[inline(never)]
    fn enter_or_leave(&mut self, in_body: bool, cx: &mut Context<'_>) -> Poll<B::Output> {
        match self.place {
            Place::New => self.place = self.enter(in_body, cx),
            _ => match self.child.chain.root().take() {
                Some(value) => {
                    self.place = Place::Root; // it is linked no longer
                    return Poll::Ready(value);
                }
                None => awaited_no_longer(),
            },
        }
        match self.place {
            Place::Root => self.child.poll_within(&self.parent, cx),
            _ => Poll::Pending,
        }
    }

    /// Makes the child the leaf of the chain around it, or the root of a new one.
    fn enter(&mut self, in_body: bool, cx: &Context<'_>) -> Place {
        let slot = self.parent.slot(cx);
        match self.child.stage {
            Stage::NotStarted => match slot.chain.get() {
                Some(leaf) if in_body => {
                    // SAFETY: the chain that put the pointer there is running: it runs the body that
                    // is polling this future.
                    let leaf = unsafe { leaf.as_ref() };
                    let mut root = self.child.chain.root();
                    *root.as_mut().parent() = leaf.get();
                    leaf.set(Some(root.link(self.child.handle.id())));
                    Place::Linked
                }
                _ => Place::Root,
            },
            Stage::AtYield => match unit() {
                Some(unit) => {
                    slot.refill(unit);
                    Place::Root
                }
                None => wrong_status(Status::Suspended),
            },
            Stage::Waiting => Place::Root,
            Stage::Panicked | Stage::Over => wrong_status(Status::Finished),
        }
    }
}

impl<Y, R, B: Body + ?Sized> Drop for InChain<Y, R, B> {
    #[inline]
    fn drop(&mut self) {
        let mut root = self.child.chain.root();
        if matches!(self.place, Place::Linked) && !root.is_cleared() {
            // Code that called `delegate` itself has not awaited this to its end. The chain still has
            // the link, so the frame stays: empty, and for good.
            root.as_mut().clear();
            return;
        }
        // SAFETY: the child is not used again.
        unsafe { ManuallyDrop::drop(&mut self.child) };
    }
}

impl<Y, R, B: Body + ?Sized> Delegation for InChain<Y, R, B> {
    type Output = B::Output;

    #[inline]
    fn poll_at<P: Position>(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<B::Output> {
        match self.place {
            Place::Root => self.child.poll_within(&self.parent, cx),
            _ => self.enter_or_leave(P::IS_IN_BODY, cx),
        }
    }
}
