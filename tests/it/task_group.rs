//! Groups of the loop's tasks: `TaskGroup`.

use std::future::{Future, pending};
use std::pin::pin;
use std::rc::Rc;
use std::task::{Context, Waker};

use coro::event_loop::ReportKind;
use coro::group::{GroupClosed, GroupHandle, Policy};
use coro::{TaskGroup, sleep, spawn, timeout};

use crate::support::{Drops, Reports, Trace, ms, turns};

type Group = TaskGroup<&'static str>;

async fn fails(millis: u64, error: &'static str) -> Result<(), &'static str> {
    sleep(ms(millis)).await;
    Err(error)
}

#[coro::test]
async fn join_waits_for_all_also_for_those_that_tasks_add() {
    let trace = Rc::new(Trace::new());
    let group = TaskGroup::new();
    let (handle, log) = (group.handle().clone(), trace.clone());
    let task = group.spawn(async move {
        sleep(ms(1)).await;
        let later = log.clone();
        let added = handle.spawn(async move {
            sleep(ms(5)).await;
            later.add("grandchild");
        });
        assert!(added.is_ok());
        log.add("child");
        7
    });
    trace.add("joining");
    group.join().await.unwrap();
    trace.assert(["joining", "child", "grandchild"]);
    assert_eq!(task.unwrap().await.unwrap(), 7);
}

#[coro::test]
async fn the_first_failure_cancels_the_others_in_the_order_of_their_spawning_and_the_body() {
    let trace = Trace::new();
    let group = Group::fallible();
    for name in ["a", "b", "c"] {
        let held = trace.on_drop(name);
        let endless = group.spawn(async move {
            let _held = held;
            pending::<()>().await;
        });
        drop(endless);
    }
    let failing = group.try_spawn(fails(1, "no")).unwrap();
    let body = trace.on_drop("body");
    let outcome = group.run(async {
        let _body = body;
        pending::<Result<(), _>>().await
    });
    assert_eq!(outcome.await.unwrap_err().failures(), ["no"]);
    trace.assert(["a", "b", "c", "body"]);
    assert!(failing.await.unwrap_err().is_cancelled());
}

#[coro::test]
async fn an_error_of_the_body_cancels_tasks_that_then_never_begin() {
    let trace = Trace::new();
    let group = Group::fallible();
    let unstarted = group.spawn({
        let ran = trace.adder("ran");
        async move { ran() }
    });
    let outcome = group.run::<()>(async { Err("body") });
    assert_eq!(outcome.await.unwrap_err().failures(), ["body"]);
    assert!(unstarted.unwrap().await.unwrap_err().is_cancelled());
    trace.assert([]);
}

#[coro::test]
async fn a_task_that_is_cancelled_alone_is_no_failure() {
    let group = TaskGroup::new();
    let alone = group.spawn(pending::<()>()).unwrap();
    let other = group.spawn(sleep(ms(5))).unwrap();
    alone.cancel();
    group.join().await.unwrap();
    assert!(other.is_finished());
}

#[coro::test]
async fn a_group_that_was_cancelled_ends_without_an_error_and_takes_no_more() {
    let drops = Drops::default();
    let counted = drops.counted();
    let group = TaskGroup::new();
    drop(group.spawn(pending::<()>()));
    group.cancel("enough");
    let refused = group.spawn(async move { drop(counted) });
    assert_eq!(refused.unwrap_err(), GroupClosed);
    assert_eq!((drops.count(), group.is_closed()), (1, true));
    group.join().await.unwrap();
}

#[coro::test]
async fn cancelling_while_the_body_runs_says_why() {
    let group = TaskGroup::new();
    let handle = group.handle().clone();
    coro::call_later(ms(1), move || handle.cancel("closing"));
    let outcome = group.run::<()>(pending()).await.unwrap_err();
    assert_eq!(outcome.cancelled().unwrap().reason(), "closing");
}

#[coro::test]
async fn dropping_the_group_or_its_join_cancels_the_tasks() {
    let drops = Drops::default();
    let holding = |group: &GroupHandle| {
        let counted = drops.counted();
        drop(group.spawn(async move {
            let _counted = counted;
            pending::<()>().await;
        }));
    };
    let group = TaskGroup::new();
    holding(&group);
    drop(group);
    turns(2).await;
    assert_eq!(drops.count(), 1);
    let group = TaskGroup::new();
    holding(&group);
    let handle = group.handle().clone();
    assert!(timeout(ms(1), group.join()).await.is_err());
    turns(2).await;
    assert_eq!((drops.count(), handle.is_empty()), (2, true));
    assert!(handle.spawn(async {}).is_err());
}

#[coro::test]
async fn a_panic_cancels_the_others_and_comes_out_of_the_join() {
    let drops = Drops::default();
    let counted = drops.counted();
    let joined = spawn(async move {
        let group = TaskGroup::new();
        drop(group.spawn(async move {
            let _counted = counted;
            pending::<()>().await;
        }));
        drop(group.spawn(async { panic!("the first") }));
        group.join().await
    });
    assert!(joined.await.unwrap_err().to_string().ends_with("the first"));
    assert_eq!(drops.count(), 1);
}

#[coro::test]
async fn policies_are_those_of_scopes() {
    let group = Group::fallible();
    group.policy(Policy::Collect);
    drop(group.try_spawn(fails(2, "b")));
    drop(group.try_spawn(fails(1, "a")));
    assert_eq!(group.join().await.unwrap_err().failures(), ["a", "b"]);

    let group = Group::fallible();
    group.policy(Policy::FirstSucceeds);
    drop(group.try_spawn(fails(1, "forgiven")));
    let winner = group.try_spawn(async { fails(2, "").await.or(Ok::<_, &str>(())) });
    let loser = group.try_spawn(pending::<Result<(), _>>()).unwrap();
    group.join().await.unwrap();
    winner.unwrap().await.unwrap();
    assert!(loser.await.unwrap_err().is_cancelled());

    let group = Group::fallible();
    group.policy(Policy::FirstSucceeds);
    drop(group.try_spawn(fails(1, "one")));
    drop(group.try_spawn(fails(2, "two")));
    assert_eq!(group.join().await.unwrap_err().failures(), ["one", "two"]);

    let reports = Reports::here();
    let group = Group::fallible();
    group.policy(Policy::Supervise);
    drop(group.spawn(async { panic!("isolated") }));
    drop(group.try_spawn(fails(1, "forgiven")));
    group.join().await.unwrap();
    reports.assert_taken([(ReportKind::TaskPanicked, "isolated")]);
}

#[coro::test]
async fn a_join_dropped_at_every_point_leaves_no_task() {
    for polls in 0..6 {
        let drops = Drops::default();
        let group = TaskGroup::new();
        for n in 0..3 {
            let counted = drops.counted();
            drop(group.spawn(async move {
                let _counted = counted;
                turns(n).await;
            }));
        }
        {
            let mut join = pin!(group.join());
            for _ in 0..polls {
                let mut cx = Context::from_waker(Waker::noop());
                if join.as_mut().poll(&mut cx).is_ready() {
                    break;
                }
                turns(1).await;
            }
        }
        turns(2).await;
        assert_eq!(drops.count(), 3, "after {polls} polls");
    }
}
