//! Combinators beyond `gather`: order of completion, first success, limits, retries.

use std::cell::{Cell, RefCell};
use std::future::{Future, pending, ready};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use coro::group::{
    CoroExt, Retry, ReturnWhen, as_completed, buffered, map_concurrent, race_ok, staggered_race,
    wait,
};
use coro::time::fail_after;
use coro::{CancelToken, LoopHandle, gather, sleep, spawn, timeout, try_gather, yield_now};
use futures::{StreamExt, stream};

use crate::support::{Counted, Drops, Gate, Trace, ms, turns};

async fn after(millis: u64) -> u64 {
    sleep(ms(millis)).await;
    millis
}

async fn fails(millis: u64) -> Result<u64, u64> {
    Err(after(millis).await)
}

async fn succeeds(millis: u64) -> Result<u64, u64> {
    Ok(after(millis).await)
}

fn elapsed_since(begun: std::time::Instant) -> u128 {
    (LoopHandle::current().time() - begun).as_millis()
}

// ---- gather, try_gather ----

#[coro::test]
async fn iterators_are_gathered() {
    let words = ["a", "bc"];
    assert_eq!(
        gather(words.iter().map(|word| ready(word.len()))).await,
        [1, 2]
    );
    let parsed = try_gather(["1", "2"].iter().map(async |word| word.parse::<u8>()));
    assert_eq!(parsed.await.unwrap(), [1, 2]);
}

#[coro::test]
async fn try_gather_gives_all_values_in_argument_order() {
    assert_eq!(try_gather((succeeds(2), succeeds(1))).await, Ok((2, 1)));
    assert_eq!(try_gather([succeeds(2), succeeds(1)]).await, Ok([2, 1]));
    assert_eq!(
        try_gather(vec![succeeds(2), succeeds(1)]).await,
        Ok(vec![2, 1])
    );
    assert_eq!(
        try_gather(Vec::<std::future::Ready<Result<(), ()>>>::new()).await,
        Ok(vec![])
    );
    let one = || ready(Ok::<_, ()>(1));
    let twelve = try_gather((
        one(),
        one(),
        one(),
        one(),
        one(),
        one(),
        one(),
        one(),
        one(),
        one(),
        one(),
        one(),
    ));
    assert_eq!(twelve.await, Ok((1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1)));
}

#[coro::test]
async fn the_first_error_ends_a_try_gather_and_drops_the_rest_before_it_is_given() {
    let drops = Drops::default();
    let holding = |millis: u64, counted: Counted| async move {
        let _counted = counted;
        if millis == 2 {
            fails(millis).await
        } else {
            succeeds(millis).await
        }
    };
    let begun = LoopHandle::current().time();
    let tuple = (
        holding(1, drops.counted()),
        holding(2, drops.counted()),
        holding(9, drops.counted()),
    );
    assert_eq!(try_gather(tuple).await, Err(2));
    assert_eq!((drops.count(), elapsed_since(begun)), (3, 2));
    let many = [9, 2, 1].map(|millis| holding(millis, drops.counted()));
    assert_eq!(try_gather(many).await, Err(2));
    assert_eq!(drops.count(), 6);
}

#[coro::test]
async fn a_hundred_and_sixty_thousand_that_complete_one_by_one_take_linear_time() {
    let gates: Rc<Vec<Gate>> = Rc::new((0..160_000).map(|_| Gate::new()).collect());
    let gathered = spawn(gather(gates.iter().map(Gate::clone)));
    turns(160_000 / 60).await;
    for (n, gate) in gates.iter().enumerate() {
        gate.open();
        if n % 100 == 0 {
            yield_now().await;
        }
    }
    assert_eq!(gathered.await.unwrap().len(), 160_000);
    assert!(gates.iter().all(|gate| gate.polls() == 2));
}

// ---- as_completed, race_ok, wait ----

#[coro::test]
async fn outputs_come_as_they_complete_with_their_places() {
    let outputs: Vec<_> = as_completed([3, 1, 2].map(after)).collect().await;
    assert_eq!(outputs, [(1, 1), (2, 2), (0, 3)]);
    let at_once: Vec<_> = as_completed([7, 8].map(ready)).collect().await;
    assert_eq!(at_once, [(0, 7), (1, 8)]);
    assert_eq!(as_completed([(); 0].map(ready)).next().await, None);
}

#[coro::test]
async fn tasks_go_on_while_the_consumer_of_their_outputs_is_busy() {
    let mut outputs = as_completed([2, 4].map(|millis| spawn(after(millis))));
    outputs.next().await;
    sleep(ms(10)).await;
    let begun = LoopHandle::current().time();
    assert_eq!(outputs.next().await.unwrap().1.unwrap(), 4);
    assert_eq!(elapsed_since(begun), 0);
}

#[coro::test]
async fn the_first_success_wins_and_else_all_errors_come_in_order() {
    assert_eq!(race_ok([fails(1), fails(2)]).await, Err(vec![1, 2]));
    type Mixed = Pin<Box<dyn Future<Output = Result<u64, u64>>>>;
    let mixed: Vec<Mixed> = vec![
        Box::pin(fails(1)),
        Box::pin(succeeds(5)),
        Box::pin(succeeds(3)),
    ];
    assert_eq!(race_ok(mixed).await, Ok(3));
    assert_eq!(
        race_ok(Vec::<std::future::Ready<Result<(), ()>>>::new()).await,
        Err(vec![])
    );
}

fn tasks(millis: &[u64]) -> Vec<coro::Task<u64>> {
    millis.iter().map(|&millis| spawn(after(millis))).collect()
}

fn places<T>(of: &[(usize, T)]) -> Vec<usize> {
    of.iter().map(|(place, _)| *place).collect()
}

#[coro::test]
async fn wait_gives_the_finished_tasks_and_cancels_none() {
    let (done, pending) = wait(tasks(&[5, 1, 1, 9]), ReturnWhen::FirstCompleted, None).await;
    assert_eq!((places(&done), places(&pending)), (vec![1, 2], vec![0, 3]));
    let rest = pending.into_iter().map(|(_, task)| task);
    let (done, pending) = wait(rest, ReturnWhen::AllCompleted, None).await;
    assert_eq!((places(&done), pending.len()), (vec![0, 1], 0));
}

#[coro::test]
async fn wait_ends_with_its_time_without_an_error() {
    let (done, pending) = wait(tasks(&[1, 90]), ReturnWhen::AllCompleted, Some(ms(5))).await;
    assert_eq!((places(&done), places(&pending)), (vec![0], vec![1]));
    assert!(!pending[0].1.is_finished());
    let (done, pending) = wait(tasks(&[]), ReturnWhen::AllCompleted, None).await;
    assert!(done.is_empty() && pending.is_empty());
}

#[coro::test]
async fn wait_for_the_first_error_does_not_count_a_cancellation() {
    let panics = spawn(async {
        sleep(ms(3)).await;
        panic!("an error");
    });
    let cancelled = spawn(pending::<()>());
    cancelled.cancel();
    let endless = spawn(pending::<()>());
    let tasks = [cancelled, panics, endless];
    let (done, pending) = wait(tasks, ReturnWhen::FirstError, None).await;
    assert_eq!((places(&done), places(&pending)), (vec![0, 1], vec![2]));
    assert!(done[0].1.as_ref().unwrap_err().is_cancelled());
    pending[0].1.cancel();
}

// ---- with a limit ----

#[coro::test]
async fn no_more_than_the_limit_are_under_way_and_outputs_keep_the_order() {
    let (now, most) = (Cell::new(0), Cell::new(0));
    let outputs = map_concurrent(0..100_u64, 7, async |n| {
        now.set(now.get() + 1);
        most.set(most.get().max(now.get()));
        sleep(ms(n % 5)).await;
        now.set(now.get() - 1);
        n
    });
    assert_eq!(outputs.await, (0..100).collect::<Vec<_>>());
    assert_eq!(most.get(), 7);
    assert_eq!(map_concurrent(0..1000, 1, ready).await.len(), 1000);
}

#[coro::test]
async fn mapping_ready_futures_does_not_hold_up_other_tasks() {
    let mapped = Rc::new(Cell::new(0));
    let count = mapped.clone();
    let all = spawn(map_concurrent(0..10_000, 3, move |_| {
        count.set(count.get() + 1);
        ready(())
    }));
    yield_now().await;
    yield_now().await;
    assert!(mapped.get() < 300, "{}", mapped.get());
    all.await.unwrap();
    assert_eq!(mapped.get(), 10_000);
}

#[coro::test]
async fn buffered_tasks_go_on_while_the_consumer_holds_the_lock_they_wait_for() {
    // `buffered` of the crate `futures` deadlocks here: its second future would hold the lock, but
    // is not polled while the consumer waits for that lock.
    let lock = Rc::new(futures::lock::Mutex::new(()));
    let jobs = stream::iter(0..4_u64).map(|n| {
        let lock = lock.clone();
        async move {
            sleep(ms(n)).await;
            let _locked = lock.lock().await;
            sleep(ms(1)).await;
            n
        }
    });
    let mut outcomes = buffered(jobs, 3);
    let mut seen = Vec::new();
    let all = async {
        while let Some(outcome) = outcomes.next().await {
            let _locked = lock.lock().await;
            seen.push(outcome.unwrap());
        }
    };
    timeout(ms(1000), all).await.expect("no deadlock");
    assert_eq!(seen, [0, 1, 2, 3]);
}

#[coro::test]
async fn dropping_the_stream_cancels_its_tasks() {
    let drops = Drops::default();
    let jobs = stream::iter(0..9).map(|_| {
        let counted = drops.counted();
        async move {
            let _counted = counted;
            pending::<()>().await;
        }
    });
    let mut outcomes = Box::pin(buffered(jobs, 4));
    assert!(timeout(ms(1), outcomes.next()).await.is_err());
    drop(outcomes);
    turns(2).await;
    assert_eq!(drops.count(), 4);
}

// ---- retries, staggered races ----

#[coro::test]
async fn retries_wait_longer_and_longer() {
    let begun = LoopHandle::current().time();
    let at = RefCell::new(Vec::new());
    let policy = Retry::new()
        .attempts(5)
        .delay(ms(10))
        .max_delay(ms(50))
        .jitter(0.0);
    let failed = policy.run(async || {
        at.borrow_mut().push(elapsed_since(begun));
        Err::<(), _>(at.borrow().len())
    });
    assert_eq!(failed.await, Err(5));
    assert_eq!(*at.borrow(), [0, 10, 30, 70, 120]);
}

#[coro::test]
async fn retries_end_with_a_success_a_final_error_or_the_time() {
    let tried = Cell::new(0);
    let next = async || {
        tried.set(tried.get() + 1);
        if tried.get() == 3 {
            Ok(())
        } else {
            Err(tried.get())
        }
    };
    let policy = Retry::new()
        .attempts(u32::MAX)
        .delay(ms(10))
        .factor(1.0)
        .jitter(0.0);
    assert_eq!(policy.run(next).await, Ok(()));
    assert_eq!(policy.run_if(|error| *error != 5, next).await, Err(5));
    tried.set(10);
    let begun = LoopHandle::current().time();
    assert_eq!(
        coro::group::retry(policy.within(ms(25)), next).await,
        Err(13)
    );
    assert_eq!(elapsed_since(begun), 20);
}

#[coro::test]
async fn jitter_takes_off_no_more_than_its_part() {
    for _ in 0..50 {
        let begun = LoopHandle::current().time();
        let policy = Retry::new().attempts(2).delay(ms(100)).jitter(0.5);
        let _ = policy.run(async || Err::<(), ()>(())).await;
        assert!(
            (50..=100).contains(&elapsed_since(begun)),
            "{}",
            elapsed_since(begun)
        );
    }
}

#[coro::test]
async fn a_staggered_race_begins_the_next_on_failure_or_delay() {
    let begun = LoopHandle::current().time();
    let log = RefCell::new(Vec::new());
    let runner = |n: u64, millis: u64, ok: bool| {
        let log = &log;
        async move {
            log.borrow_mut().push((n, elapsed_since(begun)));
            if ok {
                succeeds(millis).await
            } else {
                fails(millis).await
            }
        }
    };
    let runners = [
        runner(1, 3, false),
        runner(2, 100, true),
        runner(3, 5, true),
        runner(4, 0, true),
    ];
    assert_eq!(staggered_race(ms(10), runners).await, Ok(5));
    assert_eq!(*log.borrow(), [(1, 0), (2, 3), (3, 13)]);
    assert_eq!(
        staggered_race(ms(10), [fails(1), fails(2)]).await,
        Err(vec![1, 2])
    );
}

#[coro::test]
async fn deadlines_are_moved_from_inside() {
    let late = fail_after(ms(5), async |_| pending::<()>().await);
    assert!(late.await.is_err());
    let moved = fail_after(ms(5), async |deadline| {
        sleep(ms(4)).await;
        deadline.reschedule_after(ms(10));
        sleep(ms(9)).await;
        deadline.reschedule(None);
        assert_eq!(deadline.when(), None);
        after(100).await
    });
    assert_eq!(moved.await, Ok(100));
    let undone = fail_after(ms(5), async |_| after(9).await);
    assert_eq!(undone.await.ok(), None);
    let earlier = fail_after(ms(50), async |deadline| {
        deadline.reschedule_after(ms(2));
        sleep(ms(9)).await;
    });
    let begun = LoopHandle::current().time();
    assert!(earlier.await.is_err());
    assert_eq!(elapsed_since(begun), 2);
}

#[coro::test]
async fn methods_do_what_the_functions_do() {
    assert!(pending::<()>().timeout(ms(1)).await.is_err());
    let token = CancelToken::new();
    token.cancel("now");
    assert_eq!(ready(1).cancel_on(&token).await, Ok(1));
    assert_eq!(
        pending::<()>()
            .cancel_on(&token)
            .await
            .unwrap_err()
            .reason(),
        "now"
    );
    assert_eq!(after(1).shield().await.unwrap(), 1);
}

// ---- dropped at every point ----

/// Drops the future of `make` after each number of polls, and counts the drops of its values.
async fn dropped_everywhere<F: Future>(name: &str, make: impl Fn([Counted; 3]) -> F) {
    let mut polls = 0;
    loop {
        let drops = Drops::default();
        let mut future = Box::pin(make([0; 3].map(|_| drops.counted())));
        let mut done = false;
        for _ in 0..polls {
            let mut cx = Context::from_waker(Waker::noop());
            done = matches!(future.as_mut().poll(&mut cx), Poll::Ready(_));
            if done {
                break;
            }
            yield_now().await;
        }
        drop(future);
        turns(9).await; // tasks that were detached run to their ends
        assert_eq!(drops.count(), 3, "{name} after {polls} polls");
        if done {
            break;
        }
        polls += 1;
    }
    assert!(polls > 2, "{name} waited");
}

async fn steps(counted: Counted) -> Result<(), ()> {
    turns(3).await;
    drop(counted);
    Err(())
}

#[coro::test]
async fn dropped_at_every_point_nothing_is_dropped_twice_or_never() {
    dropped_everywhere("gather", |held| gather(held.map(steps))).await;
    dropped_everywhere("try_gather", |held| try_gather(held.map(steps))).await;
    dropped_everywhere("as_completed", |held| {
        as_completed(held.map(steps)).collect::<Vec<_>>()
    })
    .await;
    dropped_everywhere("race_ok", |held| race_ok(held.map(steps))).await;
    dropped_everywhere("map_concurrent", |held| map_concurrent(held, 2, steps)).await;
    dropped_everywhere("buffered", |held| {
        buffered(stream::iter(held).map(steps), 2).collect::<Vec<_>>()
    })
    .await;
    dropped_everywhere("wait", |held| {
        wait(
            held.map(|held| spawn(steps(held))),
            ReturnWhen::AllCompleted,
            None,
        )
    })
    .await;
    dropped_everywhere("staggered_race", |held| {
        staggered_race(ms(1), held.map(steps))
    })
    .await;
}

#[coro::test]
async fn a_trace_of_many_is_that_of_asyncio() {
    let trace = Trace::new();
    let step = |name: &'static str, millis| {
        let trace = &trace;
        async move {
            trace.add(format!("{name} begins"));
            sleep(ms(millis)).await;
            trace.add(format!("{name} ends"));
        }
    };
    gather((step("a", 2), step("b", 1))).await;
    trace.assert(["a begins", "b begins", "b ends", "a ends"]);
}
