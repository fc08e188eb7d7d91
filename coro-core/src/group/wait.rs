//! Waits for some of several tasks.

use std::future::poll_fn;
use std::task::Poll;
use std::time::Duration;

use super::members::{Go, GroupKind, Members};
use crate::error::JoinError;
use crate::task::Task;
use crate::wait::until::Until;

const KIND: GroupKind = GroupKind("wait", true);

/// The event that [`wait`] waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ReturnWhen {
    /// The first task to end, in whatever way.
    FirstCompleted,
    /// The first task to panic; or the last one to end, if none does.
    FirstError,
    /// The last task to end.
    AllCompleted,
}

/// The result of [`wait`]: the outcomes of the tasks that have ended, in the order in which they
/// ended, and the tasks that have not ended. Each has its place in the order in which the tasks
/// were given.
pub type Waited<T> = (Vec<(usize, Result<T, JoinError>)>, Vec<(usize, Task<T>)>);

/// Waits until some or all of the tasks have ended, or until `timeout` has passed, if there is one.
/// It cancels no task. The counterpart of `asyncio.wait`.
///
/// All tasks that have ended by then are in the first part of the result. The others are handed
/// back, and run meanwhile. An error that a task returns is a value here, and so is a cancellation:
/// only a panic counts as [`FirstError`](ReturnWhen::FirstError). Without tasks it is ready at
/// once.
///
/// Dropping it detaches the tasks, which continue. The outcomes of tasks that it has seen end are
/// dropped.
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
///     let tasks = [900, 1].map(|millis| coro::spawn(after(millis)));
///     let (done, pending) = coro::group::wait(tasks, coro::group::ReturnWhen::FirstCompleted, None).await;
///     assert!(matches!(done[..], [(1, Ok(1))]));
///     assert_eq!(pending.len(), 1);
/// });
/// ```
///
/// # Panics
///
/// With a timeout, when polled outside of a loop.
pub async fn wait<T: 'static>(
    tasks: impl IntoIterator<Item = Task<T>>,
    when: ReturnWhen,
    timeout: Option<Duration>,
) -> Waited<T> {
    let mut members: Members<Task<T>> = tasks.into_iter().collect();
    let mut done = Vec::new();
    let mut until = timeout.map(Until::After);
    poll_fn(|cx| {
        let mut enough = members.unfinished() == 0;
        let polled = members.poll(cx, KIND, |member, outcome| {
            enough |= match when {
                ReturnWhen::FirstCompleted => true,
                ReturnWhen::FirstError => outcome.as_ref().is_err_and(JoinError::is_panic),
                ReturnWhen::AllCompleted => false,
            };
            done.push((member, outcome));
            Go::On
        });
        match &mut until {
            _ if enough || polled.is_ready() => Poll::Ready(()),
            Some(until) => until.poll(cx),
            None => Poll::Pending,
        }
    })
    .await;
    let mut pending = Vec::new();
    for (member, mut task) in members.take_unfinished() {
        match task.is_finished() {
            true => done.push((member, (&mut task).await)),
            false => pending.push((member, task)),
        }
    }
    (done, pending)
}
