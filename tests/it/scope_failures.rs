//! Scopes with children that fail: policies, cancelling, deadlines.

use std::cell::{Cell, RefCell};
use std::future::pending;

use coro::event_loop::ReportKind;
use coro::group::{Policy, ScopeError};
use coro::{LoopHandle, race, sleep, timeout, try_scope, yield_now};

use crate::support::{Drops, Reports, Trace, ms};

async fn fails(millis: u64, error: &'static str) -> Result<u64, &'static str> {
    sleep(ms(millis)).await;
    Err(error)
}

async fn succeeds(millis: u64) -> Result<u64, &'static str> {
    sleep(ms(millis)).await;
    Ok(millis)
}

#[coro::test]
async fn all_succeed_and_their_handles_give_the_values_of_their_successes() {
    let sum = try_scope(async |s| {
        let (a, b) = (s.try_spawn(succeeds(2)), s.try_spawn(succeeds(1)));
        Ok(a.await + b.await + s.spawn(async { 4 }).await)
    });
    assert_eq!(sum.await, Ok(7));
}

#[coro::test]
async fn the_first_failure_drops_body_and_siblings_and_comes_out() {
    let trace = Trace::new();
    let (body, sibling) = (trace.on_drop("body"), trace.on_drop("sibling"));
    let begun = LoopHandle::current().time();
    let failed: Result<(), _> = try_scope(async |s| {
        s.spawn(async {
            let _sibling = sibling;
            pending::<()>().await;
        });
        s.try_spawn(fails(3, "too late"));
        s.try_spawn(fails(2, "no"));
        s.defer(async { trace.add("clean-up") });
        let _body = body;
        pending().await
    })
    .await;
    assert_eq!(failed.unwrap_err().failures(), ["no"]);
    assert_eq!(LoopHandle::current().time() - begun, ms(2));
    trace.assert(["body", "sibling", "clean-up"]);
}

#[coro::test]
async fn collected_failures_are_kept_in_the_order_of_completion() {
    let collected = try_scope(async |s| {
        s.policy(Policy::Collect);
        s.try_spawn(fails(3, "c"));
        s.try_spawn(fails(1, "a"));
        s.try_spawn(fails(2, "b"));
        Err::<(), _>("the body, first of all")
    });
    let error = collected.await.unwrap_err();
    assert_eq!(error.failures(), ["the body, first of all", "a", "b", "c"]);
    assert_eq!(
        error.to_string(),
        "the body, first of all, and 3 more failures"
    );
}

#[coro::test]
async fn an_error_of_the_body_drops_the_children_unstarted_ones_unrun() {
    let trace = Trace::new();
    let failed = try_scope(async |s| {
        s.spawn(async { trace.add("ran") });
        Err::<(), _>("body")
    });
    let error = failed.await.unwrap_err();
    assert_eq!((error.first(), error.is_failure()), (Some(&"body"), true));
    trace.assert([]);
}

#[coro::test]
async fn the_value_of_the_body_is_lost_to_a_child_that_fails_after_it() {
    let failed = try_scope(async |s| {
        s.try_spawn(fails(1, "after all"));
        Ok(3)
    });
    assert_eq!(failed.await.unwrap_err().into_first(), Some("after all"));
}

#[coro::test]
async fn the_first_success_drops_the_others_and_the_body_goes_on_with_it() {
    let drops = Drops::default();
    let (slow, plain) = (drops.counted(), drops.counted());
    let begun = LoopHandle::current().time();
    let first = try_scope(async |s| {
        s.policy(Policy::FirstSucceeds);
        let runners = [
            s.try_spawn(fails(1, "down")),
            s.try_spawn(async {
                let _slow = slow;
                succeeds(50).await
            }),
            s.try_spawn(succeeds(2)),
        ];
        s.spawn(async {
            let _plain = plain;
            pending::<()>().await;
        });
        Ok(race(runners).await)
    });
    assert_eq!(first.await, Ok(2));
    assert_eq!(
        (drops.count(), LoopHandle::current().time() - begun),
        (2, ms(2))
    );
}

#[coro::test]
async fn where_one_success_would_do_but_all_fail_all_failures_come_out() {
    let failed = try_scope(async |s| {
        s.policy(Policy::FirstSucceeds);
        let runners = [s.try_spawn(fails(2, "b")), s.try_spawn(fails(1, "a"))];
        Ok(race(runners).await)
    });
    assert_eq!(failed.await.unwrap_err().failures(), ["a", "b"]);
}

#[coro::test]
async fn a_body_that_awaits_a_loser_ends_without_a_value_instead_of_waiting_for_ever() {
    for loser in [fails(1, "lost"), fails(90, "never")] {
        let failed = try_scope(async |s| {
            s.policy(Policy::FirstSucceeds);
            s.try_spawn(succeeds(5));
            Ok(s.try_spawn(loser).await)
        });
        assert!(timeout(ms(100), failed).await.unwrap().is_err());
    }
}

#[coro::test]
async fn collecting_lets_every_child_end() {
    let ended = Cell::new(0);
    let collected = try_scope(async |s| {
        s.policy(Policy::Collect);
        s.try_spawn(fails(1, "one"));
        s.try_spawn(async {
            let value = succeeds(5).await;
            ended.set(ended.get() + 1);
            value
        });
        ended.set(ended.get() + 1);
        Ok(())
    });
    assert_eq!(collected.await.unwrap_err().failures(), ["one"]);
    assert_eq!(ended.get(), 2);
}

#[coro::test]
async fn a_waiter_of_a_failed_child_ends_with_it() {
    let ended = RefCell::new(Vec::new());
    let collected = try_scope(async |s| {
        s.policy(Policy::Collect);
        let child = s.try_spawn(fails(1, "the root"));
        s.spawn(async {
            child.await;
            ended.borrow_mut().push("dependant");
        });
        s.spawn(async {
            sleep(ms(5)).await;
            ended.borrow_mut().push("other");
        });
        s.try_spawn(fails(2, "the body's")).await;
        ended.borrow_mut().push("body");
        Ok(())
    });
    let error = timeout(ms(50), collected).await.unwrap().unwrap_err();
    assert_eq!(error.failures(), ["the root", "the body's"]);
    assert_eq!(*ended.borrow(), ["other"]);
}

#[coro::test]
async fn supervised_children_do_not_touch_one_another() {
    let reports = Reports::here();
    let value = try_scope(async |s| {
        s.policy(Policy::Supervise);
        s.try_spawn(fails(1, "forgiven"));
        s.spawn(async {
            yield_now().await;
            panic!("isolated");
        });
        Ok(s.try_spawn(succeeds(5)).await)
    });
    assert_eq!(value.await, Ok(5));
    reports.assert_taken([(ReportKind::TaskPanicked, "isolated")]);
}

#[coro::test]
async fn a_supervised_panic_reaches_the_waiter_of_the_child() {
    let caught = coro::spawn(async {
        try_scope(async |s| {
            s.policy(Policy::Supervise);
            s.spawn(async { panic!("awaited") }).await;
            Ok::<_, ()>(())
        })
        .await
    });
    assert!(caught.await.unwrap_err().to_string().ends_with("awaited"));
}

#[coro::test]
async fn cancelling_says_why_and_from_where() {
    let drops = Drops::default();
    let counted = drops.counted();
    let cancelled: Result<(), ScopeError<()>> = try_scope(async |s| {
        let _counted = counted;
        s.spawn(async {
            sleep(ms(1)).await;
            s.cancel("enough is known");
            s.cancel("the second reason does not count");
            pending::<()>().await;
        });
        pending().await
    })
    .await;
    let error = cancelled.unwrap_err();
    let why = error.cancelled().unwrap();
    assert_eq!(why.reason(), "enough is known");
    assert!(why.location().file().ends_with("scope_failures.rs"));
    assert_eq!(drops.count(), 1);
}

#[coro::test]
async fn a_value_that_is_there_when_the_scope_is_cancelled_is_given() {
    let value = try_scope(async |s| {
        s.spawn(pending::<()>());
        s.cancel("the rest is not needed");
        assert!(s.is_cancelled());
        Ok::<_, ()>(5)
    });
    assert_eq!(value.await, Ok(5));
}

#[coro::test]
async fn a_scope_that_ends_takes_no_more_children() {
    let drops = Drops::default();
    let counted = drops.counted();
    let value = try_scope(async |s| {
        s.cancel("no more");
        let refused = s.spawn(async { drop(counted) });
        assert_eq!((drops.count(), refused.is_finished()), (1, true));
        Ok::<_, ()>(())
    });
    assert_eq!(value.await, Ok(()));
}

#[coro::test]
async fn a_deadline_ends_the_scope_and_clean_ups_still_run() {
    let trace = Trace::new();
    let begun = LoopHandle::current().time();
    let late: Result<(), ScopeError<()>> = try_scope(async |s| {
        s.timeout(ms(10));
        s.defer(async {
            sleep(ms(3)).await;
            trace.add("clean-up");
        });
        pending().await
    })
    .await;
    assert!(late.unwrap_err().is_elapsed());
    assert_eq!(LoopHandle::current().time() - begun, ms(13));
    trace.assert(["clean-up"]);
}

#[coro::test]
async fn a_deadline_also_ends_children_that_the_body_has_left_behind() {
    let late = try_scope(async |s| {
        s.deadline(LoopHandle::current().time() + ms(10));
        s.spawn(pending::<()>());
        Ok::<_, ()>(())
    });
    assert!(late.await.unwrap_err().is_elapsed());
}

#[coro::test]
async fn a_deadline_can_be_put_off_and_a_ready_value_wins_over_it() {
    let value = try_scope(async |s| {
        s.timeout(ms(10));
        sleep(ms(9)).await;
        s.timeout(ms(10));
        sleep(ms(10)).await;
        Ok::<_, ()>("in time")
    });
    assert_eq!(value.await, Ok("in time"));
}

#[coro::test]
async fn an_inner_deadline_does_not_eat_the_cancellation_from_outside() {
    let outer = try_scope(async |s| {
        s.timeout(ms(5));
        let inner = try_scope(async |t| {
            t.timeout(ms(5));
            pending::<Result<(), ()>>().await
        });
        sleep(ms(1)).await;
        assert!(inner.await.unwrap_err().is_elapsed());
        Ok::<_, ()>(())
    });
    assert!(outer.await.unwrap_err().is_elapsed());
}

#[coro::test]
async fn errors_tell_what_happened() {
    #[derive(Debug)]
    struct Refused;
    impl std::fmt::Display for Refused {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("refused")
        }
    }
    impl std::error::Error for Refused {}
    let failed = try_scope(async |s| {
        s.policy(Policy::Collect);
        s.try_spawn(async { Err::<(), _>(Refused) });
        s.try_spawn(async { Err::<(), _>(Refused) });
        Ok(())
    });
    let error: Box<dyn std::error::Error> = failed.await.unwrap_err().into();
    assert_eq!(error.to_string(), "refused, and 1 more failure");
}
