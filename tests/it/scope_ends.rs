//! The end of a scope: dropped midway, by a panic, with clean-ups.

use std::cell::Cell;
use std::future::{Future, pending};
use std::rc::Rc;

use coro::event_loop::ReportKind;
use coro::group::Scope;
use coro::{LoopHandle, scope, sleep, timeout, yield_now};

use crate::support::{OnDrop, PanicOnDrop, Reports, Trace, ms};

#[coro::test]
async fn a_scope_dropped_midway_drops_the_body_then_children_in_order_then_clean_ups() {
    let trace = Trace::new();
    let held = |name| (trace.on_drop(name), pending::<()>());
    let (body, a, b, c) = (held("body"), held("a"), held("b"), held("c"));
    let clean_up = held("clean-up");
    let endless = scope(async |s| {
        for held in [a, b] {
            s.spawn(async {
                let (_held, forever) = held;
                forever.await;
            });
        }
        s.spawn(async {
            yield_now().await;
            s.spawn(async {
                let (_held, forever) = c;
                forever.await;
            });
        });
        s.defer(async {
            let (_held, forever) = clean_up;
            forever.await;
        });
        let (_held, forever) = body;
        forever.await;
    });
    assert!(timeout(ms(5), endless).await.is_err());
    trace.assert(["body", "a", "b", "c", "clean-up"]);
}

/// Spawns into its scope when it is dropped, more children than the scope's list has room for.
struct SpawnsOnDrop<'s, 'env>(&'s Scope<'s, 'env>, Rc<Cell<usize>>);

impl Drop for SpawnsOnDrop<'_, '_> {
    fn drop(&mut self) {
        for _ in 0..64 {
            let refused = self.1.clone();
            let dropped = OnDrop::new(move || refused.set(refused.get() + 1));
            drop(self.0.spawn(async move {
                let _dropped = dropped;
                pending::<()>().await;
            }));
        }
    }
}

#[coro::test]
async fn destructors_that_spawn_while_the_scope_is_dropped_are_refused() {
    let refused = Rc::new(Cell::new(0));
    let endless = scope(async |s| {
        for _ in 0..3 {
            let spawns = SpawnsOnDrop(s, refused.clone());
            s.spawn(async move {
                let _spawns = spawns;
                pending::<()>().await;
            });
        }
        pending::<()>().await;
    });
    assert!(timeout(ms(5), endless).await.is_err());
    assert_eq!(refused.get(), 3 * 64);
}

#[coro::test]
async fn destructors_that_spawn_while_the_scope_runs_are_served() {
    let ended = Rc::new(Cell::new(0));
    scope(async |s| {
        let spawns = SpawnsOnDrop(s, ended.clone());
        let child = s.spawn(async move {
            let _spawns = spawns;
            pending::<()>().await;
        });
        yield_now().await;
        child.cancel();
        assert_eq!(ended.get(), 0);
        let rest = s.spawn(pending::<()>());
        yield_now().await;
        rest.cancel();
        // The spawned child waits for ever, so the scope is ended by a panic, which `catch`
        // catches.
        panic!("enough");
    })
    .catch()
    .await;
    assert_eq!(ended.get(), 64);
}

/// `catch_unwind` for futures that need not be unwind safe.
trait Catch: Future + Sized {
    async fn catch(self) -> Option<String> {
        use futures::FutureExt;
        let caught = std::panic::AssertUnwindSafe(self).catch_unwind().await;
        let payload = caught.err()?;
        match payload.downcast::<String>() {
            Ok(text) => Some(*text),
            Err(payload) => Some(payload.downcast_ref::<&str>()?.to_string()),
        }
    }
}

impl<F: Future> Catch for F {}

#[coro::test]
async fn a_panic_drops_the_siblings_and_the_body_then_comes_out() {
    let trace = Trace::new();
    let (a, body) = (trace.on_drop("sibling"), trace.on_drop("body"));
    let panics = scope(async |s| {
        s.spawn(async {
            let _a = a;
            pending::<()>().await;
        });
        s.spawn(async {
            yield_now().await;
            panic!("the first");
        });
        s.spawn(async {
            let _second = PanicOnDrop("the second");
            pending::<()>().await;
        });
        s.defer(async { trace.add("clean-up") });
        let _body = body;
        pending::<()>().await;
    });
    assert_eq!(panics.catch().await.unwrap(), "the first");
    trace.assert(["body", "sibling", "clean-up"]);
}

#[coro::test]
async fn a_panic_of_the_body_waits_for_the_clean_ups() {
    let trace = Trace::new();
    let panics = scope(async |s| {
        s.defer(async {
            sleep(ms(5)).await;
            trace.add("clean-up");
        });
        s.spawn(pending::<()>());
        panic!("the body");
    });
    assert_eq!(panics.catch().await.unwrap(), "the body");
    trace.assert(["clean-up"]);
}

#[coro::test]
async fn a_panic_of_a_childs_destructor_comes_out() {
    let panics = scope(async |s| {
        s.spawn(async {
            let _held = PanicOnDrop("as it ended");
        });
        s.spawn(pending::<()>()).await;
    });
    assert_eq!(panics.catch().await.unwrap(), "as it ended");
}

#[coro::test]
async fn panics_of_destructors_while_the_scope_is_dropped_are_reported() {
    let reports = Reports::here();
    let endless = scope(async |s| {
        for text in ["one", "two"] {
            s.spawn(async move {
                let _held = PanicOnDrop(text);
                pending::<()>().await;
            });
        }
    });
    assert!(timeout(ms(1), endless).await.is_err());
    reports.assert_taken([(ReportKind::TaskPanicked, "one")]);
}

#[coro::test]
async fn clean_ups_run_last_in_first_out_after_all_children() {
    let trace = Trace::new();
    scope(async |s| {
        s.defer(async { trace.add("first registered") });
        s.defer(async {
            sleep(ms(1)).await;
            trace.add("second registered");
            s.defer(async { trace.add("registered by a clean-up") });
        });
        s.spawn(async {
            sleep(ms(5)).await;
            trace.add("child");
        });
        trace.add("body");
    })
    .await;
    trace.assert([
        "body",
        "child",
        "second registered",
        "registered by a clean-up",
        "first registered",
    ]);
}

#[coro::test]
async fn clean_ups_end_with_their_grace_time_which_is_reported() {
    let reports = Reports::here();
    let begun = LoopHandle::current().time();
    scope(async |s| {
        s.grace(ms(20));
        s.defer(pending());
        s.defer(sleep(ms(15)));
    })
    .await;
    assert_eq!(LoopHandle::current().time() - begun, ms(20));
    let text = "a clean-up of a scope was not done within the grace time";
    reports.assert_taken([(ReportKind::CleanUpCutShort, text)]);
}
