//! The context of tasks: inherited values of task-locals, cancellation tokens.

use std::cell::RefCell;
use std::future::{pending, ready};
use std::rc::Rc;

use coro::{
    CancelToken, LoopHandle, TaskGroup, TaskLocal, scope, sleep, spawn, timeout, yield_now,
};

use crate::support::{BusyWaker, OnDrop, Trace, ms, panic_of, turns};

static NAME: TaskLocal<String> = TaskLocal::new();
static DEPTH: TaskLocal<u32> = TaskLocal::new();

fn name() -> String {
    NAME.get().unwrap_or_else(|| "nobody".into())
}

async fn named_later() -> String {
    yield_now().await;
    name()
}

#[coro::test]
async fn a_value_is_there_for_calls_and_for_spawned_tasks_and_nowhere_else() {
    let all = NAME.scope("ada".into(), async {
        let task = spawn(named_later());
        let eager = LoopHandle::current().spawn_eager(named_later());
        let group = TaskGroup::new();
        let member = group.spawn(named_later()).unwrap();
        group.join().await.unwrap();
        let child = scope(async |s| s.spawn(named_later()).await);
        [
            named_later().await,
            task.await.unwrap(),
            eager.await.unwrap(),
            member.await.unwrap(),
            child.await,
            coro::group::shield(named_later()).await.unwrap(),
        ]
    });
    let beside = spawn(async {
        yield_now().await;
        named_later().await
    });
    assert_eq!(all.await, ["ada"; 6].map(String::from));
    assert_eq!(
        (beside.await.unwrap(), name()),
        ("nobody".into(), "nobody".into())
    );
}

#[coro::test]
async fn callouts_run_with_the_values_of_the_task_that_registered_them() {
    let log = Rc::new(RefCell::new(Vec::new()));
    let logs = |log: &Rc<RefCell<Vec<String>>>| {
        let log = log.clone();
        move || log.borrow_mut().push(name())
    };
    NAME.sync_scope("eve".into(), || {
        coro::call_soon(logs(&log));
        coro::call_later(ms(1), logs(&log));
    });
    coro::call_later(ms(1), logs(&log));
    sleep(ms(2)).await;
    assert_eq!(*log.borrow(), ["eve", "eve", "nobody"]);
}

#[coro::test]
async fn a_value_that_a_task_sets_is_invisible_to_its_parent_and_outlasts_its_waits() {
    let names = NAME.scope("parent".into(), async {
        let child = spawn(async {
            NAME.set("child".into());
            DEPTH.set(2);
            (named_later().await, DEPTH.get())
        });
        let child = child.await.unwrap();
        (child, named_later().await, DEPTH.get())
    });
    let expected = (("child".to_owned(), Some(2)), "parent".to_owned(), None);
    assert_eq!(names.await, expected);
}

#[coro::test]
async fn inner_scopes_cover_outer_ones_and_keep_the_other_values() {
    let inner = NAME.scope("outer".into(), async {
        let inner = NAME.scope("inner".into(), async { (named_later().await, DEPTH.get()) });
        let inner = DEPTH.scope(1, inner).await;
        (inner, name())
    });
    assert_eq!(inner.await, (("inner".into(), Some(1)), "outer".into()));
    assert!(NAME.with(|name| name.is_none()));
}

#[coro::test]
async fn destructors_see_the_values_too() {
    let seen = Rc::new(RefCell::new(String::new()));
    let see = seen.clone();
    let held = OnDrop::new(move || *see.borrow_mut() = name());
    let endless = NAME.scope("owner".into(), async move {
        let _held = held;
        pending::<()>().await;
    });
    assert!(timeout(ms(1), endless).await.is_err());
    assert_eq!(
        (seen.borrow().as_str(), name().as_str()),
        ("owner", "nobody")
    );
}

#[coro::test]
async fn a_panic_leaves_no_values_behind() {
    let task = NAME.sync_scope("panicky".into(), || spawn(async { panic!("{}", name()) }));
    assert!(task.await.unwrap_err().to_string().ends_with("panicky"));
    assert_eq!(name(), "nobody");
}

#[test]
fn setting_outside_of_every_scope_says_what_to_do() {
    let text = panic_of(|| NAME.set("lost".into()));
    assert!(text.contains("wrap the future that is to have it in scope(value, future)"));
}

// ---- tokens ----

#[coro::test]
async fn a_token_wakes_its_waiters_in_order_with_reason_and_place() {
    let trace = Rc::new(Trace::new());
    let token = CancelToken::new();
    for n in 0..3 {
        let (token, trace) = (token.clone(), trace.clone());
        drop(spawn(async move {
            let why = token.cancelled().await;
            trace.add(format!("{n}: {}", why.reason()));
        }));
    }
    turns(2).await;
    token.cancel("maintenance");
    token.cancel("too late");
    turns(2).await;
    trace.assert(["0: maintenance", "1: maintenance", "2: maintenance"]);
    let why = token.reason().unwrap();
    assert!(why.location().file().ends_with("context.rs"));
    assert!(why.to_string().starts_with("cancelled: maintenance (at "));
}

#[coro::test]
async fn children_are_cancelled_with_their_parents_but_not_the_other_way_round() {
    let root = CancelToken::new();
    let (a, b) = (root.child(), root.child());
    let grandchild = a.child();
    b.cancel("only b");
    assert!(b.is_cancelled() && !root.is_cancelled() && !a.is_cancelled());
    drop(a); // its child still descends from the root
    root.cancel("all");
    assert_eq!(grandchild.reason().unwrap().reason(), "all");
    assert_eq!(b.reason().unwrap().reason(), "only b");
    assert!(root.child().is_cancelled());
}

#[coro::test]
async fn a_million_generations_are_cancelled_and_dropped_without_recursion() {
    let root = CancelToken::new();
    let mut last = root.child();
    for _ in 0..1_000_000 {
        last = last.child();
    }
    root.cancel("deep");
    assert!(last.is_cancelled());
    let untold = (0..1_000_000).fold(CancelToken::new(), |token, _| token.child());
    drop(untold);
}

#[coro::test]
async fn a_value_that_is_ready_wins_over_the_token() {
    let token = CancelToken::new();
    assert_eq!(token.run_until_cancelled(ready(1)).await, Ok(1));
    token.cancel("now");
    assert_eq!(token.run_until_cancelled(ready(2)).await, Ok(2));
    let refused = token.run_until_cancelled(pending::<()>()).await;
    assert_eq!(refused.unwrap_err().reason(), "now");
}

#[coro::test]
async fn a_waiter_that_is_dropped_frees_its_waker_which_may_use_the_loop() {
    use std::future::Future;
    use std::pin::pin;
    use std::task::Context;
    let token = CancelToken::new();
    {
        let mut waits = pin!(token.cancelled());
        let waker = BusyWaker::waker();
        assert!(
            waits
                .as_mut()
                .poll(&mut Context::from_waker(&waker))
                .is_pending()
        );
        let other = BusyWaker::waker();
        assert!(
            waits
                .as_mut()
                .poll(&mut Context::from_waker(&other))
                .is_pending()
        );
    }
    token.cancel("nobody waits");
}
