//! Combinators that await many futures as one: `gather`, `race`, `shield`.

use std::cell::Cell;
use std::future::{Future, pending, ready};
use std::pin::Pin;
use std::rc::Rc;

use coro::event_loop::ReportKind;
use coro::group::shield;
use coro::{LoopHandle, gather, race, sleep, spawn, timeout, yield_now};

use crate::support::{Drops, Gate, Pending, Reports, Trace, ms, turns};

async fn after(millis: u64) -> u64 {
    sleep(ms(millis)).await;
    millis
}

/// Holds a value until it has slept.
async fn holding<T>(held: T, millis: u64) -> u64 {
    let _held = held;
    after(millis).await
}

// ---- gather ----

macro_rules! gathers_tuples {
    ($($name:ident: $($n:literal)+;)+) => { $(
        #[coro::test]
        async fn $name() {
            let begun = LoopHandle::current().time();
            // The first takes longest, so that they finish in the opposite order.
            let gathered = gather(($(after(20 - $n),)+)).await;
            assert_eq!(gathered, ($(20 - $n,)+));
            assert_eq!(LoopHandle::current().time() - begun, ms(19));
        }
    )+ };
}

gathers_tuples! {
    gathers_2: 1 2;
    gathers_3: 1 2 3;
    gathers_4: 1 2 3 4;
    gathers_5: 1 2 3 4 5;
    gathers_6: 1 2 3 4 5 6;
    gathers_7: 1 2 3 4 5 6 7;
    gathers_8: 1 2 3 4 5 6 7 8;
    gathers_9: 1 2 3 4 5 6 7 8 9;
    gathers_10: 1 2 3 4 5 6 7 8 9 10;
    gathers_11: 1 2 3 4 5 6 7 8 9 10 11;
    gathers_12: 1 2 3 4 5 6 7 8 9 10 11 12;
}

#[coro::test]
async fn gathers_arrays_and_vecs_in_argument_order() {
    assert_eq!(gather([after(3), after(1), after(2)]).await, [3, 1, 2]);
    for len in [1, 2, 29, 31, 500] {
        let expected: Vec<u64> = (0..len).rev().collect();
        let futures: Vec<_> = expected.iter().map(|&millis| after(millis)).collect();
        assert_eq!(gather(futures).await, expected);
    }
}

#[coro::test]
async fn gathering_nothing_is_ready_at_once() {
    let others = Rc::new(Cell::new(false));
    let ran = others.clone();
    coro::call_soon(move || ran.set(true));
    assert_eq!(
        gather(Vec::<Pin<Box<dyn Future<Output = ()>>>>::new()).await,
        []
    );
    assert_eq!(gather([(); 0].map(ready)).await, []);
    assert!(!others.get());
}

#[coro::test]
async fn gather_awaits_all_though_one_has_failed_and_tasks_are_among_them() {
    let failing = spawn(async { panic!("one") });
    let fine = spawn(after(5));
    let (failed, fine, error) = gather((failing, fine, async { Err::<(), _>("two") })).await;
    assert!(failed.unwrap_err().is_panic());
    assert_eq!((fine.unwrap(), error), (5, Err("two")));
}

#[coro::test]
async fn gathered_futures_may_borrow_and_run_concurrently() {
    let trace = Trace::new();
    let steps = |names: [&'static str; 2]| {
        let trace = &trace;
        async move {
            for name in names {
                trace.add(name);
                yield_now().await;
            }
        }
    };
    gather((steps(["a0", "a1"]), steps(["b0", "b1"]))).await;
    trace.assert(["a0", "b0", "a1", "b1"]);
}

#[coro::test]
async fn a_gather_dropped_midway_drops_the_unfinished_and_the_outputs_of_the_finished() {
    let drops = Drops::default();
    let output = |drops: &Drops| {
        let counted = drops.counted();
        async move { counted }
    };
    let waits = |drops: &Drops| {
        let counted = drops.counted();
        async move {
            let counted = counted;
            pending::<()>().await;
            counted
        }
    };
    let tuple = gather((output(&drops), waits(&drops)));
    assert!(timeout(ms(1), tuple).await.is_err());
    assert_eq!(drops.count(), 2);
    assert!(
        timeout(ms(1), gather([waits(&drops), waits(&drops)]))
            .await
            .is_err()
    );
    assert_eq!(drops.count(), 4);
    let many: Vec<_> = (0..40).map(|_| waits(&drops)).collect();
    assert!(timeout(ms(1), gather(many)).await.is_err());
    assert_eq!(drops.count(), 44);
}

#[coro::test]
async fn a_panic_inside_a_gather_reaches_its_waiter_and_drops_the_others() {
    let drops = Drops::default();
    let (a, b) = (drops.counted(), drops.counted());
    let tuple = spawn(async { gather((holding(a, 50), async { panic!("inside") })).await });
    let error = tuple.await.unwrap_err();
    assert!(error.to_string().ends_with("inside") && drops.count() == 1);
    let boom: Pin<Box<dyn Future<Output = u64>>> = Box::pin(async { panic!("in a vec") });
    let many = vec![Box::pin(holding(b, 50)) as Pin<Box<_>>, boom];
    assert!(spawn(gather(many)).await.unwrap_err().is_panic());
    assert_eq!(drops.count(), 2);
}

#[coro::test]
async fn a_finished_member_of_a_gather_is_not_polled_again() {
    let gates = [Gate::new(), Gate::new()];
    let gathered = spawn(gather((gates[0].clone(), gates[1].clone())));
    yield_now().await;
    gates[0].open();
    yield_now().await;
    assert_eq!(gates[0].polls(), 2);
    gates[1].open();
    gathered.await.unwrap();
    assert_eq!(gates[0].polls(), 2);
}

#[coro::test]
async fn in_a_large_gather_only_the_woken_members_are_polled() {
    let polls = Rc::new(Cell::new(0));
    let gate = Gate::new();
    let mut many: Vec<Pin<Box<dyn Future<Output = ()>>>> = Vec::new();
    for _ in 0..100 {
        many.push(Box::pin(Pending(polls.clone())));
    }
    many.push(Box::pin(gate.clone()));
    let task = spawn(gather(many));
    turns(2).await; // one poll starts at most 64 members
    assert_eq!(polls.get(), 100);
    gate.wake();
    turns(2).await;
    assert_eq!((polls.get(), gate.polls()), (100, 2));
    task.cancel();
}

// ---- race ----

macro_rules! races_tuples {
    ($($name:ident: $($n:literal)+;)+) => { $(
        #[coro::test]
        async fn $name() {
            let drops = Drops::default();
            let first = race(($(holding(drops.counted(), 20 - $n),)+)).await;
            assert_eq!(first, [$(20 - $n),+].into_iter().min().unwrap());
            assert_eq!(drops.count(), [$($n),+].len());
            // All are ready at once: the first in the tuple wins.
            assert_eq!(race(($(ready($n),)+)).await, 1);
        }
    )+ };
}

races_tuples! {
    races_2: 1 2;
    races_3: 1 2 3;
    races_4: 1 2 3 4;
    races_5: 1 2 3 4 5;
    races_6: 1 2 3 4 5 6;
    races_7: 1 2 3 4 5 6 7;
    races_8: 1 2 3 4 5 6 7 8;
    races_9: 1 2 3 4 5 6 7 8 9;
    races_10: 1 2 3 4 5 6 7 8 9 10;
    races_11: 1 2 3 4 5 6 7 8 9 10 11;
    races_12: 1 2 3 4 5 6 7 8 9 10 11 12;
}

#[coro::test]
async fn races_arrays_and_vecs_and_drops_the_losers_before_it_gives_the_value() {
    let drops = Drops::default();
    let runners = |drops: &Drops| [5, 1, 3].map(|millis| holding(drops.counted(), millis));
    assert_eq!(race(runners(&drops)).await, 1);
    assert_eq!(drops.count(), 3);
    assert_eq!(race(Vec::from(runners(&drops))).await, 1);
    assert_eq!(drops.count(), 6);
    assert_eq!(race([ready(1), ready(2)]).await, 1);
}

#[coro::test]
async fn a_race_dropped_midway_drops_all_and_a_panic_in_it_too() {
    let drops = Drops::default();
    let two = || (holding(drops.counted(), 50), holding(drops.counted(), 50));
    assert!(timeout(ms(1), race(two())).await.is_err());
    assert_eq!(drops.count(), 2);
    let (held, other) = (drops.counted(), drops.counted());
    let task = spawn(race((holding(held, 50), async move {
        let _other = other;
        panic!("a runner fell")
    })));
    assert!(task.await.unwrap_err().is_panic());
    assert_eq!(drops.count(), 4);
}

#[coro::test]
async fn later_runners_are_not_polled_once_there_is_a_winner() {
    let polls = Rc::new(Cell::new(0));
    race((ready(()), Pending(polls.clone()))).await;
    assert_eq!(polls.get(), 0);
}

// ---- shield ----

#[coro::test]
async fn a_shielded_future_outlives_the_cancellation_of_its_waiter() {
    let trace = Trace::new();
    let saved = trace.adder("saved");
    let save = shield(async move {
        sleep(ms(10)).await;
        saved();
    });
    let waits = spawn(async move { drop(save.await) });
    sleep(ms(1)).await;
    waits.cancel();
    assert!(waits.await.unwrap_err().is_cancelled());
    trace.assert([]);
    sleep(ms(10)).await;
    trace.assert(["saved"]);
}

#[coro::test]
async fn a_shield_begins_at_once_and_gives_the_output_or_the_panic() {
    let trace = Trace::new();
    let begun = trace.adder("begun");
    let shielded = shield(async move {
        begun();
        7
    });
    yield_now().await;
    trace.assert(["begun"]);
    assert_eq!(shielded.await.unwrap(), 7);
    let panics = shield(async { panic!("shielded") });
    assert!(panics.await.unwrap_err().is_panic());
}

#[coro::test]
async fn a_panic_in_an_abandoned_shield_is_reported() {
    let reports = Reports::here();
    drop(shield(async { panic!("behind the shield") }));
    turns(2).await;
    reports.assert_taken([(ReportKind::TaskPanicked, "behind the shield")]);
}
