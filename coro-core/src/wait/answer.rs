//! Waiting for the answer of another thread.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use crate::event_loop::{LoopHandle, RemoteHandle};

/// Makes the two ends of a question to another thread.
///
/// # Panics
///
/// Outside of a loop.
#[track_caller]
pub(crate) fn question<T>() -> (Asked<T>, Answer<T>) {
    let shared = Arc::new(Mutex::new(State {
        progress: Progress::Open,
        waiter: None,
    }));
    let answer = Answer {
        shared: shared.clone(),
        _outstanding: LoopHandle::current().remote(),
    };
    (Asked(shared), answer)
}

struct State<T> {
    progress: Progress<T>,
    waiter: Option<Waker>,
}

enum Progress<T> {
    Open,
    Answered(T),
    /// Nobody waits for the answer any more, or nobody will give one.
    Over,
}

/// The end of whoever is asked. Dropped without an answer, it says that there is none.
pub(crate) struct Asked<T>(Arc<Mutex<State<T>>>);

impl<T> Asked<T> {
    pub(crate) fn is_wanted(&self) -> bool {
        matches!(lock(&self.0).progress, Progress::Open)
    }

    pub(crate) fn answer(self, value: T) {
        let mut state = lock(&self.0);
        let unwanted = match state.progress {
            Progress::Open => {
                state.progress = Progress::Answered(value);
                None
            }
            _ => Some(value),
        };
        drop(state);
        drop(unwanted); // may be anybody's code; the drop of the question wakes who waits
    }
}

impl<T> Drop for Asked<T> {
    fn drop(&mut self) {
        let mut state = lock(&self.0);
        if let Progress::Open = state.progress {
            state.progress = Progress::Over;
        }
        let waiter = state.waiter.take();
        drop(state);
        if let Some(waiter) = waiter {
            waiter.wake();
        }
    }
}

/// The end of whoever asks: `None` if there will be no answer. Dropping it gives the question up.
pub(crate) struct Answer<T> {
    shared: Arc<Mutex<State<T>>>,
    /// A virtual clock does not jump over what a thread is about to say.
    _outstanding: RemoteHandle,
}

impl<T> Future for Answer<T> {
    type Output = Option<T>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<T>> {
        let waker = cx.waker().clone(); // foreign code: not under the lock
        let mut state = lock(&self.shared);
        match std::mem::replace(&mut state.progress, Progress::Over) {
            Progress::Answered(value) => Poll::Ready(Some(value)),
            Progress::Over => Poll::Ready(None),
            Progress::Open => {
                state.progress = Progress::Open;
                let before = state.waiter.replace(waker);
                drop(state);
                drop(before);
                Poll::Pending
            }
        }
    }
}

impl<T> Drop for Answer<T> {
    fn drop(&mut self) {
        let mut state = lock(&self.shared);
        let progress = std::mem::replace(&mut state.progress, Progress::Over);
        let waiter = state.waiter.take();
        drop(state);
        drop((progress, waiter));
    }
}

fn lock<T>(state: &Mutex<State<T>>) -> MutexGuard<'_, State<T>> {
    // No foreign code runs under the lock, so what a panic left behind is whole.
    state.lock().unwrap_or_else(PoisonError::into_inner)
}
