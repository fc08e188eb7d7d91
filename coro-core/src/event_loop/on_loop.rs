//! `OnLoop`: a value of a loop's own thread, in a wrapper that any thread may own.

use std::any::type_name;
use std::fmt;
use std::future::Future;
use std::io::{self, IoSlice, IoSliceMut, SeekFrom};
use std::mem::{forget, needs_drop};
use std::ops::{Deref, DerefMut};
use std::pin::Pin;
use std::task::{Context, Poll};

use fragile::Fragile;
use futures_core::Stream;
use futures_core::stream::FusedStream;
use futures_io::{AsyncBufRead, AsyncRead, AsyncSeek, AsyncWrite};

use super::LoopHandle;
use crate::report::{ErrorReport, ReportKind};
use crate::task::{Inbox, InboxArc, Scheduler};

/// A value that belongs to the thread of a loop, as `Send` and `Sync` for the compiler, and checked
/// at run time.
///
/// The streams, timers and tasks of a loop stay on its thread, so they are not `Send`. Many
/// libraries ask for `Send` all the same, because they were written for loops with several threads:
/// hyper's timers and upgrades, axum's handlers, redis, quinn, the default form of `async_trait`. On
/// a loop with one thread their promise is kept anyway. This type states it, and checks it: any
/// thread may own the wrapper, and only the thread of the loop may use what is in it.
///
/// It is a future, a stream, a reader or a writer if the value in it is one that is [`Unpin`]; and
/// it dereferences to the value. [`CoroExt::on_loop`](crate::group::CoroExt::on_loop) wraps a future
/// of any kind.
///
/// ```
/// use coro::compat::OnLoop;
/// use coro::group::CoroExt;
/// use std::rc::Rc;
/// use std::time::Duration;
///
/// fn assert_send<T: Send>(value: T) -> T {
///     value
/// }
///
/// coro::run(async {
///     let shared = assert_send(OnLoop::new(Rc::new(7)));
///     let waits = assert_send(async {
///         coro::sleep(Duration::from_millis(1)).on_loop().await;
///         **shared + 1
///     });
///     assert_eq!(waits.await, 8);
/// });
/// ```
///
/// # Dropping
///
/// Dropped on the thread of the loop, it drops the value. Dropped on another thread, it sends the
/// value home: the loop drops it, after its next look at messages. If the loop is closed by then,
/// the value is leaked, and that is reported to the standard error.
///
/// # Panics
///
/// If the value is used on another thread, to dereference it, to poll it or to take it out.
pub struct OnLoop<T> {
    /// Absent only while this is taken apart.
    value: Option<Fragile<T>>,
    home: InboxArc<Inbox>,
    /// Disposes of the value if this is dropped on another thread.
    dispose: fn(Fragile<T>, &Inbox),
}

impl<T> OnLoop<T> {
    /// Wraps a value of the present loop.
    ///
    /// # Panics
    ///
    /// Outside of a loop.
    #[track_caller]
    pub fn new(value: T) -> Self
    where
        T: 'static,
    {
        Self::with(value, send_home)
    }

    /// Wraps a value of the present loop that need not be `'static`, such as a future that borrows
    /// from the method around it.
    ///
    /// Such a value cannot be sent home: dropped on another thread, it is leaked, and that is
    /// reported.
    ///
    /// ```
    /// use coro::compat::OnLoop;
    /// use std::time::Duration;
    ///
    /// async fn wait_for(name: &str) -> usize {
    ///     coro::sleep(Duration::from_millis(1)).await;
    ///     name.len()
    /// }
    ///
    /// // As a method of a trait under `async_trait` is written out.
    /// fn boxed(name: &str) -> std::pin::Pin<Box<dyn Future<Output = usize> + Send + '_>> {
    ///     Box::pin(OnLoop::borrowing(Box::pin(wait_for(name))))
    /// }
    ///
    /// assert_eq!(coro::run(async { boxed("four").await }), 4);
    /// ```
    ///
    /// # Panics
    ///
    /// Outside of a loop.
    #[track_caller]
    pub fn borrowing(value: T) -> Self {
        Self::with(value, leak)
    }

    #[track_caller]
    fn with(value: T, dispose: fn(Fragile<T>, &Inbox)) -> Self {
        OnLoop {
            value: Some(Fragile::new(value)),
            home: LoopHandle::current().core().scheduler.inbox().clone(),
            dispose,
        }
    }

    /// Whether this is the thread on which the value may be used.
    pub fn is_here(&self) -> bool {
        self.wrapper().is_valid()
    }

    /// Takes the value out.
    ///
    /// # Panics
    ///
    /// On another thread than that of the loop; then the value is sent home.
    #[track_caller]
    pub fn into_inner(mut self) -> T {
        assert!(self.is_here(), "{}", misuse::<T>());
        let value = self.value.take().expect("a value until it is dropped");
        value.into_inner()
    }

    #[inline]
    fn wrapper(&self) -> &Fragile<T> {
        self.value.as_ref().expect("a value until it is dropped")
    }

    #[track_caller]
    fn pinned(self: Pin<&mut Self>) -> Pin<&mut T>
    where
        T: Unpin,
    {
        Pin::new(&mut **self.get_mut())
    }
}

#[cold]
fn misuse<T>() -> String {
    format!(
        "`OnLoop<{}>` was used on another thread than that of its event loop: only that thread may \
         use the value in it; use it there, for example by `RemoteHandle::spawn`",
        type_name::<T>()
    )
}

impl<T> Deref for OnLoop<T> {
    type Target = T;

    #[track_caller]
    #[inline]
    fn deref(&self) -> &T {
        match self.wrapper().try_get() {
            Ok(value) => value,
            Err(_) => panic!("{}", misuse::<T>()),
        }
    }
}

impl<T> DerefMut for OnLoop<T> {
    #[track_caller]
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        let value = self.value.as_mut().expect("a value until it is dropped");
        match value.try_get_mut() {
            Ok(value) => value,
            Err(_) => panic!("{}", misuse::<T>()),
        }
    }
}

impl<T: Clone> Clone for OnLoop<T> {
    #[track_caller]
    fn clone(&self) -> Self {
        OnLoop {
            value: Some(Fragile::new(T::clone(self))),
            home: self.home.clone(),
            dispose: self.dispose,
        }
    }
}

impl<T> Drop for OnLoop<T> {
    fn drop(&mut self) {
        let Some(value) = self.value.take() else {
            return;
        };
        if needs_drop::<T>() && !value.is_valid() {
            (self.dispose)(value, &self.home);
        }
    }
}

impl<T: fmt::Debug> fmt::Debug for OnLoop<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_tuple("OnLoop");
        match self.is_here() {
            true => debug.field(&**self),
            false => debug.field(&format_args!("a value of another thread")),
        };
        debug.finish()
    }
}

/// A value on its way to its thread. Dropped before it arrives, it is leaked.
struct Parcel<T>(Option<Fragile<T>>);

fn send_home<T: 'static>(value: Fragile<T>, home: &Inbox) {
    let parcel = Parcel(Some(value));
    let _ = home.push_call(Box::new(move || drop(parcel))); // refused, it is leaked
}

impl<T> Drop for Parcel<T> {
    fn drop(&mut self) {
        match self.0.take() {
            Some(value) if !value.is_valid() => {
                forget(value);
                Scheduler::print_report(&leaked::<T>("its event loop is closed"));
            }
            at_home => drop(at_home),
        }
    }
}

fn leak<T>(value: Fragile<T>, home: &Inbox) {
    forget(value);
    Scheduler::report_to(home, leaked::<T>("it borrows, so it cannot be sent home"));
}

fn leaked<T>(reason: &str) -> ErrorReport {
    let value = type_name::<T>();
    ErrorReport::new(ReportKind::ValueLeaked, format!("{value}: {reason}"))
}

impl<F: Future + Unpin> Future for OnLoop<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        self.pinned().poll(cx)
    }
}

impl<S: Stream + Unpin> Stream for OnLoop<S> {
    type Item = S::Item;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<S::Item>> {
        self.pinned().poll_next(cx)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        S::size_hint(self)
    }
}

impl<S: FusedStream + Unpin> FusedStream for OnLoop<S> {
    fn is_terminated(&self) -> bool {
        S::is_terminated(self)
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for OnLoop<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        self.pinned().poll_read(cx, buffer)
    }

    fn poll_read_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffers: &mut [IoSliceMut<'_>],
    ) -> Poll<io::Result<usize>> {
        self.pinned().poll_read_vectored(cx, buffers)
    }
}

impl<S: AsyncBufRead + Unpin> AsyncBufRead for OnLoop<S> {
    fn poll_fill_buf(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<&[u8]>> {
        self.pinned().poll_fill_buf(cx)
    }

    fn consume(self: Pin<&mut Self>, amount: usize) {
        self.pinned().consume(amount);
    }
}

impl<S: AsyncSeek + Unpin> AsyncSeek for OnLoop<S> {
    fn poll_seek(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        position: SeekFrom,
    ) -> Poll<io::Result<u64>> {
        self.pinned().poll_seek(cx, position)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for OnLoop<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.pinned().poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.pinned().poll_write_vectored(cx, slices)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.pinned().poll_flush(cx)
    }

    fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.pinned().poll_close(cx)
    }
}
