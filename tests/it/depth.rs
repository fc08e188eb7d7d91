//! The depth to which futures can be nested on a stack of 2 MiB.

use std::future::Future;
use std::pin::Pin;
use std::thread;
use std::time::Duration;

use coro::{
    LoopHandle, gather, run, scope, sleep, spawn, try_scope, yield_, yield_from, yield_now,
};
use futures::StreamExt;

type Boxed = Pin<Box<dyn Future<Output = u32>>>;

#[coro::coroutine(boxed)]
fn boxed(depth: u32) -> u32 {
    if depth == 0 {
        yield_from!(yield_now());
        return 0;
    }
    yield_from!(boxed(depth - 1)) + 1
}

#[coro::coroutine(yields = u32, boxed)]
fn generator(depth: u32) {
    match depth {
        0 => yield_!(7),
        _ => yield_from!(generator(depth - 1)),
    }
}

#[coro::coroutine(yields = u32, boxed)]
async fn async_generator(depth: u32) {
    if depth > 0 {
        return yield_from!(async_generator(depth - 1));
    }
    yield_now().await;
    yield_!(7);
}

/// A future that contains other futures of its kind, to this depth.
fn nested(depth: u32, level: fn(Boxed) -> Boxed) -> Boxed {
    match depth {
        0 => Box::pin(async {
            yield_now().await;
            0
        }),
        _ => level(Box::pin(async move { nested(depth - 1, level).await })),
    }
}

fn gathered(inner: Boxed) -> Boxed {
    Box::pin(async { gather((inner, async {})).await.0 + 1 })
}

fn scoped(inner: Boxed) -> Boxed {
    Box::pin(scope(async |s| s.spawn(inner).await + 1))
}

fn tried(inner: Boxed) -> Boxed {
    Box::pin(async {
        let outcome = try_scope(async |s| {
            let child = s.try_spawn(async { Ok::<_, ()>(inner.await) });
            Ok(child.await + 1)
        });
        outcome.await.unwrap()
    })
}

fn spawned(inner: Boxed) -> Boxed {
    Box::pin(async { spawn(inner).await.unwrap() + 1 })
}

#[test]
fn documented_depths_are_reached_on_a_stack_of_two_mebibytes() {
    let thread = thread::Builder::new().stack_size(2 << 20);
    let deep = thread.spawn(|| {
        assert_eq!(run(boxed(4000)), 4000);
        assert_eq!(run(nested(1500, gathered)), 1500);
        assert_eq!(run(nested(300, scoped)), 300);
        assert_eq!(run(nested(250, tried)), 250);
        assert_eq!(run(nested(20_000, spawned)), 20_000);
        assert!(generator(100_000).eq([7]));
        assert_eq!(run(async_generator(100_000).collect::<Vec<_>>()), [7]);
    });
    deep.unwrap().join().unwrap();
}

#[coro::coroutine(boxed)]
fn naps(depth: u32) -> u32 {
    if depth == 0 {
        yield_from!(sleep(Duration::from_secs(3600)));
        return 0;
    }
    yield_from!(naps(depth - 1)) + 1
}

#[test]
fn a_dump_of_deep_futures_shows_their_beginning_and_takes_no_more_stack() {
    let thread = thread::Builder::new().stack_size(2 << 20);
    let deep = thread.spawn(|| {
        run(async {
            let napping = spawn(naps(2000));
            yield_now().await;
            let text = LoopHandle::current().dump().await.to_string();
            let awaits = text.matches("awaits ").count();
            assert!((200..300).contains(&awaits), "{awaits}");
            assert!(text.contains("a timer, due in"), "{text}");
            assert!(napping.cancel());
            assert!(napping.await.unwrap_err().is_cancelled());
        });
    });
    deep.unwrap().join().unwrap();
}
