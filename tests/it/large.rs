//! Large futures on the small stack of a thread, without optimisation.
//!
//! A future that was copied by each function that passes it on would overflow that stack.

use std::future::Future;
use std::hint::black_box;
use std::thread;

use coro::threads::to_thread;
use coro::{EventLoop, yield_now};

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

#[test]
fn a_quarter_is_run() {
    on_two_mebibytes(|| assert_eq!(coro::run(quarter()), 1));
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
