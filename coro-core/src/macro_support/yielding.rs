//! Yielding: functions behind `yield_!` or `yield_from!` in a coroutine that yields.

use core::future::{Future, IntoFuture};
use core::marker::PhantomData;
use core::panic::Location;
use core::pin::Pin;
use core::task::{Context, Poll};

use futures_core::stream::Stream;
use pin_project_lite::pin_project;

use super::waiting::{close_await, is_looking, open_await};
pub use crate::generator::{AsyncGenerator, Generator, InBody, Loose};
use crate::generator::{
    Awaiting, Coroutine, Delegation, Handle, InPlace as InPlaceBody, Invariant, Items, Position,
    Reyield, StreamItems,
};

#[cfg(feature = "alloc")]
pub use boxed::*;

/// The body's right to yield, in a generator.
pub struct Co<Y, R>(Handle<Y, R>);

/// The body's right to yield, in a generator that may wait.
pub struct AsyncCo<Y, R>(Handle<Y, R>);

/// The types that the body yields and is resumed with. The token is the first argument, so that a
/// mismatch is reported at the value.
pub struct Token<Y, R>(Invariant<Y, R>);

impl<Y, R> Co<Y, R> {
    #[inline]
    pub fn token(&self) -> Token<Y, R> {
        Token(PhantomData)
    }
}

impl<Y, R> AsyncCo<Y, R> {
    #[inline]
    pub fn token(&self) -> Token<Y, R> {
        Token(PhantomData)
    }
}

/// Makes the generator whose body is the `async` block that `body` gives.
#[inline]
pub fn generator<Y, R, F: Future>(body: impl FnOnce(Co<Y, R>) -> F) -> Generator<Y, R, F> {
    Generator::new(|handle| body(Co(handle)))
}

/// Makes the async generator whose body is the `async` block that `body` gives.
#[inline]
pub fn async_generator<Y, R, F: Future>(
    body: impl FnOnce(AsyncCo<Y, R>) -> F,
) -> AsyncGenerator<Y, R, F> {
    AsyncGenerator::new(|handle| body(AsyncCo(handle)))
}

/// A handle of either kind.
pub trait AnyCo<Y, R>: sealed::Sealed {
    #[doc(hidden)]
    fn handle(&self) -> Way<Y, R>;
}

/// A handle on its way to the future that uses it.
pub struct Way<Y, R>(Handle<Y, R>);

impl<Y, R> AnyCo<Y, R> for Co<Y, R> {
    #[inline]
    fn handle(&self) -> Way<Y, R> {
        Way(self.0.share())
    }
}

impl<Y, R> AnyCo<Y, R> for AsyncCo<Y, R> {
    #[inline]
    fn handle(&self) -> Way<Y, R> {
        Way(self.0.share())
    }
}

mod sealed {
    pub trait Sealed {}
    impl<Y, R> Sealed for super::Co<Y, R> {}
    impl<Y, R> Sealed for super::AsyncCo<Y, R> {}

    pub trait SealedPoint {}
    impl<Y, R> SealedPoint for super::Yield<'_, Y, R> {}
    impl<F> SealedPoint for super::Delegate<'_, F, super::Loose> {}
}

/// `yield_!(value)`, to be awaited at once.
#[inline]
pub fn yield_in<Y, R>(_token: Token<Y, R>, value: Y, co: &mut impl AnyCo<Y, R>) -> Yield<'_, Y, R> {
    Yield {
        value: Some(value),
        handle: co.handle().0,
        co: PhantomData,
    }
}

/// A yield point.
#[must_use]
pub struct Yield<'a, Y, R> {
    value: Option<Y>,
    handle: Handle<Y, R>,
    co: PhantomData<&'a mut ()>,
}

impl<Y, R> Unpin for Yield<'_, Y, R> {}

impl<Y, R> Future for Yield<'_, Y, R> {
    type Output = R;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<R> {
        // The value is taken before anything can panic, so that it need not be stored first.
        match self.value.take() {
            Some(value) => {
                self.handle.slot(cx).give(value);
                Poll::Pending
            }
            None => Poll::Ready(self.handle.take(cx)),
        }
    }
}

/// Passes the operand of `yield_from!` to [`delegate`]. Coroutines of this crate have an inherent
/// method of the same name, which is found first and marks them to be run in place.
pub trait Operand: Sized {
    #[doc(hidden)] // keeps it out of the lists of editors
    #[inline]
    fn __operand(self) -> Self {
        self
    }
}

impl<T> Operand for T {}

/// A coroutine of this crate, to be run in place.
pub struct Own<T>(T);

impl<Y, R, F> Generator<Y, R, F> {
    #[doc(hidden)]
    #[inline]
    pub fn __operand(self) -> Own<Self> {
        Own(self)
    }
}

impl<Y, R, F> AsyncGenerator<Y, R, F> {
    #[doc(hidden)]
    #[inline]
    pub fn __operand(self) -> Own<Self> {
        Own(self)
    }
}

/// `yield_from!(operand)`, to be awaited at once.
#[inline]
pub fn delegate<'a, Y, R, C, X, K>(
    _token: Token<Y, R>,
    operand: X,
    co: &'a mut C,
) -> Delegate<'a, X::Future, Loose>
where
    C: AnyCo<Y, R>,
    X: YieldFrom<Y, R, K>,
    X::Item: YieldAs<Y>,
    X::Resume: ResumeAs<R>,
    K: AllowedIn<C>,
{
    let way = <X::Resume as ResumeAs<R>>::way(<X::Item as YieldAs<Y>>::way(co.handle()));
    Delegate {
        future: operand.delegate(way),
        co: PhantomData,
        place: Loose,
    }
}

pin_project! {
    /// A delegation. It is a type of its own, so that a wrong operand is only one error.
    #[must_use]
    pub struct Delegate<'a, F, P> {
        #[pin]
        future: F,
        co: PhantomData<&'a mut ()>,
        place: P,
    }
}

impl<F: Delegation, P: Position> Future for Delegate<'_, F, P> {
    type Output = F::Output;

    #[inline]
    #[track_caller]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        if F::WAITS && is_looking() {
            open_await(Location::caller(), core::any::type_name::<F>());
        }
        let polled = self.project().future.poll_at::<P>(cx);
        if F::WAITS && is_looking() {
            close_await(Location::caller(), polled.is_pending());
        }
        polled
    }
}

impl InBody {
    /// A yield point that the attribute's macro awaits at once, in the body itself. It is a method, so
    /// that no function of another crate can come in its place and keep the value.
    #[inline]
    pub fn waits_for<P: Point>(self, point: P) -> P::InBody {
        point.in_body(self)
    }
}

/// A yield point, as [`InBody::waits_for`] takes it.
pub trait Point: sealed::SealedPoint {
    type InBody;

    #[doc(hidden)]
    fn in_body(self, body: InBody) -> Self::InBody;
}

impl<Y, R> Point for Yield<'_, Y, R> {
    type InBody = Self;

    #[inline]
    fn in_body(self, _body: InBody) -> Self {
        self
    }
}

impl<'a, F> Point for Delegate<'a, F, Loose> {
    type InBody = Delegate<'a, F, InBody>;

    #[inline]
    fn in_body(self, body: InBody) -> Self::InBody {
        Delegate {
            future: self.future,
            co: self.co,
            place: body,
        }
    }
}

/// The operands of `yield_from!`; `Kind` tells the kinds of operand apart.
#[diagnostic::on_unimplemented(
    message = "`yield_from!` cannot be used on a value of type `{Self}`",
    label = "not a future, coroutine, iterator or stream",
    note = "`yield_from!(x)` accepts a future (waits for it), a coroutine with the same `yields` and `resumes` (delegates to it), an iterator or a stream (yields its items)",
    note = "of a collection, an array, a slice or an `Option` write `yield_from!(x.into_iter())`; to yield a single value write `yield_!(value)`"
)]
pub trait YieldFrom<Y, R, Kind>: Sized {
    type Item;
    type Resume;
    type Output;
    type Future: Delegation<Output = Self::Output>;

    fn delegate(self, way: Way<Self::Item, Self::Resume>) -> Self::Future;
}

/// Implemented by `Y` for itself alone: the delegate yields the type of the enclosing coroutine.
#[diagnostic::on_unimplemented(
    message = "this yields values of type `{Self}`, but the enclosing coroutine is declared with `yields = {Y}`",
    label = "yields `{Self}`, expected `{Y}`",
    note = "`yield_from!(x)` needs an `x` that yields exactly the type given in `yields = ..`"
)]
pub trait YieldAs<Y>: Sized {
    fn way<R>(way: Way<Y, R>) -> Way<Self, R>;
}

#[diagnostic::do_not_recommend]
impl<Y> YieldAs<Y> for Y {
    #[inline]
    fn way<R>(way: Way<Y, R>) -> Way<Y, R> {
        way
    }
}

/// Implemented by `R` for itself alone: the delegate is resumed with the type of the enclosing
/// coroutine.
#[diagnostic::on_unimplemented(
    message = "this is resumed with `{Self}`, but the enclosing coroutine is declared with `resumes = {R}`",
    label = "is resumed with `{Self}`, not with `{R}`",
    note = "iterators and streams take nothing back: loop over the items and `yield_!` each of them"
)]
pub trait ResumeAs<R>: Sized {
    fn way<Y>(way: Way<Y, R>) -> Way<Y, Self>;
}

#[diagnostic::do_not_recommend]
impl<R> ResumeAs<R> for R {
    #[inline]
    fn way<Y>(way: Way<Y, R>) -> Way<Y, R> {
        way
    }
}

/// Allows a body that holds a `C` to delegate to an operand of this kind.
#[diagnostic::on_unimplemented(
    message = "a generator cannot wait for a future",
    label = "only an `async fn` can wait",
    note = "make the enclosing function an `async fn`: `#[coro::coroutine(yields = ..)] async fn` both waits and yields"
)]
pub trait AllowedIn<C> {}

pub struct OfFuture;
pub struct OfCoroutine;
pub struct OfIterator;
pub struct OfStream;
pub struct InPlace;
pub struct AsyncInPlace;

#[diagnostic::do_not_recommend]
impl<Y, R> AllowedIn<Co<Y, R>> for OfCoroutine {}
#[diagnostic::do_not_recommend]
impl<Y, R> AllowedIn<Co<Y, R>> for OfIterator {}
#[diagnostic::do_not_recommend]
impl<Y, R> AllowedIn<Co<Y, R>> for InPlace {}
#[diagnostic::do_not_recommend]
impl<Y, R, Kind> AllowedIn<AsyncCo<Y, R>> for Kind {}
// With two candidates for each kind, the compiler infers none: inferring one would add an error.
#[diagnostic::do_not_recommend]
impl<Kind> AllowedIn<()> for Kind {}

#[diagnostic::do_not_recommend]
impl<Y, R, F: IntoFuture> YieldFrom<Y, R, OfFuture> for F {
    type Item = Y;
    type Resume = R;
    type Output = F::Output;
    type Future = Awaiting<F::IntoFuture, Y, R>;

    #[inline]
    fn delegate(self, way: Way<Y, R>) -> Self::Future {
        Awaiting::new(self.into_future(), way.0)
    }
}

#[diagnostic::do_not_recommend]
impl<Y, R, C: Coroutine> YieldFrom<Y, R, OfCoroutine> for C {
    type Item = C::Yield;
    type Resume = C::Resume;
    type Output = C::Return;
    type Future = Reyield<C>;

    #[inline]
    fn delegate(self, way: Way<C::Yield, C::Resume>) -> Reyield<C> {
        Reyield::new(self, way.0)
    }
}

#[diagnostic::do_not_recommend]
impl<Y, R, I: Iterator> YieldFrom<Y, R, OfIterator> for I {
    type Item = I::Item;
    type Resume = ();
    type Output = ();
    type Future = Items<I>;

    #[inline]
    fn delegate(self, way: Way<I::Item, ()>) -> Items<I> {
        Items::new(self, way.0)
    }
}

#[diagnostic::do_not_recommend]
impl<Y, R, S: Stream> YieldFrom<Y, R, OfStream> for S {
    type Item = S::Item;
    type Resume = ();
    type Output = ();
    type Future = StreamItems<S>;

    #[inline]
    fn delegate(self, way: Way<S::Item, ()>) -> StreamItems<S> {
        StreamItems::new(self, way.0)
    }
}

#[diagnostic::do_not_recommend]
impl<Y, R, V, S, F: Future> YieldFrom<Y, R, InPlace> for Own<Generator<V, S, F>> {
    type Item = V;
    type Resume = S;
    type Output = F::Output;
    type Future = InPlaceBody<V, S, F>;

    #[inline]
    fn delegate(self, way: Way<V, S>) -> Self::Future {
        InPlaceBody::new(self.0.into_machine(), way.0)
    }
}

#[diagnostic::do_not_recommend]
impl<Y, R, V, S, F: Future> YieldFrom<Y, R, AsyncInPlace> for Own<AsyncGenerator<V, S, F>> {
    type Item = V;
    type Resume = S;
    type Output = F::Output;
    type Future = InPlaceBody<V, S, F>;

    #[inline]
    fn delegate(self, way: Way<V, S>) -> Self::Future {
        InPlaceBody::new(self.0.into_machine(), way.0)
    }
}

#[cfg(feature = "alloc")]
mod boxed {
    use super::{AsyncCo, AsyncInPlace, Co, InPlace, Own, Way, YieldFrom};
    use crate::generator::{Body, InChain};
    pub use crate::generator::{
        BoxAsyncGenerator, BoxGenerator, SendBoxAsyncGenerator, SendBoxGenerator,
    };
    use core::future::Future;

    macro_rules! boxed_operand {
        ($name:ident, $kind:ident, $new:ident, $co:ident $(, $send:ident)?) => {
            /// Makes the boxed coroutine whose body is the `async` block that `body` gives.
            #[inline]
            pub fn $new<'a, Y, R, T, F>(body: impl FnOnce($co<Y, R>) -> F) -> $name<'a, Y, R, T>
            where
                F: Future<Output = T> $(+ $send)? + 'a,
                T: 'a $(+ $send)?,
            {
                $name::new(|handle| body($co(handle)))
            }

            impl<Y, R, T> $name<'_, Y, R, T> {
                #[doc(hidden)]
                #[inline]
                pub fn __operand(self) -> Own<Self> {
                    Own(self)
                }
            }

            #[diagnostic::do_not_recommend]
            impl<'a, Y, R, V, S, T> YieldFrom<Y, R, $kind> for Own<$name<'a, V, S, T>> {
                type Item = V;
                type Resume = S;
                type Output = T;
                type Future = InChain<V, S, dyn Body<Output = T> $(+ $send)? + 'a>;

                #[inline]
                fn delegate(self, way: Way<V, S>) -> Self::Future {
                    InChain::new(self.0.into_machine(), way.0)
                }
            }
        };
    }

    boxed_operand!(BoxGenerator, InPlace, generator_boxed, Co);
    boxed_operand!(SendBoxGenerator, InPlace, generator_boxed_send, Co, Send);
    boxed_operand!(
        BoxAsyncGenerator,
        AsyncInPlace,
        async_generator_boxed,
        AsyncCo
    );
    boxed_operand!(
        SendBoxAsyncGenerator,
        AsyncInPlace,
        async_generator_boxed_send,
        AsyncCo,
        Send
    );
}
