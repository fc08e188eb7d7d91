//! `wait_all_tasks_blocked` and `advance`: tests that let all tasks go on as far as they can.

use std::time::Duration;

use crate::event_loop::LoopHandle;
use crate::time::sleep;
use crate::wait::blocked::all_blocked;

/// Waits until every other task is blocked: until nothing is ready, and time would have to go on.
///
/// So a test knows that its tasks have come as far as they can, without a sleep that is too long or
/// too short. It is served before virtual time jumps, and after all events that are due now. Under
/// the real clock, a task that waits for a descriptor, for a thread or for a timer is blocked. If
/// several tasks wait so, all go on together. The counterpart of Trio's function of this name.
///
/// Dropping the future gives up the wait.
///
/// ```
/// use coro::testing::wait_all_tasks_blocked;
///
/// #[coro::test]
/// async fn a_queue_that_is_full_holds_up_its_producer() {
///     let queue = std::rc::Rc::new(coro::sync::Queue::bounded(2));
///     let producer = coro::spawn({
///         let queue = queue.clone();
///         async move {
///             for n in 0..5 {
///                 queue.put(n).await.unwrap();
///             }
///         }
///     });
///     wait_all_tasks_blocked().await;
///     assert_eq!(queue.len(), 2);
///     producer.cancel();
/// }
/// ```
///
/// # Panics
///
/// Outside of a loop.
pub async fn wait_all_tasks_blocked() {
    all_blocked().await;
}

/// Lets virtual time go on by `duration`: from timer to timer, each time until every task is
/// blocked, also after those that are due at the very end.
///
/// Dropping the future ends it where it is.
///
/// ```
/// use std::time::Duration;
/// use coro::testing::advance;
///
/// #[coro::test]
/// async fn three_ticks_in_thirty_seconds() {
///     let ticks = std::rc::Rc::new(std::cell::Cell::new(0));
///     let ticker = coro::spawn({
///         let ticks = ticks.clone();
///         async move {
///             loop {
///                 coro::sleep(Duration::from_secs(10)).await;
///                 ticks.set(ticks.get() + 1);
///             }
///         }
///     });
///     advance(Duration::from_secs(30)).await;
///     assert_eq!(ticks.get(), 3);
///     ticker.cancel();
/// }
/// ```
///
/// # Panics
///
/// Outside of a loop, and under the real clock, which the program cannot move.
pub async fn advance(duration: Duration) {
    assert!(
        LoopHandle::current().virtual_time().is_some(),
        "advance() under the real clock, which goes on by itself: use sleep(), or a virtual clock"
    );
    all_blocked().await;
    sleep(duration).await;
    all_blocked().await;
}
