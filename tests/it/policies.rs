//! Failure policies: scopes and task groups judge alike.

use std::cell::Cell;
use std::rc::Rc;

use coro::group::{Policy, ScopeError};
use coro::time::sleep_until;
use coro::{LoopHandle, TaskGroup, sleep, try_scope, yield_now};

use crate::support::ms;

type Failures = Result<(), Vec<usize>>;

/// The time at which a child ends, and whether it fails. Its error is its number.
#[derive(Clone, Copy, Debug)]
struct Child {
    millis: u64,
    fails: bool,
}

impl Child {
    async fn run(self, number: usize) -> Result<(), usize> {
        sleep(ms(self.millis)).await;
        if self.fails { Err(number) } else { Ok(()) }
    }
}

const POLICIES: [Policy; 4] = [
    Policy::AllSucceed,
    Policy::FirstSucceeds,
    Policy::Collect,
    Policy::Supervise,
];

async fn in_scope(policy: Policy, children: [Child; 3]) -> Failures {
    let scope = try_scope(async |s| {
        s.policy(policy);
        for (number, child) in children.into_iter().enumerate() {
            s.try_spawn(child.run(number));
        }
        Ok(())
    });
    scope.await.map_err(ScopeError::into_failures)
}

async fn in_group(policy: Policy, children: [Child; 3]) -> Failures {
    let group = TaskGroup::fallible();
    group.policy(policy);
    for (number, child) in children.into_iter().enumerate() {
        drop(group.try_spawn(child.run(number)).unwrap());
    }
    group.join().await.map_err(ScopeError::into_failures)
}

/// The outcome that a policy prescribes, by plain counting.
fn expected(policy: Policy, children: [Child; 3]) -> Failures {
    let mut failed: Vec<usize> = (0..3).filter(|&child| children[child].fails).collect();
    failed.sort_by_key(|&child| children[child].millis);
    let fails = match policy {
        Policy::AllSucceed => {
            let first = failed.first().map(|&child| children[child].millis);
            failed.retain(|&child| Some(children[child].millis) == first);
            !failed.is_empty()
        }
        Policy::FirstSucceeds => failed.len() == 3,
        Policy::Collect => !failed.is_empty(),
        _ => false,
    };
    if fails { Err(failed) } else { Ok(()) }
}

#[coro::test]
async fn scopes_and_groups_judge_alike_and_keep_all_failures_of_the_last_turn() {
    let kinds = [1, 2, 3].map(|millis| [true, false].map(|fails| Child { millis, fails }));
    let kinds = kinds.concat();
    for number in 0..kinds.len().pow(3) {
        let kind = |place: u32| kinds[number / kinds.len().pow(place) % kinds.len()];
        let children = [kind(0), kind(1), kind(2)];
        for policy in POLICIES {
            let expected = expected(policy, children);
            let context = format!("{children:?} under {policy:?}");
            assert_eq!(
                in_scope(policy, children).await,
                expected,
                "scope: {context}"
            );
            assert_eq!(
                in_group(policy, children).await,
                expected,
                "group: {context}"
            );
        }
    }
}

#[coro::test]
async fn a_body_that_fails_in_the_turn_of_a_child_is_heard_too() {
    let at = LoopHandle::current().time() + ms(1);
    let child = async move || {
        sleep_until(at).await;
        Err::<(), _>("child")
    };
    let body = async move || {
        yield_now().await;
        yield_now().await;
        sleep_until(at).await;
        Err::<(), _>("body")
    };
    let scope = try_scope(async |s| {
        s.try_spawn(child());
        body().await
    });
    assert_eq!(scope.await.unwrap_err().failures(), ["child", "body"]);

    let at = LoopHandle::current().time() + ms(1);
    let group = TaskGroup::fallible();
    drop(group.try_spawn(async move {
        sleep_until(at).await;
        Err::<(), _>("child")
    }));
    let outcome = group.run(async {
        yield_now().await;
        yield_now().await;
        sleep_until(at).await;
        Err::<(), _>("body")
    });
    assert_eq!(outcome.await.unwrap_err().failures(), ["child", "body"]);
}

#[coro::test]
async fn after_the_turn_of_a_failure_none_takes_another_step() {
    let steps = Rc::new(Cell::new(0));
    let always_ready = |steps: Rc<Cell<u32>>| async move {
        loop {
            steps.set(steps.get() + 1);
            yield_now().await;
        }
    };
    let ready_at_the_next_look = |steps: Rc<Cell<u32>>| async move {
        loop {
            steps.set(steps.get() + 1);
            sleep(ms(1)).await;
        }
    };
    let scope = try_scope(async |s| {
        s.try_spawn(async { Err::<(), _>("no") });
        s.spawn(always_ready(steps.clone()));
        s.spawn(always_ready(steps.clone()));
        Ok(())
    });
    assert_eq!(scope.await.unwrap_err().failures(), ["no"]);
    assert_eq!(steps.take(), 2);

    let group = TaskGroup::fallible();
    drop(group.try_spawn(async { Err::<(), _>("no") }));
    drop(group.spawn(ready_at_the_next_look(steps.clone())));
    drop(group.spawn(ready_at_the_next_look(steps.clone())));
    let handle = group.handle().clone();
    assert_eq!(group.join().await.unwrap_err().failures(), ["no"]);
    assert_eq!((steps.get(), handle.is_closed()), (2, true));
}

#[coro::test]
async fn a_child_that_has_failed_closes_the_scope_within_its_turn() {
    let refused = Cell::new(false);
    let scope = try_scope(async |s| {
        s.try_spawn(async { Err::<(), _>("no") });
        s.spawn(async {
            assert!(s.is_cancelled());
            refused.set(s.spawn(async { unreachable!() }).is_finished());
        });
        Ok(())
    });
    assert!(scope.await.is_err());
    assert!(refused.get());
}

#[coro::test]
async fn all_failures_of_a_large_turn_are_kept() {
    // More than a scope takes steps in one poll.
    let fails = Child {
        millis: 1,
        fails: true,
    };
    let scope = try_scope(async |s| {
        for number in 0..200 {
            s.try_spawn(fails.run(number));
        }
        Ok(())
    });
    assert!(
        scope
            .await
            .unwrap_err()
            .into_failures()
            .into_iter()
            .eq(0..200)
    );
    let group = TaskGroup::fallible();
    for number in 0..200 {
        drop(group.try_spawn(fails.run(number)).unwrap());
    }
    assert!(
        group
            .join()
            .await
            .unwrap_err()
            .into_failures()
            .into_iter()
            .eq(0..200)
    );
}
