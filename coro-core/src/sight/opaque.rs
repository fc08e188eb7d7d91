//! `opaque`, for futures that are not to be polled for a dump.

use std::fmt;
use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use crate::task::{Step, looking};

/// Awaits `future`, which a dump does not poll: only its type is shown.
///
/// A dump polls each task that waits once more. A future may always be polled without having been
/// woken, so that does no harm, except to a future that counts its polls, or does something at each
/// of them.
///
/// ```
/// use coro::sight::opaque;
///
/// coro::run(async {
///     let mut polls = 0;
///     let counting = std::future::poll_fn(|cx| {
///         polls += 1;
///         cx.waker().wake_by_ref();
///         if polls < 3 { std::task::Poll::Pending } else { std::task::Poll::Ready(()) }
///     });
///     opaque(counting).await;
///     assert_eq!(polls, 3);
/// });
/// ```
pub fn opaque<F: IntoFuture>(future: F) -> Opaque<F::IntoFuture> {
    Opaque {
        polled: false,
        future: future.into_future(),
    }
}

pin_project! {
    /// The future of [`opaque`].
    #[must_use = "futures do nothing unless they are awaited"]
    pub struct Opaque<F> {
        // Only a future that was polled before can be left alone: it has a waker.
        polled: bool,
        #[pin]
        future: F,
    }
}

impl<F: Future> Future for Opaque<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        if *this.polled && looking::may_be_skipped() {
            looking::outside(Step::Foreign {
                name: std::any::type_name::<F>(),
            });
            return Poll::Pending;
        }
        *this.polled = true;
        this.future.poll(cx)
    }
}

impl<F> fmt::Debug for Opaque<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Opaque(..)")
    }
}
