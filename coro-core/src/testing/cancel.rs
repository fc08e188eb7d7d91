//! `cancel_everywhere`: drops an operation at each of its suspensions.

use std::cell::Cell;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;

use super::output::TestOutput;
use super::run_once::{RunSettings, run_once};
use crate::choices::{Choices, Script};
use crate::task::looking;
use crate::wait::blocked::all_blocked;

/// Drops an operation before its first poll, after its first suspension, after its second and so on,
/// each time in a simulation of its own. Gives the number of suspensions.
///
/// Each time `setup` makes a state, `op` is the operation on it, which is dropped, and `check` looks
/// whether the state is as it must be. Before that, all other tasks go on until they are blocked.
/// The last time the operation is not dropped but comes to its end. `check` panics, or gives an
/// error, if the operation has broken its promise. Let `op` write to the state which results it got;
/// so `check` can tell whether something is lost.
///
/// ```
/// use coro::sync::Semaphore;
/// use coro::testing::cancel_everywhere;
///
/// let places = cancel_everywhere(
///     async || Semaphore::new(1),
///     async |semaphore| {
///         let _permit = semaphore.acquire().await;
///         coro::yield_now().await;
///     },
///     async |semaphore| assert_eq!(semaphore.available_permits(), 1),
/// );
/// assert_eq!(places, 1);
/// ```
///
/// # Panics
///
/// If a check fails; the text names all suspensions after which it does. Inside of a loop.
#[track_caller]
pub fn cancel_everywhere<S, T, C: TestOutput>(
    setup: impl AsyncFn() -> S,
    op: impl AsyncFn(&S) -> T,
    check: impl AsyncFn(&S) -> C,
) -> u32 {
    let mut broken = Vec::new();
    let mut place = 0;
    let places = loop {
        let progress = Cell::new(OpProgress::Begun);
        let choices = Choices::from_script(Script::default());
        let run = run_once(choices, RunSettings::default(), &async |_| {
            let state = setup().await;
            progress.set(poll_until(place, op(&state)).await);
            all_blocked().await;
            check(&state).await
        });
        if let Some(failure) = run.failure {
            broken.push(format!("{}: {failure}", told(place, progress.get())));
        }
        match progress.get() {
            OpProgress::Dropped => place += 1,
            OpProgress::Done => break place - 1,
            OpProgress::Begun => break place, // the run has failed before
        }
    };
    assert!(
        broken.is_empty(),
        "the operation does not keep its promise if it is dropped:\n  {}",
        broken.join("\n  ")
    );
    places
}

/// How far an operation has come.
#[derive(Clone, Copy)]
enum OpProgress {
    Begun,
    Dropped,
    Done,
}

fn told(place: u32, progress: OpProgress) -> String {
    match (progress, place) {
        (OpProgress::Begun, _) => {
            format!("not dropped, and it does not come to suspension {place}")
        }
        (OpProgress::Done, _) => "not dropped".to_owned(),
        (OpProgress::Dropped, 0) => "dropped before its first poll".to_owned(),
        (OpProgress::Dropped, place) => format!("dropped after suspension {place}"),
    }
}

/// Polls a future until it has suspended `suspensions` times, then drops it.
async fn poll_until(suspensions: u32, future: impl Future) -> OpProgress {
    let mut future = pin!(future);
    let mut suspended = 0;
    poll_fn(|cx| {
        if suspended == suspensions {
            return Poll::Ready(OpProgress::Dropped);
        }
        if future.as_mut().poll(cx).is_ready() {
            return Poll::Ready(OpProgress::Done);
        }
        if looking::is_looking_here() {
            return Poll::Pending; // a dump has polled, which is no suspension of the program
        }
        suspended += 1;
        match suspended == suspensions {
            true => Poll::Ready(OpProgress::Dropped),
            false => Poll::Pending,
        }
    })
    .await
}
