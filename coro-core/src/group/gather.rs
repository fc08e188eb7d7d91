//! Waits for all of several futures.

use std::fmt;
use std::future::{Future, IntoFuture};
use std::iter::Map;
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use super::maybe_done::MaybeDone;
use super::members::{FEW, Go, GroupKind, Members};
use super::ready::PinnedRow;
use crate::task::{is_large, looking};

const KIND: GroupKind = GroupKind("gather", false);

/// Awaits all futures in a tuple, an array, a `Vec` or an iterator made by [`map`](Iterator::map),
/// concurrently, and gives their outputs in the same order and shape. The counterpart of
/// `asyncio.gather(.., return_exceptions=True)`.
///
/// All futures are awaited to their ends. An error is a value here, and cancels no other future; to
/// end at the first error, use [`try_gather`](crate::group::try_gather). An empty collection is
/// ready at once. Nothing is spawned: the futures may borrow, and are polled within the present
/// task. Dropping it drops the futures that are not done, and the outputs of the others.
///
/// ```
/// use std::time::Duration;
///
/// async fn after(millis: u64) -> u64 {
///     coro::sleep(Duration::from_millis(millis)).await;
///     millis
/// }
///
/// coro::run(async {
///     let (a, b) = coro::gather((after(2), async { "b" })).await;
///     assert_eq!((a, b), (2, "b"));
///     assert_eq!(coro::gather([after(2), after(1)]).await, [2, 1]);
///     assert_eq!(coro::gather(vec![after(2), after(1)]).await, vec![2, 1]);
/// });
/// ```
///
/// # If the compiler says ..
///
/// - "`gather` cannot be called with a value of type ..": the futures are one argument. Write
///   `gather((a, b))`, with two pairs of parentheses.
/// - the same of a `FilterMap`, `Take` or another iterator: collect it into a `Vec`.
#[doc(alias("join", "join_all", "zip"))]
pub fn gather<G, F>(futures: G) -> F
where
    G: Gather<Future = F>,
{
    // The future is a parameter, as a projection would have the compiler report a wrong argument twice.
    futures.gather()
}

/// The argument of [`gather`]: a tuple of two to twelve futures, an array or `Vec` of futures, or an
/// iterator made by [`map`](Iterator::map).
#[diagnostic::on_unimplemented(
    message = "`gather` cannot be called with a value of type `{Self}`",
    label = "not a tuple, an array or a `Vec` of futures",
    note = "`gather` takes all futures as one argument: `gather((a, b))`, `gather([a, b])` or `gather(vec)`",
    note = "an iterator made by `map` is accepted too; collect any other into a `Vec`, and put more than twelve futures into one"
)]
pub trait Gather {
    /// The outputs, in the shape in which the futures were given.
    type Output;
    /// The future of all of them.
    type Future: Future<Output = Self::Output>;

    /// The function that [`gather`] calls.
    fn gather(self) -> Self::Future;
}

#[diagnostic::do_not_recommend]
impl<F: IntoFuture> Gather for Vec<F> {
    type Output = Vec<F::Output>;
    type Future = GatherVec<F::IntoFuture>;

    fn gather(self) -> Self::Future {
        GatherVec::new(self.into_iter().map(IntoFuture::into_future))
    }
}

#[diagnostic::do_not_recommend]
impl<F: IntoFuture, const N: usize> Gather for [F; N] {
    type Output = [F::Output; N];
    type Future = GatherArray<F::IntoFuture, N>;

    fn gather(self) -> Self::Future {
        GatherArray {
            all: GatherVec::new(self.into_iter().map(IntoFuture::into_future)),
        }
    }
}

#[diagnostic::do_not_recommend]
impl<I, G, F> Gather for Map<I, G>
where
    I: Iterator,
    G: FnMut(I::Item) -> F,
    F: IntoFuture,
{
    type Output = Vec<F::Output>;
    type Future = GatherVec<F::IntoFuture>;

    fn gather(self) -> Self::Future {
        GatherVec::new(self.map(IntoFuture::into_future))
    }
}

/// The future of [`gather`] for a `Vec` or an iterator. If there are more than thirty futures, only
/// woken ones are polled.
#[must_use = "futures do nothing unless they are awaited"]
pub struct GatherVec<F: Future>(All<F>);

enum All<F: Future> {
    Few(PinnedRow<MaybeDone<F, F::Output>>),
    Many(Box<Many<F>>),
    Done,
}

struct Many<F: Future> {
    members: Members<F>,
    outputs: Vec<Option<F::Output>>,
}

impl<F: Future> GatherVec<F> {
    fn new(futures: impl Iterator<Item = F>) -> Self {
        GatherVec(match futures.size_hint() {
            (_, Some(0..=FEW)) if const { !is_large::<F>() } => {
                All::Few(futures.map(MaybeDone::new).collect())
            }
            _ => {
                let members = Members::in_any_order(futures);
                let outputs = (0..members.len()).map(|_| None).collect();
                All::Many(Box::new(Many { members, outputs }))
            }
        })
    }
}

/// Outputs are never pinned, and futures are pinned in their boxes.
impl<F: Future> Unpin for GatherVec<F> {}

impl<F: Future> Future for GatherVec<F> {
    type Output = Vec<F::Output>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let all = &mut self.get_mut().0;
        let polled = match all {
            All::Few(all) => looking::group("gather", false, || poll_few(all, cx)),
            All::Many(all) => all.poll(cx),
            All::Done => panic!("gather was polled again after its end"),
        };
        if polled.is_ready() {
            *all = All::Done;
        }
        polled
    }
}

/// Polls all of them with the waker of the group.
#[inline]
fn poll_few<F: Future>(
    few: &mut PinnedRow<MaybeDone<F, F::Output>>,
    cx: &mut Context<'_>,
) -> Poll<Vec<F::Output>> {
    let mut all = true;
    for member in few.each() {
        all &= member.poll(cx).is_ready();
    }
    match all {
        true => {
            let outputs = few.each().map(MaybeDone::take_output);
            Poll::Ready(
                outputs
                    .map(|it| it.expect("it is done, and taken once"))
                    .collect(),
            )
        }
        false => Poll::Pending,
    }
}

impl<F: Future> Many<F> {
    fn poll(&mut self, cx: &Context<'_>) -> Poll<Vec<F::Output>> {
        let Self { members, outputs } = self;
        let polled = members.poll(cx, KIND, |member, output| {
            outputs[member] = Some(output);
            Go::On
        });
        polled.map(|_| mem::take(outputs).into_iter().flatten().collect())
    }
}

impl<F: Future> fmt::Debug for GatherVec<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("GatherVec(..)")
    }
}

/// The future of [`gather`] for an array.
#[must_use = "futures do nothing unless they are awaited"]
pub struct GatherArray<F: Future, const N: usize> {
    all: GatherVec<F>,
}

impl<F: Future, const N: usize> Future for GatherArray<F, N> {
    type Output = [F::Output; N];

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.all)
            .poll(cx)
            .map(|outputs| match outputs.try_into() {
                Ok(outputs) => outputs,
                Err(_) => panic!("gather was polled again after its end"),
            })
    }
}

impl<F: Future, const N: usize> fmt::Debug for GatherArray<F, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "GatherArray({N} futures)")
    }
}

/// Implements [`Gather`] for one size of tuple, and defines its future.
macro_rules! tuple {
    ($Name:ident: $($F:ident $field:ident $place:tt),+) => {
        pin_project! {
            /// The future of [`gather`] for a tuple.
            #[must_use = "futures do nothing unless they are awaited"]
            pub struct $Name<$($F: Future),+> {
                $(#[pin] $field: MaybeDone<$F, $F::Output>,)+
            }
        }

        #[diagnostic::do_not_recommend]
        impl<$($F: IntoFuture),+> Gather for ($($F,)+) {
            type Output = ($($F::Output,)+);
            type Future = $Name<$($F::IntoFuture),+>;

            fn gather(self) -> Self::Future {
                $Name { $($field: MaybeDone::new(self.$place.into_future()),)+ }
            }
        }

        impl<$($F: Future),+> Future for $Name<$($F),+> {
            type Output = ($($F::Output,)+);

            fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
                let mut this = self.project();
                let bracket = looking::open_group("gather", false);
                let mut all = true;
                $({
                    let member = looking::open_member($place);
                    all &= member.close(this.$field.as_mut().poll(cx)).is_ready();
                })+
                if !all {
                    return bracket.close(Poll::Pending);
                }
                Poll::Ready(($(
                    this.$field.take_output().expect("gather was polled again after its end"),
                )+))
            }
        }

        impl<$($F: Future),+> fmt::Debug for $Name<$($F),+> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($Name), "(..)"))
            }
        }
    };
}

tuple!(Gather2: A a 0, B b 1);
tuple!(Gather3: A a 0, B b 1, C c 2);
tuple!(Gather4: A a 0, B b 1, C c 2, D d 3);
tuple!(Gather5: A a 0, B b 1, C c 2, D d 3, E e 4);
tuple!(Gather6: A a 0, B b 1, C c 2, D d 3, E e 4, F f 5);
tuple!(Gather7: A a 0, B b 1, C c 2, D d 3, E e 4, F f 5, G g 6);
tuple!(Gather8: A a 0, B b 1, C c 2, D d 3, E e 4, F f 5, G g 6, H h 7);
tuple!(Gather9: A a 0, B b 1, C c 2, D d 3, E e 4, F f 5, G g 6, H h 7, I i 8);
tuple!(Gather10: A a 0, B b 1, C c 2, D d 3, E e 4, F f 5, G g 6, H h 7, I i 8, J j 9);
tuple!(Gather11: A a 0, B b 1, C c 2, D d 3, E e 4, F f 5, G g 6, H h 7, I i 8, J j 9, K k 10);
tuple!(Gather12: A a 0, B b 1, C c 2, D d 3, E e 4, F f 5, G g 6, H h 7, I i 8, J j 9, K k 10, L l 11);
