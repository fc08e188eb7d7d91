//! Jobs on the threads of other libraries.

use std::sync::mpsc;
use std::time::Duration;

use coro::threads::{Executor, Job, run_in_executor};
use coro::timeout;
use rayon::prelude::*;

use crate::support::ms;

fn rayon_pool() -> rayon::ThreadPool {
    rayon::ThreadPoolBuilder::new()
        .num_threads(1)
        .build()
        .unwrap()
}

#[coro::test]
async fn a_job_runs_inside_of_rayons_pool_while_the_virtual_clock_waits() {
    let pool = rayon_pool();
    let on_rayon = |job: Job| pool.spawn(move || job.run());
    let sum = run_in_executor(&on_rayon, || {
        assert_eq!(rayon::current_thread_index(), Some(0));
        std::thread::sleep(ms(5)); // the hour below must not pass meanwhile
        (1..=1000_u64).into_par_iter().sum::<u64>()
    });
    let limited = timeout(Duration::from_secs(3600), sum).await;
    assert_eq!(limited.expect("in time").unwrap(), 500_500);
}

#[coro::test]
async fn a_panic_on_rayons_thread_comes_back_and_the_pool_goes_on() {
    let pool = rayon_pool();
    let on_rayon = |job: Job| pool.spawn(move || job.run());
    let failed = run_in_executor(&on_rayon, || panic!("no such luck")).await;
    assert!(failed.unwrap_err().is_panic());
    assert_eq!(run_in_executor(&on_rayon, || 7).await.unwrap(), 7);
}

#[coro::test]
async fn a_job_that_waits_for_rayons_thread_is_not_run_once_its_future_is_dropped() {
    let pool = rayon_pool();
    let on_rayon = |job: Job| pool.spawn(move || job.run());
    let (go, begin) = mpsc::channel();
    let first = run_in_executor(&on_rayon, move || begin.recv().unwrap());
    let (sender, ran) = mpsc::channel();
    drop(run_in_executor(&on_rayon, move || sender.send(()).unwrap()));
    go.send(()).unwrap();
    first.await.unwrap();
    run_in_executor(&on_rayon, || ()).await.unwrap();
    assert!(ran.recv().is_err(), "the closure was dropped");
}

#[coro::test]
async fn a_closure_behind_a_reference_is_an_executor_too() {
    let on_threads = |job: Job| drop(std::thread::spawn(move || job.run()));
    let any: &dyn Fn(Job) = &on_threads;
    assert_eq!(run_in_executor(any, || 1).await.unwrap(), 1);
    let any: Box<dyn Executor> = Box::new(on_threads);
    assert_eq!(run_in_executor(&*any, || 2).await.unwrap(), 2);
}
