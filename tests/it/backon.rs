//! Retries by `backon`, with our sleep.

use std::cell::Cell;
use std::time::Duration;

use backon::{ExponentialBuilder, Retryable};
use coro::{LoopHandle, sleep};

use crate::support::ms;

#[coro::test]
async fn backon_waits_by_the_loops_clock() {
    let (begun, attempts) = (LoopHandle::current().time(), Cell::new(0));
    let policy = ExponentialBuilder::default().with_min_delay(Duration::from_secs(1));
    let operation = || async {
        attempts.set(attempts.get() + 1);
        match attempts.get() {
            3 => Ok("up"),
            n => Err(n),
        }
    };
    assert_eq!(operation.retry(policy).sleep(sleep).await, Ok("up"));
    let passed = LoopHandle::current().time() - begun;
    assert!(passed >= ms(3000) && passed < ms(3100), "{passed:?}");
}
