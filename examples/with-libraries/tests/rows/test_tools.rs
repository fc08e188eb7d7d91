//! Tests and measurements by others: rstest, test-case, proptest, criterion.

use std::cell::RefCell;
use std::time::Duration;

use coro::{EventLoop, sleep};
use criterion::Criterion;
use criterion::async_executor::AsyncExecutor;
use proptest::prelude::*;
use rstest::{fixture, rstest};
use test_case::test_case;

use crate::http::ms;

#[fixture]
fn patience() -> Duration {
    ms(1000)
}

#[rstest]
#[case(1)]
#[case(3600)]
#[coro::test]
async fn rstest_has_cases_and_fixtures(patience: Duration, #[case] factor: u32) {
    sleep(patience * factor).await;
}

#[test_case(2, 2 => 4)]
#[test_case(3, 4 => 7)]
#[coro::test]
async fn test_case_has_arguments_and_results(a: u32, b: u32) -> u32 {
    sleep(ms(10)).await;
    a + b
}

proptest! {
    #[test]
    fn proptest_runs_a_loop_for_each_case(numbers: Vec<u32>) {
        let sum = coro::run(async { // glue
            coro::spawn(async move { numbers.len() }).await.unwrap()
        });
        prop_assert!(sum <= 1000);
    }
}

/// A loop that lives through a measurement.
struct Measured(RefCell<EventLoop>);

impl AsyncExecutor for Measured {
    fn block_on<T>(&self, future: impl Future<Output = T>) -> T {
        self.0.borrow_mut().run_until_complete(future).unwrap() // glue
    }
}

#[test]
fn criterion_measures_on_a_loop() {
    let mut criterion = Criterion::default()
        .without_plots()
        .sample_size(10)
        .warm_up_time(ms(1))
        .measurement_time(ms(10));
    let mut calls = 0;
    criterion.bench_function("yield_now", |bencher| {
        let measured = Measured(RefCell::new(EventLoop::new().unwrap()));
        bencher.to_async(measured).iter(|| {
            calls += 1;
            coro::yield_now()
        });
    });
    assert!(calls > 10);
}
