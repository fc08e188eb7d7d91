//! Large futures on the small stack of a thread, without optimisation.
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

/// A future that has this number of bytes in it while it waits.
async fn holds<const BYTES: usize>() -> u8 {
    let bytes = [1_u8; BYTES];
    yield_now().await;
    black_box(&bytes);
    bytes[BYTES / 2]
}

fn quarter() -> impl Future<Output = u8> + Send + 'static {
    holds::<{ 256 * KIB }>()
}

/// A future that returns this number of bytes.
async fn gives<const BYTES: usize>() -> [u8; BYTES] {
    yield_now().await;
    black_box([1_u8; BYTES])
}

/// Runs `f` on a thread with the stack that threads have if nothing is said.
fn on_two_mebibytes(f: impl FnOnce() + Send + 'static) {
    let builder = thread::Builder::new().stack_size(2 * KIB * KIB);
    builder.spawn(f).unwrap().join().unwrap();
}

/// Runs a future that is in a box, as that of a program that knows of its size.
fn run<F: Future<Output = ()> + 'static>(make: impl FnOnce() -> F + Send + 'static) {
    on_two_mebibytes(move || {
        let future: Pin<Box<dyn Future<Output = ()>>> = Box::pin(make());
        coro::run(future);
    });
}

/// The caller makes the future on its own stack, and the call has one copy of it. So twice this size
/// has to fit.
const SPAWNED: usize = 960 * KIB;

#[test]
fn the_largest_future_of_which_two_copies_fit_is_spawned() {
    run(|| async {
        assert_eq!(coro::spawn(holds::<SPAWNED>()).await.unwrap(), 1);
    });
    run(|| async {
        let event_loop = LoopHandle::current();
        let task = event_loop.spawn_eager(holds::<SPAWNED>());
        assert_eq!(task.await.unwrap(), 1);
    });
}

#[test]
fn a_mebibyte_in_a_box_of_its_own_is_spawned() {
    run(|| async {
        let task = coro::spawn(Box::pin(holds::<{ KIB * KIB }>()));
        assert_eq!(task.await.unwrap(), 1);
    });
}

#[test]
fn half_a_mebibyte_is_spawned_by_every_handle() {
    run(|| async {
        let event_loop = LoopHandle::current();
        let task = event_loop.spawn(holds::<{ KIB * KIB / 2 }>());
        assert_eq!(task.await.unwrap(), 1);
    });
    run(|| async {
        let task = coro::group::shield(holds::<{ KIB * KIB / 4 }>());
        assert_eq!(task.await.unwrap(), 1);
    });
}

#[test]
fn a_quarter_has_a_timeout() {
    let limit = Duration::from_secs(60);
    on_two_mebibytes(move || {
        coro::run(async move {
            assert_eq!(coro::timeout(limit, quarter()).await, Ok(1));
        });
    });
    on_two_mebibytes(move || {
        coro::run(async move {
            let outcome = coro::time::fail_after(limit, async |_| quarter().await);
            assert_eq!(outcome.await, Ok(1));
        });
    });
}

#[test]
fn quarters_in_a_vec_are_gathered_and_raced() {
    on_two_mebibytes(|| {
        coro::run(async { assert_eq!(coro::gather(vec![quarter()]).await, [1]) });
    });
    on_two_mebibytes(|| {
        coro::run(async { assert_eq!(coro::race(vec![quarter()]).await, 1) });
    });
    on_two_mebibytes(|| {
        coro::run(async {
            let many = (0..40).map(|_| quarter());
            assert_eq!(coro::gather(many).await, [1; 40]);
        });
    });
}

#[test]
fn an_eighth_in_a_tuple_is_gathered_and_raced() {
    run(|| async {
        assert_eq!(
            coro::gather((holds::<{ 128 * KIB }>(), async { 2 })).await,
            (1, 2)
        )
    });
    run(|| async {
        assert_eq!(
            coro::race((holds::<{ 128 * KIB }>(), std::future::pending())).await,
            1
        )
    });
}

#[test]
fn a_quarter_is_the_output_of_a_task() {
    run(|| async {
        let task = coro::spawn(gives::<{ 256 * KIB }>());
        assert_eq!(task.await.unwrap()[5], 1);
    });
    run(|| async {
        let task = coro::spawn(async { [1_u8; 256 * KIB] });
        yield_now().await;
        assert!(task.is_finished());
        assert_eq!(task.await.unwrap()[5], 1);
    });
}

#[test]
fn a_quarter_is_run() {
    on_two_mebibytes(|| assert_eq!(coro::run(quarter()), 1));
    on_two_mebibytes(|| assert_eq!(EventLoop::builder().run(quarter()), 1));
    on_two_mebibytes(|| {
        let mut event_loop = EventLoop::new().unwrap();
        assert_eq!(event_loop.run_until_complete(quarter()).unwrap(), 1);
    });
}

#[test]
fn a_quarter_is_shielded() {
    on_two_mebibytes(|| {
        coro::run(async { assert_eq!(coro::group::shield(quarter()).await.unwrap(), 1) });
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
