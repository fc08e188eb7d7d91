//! Every operation of `coro::group` and `coro::threads`, dropped at each of its suspensions.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use coro::group::{
    Retry, ReturnWhen, as_completed, buffered, map_concurrent, race_ok, retry, shield,
    staggered_race, wait,
};
use coro::net::happy_eyeballs;
use coro::testing::cancel_everywhere;
use coro::{CancelToken, TaskGroup};
use futures::FutureExt;

const MS: Duration = Duration::from_millis(1);

/// Counts the futures that exist, and those that have come to their ends.
#[derive(Clone, Default)]
struct Work {
    alive: Rc<()>,
    done: Rc<Cell<u32>>,
}

impl Work {
    async fn new() -> Self {
        Work::default()
    }

    /// Work for this number of milliseconds.
    fn take(&self, millis: u32) -> impl Future<Output = u32> + use<> {
        let Work { alive, done } = self.clone();
        async move {
            for _ in 0..millis {
                coro::sleep(MS).await;
            }
            done.set(done.get() + 1);
            drop(alive);
            millis
        }
    }

    async fn succeed(&self, millis: u32) -> Result<u32, ()> {
        Ok(self.take(millis).await)
    }

    async fn fail(&self, millis: u32) -> Result<u32, ()> {
        self.take(millis).await;
        Err(())
    }

    /// Whether nothing is left behind that was begun.
    async fn is_cleared(&self) {
        assert_eq!(Rc::strong_count(&self.alive), 1, "a future is left behind");
        let done = self.done.get();
        coro::sleep(20 * MS).await;
        assert_eq!(self.done.get(), done, "some work went on");
    }

    /// Whether all that was begun comes to its end, though none awaits it.
    async fn goes_on(&self) {
        let begun = Rc::strong_count(&self.alive) as u32 - 1 + self.done.get();
        coro::sleep(20 * MS).await;
        assert_eq!((self.done.get(), Rc::strong_count(&self.alive)), (begun, 1));
    }
}

#[track_caller]
fn clears<T>(op: impl AsyncFn(&Work) -> T) -> u32 {
    cancel_everywhere(Work::new, op, Work::is_cleared)
}

#[track_caller]
fn goes_on<T>(op: impl AsyncFn(&Work) -> T) -> u32 {
    cancel_everywhere(Work::new, op, Work::goes_on)
}

#[test]
fn futures_awaited_together_are_dropped_together() {
    assert!(clears(async |work| coro::gather((work.take(1), work.take(2))).await) >= 2);
    assert!(clears(async |work| coro::gather([1, 3, 2].map(|n| work.take(n))).await) >= 3);
    assert!(
        clears(async |work| coro::gather((1..40).map(|n| work.take(n)).collect::<Vec<_>>()).await)
            >= 39
    );
    assert!(clears(async |work| coro::race((work.take(3), work.take(2))).await) >= 2);
    assert!(clears(async |work| coro::try_gather((work.succeed(4), work.fail(2))).await) >= 2);
    assert!(clears(async |work| coro::try_gather((work.succeed(1), work.succeed(2))).await) >= 2);
    let first = async |work: &Work| {
        let (fails, succeeds) = (work.fail(1), work.succeed(3));
        let futures = [fails.boxed_local(), succeeds.boxed_local()];
        race_ok(futures).await.unwrap()
    };
    assert!(clears(first) >= 3);
    let staggered = async |work: &Work| {
        staggered_race(MS, [5, 2].map(|n| work.succeed(n)))
            .await
            .unwrap()
    };
    assert!(clears(staggered) >= 2);
    assert!(clears(async |work| map_concurrent(1..6, 2, |n| work.take(n)).await) >= 5);
    let one_by_one = async |work: &Work| {
        use futures::StreamExt;
        let mut done = as_completed([3, 1, 2].map(|n| work.take(n)));
        let mut order = Vec::new();
        while let Some((_, millis)) = done.next().await {
            order.push(millis);
        }
        assert_eq!(order, [1, 2, 3]);
    };
    assert!(clears(one_by_one) >= 3);
}

#[test]
fn scopes_and_groups_end_their_children() {
    let scope = async |work: &Work| {
        coro::scope(async |scope| {
            let one = scope.spawn(work.take(1));
            scope.spawn(work.take(3));
            one.await + work.take(1).await
        })
        .await
    };
    assert!(clears(scope) >= 3);
    let try_scope = async |work: &Work| {
        coro::try_scope(async |scope| {
            scope.spawn(work.fail(2));
            scope.spawn(work.succeed(5));
            Ok::<u32, ()>(work.take(1).await)
        })
        .await
    };
    assert!(clears(try_scope) >= 2);
    let group = async |work: &Work| {
        let group = TaskGroup::<()>::fallible();
        for millis in [1, 3] {
            let taken = work.take(millis);
            let task = group.spawn(async { Ok::<_, ()>(taken.await) });
            drop(task.unwrap());
        }
        group.join().await.unwrap();
    };
    assert!(clears(group) >= 1);
}

#[test]
fn tasks_of_a_stream_and_those_beside_a_body_end_with_it() {
    let stream = async |work: &Work| {
        use futures::StreamExt;
        let futures = futures::stream::iter([2, 1, 3]).map(|n| work.take(n));
        let outcomes = buffered(futures, 2).collect::<Vec<_>>().await;
        assert!(outcomes.into_iter().map(Result::unwrap).eq([2, 1, 3]));
    };
    assert!(clears(stream) >= 2);
    let body = async |work: &Work| {
        let group = TaskGroup::<()>::fallible();
        let beside = work.take(3);
        drop(group.spawn(async { _ = beside.await }).unwrap());
        group.run(work.succeed(1)).await.unwrap()
    };
    assert!(clears(body) >= 2);
    let attempts = async |work: &Work| {
        let addresses = ["[::1]:80", "127.0.0.1:80"].map(|it| it.parse().unwrap());
        happy_eyeballs(addresses, MS, |_| work.succeed(3))
            .await
            .unwrap()
    };
    assert!(clears(attempts) >= 3);
}

#[test]
fn attempts_and_their_delays_are_dropped() {
    let attempts = async |work: &Work| {
        let attempt = Cell::new(0);
        let operation = async || {
            attempt.set(attempt.get() + 1);
            match attempt.get() {
                3 => work.succeed(1).await,
                _ => work.fail(1).await,
            }
        };
        Retry::new().delay(MS).run(operation).await.unwrap()
    };
    assert!(clears(attempts) >= 5);
    assert!(clears(async |work| retry(Retry::new(), async || work.succeed(1).await).await) >= 1);
}

#[test]
fn tasks_that_are_shielded_or_only_waited_for_go_on() {
    assert!(goes_on(async |work| shield(work.take(3)).await.unwrap()) >= 1);
    let some = async |work: &Work| {
        let tasks = [2, 4].map(|n| coro::spawn(work.take(n)));
        wait(tasks, ReturnWhen::FirstCompleted, None).await
    };
    assert!(goes_on(some) >= 1);
    assert!(goes_on(async |work| coro::spawn(work.take(2)).await.unwrap()) >= 1);
}

#[test]
fn waits_for_a_token_can_be_repeated_and_leave_nothing() {
    let setup = async || {
        let token = CancelToken::new();
        let later = token.clone();
        coro::call_later(2 * MS, move || later.cancel("it is late"));
        (token, Work::default())
    };
    let check = async |(token, work): &(CancelToken, Work)| {
        token.cancelled().await;
        work.is_cleared().await;
    };
    let places = cancel_everywhere(setup, async |(token, _)| token.cancelled().await, check);
    assert_eq!(places, 1);
    let limited = async |(token, work): &(CancelToken, Work)| {
        let cut = token.run_until_cancelled(work.take(9)).await;
        assert!(cut.is_err());
    };
    assert!(cancel_everywhere(setup, limited, check) >= 1);
}

#[test]
fn a_job_that_has_not_begun_is_dropped() {
    let places = cancel_everywhere(
        async || std::sync::Arc::new(()),
        async |held| {
            let held = held.clone();
            coro::threads::to_thread(move || std::sync::Arc::strong_count(&held))
                .await
                .unwrap()
        },
        async |held| assert_eq!(std::sync::Arc::strong_count(held), 1),
    );
    assert_eq!(places, 1);
}

/// The text of the panic of `cancel_everywhere`.
fn refusal(test: impl FnOnce() + std::panic::UnwindSafe) -> String {
    let payload = std::panic::catch_unwind(test).unwrap_err();
    *payload.downcast::<String>().unwrap()
}

#[test]
fn a_permit_that_is_lost_with_its_wait_is_found() {
    /// A semaphore whose waiter takes its permit before it is served.
    async fn acquire(permits: &Cell<u32>) {
        while permits.get() == 0 {
            coro::sleep(MS).await;
        }
        permits.set(permits.get() - 1);
        coro::yield_now().await; // a place to be dropped at, with the permit
        permits.set(permits.get() + 1);
    }
    let text = refusal(|| {
        cancel_everywhere(
            async || Cell::new(1),
            async |permits| acquire(permits).await,
            async |permits| assert_eq!(permits.get(), 1),
        );
    });
    assert!(
        text.starts_with("the operation does not keep its promise if it is dropped:\n"),
        "{text}"
    );
    assert!(
        text.contains("dropped after suspension 1: assertion"),
        "{text}"
    );
    assert!(
        !text.contains("suspension 2") && !text.contains("not dropped"),
        "{text}"
    );
}

#[test]
fn a_value_that_is_taken_before_it_is_given_is_found() {
    let text = refusal(|| {
        cancel_everywhere(
            async || (RefCell::new(vec![3, 2, 1]), RefCell::new(Vec::new())),
            async |(items, got): &(RefCell<Vec<u32>>, RefCell<Vec<u32>>)| {
                for _ in 0..2 {
                    coro::yield_now().await;
                    let item = items.borrow_mut().pop().unwrap();
                    coro::yield_now().await;
                    got.borrow_mut().push(item);
                }
            },
            async |(items, got)| {
                let all = got.borrow().len() + items.borrow().len();
                assert_eq!(all, 3, "an item is lost");
            },
        );
    });
    let lines: Vec<_> = text
        .lines()
        .filter(|line| line.contains("an item is lost"))
        .collect();
    assert_eq!(lines.len(), 2, "{text}");
    assert!(
        lines[0].contains("suspension 2") && lines[1].contains("suspension 4"),
        "{text}"
    );
}

#[test]
fn a_pair_that_is_torn_is_found() {
    let text = refusal(|| {
        cancel_everywhere(
            async || (Cell::new(0), Cell::new(0)),
            async |(left, right)| {
                left.set(1);
                coro::sleep(MS).await;
                right.set(1);
            },
            async |(left, right)| -> Result<(), String> {
                match left == right {
                    true => Ok(()),
                    false => Err(format!("left {}, right {}", left.get(), right.get())),
                }
            },
        );
    });
    assert!(
        text.contains("dropped after suspension 1: the test gave the error \"left 1, right 0\""),
        "{text}"
    );
}

#[test]
fn an_operation_that_never_ends_is_told_apart_from_one_that_is_dropped() {
    let text = refusal(|| {
        cancel_everywhere(
            async || (),
            async |()| {
                coro::yield_now().await;
                std::future::pending::<()>().await;
            },
            async |()| (),
        );
    });
    assert!(
        text.contains("not dropped, and it does not come to suspension 3: deadlock: "),
        "{text}"
    );
}
