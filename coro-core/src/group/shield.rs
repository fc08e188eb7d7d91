//! Shields a future from the cancellation of the task that awaits it.

use std::fmt;
use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::task::{Context, Poll};

use crate::error::JoinError;
use crate::event_loop::LoopHandle;
use crate::task::{Task, boxed, is_large, looking};

/// Runs `future` as a task, which continues if the task that awaits it is cancelled. The
/// counterpart of `asyncio.shield`.
///
/// The task is spawned at once. Dropping the shield detaches the task: it continues, and if it
/// panics afterwards the panic is reported. Only the end of its loop cancels the task.
///
/// ```
/// use std::{cell::Cell, rc::Rc, time::Duration};
///
/// coro::run(async {
///     let saved = Rc::new(Cell::new(false));
///     let save = {
///         let saved = saved.clone();
///         async move {
///             coro::sleep(Duration::from_millis(3)).await;
///             saved.set(true);
///         }
///     };
///     let late = coro::timeout(Duration::from_millis(1), coro::group::shield(save)).await;
///     assert!(late.is_err() && !saved.get());
///     coro::sleep(Duration::from_millis(9)).await;
///     assert!(saved.get());
/// });
/// ```
///
/// # Errors
///
/// Awaiting it gives a [`JoinError`] if the future panicked, or was cancelled with its loop.
///
/// # Panics
///
/// Outside of a loop.
#[track_caller]
pub fn shield<F>(future: F) -> Shield<F::Output>
where
    F: IntoFuture,
    F::IntoFuture: 'static,
{
    let event_loop = LoopHandle::current();
    Shield {
        task: match const { is_large::<F::IntoFuture>() } {
            true => event_loop.spawn(boxed(future)),
            false => event_loop.spawn(future.into_future()),
        },
    }
}

/// The future of [`shield`].
pub struct Shield<T> {
    task: Task<T>,
}

impl<T> Future for Shield<T> {
    type Output = Result<T, JoinError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        looking::group("shield", false, || Pin::new(&mut self.task).poll(cx))
    }
}

impl<T> fmt::Debug for Shield<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Shield").field(&self.task).finish()
    }
}
