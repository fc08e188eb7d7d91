//! Large futures and closures on the small stack of a thread, without optimisation.
//!
//! A future that was copied by each function that passes it on would overflow that stack.

use std::future::Future;
use std::hint::black_box;
use std::pin::Pin;
use std::thread;
use std::time::Duration;

use coro::threads::to_thread;
use coro::{EventLoop, LoopHandle, yield_now};

const KIB: usize = 1024;

/// A future that has so many bytes in it while it waits.
async fn holds<const BYTES: usize>() -> u8 {
    let bytes = [1_u8; BYTES];
    yield_now().await;
    black_box(&bytes);
    bytes[BYTES / 2]
}

fn quarter() -> impl Future<Output = u8> + Send + 'static {
    holds::<{ 256 * KIB }>()
}

/// Runs `f` on a thread with the stack that threads have if nothing is said.
fn on_two_mebibytes(f: impl FnOnce() + Send + 'static) {
    let builder = thread::Builder::new().stack_size(2 * KIB * KIB);
    builder.spawn(f).unwrap().join().unwrap();
}

/// Runs a future whose own frames are in a box, as those of a program that knows of its size.
fn run<F: Future<Output = ()> + 'static>(make: impl FnOnce() -> F + Send + 'static) {
    on_two_mebibytes(move || {
        let future: Pin<Box<dyn Future<Output = ()>>> = Box::pin(make());
        coro::run(future);
    });
}

#[test]
fn a_mebibyte_is_spawned_and_run() {
    run(|| async {
        assert_eq!(coro::spawn(holds::<{ KIB * KIB }>()).await.unwrap(), 1);
    });
    run(|| async {
        let event_loop = LoopHandle::current();
        let task = event_loop.spawn(holds::<{ KIB * KIB }>());
        assert_eq!(task.await.unwrap(), 1);
    });
    run(|| async {
        let event_loop = LoopHandle::current();
        let task = event_loop.spawn_eager(holds::<{ KIB * KIB }>());
        assert_eq!(task.await.unwrap(), 1);
    });
}

#[test]
fn a_quarter_is_run() {
    on_two_mebibytes(|| assert_eq!(coro::run(quarter()), 1));
    on_two_mebibytes(|| {
        let mut event_loop = EventLoop::new().unwrap();
        assert_eq!(event_loop.run_until_complete(quarter()).unwrap(), 1);
    });
}

#[test]
fn a_quarter_has_a_timeout() {
    on_two_mebibytes(|| {
        coro::run(async {
            let limit = Duration::from_secs(60);
            assert_eq!(coro::timeout(limit, quarter()).await, Ok(1));
        });
    });
    on_two_mebibytes(|| {
        coro::run(async {
            let limit = Duration::from_secs(60);
            assert_eq!(
                coro::fail_after(limit, async |_| quarter().await).await,
                Ok(1)
            );
        });
    });
}

#[test]
fn quarters_are_gathered_and_raced() {
    on_two_mebibytes(|| coro::run(async { assert_eq!(coro::gather((quarter(),)).await, (1,)) }));
    on_two_mebibytes(|| {
        coro::run(async { assert_eq!(coro::gather(vec![quarter()]).await, [1]) });
    });
    on_two_mebibytes(|| coro::run(async { assert_eq!(coro::race((quarter(),)).await, 1) }));
    on_two_mebibytes(|| {
        coro::run(async { assert_eq!(coro::race(vec![quarter()]).await, 1) });
    });
}

#[test]
fn a_quarter_is_shielded() {
    on_two_mebibytes(|| {
        coro::run(async { assert_eq!(coro::shield(quarter()).await.unwrap(), 1) });
    });
}

#[test]
fn quarters_are_children_of_scopes_and_groups() {
    on_two_mebibytes(|| {
        let sum =
            coro::run(async { coro::scope(async |scope| scope.spawn(quarter()).await).await });
        assert_eq!(sum, 1);
    });
    on_two_mebibytes(|| {
        coro::run(coro::scope(async |_| assert_eq!(quarter().await, 1)));
    });
    on_two_mebibytes(|| {
        coro::run(async {
            let tried = coro::try_scope(async |scope| {
                let child = scope.try_spawn(async { Ok::<_, ()>(quarter().await) });
                Ok(child.await)
            });
            assert_eq!(tried.await.unwrap(), 1);
        });
    });
}

#[test]
fn a_quarter_goes_to_another_thread() {
    on_two_mebibytes(|| {
        coro::run(async {
            let bytes = [1_u8; 256 * KIB];
            let sum = to_thread(move || bytes.iter().map(|&byte| usize::from(byte)).sum::<usize>());
            assert_eq!(sum.await.unwrap(), 256 * KIB);
        });
    });
}

#[test]
fn a_quarter_is_the_output_of_a_task() {
    run(|| async {
        let task = coro::spawn(async { [1_u8; 256 * KIB] });
        yield_now().await;
        assert!(task.is_finished());
        assert_eq!(task.await.unwrap()[5], 1);
    });
}
