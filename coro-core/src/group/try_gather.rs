//! Waits for all of several futures, or for the first error.

use std::fmt;
use std::future::{Future, IntoFuture};
use std::iter::Map;
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::future::TryFuture;
use pin_project_lite::pin_project;

use super::maybe_done::MaybeDone;
use super::members::{Go, GroupKind, Members};
use crate::task::looking;

const KIND: GroupKind = GroupKind("try_gather", false);

/// Awaits all futures in a tuple, an array, a `Vec` or an iterator made by [`map`](Iterator::map),
/// concurrently. The first error ends it, and the other futures are dropped.
///
/// The counterpart of `asyncio.gather`, except that no future keeps running afterwards. The outputs
/// come in the order and shape in which the futures were given. If several futures fail at once,
/// the error is that of the future that was polled first. Dropping it drops the futures that are
/// not done, and the outputs of the others.
///
/// ```
/// async fn parse(text: &str) -> Result<u32, std::num::ParseIntError> {
///     text.parse()
/// }
///
/// coro::run(async {
///     assert_eq!(coro::try_gather((parse("1"), parse("2"))).await, Ok((1, 2)));
///     assert!(coro::try_gather(["3", "x", "4"].into_iter().map(parse)).await.is_err());
/// });
/// ```
///
/// # Errors
///
/// The first error. Other outputs are dropped.
#[doc(alias("try_join", "try_join_all"))]
pub fn try_gather<G, F>(futures: G) -> F
where
    G: TryGather<Future = F>,
{
    futures.try_gather()
}

/// The argument of [`try_gather`]: a tuple of two to twelve futures of results, an array or `Vec` of
/// them, or an iterator made by [`map`](Iterator::map).
#[diagnostic::on_unimplemented(
    message = "`try_gather` cannot be called with a value of type `{Self}`",
    label = "not a tuple, an array or a `Vec` of futures of results",
    note = "`try_gather` takes all futures as one argument: `try_gather((a, b))`, `try_gather([a, b])` or `try_gather(vec)`",
    note = "an iterator made by `map` is accepted too; collect any other into a `Vec`, and put more than twelve futures into one"
)]
pub trait TryGather {
    /// The values, in the shape in which the futures were given.
    type Output;
    /// The error of every future.
    type Error;
    /// The future of all of them.
    type Future: Future<Output = Result<Self::Output, Self::Error>>;

    /// The function that [`try_gather`] calls.
    fn try_gather(self) -> Self::Future;
}

#[diagnostic::do_not_recommend]
impl<T, E, F: IntoFuture<Output = Result<T, E>>> TryGather for Vec<F> {
    type Output = Vec<T>;
    type Error = E;
    type Future = TryGatherVec<F::IntoFuture, T>;

    fn try_gather(self) -> Self::Future {
        TryGatherVec::new(self.into_iter().map(IntoFuture::into_future))
    }
}

#[diagnostic::do_not_recommend]
impl<T, E, F: IntoFuture<Output = Result<T, E>>, const N: usize> TryGather for [F; N] {
    type Output = [T; N];
    type Error = E;
    type Future = TryGatherArray<F::IntoFuture, T, N>;

    fn try_gather(self) -> Self::Future {
        TryGatherArray {
            all: TryGatherVec::new(self.into_iter().map(IntoFuture::into_future)),
        }
    }
}

#[diagnostic::do_not_recommend]
impl<I, G, T, E, F> TryGather for Map<I, G>
where
    I: Iterator,
    G: FnMut(I::Item) -> F,
    F: IntoFuture<Output = Result<T, E>>,
{
    type Output = Vec<T>;
    type Error = E;
    type Future = TryGatherVec<F::IntoFuture, T>;

    fn try_gather(self) -> Self::Future {
        TryGatherVec::new(self.map(IntoFuture::into_future))
    }
}

/// The future of [`try_gather`] for a `Vec` or an iterator.
#[must_use = "futures do nothing unless they are awaited"]
pub struct TryGatherVec<F, T> {
    members: Members<F>,
    values: Vec<Option<T>>,
}

impl<F, T> TryGatherVec<F, T> {
    fn new(futures: impl Iterator<Item = F>) -> Self {
        let members = Members::in_any_order(futures);
        let values = (0..members.len()).map(|_| None).collect();
        TryGatherVec { members, values }
    }
}

/// Values are never pinned, and futures are pinned in their boxes.
impl<F, T> Unpin for TryGatherVec<F, T> {}

impl<T, E, F: Future<Output = Result<T, E>>> Future for TryGatherVec<F, T> {
    type Output = Result<Vec<T>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Self { members, values } = self.get_mut();
        let mut first = None;
        let polled = members.poll(cx, KIND, |member, result| match result {
            Ok(value) => {
                values[member] = Some(value);
                Go::On
            }
            Err(error) => {
                first = Some(error);
                Go::Stop
            }
        });
        if polled.is_pending() {
            return Poll::Pending;
        }
        members.clear();
        let values = mem::take(values);
        Poll::Ready(match first {
            Some(error) => Err(error),
            None => {
                let values: Option<_> = values.into_iter().collect();
                Ok(values.expect("try_gather was polled again after its end"))
            }
        })
    }
}

impl<F, T> fmt::Debug for TryGatherVec<F, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TryGatherVec(..)")
    }
}

/// The future of [`try_gather`] for an array.
#[must_use = "futures do nothing unless they are awaited"]
pub struct TryGatherArray<F, T, const N: usize> {
    all: TryGatherVec<F, T>,
}

impl<T, E, F, const N: usize> Future for TryGatherArray<F, T, N>
where
    F: Future<Output = Result<T, E>>,
{
    type Output = Result<[T; N], E>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let polled = Pin::new(&mut self.all).poll(cx);
        polled.map_ok(|values| match values.try_into() {
            Ok(values) => values,
            Err(_) => panic!("try_gather was polled again after its end"),
        })
    }
}

impl<F, T, const N: usize> fmt::Debug for TryGatherArray<F, T, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TryGatherArray({N} futures)")
    }
}

/// Implements [`TryGather`] for one size of tuple, and defines its future.
macro_rules! tuple {
    ($Name:ident: $($F:ident $T:ident $field:ident $place:tt),+) => {
        pin_project! {
            /// The future of [`try_gather`] for a tuple.
            #[must_use = "futures do nothing unless they are awaited"]
            pub struct $Name<$($F),+>
            where
                $($F: TryFuture,)+
            {
                $(#[pin] $field: MaybeDone<$F, $F::Ok>,)+
            }
        }

        impl<Error, $($T,)+ $($F: IntoFuture<Output = Result<$T, Error>>),+> TryGather
            for ($($F,)+)
        {
            type Output = ($($T,)+);
            type Error = Error;
            type Future = $Name<$($F::IntoFuture),+>;

            fn try_gather(self) -> Self::Future {
                $Name { $($field: MaybeDone::new(self.$place.into_future()),)+ }
            }
        }

        impl<Error, $($T,)+ $($F: Future<Output = Result<$T, Error>>),+> Future for $Name<$($F),+> {
            type Output = Result<($($T,)+), Error>;

            fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
                let mut this = self.project();
                let bracket = looking::open_group("try_gather", false);
                let mut all = true;
                let mut first = None;
                $(
                    if first.is_none() {
                        let member = looking::open_member($place);
                        match member.close(this.$field.as_mut().try_poll(cx)) {
                            Poll::Pending => all = false,
                            Poll::Ready(Ok(())) => {}
                            Poll::Ready(Err(error)) => first = Some(error),
                        }
                    }
                )+
                if let Some(error) = first {
                    $(this.$field.set(MaybeDone::Gone);)+
                    return Poll::Ready(Err(error));
                }
                if !all {
                    return bracket.close(Poll::Pending);
                }
                Poll::Ready(Ok(($(
                    this.$field.take_output().expect("try_gather was polled again after its end"),
                )+)))
            }
        }

        impl<$($F: TryFuture),+> fmt::Debug for $Name<$($F),+> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($Name), "(..)"))
            }
        }
    };
}

tuple!(TryGather2: A TA a 0, B TB b 1);
tuple!(TryGather3: A TA a 0, B TB b 1, C TC c 2);
tuple!(TryGather4: A TA a 0, B TB b 1, C TC c 2, D TD d 3);
tuple!(TryGather5: A TA a 0, B TB b 1, C TC c 2, D TD d 3, E TE e 4);
tuple!(TryGather6: A TA a 0, B TB b 1, C TC c 2, D TD d 3, E TE e 4, F TF f 5);
tuple!(TryGather7: A TA a 0, B TB b 1, C TC c 2, D TD d 3, E TE e 4, F TF f 5, G TG g 6);
tuple!(TryGather8: A TA a 0, B TB b 1, C TC c 2, D TD d 3, E TE e 4, F TF f 5, G TG g 6, H TH h 7);
tuple!(TryGather9: A TA a 0, B TB b 1, C TC c 2, D TD d 3, E TE e 4, F TF f 5, G TG g 6, H TH h 7, I TI i 8);
tuple!(TryGather10: A TA a 0, B TB b 1, C TC c 2, D TD d 3, E TE e 4, F TF f 5, G TG g 6, H TH h 7, I TI i 8, J TJ j 9);
tuple!(TryGather11: A TA a 0, B TB b 1, C TC c 2, D TD d 3, E TE e 4, F TF f 5, G TG g 6, H TH h 7, I TI i 8, J TJ j 9, K TK k 10);
tuple!(TryGather12: A TA a 0, B TB b 1, C TC c 2, D TD d 3, E TE e 4, F TF f 5, G TG g 6, H TH h 7, I TI i 8, J TJ j 9, K TK k 10, L TL l 11);
