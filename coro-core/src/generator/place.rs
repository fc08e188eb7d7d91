//! The place of a delegation: awaited by the attribute's macro in the body itself, or anywhere.
//!
//! Code in a program can call the functions that the macros call, poll a delegation once, forget it,
//! and drop the values that the child borrows. The root of a chain may therefore poll a child past its
//! parent only if the parent can do nothing but await the child. The attribute says so with an
//! [`InBody`], which code without `unsafe` cannot make and which the body has under a name that only
//! the attribute can say.

use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};

/// The place of a delegation.
pub trait Position: Copy {
    const IS_IN_BODY: bool;
}

/// The attribute's word for a delegation that its macro awaits in the body of a coroutine, not in a
/// block or closure inside of it.
#[derive(Clone, Copy, Debug)]
pub struct InBody(());

impl InBody {
    /// # Safety
    ///
    /// No other code gets the value. Only its method `waits_for` is called, and the `async` block that
    /// is the whole body of a coroutine awaits the result at once.
    #[inline]
    #[expect(unsafe_code, reason = "the caller promises what no type can")]
    pub const unsafe fn new() -> Self {
        InBody(())
    }
}

impl Position for InBody {
    const IS_IN_BODY: bool = true;
}

/// A delegation that code other than the attribute's may poll, drop and forget.
#[derive(Clone, Copy, Debug)]
pub struct Loose;

impl Position for Loose {
    const IS_IN_BODY: bool = false;
}

/// A future of a delegation, which is told its place.
pub trait Delegation {
    type Output;

    /// Whether it waits for a future or a stream, which a dump shows. All others are kept free of the
    /// question, so that generators in generators become one loop.
    const WAITS: bool = false;

    fn poll_at<P: Position>(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output>;
}

/// A future for which its place makes no difference.
pub trait AnyPlace: Future {
    /// As [`Delegation::WAITS`].
    const WAITS: bool = false;
}

impl<F: AnyPlace> Delegation for F {
    type Output = F::Output;

    const WAITS: bool = <F as AnyPlace>::WAITS;

    #[inline]
    fn poll_at<P: Position>(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        self.poll(cx)
    }
}
