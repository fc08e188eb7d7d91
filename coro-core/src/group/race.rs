//! Waits for the first of several futures.

use std::fmt;
use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use super::members::{Go, GroupKind, Members};
use crate::task::looking;

const KIND: GroupKind = GroupKind("race", true);

/// Awaits the first of a tuple, an array or a `Vec` to complete, and gives its output.
///
/// The counterpart of `asyncio.wait(.., return_when=FIRST_COMPLETED)`, with the other futures
/// cancelled: as soon as one is done the others are dropped. Each future's documentation says if
/// dropping it loses data. If several are ready at once, the first in the collection wins; if there
/// are more than thirty, the future that was woken first. All futures have the same type of output.
/// Nothing is spawned, so they may borrow.
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
///     assert_eq!(coro::race((after(900), async { 1 })).await, 1);
///     assert_eq!(coro::race([after(900), after(2)]).await, 2);
///     assert_eq!(coro::race(vec![after(3), after(900)]).await, 3);
/// });
/// ```
///
/// # If the compiler says ..
///
/// - "`race` cannot be called with a value of type ..", of a single future: the futures are one
///   argument. Write `race((a, b))`.
/// - the same of a tuple, and "expected `u32`, found `String`": the futures have different outputs.
///   Let each be an `async` block that gives a variant of one `enum`, as in a `select`:
///
/// ```
/// # use std::time::Duration;
/// enum Happened {
///     Tick,
///     Line(String),
/// }
///
/// # async fn next_line() -> String { "quit".to_owned() }
/// coro::run(async {
///     loop {
///         let happened = coro::race((
///             async { Happened::Line(next_line().await) },
///             async {
///                 coro::sleep(Duration::from_secs(1)).await;
///                 Happened::Tick
///             },
///         ));
///         match happened.await {
///             Happened::Line(line) if line == "quit" => break,
///             Happened::Line(line) => println!("{line}"),
///             Happened::Tick => println!("still here"),
///         }
///     }
/// });
/// ```
///
/// - "cannot be unpinned", of `&mut future`: pin the future first, `let mut future = pin!(future);`, and
///   pass `&mut future` or `future.as_mut()`.
///
/// # Panics
///
/// If there is nothing to race: an empty array or `Vec` could never give an output.
#[track_caller]
#[doc(alias("select", "FIRST_COMPLETED", "select_all"))]
pub fn race<R, F>(futures: R) -> F
where
    R: Race<Future = F>,
{
    futures.race()
}

/// The argument of [`race`]: a tuple of two to twelve futures, or an array or `Vec` of futures.
#[diagnostic::on_unimplemented(
    message = "`race` cannot be called with a value of type `{Self}`",
    label = "not a tuple, an array or a `Vec` of futures with one type of output",
    note = "`race` takes all futures as one argument: `race((a, b))`, `race([a, b])` or `race(vec)`",
    note = "if the outputs differ, let each future be an `async` block that gives a variant of one `enum`"
)]
pub trait Race {
    /// The output of every future.
    type Output;
    /// The future of the first output.
    type Future: Future<Output = Self::Output>;

    /// The function that [`race`] calls.
    #[track_caller]
    fn race(self) -> Self::Future;
}

#[diagnostic::do_not_recommend]
impl<F: IntoFuture> Race for Vec<F> {
    type Output = F::Output;
    type Future = RaceVec<F::IntoFuture>;

    #[track_caller]
    fn race(self) -> Self::Future {
        assert!(
            !self.is_empty(),
            "a race of nothing never ends: give race() at least one future"
        );
        RaceVec {
            members: Members::in_any_order(self.into_iter().map(IntoFuture::into_future)),
        }
    }
}

#[diagnostic::do_not_recommend]
impl<F: IntoFuture, const N: usize> Race for [F; N] {
    type Output = F::Output;
    type Future = RaceVec<F::IntoFuture>;

    #[track_caller]
    fn race(self) -> Self::Future {
        Vec::from(self).race()
    }
}

/// The future of [`race`] for a `Vec` or an array. If there are more than thirty futures, only
/// woken ones are polled.
#[must_use = "futures do nothing unless they are awaited"]
pub struct RaceVec<F> {
    members: Members<F>,
}

/// Futures are pinned in their boxes.
impl<F> Unpin for RaceVec<F> {}

impl<F: Future> Future for RaceVec<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let mut first = None;
        let polled = self.members.poll(cx, KIND, |_, output| {
            first = Some(output);
            Go::Stop
        });
        if polled.is_pending() {
            return Poll::Pending;
        }
        self.members.clear();
        Poll::Ready(first.expect("a race was polled again after its end"))
    }
}

impl<F> fmt::Debug for RaceVec<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RaceVec(..)")
    }
}

/// Implements [`Race`] for one size of tuple, and defines its future.
macro_rules! tuple {
    ($Name:ident: $($F:ident $field:ident $place:tt),+) => {
        pin_project! {
            /// The future of [`race`] for a tuple.
            #[must_use = "futures do nothing unless they are awaited"]
            pub struct $Name<$($F),+> {
                $(#[pin] $field: Option<$F>,)+
            }
        }

        #[diagnostic::do_not_recommend]
        impl<T, $($F: IntoFuture<Output = T>),+> Race for ($($F,)+) {
            type Output = T;
            type Future = $Name<$($F::IntoFuture),+>;

            fn race(self) -> Self::Future {
                $Name { $($field: Some(self.$place.into_future()),)+ }
            }
        }

        impl<T, $($F: Future<Output = T>),+> Future for $Name<$($F),+> {
            type Output = T;

            fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
                let mut this = self.project();
                let bracket = looking::open_group("race", true);
                let mut first = Poll::Pending;
                $(
                    if first.is_pending() {
                        let future = this.$field.as_mut().as_pin_mut();
                        let future = future.expect("a race was polled again after its end");
                        first = looking::open_member($place).close(future.poll(cx));
                    }
                )+
                let first = bracket.close(first);
                if first.is_ready() {
                    $(this.$field.set(None);)+
                }
                first
            }
        }

        impl<$($F),+> fmt::Debug for $Name<$($F),+> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($Name), "(..)"))
            }
        }
    };
}

tuple!(Race2: A a 0, B b 1);
tuple!(Race3: A a 0, B b 1, C c 2);
tuple!(Race4: A a 0, B b 1, C c 2, D d 3);
tuple!(Race5: A a 0, B b 1, C c 2, D d 3, E e 4);
tuple!(Race6: A a 0, B b 1, C c 2, D d 3, E e 4, F f 5);
tuple!(Race7: A a 0, B b 1, C c 2, D d 3, E e 4, F f 5, G g 6);
tuple!(Race8: A a 0, B b 1, C c 2, D d 3, E e 4, F f 5, G g 6, H h 7);
tuple!(Race9: A a 0, B b 1, C c 2, D d 3, E e 4, F f 5, G g 6, H h 7, I i 8);
tuple!(Race10: A a 0, B b 1, C c 2, D d 3, E e 4, F f 5, G g 6, H h 7, I i 8, J j 9);
tuple!(Race11: A a 0, B b 1, C c 2, D d 3, E e 4, F f 5, G g 6, H h 7, I i 8, J j 9, K k 10);
tuple!(Race12: A a 0, B b 1, C c 2, D d 3, E e 4, F f 5, G g 6, H h 7, I i 8, J j 9, K k 10, L l 11);
