//! Loops that close while threads are busy; pools that outlive loops; threads that cannot start.

use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use coro::event_loop::ReportKind;
use coro::threads::{ThreadPool, run_in_executor, to_thread, to_thread_with};
use coro::{EventLoop, LoopHandle, spawn};

use crate::support::{OnDrop, Reports, ms};
use crate::threads::{held, until};

fn loop_with_one_thread(limit: Duration) -> EventLoop {
    let one = ThreadPool::builder().max_threads(1);
    let builder = EventLoop::builder().thread_pool(one);
    builder.join_threads(limit).build().unwrap()
}

#[test]
fn closing_cancels_queued_jobs_and_waits_for_running_ones() {
    let mut event_loop = loop_with_one_thread(Duration::from_secs(20));
    let (tell, told) = mpsc::channel();
    let (begin, begun) = mpsc::channel();
    let (running, queued) = event_loop
        .run_until_complete(async {
            let running = to_thread_with(move |cancel| {
                begin.send(()).unwrap();
                while !cancel.is_cancelled() {
                    thread::yield_now();
                }
                thread::sleep(ms(20));
                tell.send("done").unwrap();
            });
            (running, to_thread(|| unreachable!("it is cancelled")))
        })
        .unwrap();
    begun.recv().unwrap();
    event_loop.close();
    assert_eq!(told.try_recv(), Ok("done"), "it was waited for");
    coro::run(async {
        running.await.unwrap();
        let error = queued.await.unwrap_err();
        assert!(error.is_cancelled(), "{error}");
        assert!(error.to_string().ends_with(" was cancelled"), "{error}");
    });
}

#[test]
fn a_job_that_does_not_end_is_named_and_left_behind() {
    let mut event_loop = loop_with_one_thread(ms(20));
    let reports = Reports::of(&event_loop.handle());
    let (held, job) = held();
    let line = line!() + 2;
    event_loop
        .run_until_complete(async { to_thread(job).detach() })
        .unwrap();
    held.begun.recv().unwrap();
    let begun = Instant::now();
    event_loop.close();
    assert!(begun.elapsed() >= ms(20));
    let taken = reports.take();
    assert_eq!(taken.len(), 1, "{taken:?}");
    assert_eq!(taken[0].kind, ReportKind::JobsStuck);
    let place = format!("left behind: those made at tests/it/threads_closing.rs:{line}:");
    assert!(taken[0].message.starts_with(&place), "{taken:?}");
    held.let_go.send(()).unwrap(); // it still runs
}

#[test]
fn a_job_that_blocks_for_the_loop_ends_with_it() {
    let mut event_loop = loop_with_one_thread(Duration::from_secs(20));
    let (tell, told) = mpsc::channel();
    event_loop
        .run_until_complete(async {
            let remote = LoopHandle::current().remote();
            to_thread(move || {
                let waits = remote.block_on(std::future::pending::<()>);
                let later = remote.block_on(|| async { 1 });
                tell.send((waits.unwrap_err(), later.unwrap_err())).unwrap();
            })
            .detach();
            until(|| !LoopHandle::current().all_tasks().is_empty()).await;
        })
        .unwrap();
    event_loop.close();
    let (waited, later) = told.try_recv().unwrap();
    assert!(waited.is_cancelled() && later.is_cancelled());
}

#[test]
fn a_job_asked_for_while_the_loop_closes_is_cancelled() {
    let mut event_loop = EventLoop::new().unwrap();
    let (tell, told) = mpsc::channel();
    event_loop
        .run_until_complete(async {
            spawn(async {
                let _ask = OnDrop::new(move || {
                    tell.send(to_thread(|| unreachable!("no thread is started any more")))
                        .unwrap();
                });
                std::future::pending::<()>().await;
            });
            coro::yield_now().await;
        })
        .unwrap();
    event_loop.close();
    let asked = told.try_recv().unwrap();
    let error = coro::run(asked).unwrap_err();
    assert!(error.is_cancelled(), "{error}");
}

#[test]
fn a_report_that_comes_too_late_for_the_loop_is_not_waited_for() {
    let mut event_loop = loop_with_one_thread(Duration::from_secs(20));
    let (held, job) = held();
    event_loop
        .run_until_complete(async {
            let panics = to_thread(move || {
                job();
                panic!("printed, as nobody is there to be told");
            });
            panics.detach();
        })
        .unwrap();
    held.begun.recv().unwrap();
    drop(held);
    event_loop.close();
}

#[test]
fn several_loops_share_a_pool_that_outlives_them() {
    let pool = ThreadPool::builder().max_threads(2).build();
    let loops: Vec<_> = (0..4)
        .map(|n| {
            let pool = pool.clone();
            thread::spawn(move || {
                coro::run(async move {
                    let mut sum = 0;
                    for i in 0..200 {
                        sum += run_in_executor(&pool, move || n * i).await.unwrap();
                        sum += to_thread(|| 1).await.unwrap(); // and threads of its own
                    }
                    sum
                })
            })
        })
        .collect();
    for (n, one) in loops.into_iter().enumerate() {
        assert_eq!(one.join().unwrap(), n * 199 * 100 + 200);
    }
    assert!((1..=2).contains(&pool.thread_count()));
}

#[coro::test(real)]
async fn a_pool_whose_handles_are_gone_still_runs_its_jobs() {
    let pool = ThreadPool::builder().max_threads(1).build();
    let (held, job) = held();
    let first = run_in_executor(&pool, job);
    let second = run_in_executor(&pool, || 2);
    drop(pool);
    drop(held);
    first.await.unwrap();
    assert_eq!(second.await.unwrap(), 2);
}

#[coro::test(real)]
async fn a_pool_that_gets_no_thread_at_all_tells_the_caller() {
    let pool = ThreadPool::builder().stack_size(1 << 46).build();
    for _ in 0..3 {
        let error = run_in_executor(&pool, || unreachable!()).await;
        let error = error.unwrap_err();
        assert!(error.is_refused(), "{error}");
        let cause = std::error::Error::source(&error).unwrap();
        let cause = cause.downcast_ref::<std::io::Error>().unwrap();
        assert_eq!(cause.kind(), std::io::ErrorKind::WouldBlock, "{cause}"); // EAGAIN
        assert!(error.to_string().contains(" was refused: "), "{error}");
    }
    assert_eq!(pool.thread_count(), 0);

    let reports = Reports::here();
    run_in_executor(&pool, || unreachable!()).detach();
    assert_eq!(reports.take()[0].kind, ReportKind::JobRefused);
}

/// Runs in a process of its own, since the limit holds for the whole process.
#[cfg(target_os = "linux")]
#[test]
fn a_pool_that_gets_no_further_thread_serves_all_jobs_with_those_it_has() {
    use std::env;
    use std::process::Command;

    const NAME: &str =
        "threads_closing::a_pool_that_gets_no_further_thread_serves_all_jobs_with_those_it_has";
    if env::var_os("CORO_TEST_FEW_THREADS").is_some() {
        return coro::run(serve_with_few());
    }
    let output = Command::new("sh")
        .args(["-c", "ulimit -v 4000000 && exec \"$0\" \"$@\""])
        .arg(env::current_exe().unwrap())
        .args(["--exact", NAME, "--nocapture", "--test-threads=1"])
        .env("CORO_TEST_FEW_THREADS", "1")
        .output()
        .unwrap();
    if String::from_utf8_lossy(&output.stderr).contains("AddressSanitizer") {
        return println!(
            "skipped: AddressSanitizer needs more address space than the test leaves it"
        );
    }
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && said.contains("1 passed"),
        "{output:?}"
    );
}

#[cfg(target_os = "linux")]
async fn serve_with_few() {
    use std::sync::{Arc, Mutex};

    const STACK: usize = 1 << 30; // at most three such stacks fit
    let pool = ThreadPool::builder()
        .max_threads(8)
        .stack_size(STACK)
        .build();
    let (begin, begun) = mpsc::channel();
    let gate = Arc::new(Mutex::new(()));
    let closed = gate.lock().unwrap();
    let jobs: Vec<_> = (0..8)
        .map(|n| {
            let (begin, gate) = (begin.clone(), gate.clone());
            run_in_executor(&pool, move || {
                begin.send(n).unwrap();
                drop(gate.lock().unwrap());
                n
            })
        })
        .collect();
    begun.recv().unwrap();
    assert!(
        (1..8).contains(&pool.thread_count()),
        "{}",
        pool.thread_count()
    );
    drop(closed);
    for (n, job) in jobs.into_iter().enumerate() {
        assert_eq!(job.await.unwrap(), n);
    }
}
