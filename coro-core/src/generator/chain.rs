//! Boxed coroutines that delegate to each other, however deep, at a constant cost per item.
//!
//! Polling a chain of delegating bodies from the outside in would cost one call per level. Instead the
//! box at its root remembers the innermost body, the *leaf*, and polls that directly. A body that
//! delegates to a boxed child makes the child the leaf and answers `Pending`; when the child has
//! completed, its value is parked in its frame, its parent is the leaf again, is polled, and takes the
//! value. So depth costs neither time per item nor stack, neither in a step nor when all is dropped.
//!
//! # Who may touch a frame
//!
//! A [`Link`] is a pointer to a [`Frame`] that somebody else owns: an [`InChain`], awaited in the body
//! of the parent frame. A link is in use from the moment when its `InChain` is first polled until the
//! frame has completed or has been cleared. During that time
//!
//! - the frame stays where it is: it is in a pinned box, which the `InChain` does not touch;
//! - the frame stays alive: its `InChain` is dropped with the parent's body, and that body is not
//!   polled while it has a child. It can only be dropped with the root (whose destructor first clears
//!   all frames, the leaf first) or when a frame further out is cleared (by when this one has been);
//! - nobody else borrows the frame: the root polls one frame at a time, and a frame that is being
//!   polled touches no other but for making a child of its own the leaf.
//!
//! The box of the root itself is never linked to, so that a root that has been started may move.
#![expect(
    unsafe_code,
    reason = "the root of a chain polls its innermost frame, which a body further out owns"
)]

use alloc::boxed::Box;
use core::cell::Cell;
use core::future::Future;
use core::mem;
use core::pin::Pin;
use core::ptr::NonNull;
use core::task::{Context, Poll, Waker};

use pin_project_lite::pin_project;

use super::slot::{Handle, Stage, exchange, unit};
use super::{CoroutineState, Status, wrong_status};

/// A boxed body without its types.
pub trait Frame {
    /// Polls the body; when it completes, parks its value in the frame.
    fn poll_body(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()>;

    /// The frame whose body delegates to this one: `None` when that is the root.
    fn parent(self: Pin<&mut Self>) -> &mut Option<Link>;

    /// A pointer to this frame.
    fn link(self: Pin<&mut Self>) -> Link;

    /// Drops the body, and the value if it is still there.
    fn clear(self: Pin<&mut Self>);
}

/// A boxed body that returns something.
pub trait Body: Frame {
    /// What it returns.
    type Output;

    /// The value that [`Frame::poll_body`] parked.
    fn take(self: Pin<&mut Self>) -> Option<Self::Output>;
}

/// A pointer to a frame of a chain, its innermost first.
#[derive(Clone, Copy)]
pub struct Link(NonNull<dyn Frame>);

// SAFETY: a link is stored in a root, or in a frame of a chain, and leads to frames that are owned by
// bodies which that root owns. A root is only `Send` when its body is, which it cannot be unless every
// child in it is.
unsafe impl Send for Link {}

impl Link {
    #[inline]
    fn address(self) -> NonNull<()> {
        self.0.cast()
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
        unsafe { Pin::new_unchecked(&mut *self.0.as_ptr()) }
    }
}

pin_project! {
    /// What is in the box of a boxed coroutine.
    pub(super) struct Boxed<F: Future> {
        parent: Option<Link>,
        value: Option<F::Output>,
        #[pin]
        body: Option<F>,
    }
}

impl<F: Future> Frame for Boxed<F> {
    #[inline]
    fn poll_body(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.project();
        let Some(body) = this.body.as_pin_mut() else {
            unreachable!("a cleared frame is not polled")
        };
        body.poll(cx).map(|value| *this.value = Some(value))
    }

    fn parent(self: Pin<&mut Self>) -> &mut Option<Link> {
        self.project().parent
    }

    fn link(self: Pin<&mut Self>) -> Link {
        // SAFETY: nothing is moved out of the frame: `Link::frame` pins it again.
        let frame: &mut (dyn Frame + '_) = unsafe { self.get_unchecked_mut() };
        let frame = NonNull::from(frame);
        // SAFETY: only the lifetime in the bound of the trait object changes. A link is not used for
        // longer than its frame lives, which is not longer than what its body borrows.
        Link(unsafe { mem::transmute::<NonNull<dyn Frame + '_>, NonNull<dyn Frame>>(frame) })
    }

    fn clear(self: Pin<&mut Self>) {
        let mut this = self.project();
        this.body.set(None);
        *this.value = None;
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
    /// The innermost frame below the root's own.
    leaf: Cell<Option<Link>>,
    stage: Stage,
    root: Pin<Box<B>>,
    handle: Handle<Y, R>,
}

impl<Y, R, B: Body + ?Sized> BoxMachine<Y, R, B> {
    pub(super) fn new(root: impl FnOnce(Handle<Y, R>) -> Pin<Box<B>>) -> Self {
        BoxMachine {
            leaf: Cell::new(None),
            stage: Stage::Fresh,
            root: root(Handle::new()),
            handle: Handle::new(),
        }
    }

    #[inline]
    pub(super) fn stage(&self) -> Stage {
        self.stage
    }

    /// Lets the innermost body run to its next yield or wait, or the root to its end.
    ///
    /// The rules are those of [`Machine::step`](super::slot::Machine::step).
    #[inline]
    pub(super) fn step(
        &mut self,
        outer: Option<&Waker>,
        value: Option<R>,
    ) -> Poll<CoroutineState<Y, B::Output>> {
        self.stage = Stage::Over; // until the bodies have come back without a panic
        let state = exchange::<Y, R, _>(outer, value, |cx| self.run(cx));
        self.stage = Stage::after(&state);
        state
    }

    /// Polls the leaf, and whatever is the leaf after it, until one of them is suspended.
    #[inline]
    fn run(&mut self, cx: &mut Context<'_>) -> Poll<B::Output> {
        let around = self
            .handle
            .slot(cx)
            .chain
            .replace(Some(NonNull::from(&self.leaf)));
        let result = poll_leaves(&self.leaf, self.root.as_mut(), cx);
        self.handle.slot(cx).chain.set(around);
        result
    }

    /// Drops all bodies now, the innermost first.
    pub(super) fn clear(&mut self) {
        self.stage = Stage::Over;
        clear(&self.leaf, self.root.as_mut());
    }
}

impl<Y, R, B: Body + ?Sized> Drop for BoxMachine<Y, R, B> {
    fn drop(&mut self) {
        self.clear();
    }
}

#[inline]
fn poll_leaves<B: Body + ?Sized>(
    leaf: &Cell<Option<Link>>,
    root: Pin<&mut B>,
    cx: &mut Context<'_>,
) -> Poll<B::Output> {
    let mut bodies = ClearOnUnwind { leaf, root };
    let result = loop {
        let before = leaf.get();
        match before {
            Some(link) => {
                // SAFETY: the leaf is in use, and only this function borrows it.
                let mut frame = unsafe { link.frame() };
                if frame.as_mut().poll_body(cx).is_ready() {
                    leaf.set(frame.parent().take());
                    continue;
                }
            }
            None => {
                if bodies.root.as_mut().poll_body(cx).is_ready() {
                    match bodies.root.as_mut().take() {
                        Some(value) => break Poll::Ready(value),
                        None => unreachable!("a body that completes parks its value"),
                    }
                }
            }
        }
        if leaf.get().map(Link::address) == before.map(Link::address) {
            break Poll::Pending;
        }
    };
    mem::forget(bodies);
    result
}

/// The bodies of a chain while one of them runs: its panic ends them all.
struct ClearOnUnwind<'a, B: Body + ?Sized> {
    leaf: &'a Cell<Option<Link>>,
    root: Pin<&'a mut B>,
}

impl<B: Body + ?Sized> Drop for ClearOnUnwind<'_, B> {
    fn drop(&mut self) {
        clear(self.leaf, self.root.as_mut());
    }
}

fn clear<B: Body + ?Sized>(leaf: &Cell<Option<Link>>, root: Pin<&mut B>) {
    while let Some(link) = leaf.get() {
        // SAFETY: the leaf is in use, and nothing else borrows it: no body is running any more.
        let mut frame = unsafe { link.frame() };
        leaf.set(frame.as_mut().parent().take());
        frame.clear();
    }
    root.clear();
}

/// A boxed child of the body that awaits this.
pub struct InChain<Y, R, B: Body + ?Sized> {
    child: BoxMachine<Y, R, B>,
    place: Place,
}

/// Who polls the child.
#[derive(Clone, Copy)]
enum Place {
    /// Nobody has yet.
    New,
    /// The root of the chain that the awaiting body is part of.
    Linked,
    /// This future: there is no chain around it, or the child has been started and brings its own.
    Root,
}

impl<Y, R, B: Body + ?Sized> InChain<Y, R, B> {
    #[inline]
    pub(crate) fn new(child: BoxMachine<Y, R, B>, _same: Handle<Y, R>) -> Self {
        InChain {
            child,
            place: Place::New,
        }
    }

    /// Makes the child the leaf of the chain around it, or the root of a new one.
    fn enter(&mut self, cx: &Context<'_>) -> Place {
        let slot = self.child.handle.slot(cx);
        match self.child.stage {
            Stage::Fresh => match slot.chain.get() {
                Some(leaf) => {
                    // SAFETY: the chain that put the pointer there is running: it runs the body that
                    // is polling this future.
                    let leaf = unsafe { leaf.as_ref() };
                    let mut root = self.child.root.as_mut();
                    *root.as_mut().parent() = leaf.get();
                    leaf.set(Some(root.link()));
                    Place::Linked
                }
                None => Place::Root,
            },
            Stage::AtYield => match unit() {
                Some(unit) => {
                    slot.refill(unit);
                    Place::Root
                }
                None => wrong_status(Status::Suspended),
            },
            Stage::Waiting => Place::Root,
            Stage::Over => wrong_status(Status::Finished),
        }
    }
}

impl<Y, R, B: Body + ?Sized> Future for InChain<Y, R, B> {
    type Output = B::Output;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<B::Output> {
        let this = &mut *self;
        match this.place {
            Place::Root => return this.child.run(cx),
            Place::Linked => match this.child.root.as_mut().take() {
                Some(value) => return Poll::Ready(value),
                None => unreachable!("a body is not polled while it has a linked child"),
            },
            Place::New => this.place = this.enter(cx),
        }
        match this.place {
            Place::Root => this.child.run(cx),
            _ => Poll::Pending,
        }
    }
}
