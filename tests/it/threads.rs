//! Jobs on other threads: outcomes, panics, cancelling, bounds.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Barrier};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::{Duration, Instant};

use coro::event_loop::ReportKind;
use coro::threads::{Executor, Job, ThreadPool, run_in_executor, to_thread, to_thread_with};
use coro::{LoopHandle, gather, sleep, spawn, timeout};
use futures::StreamExt;
use futures::stream::FuturesUnordered;

use crate::support::{Drops, PanicOnDrop, PanickyWaker, Reports, ms, panic_of};

/// A job that reports its start, then runs until it is released.
pub(crate) struct Held {
    pub(crate) begun: Receiver<()>,
    pub(crate) let_go: Sender<()>,
}

pub(crate) fn held() -> (Held, impl FnOnce() + Send + 'static) {
    let (begin, begun) = mpsc::channel();
    let (let_go, go) = mpsc::channel();
    let job = move || {
        let _ = begin.send(());
        let _ = go.recv(); // an error means that `let_go` was dropped: also a release
    };
    (Held { begun, let_go }, job)
}

/// Runs the loop until the condition holds.
pub(crate) async fn until(mut condition: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !condition() {
        assert!(begun.elapsed() < Duration::from_secs(20), "it never came");
        sleep(ms(1)).await;
    }
}

fn one_thread() -> ThreadPool {
    ThreadPool::builder().max_threads(1).build()
}

#[coro::test(real)]
async fn a_job_runs_beside_the_loop_and_its_value_comes_back() {
    let (held, job) = held();
    let here = thread::current().id();
    let job = spawn(to_thread(move || {
        job();
        thread::current().id()
    }));
    until(|| held.begun.try_recv().is_ok()).await; // now the loop has slept and woken again
    held.let_go.send(()).unwrap();
    assert_ne!(job.await.unwrap().unwrap(), here);
}

#[coro::test(real)]
async fn a_job_begins_before_its_future_is_polled() {
    let (held, job) = held();
    let job = to_thread(job);
    held.begun.recv().unwrap(); // blocks the loop
    assert!(!job.is_finished());
    held.let_go.send(()).unwrap();
    until(|| job.is_finished()).await;
    job.await.unwrap();
}

#[coro::test(real)]
async fn a_panic_comes_back_and_the_thread_lives_on() {
    let pool = one_thread();
    let first = run_in_executor(&pool, || thread::current().id());
    let first = first.await.unwrap();
    let line = line!() + 1;
    let error = run_in_executor(&pool, || -> u8 { panic!("no such luck") });
    let error = error.await.unwrap_err();
    assert!(error.is_panic() && !error.is_cancelled() && !error.is_refused());
    let said = error.to_string();
    assert!(
        said.starts_with("the job made at tests/it/threads.rs:"),
        "{said}"
    );
    assert!(said.contains(&format!("threads.rs:{line}:")), "{said}");
    assert!(said.ends_with(" panicked: no such luck"), "{said}");
    assert_eq!(
        *error.into_panic().downcast::<&str>().unwrap(),
        "no such luck"
    );
    let again = run_in_executor(&pool, || thread::current().id());
    assert_eq!(again.await.unwrap(), first);
}

#[coro::test(real)]
async fn a_queued_job_whose_future_is_dropped_never_runs_and_is_dropped_here() {
    let pool = one_thread();
    let (held, job) = held();
    let first = run_in_executor(&pool, job);
    held.begun.recv().unwrap();

    let drops = Drops::default();
    let (counted, ran) = (drops.counted(), Arc::new(AtomicUsize::new(0)));
    let count = ran.clone();
    let queued = run_in_executor(&pool, move || {
        let _counted = counted;
        count.fetch_add(1, Ordering::SeqCst);
    });
    drop(queued);
    assert_eq!(drops.count(), 1);
    assert!(drops.all_on_this_thread());

    held.let_go.send(()).unwrap();
    first.await.unwrap();
    run_in_executor(&pool, || ()).await.unwrap(); // would have run after the dropped job
    assert_eq!(ran.load(Ordering::SeqCst), 0);
}

#[coro::test(real)]
async fn a_running_job_whose_future_is_dropped_sees_the_flag_and_drops_its_value_there() {
    let drops = Drops::default();
    let counted = drops.counted();
    let (begin, begun) = mpsc::channel();
    let mut job = Box::pin(to_thread_with(move |cancel| {
        begin.send(cancel.is_cancelled()).unwrap();
        while !cancel.is_cancelled() {
            thread::yield_now();
        }
        counted
    }));
    let polled = poll_fn(|cx| Poll::Ready(job.as_mut().poll(cx).is_pending()));
    assert!(polled.await);
    assert!(!begun.recv().unwrap(), "not cancelled when it began");
    drop(job);
    until(|| drops.count() == 1).await;
    assert!(!drops.all_on_this_thread());
}

#[coro::test(real)]
async fn a_panic_before_or_after_its_future_is_dropped_is_reported() {
    let reports = Reports::here();
    let pool = one_thread();
    let (held, job) = held();
    let running = run_in_executor(&pool, move || {
        job();
        panic!("after its future was dropped");
    });
    held.begun.recv().unwrap();
    drop(running);
    held.let_go.send(()).unwrap();
    until(|| reports.len() == 1).await;
    reports.assert_taken([(ReportKind::JobPanicked, "after its future was dropped")]);

    let done = run_in_executor(&pool, || panic!("before its future was dropped"));
    until(|| done.is_finished()).await;
    assert_eq!(reports.len(), 0);
    drop(done);
    let taken = reports.take();
    assert_eq!(taken.len(), 1);
    assert_eq!(taken[0].kind, ReportKind::JobPanicked);
    assert!(taken[0].origin.unwrap().file().ends_with("threads.rs"));

    run_in_executor(&pool, || panic!("detached")).detach();
    until(|| reports.len() == 1).await;
    reports.assert_taken([(ReportKind::JobPanicked, "detached")]);
}

#[coro::test(real)]
async fn a_detached_job_runs_without_a_waiter() {
    let pool = one_thread();
    let (held, job) = held();
    run_in_executor(&pool, job).detach();
    let (ran, runs) = mpsc::channel();
    run_in_executor(&pool, move || ran.send(()).unwrap()).detach();
    drop(held);
    runs.recv().unwrap();
}

#[coro::test(real)]
async fn there_are_never_more_threads_than_allowed_and_as_many_if_needed() {
    let pool = ThreadPool::builder().max_threads(3).build();
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let all_three = Arc::new(Barrier::new(3)); // only three at once pass it
    let jobs: Vec<_> = (0..30)
        .map(|_| {
            let (now, most, all_three) = (now.clone(), most.clone(), all_three.clone());
            run_in_executor(&pool, move || {
                most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                all_three.wait();
                now.fetch_sub(1, Ordering::SeqCst);
            })
        })
        .collect();
    for done in gather(jobs).await {
        done.unwrap();
    }
    assert_eq!(most.load(Ordering::SeqCst), 3);
    assert_eq!(pool.thread_count(), 3);
}

#[coro::test(real)]
async fn jobs_begin_in_order_and_one_that_blocks_holds_up_no_other() {
    let pool = one_thread();
    let (tell, told) = mpsc::channel();
    let jobs: Vec<_> = (0..100)
        .map(|n| {
            let tell = tell.clone();
            run_in_executor(&pool, move || tell.send(n).unwrap())
        })
        .collect();
    gather(jobs).await;
    drop(tell);
    assert!(told.iter().eq(0..100));

    let two = ThreadPool::builder().max_threads(2).build();
    let (send, receive) = mpsc::channel();
    let waits = run_in_executor(&two, move || receive.recv().unwrap());
    let tells = run_in_executor(&two, move || send.send("from the other thread").unwrap());
    assert_eq!(waits.await.unwrap(), "from the other thread");
    tells.await.unwrap();
}

#[coro::test(real)]
async fn threads_without_work_end_and_others_come_when_there_is_more() {
    let pool = ThreadPool::builder().idle_timeout(ms(5)).build();
    assert_eq!(pool.thread_count(), 0, "none before it is needed");
    for _ in 0..3 {
        run_in_executor(&pool, || ()).await.unwrap();
        until(|| pool.thread_count() == 0).await;
    }
    let never_idle = ThreadPool::builder().idle_timeout(Duration::ZERO).build();
    for n in 0..200 {
        assert_eq!(run_in_executor(&never_idle, move || n).await.unwrap(), n);
    }
}

#[coro::test(real)]
async fn foreign_combinators_wait_for_jobs() {
    let mut jobs: FuturesUnordered<_> = (0..50).map(|n| to_thread(move || n)).collect();
    let mut seen = Vec::new();
    while let Some(n) = jobs.next().await {
        seen.push(n.unwrap());
    }
    seen.sort();
    assert!(seen.into_iter().eq(0..50));
}

#[coro::test(real)]
async fn the_waker_of_the_last_poll_is_woken_and_one_that_panics_is_reported() {
    let reports = Reports::here();
    let (held, job) = held();
    let mut job = pin!(to_thread(job));
    let waker = PanickyWaker::waker();
    let polled = job.as_mut().poll(&mut Context::from_waker(&waker));
    assert!(polled.is_pending());
    held.let_go.send(()).unwrap();
    until(|| reports.len() == 1).await;
    reports.assert_taken([(ReportKind::WakePanicked, "a waker that panics")]);
    job.as_mut().await.unwrap();
    let again = panic_of(|| job.poll(&mut Context::from_waker(Waker::noop())));
    assert_eq!(again, "a job was polled again after it gave its outcome");
}

#[coro::test(real)]
async fn destructors_that_panic_on_a_thread_are_reported_and_stop_nothing() {
    let reports = Reports::here();
    let pool = one_thread();
    let (held, job) = held();
    let running = run_in_executor(&pool, move || {
        job();
        PanicOnDrop("a value that nobody wants")
    });
    held.begun.recv().unwrap();
    drop(running);
    drop(held);
    run_in_executor(&pool, || ()).await.unwrap();
    until(|| reports.len() == 1).await;
    reports.assert_taken([(ReportKind::DropPanicked, "a value that nobody wants")]);
}

/// An executor that keeps its jobs without running them.
struct Hoard(std::cell::RefCell<Vec<Job>>);

impl Executor for Hoard {
    fn execute(&self, job: Job) {
        self.0.borrow_mut().push(job);
    }
}

#[coro::test(real)]
async fn an_executor_may_run_a_job_itself_give_it_up_or_refuse_it() {
    let hoard = Hoard(Default::default());
    let run = run_in_executor(&hoard, || 7);
    let given_up = run_in_executor(&hoard, || 7);
    let refused = run_in_executor(&hoard, || 7);
    let mut jobs = hoard.0.take().into_iter();
    jobs.next().unwrap().run();
    drop(jobs.next());
    let why = std::io::Error::other("no room");
    jobs.next().unwrap().refuse(why);
    assert_eq!(run.await.unwrap(), 7);
    assert!(given_up.await.unwrap_err().is_cancelled());
    let refused = refused.await.unwrap_err();
    assert!(refused.is_refused(), "{refused}");
    assert!(
        refused.to_string().ends_with(" was refused: no room"),
        "{refused}"
    );
}

#[coro::test(real)]
async fn a_thread_blocks_for_a_value_that_the_loop_computes() {
    let remote = LoopHandle::current().remote();
    let seen = to_thread({
        let remote = remote.clone();
        move || {
            let local = || async {
                let here = std::rc::Rc::new(thread::current().id());
                sleep(ms(1)).await;
                *here
            };
            remote.block_on(local).unwrap()
        }
    });
    assert_eq!(seen.await.unwrap(), thread::current().id());

    let error = remote.block_on(|| async { unreachable!("nothing is run") });
    let error: coro::JoinError = error.map(|(): ()| ()).unwrap_err();
    assert!(error.is_deadlock(), "{error}");
    coro::yield_now().await;
}

#[coro::test]
async fn a_virtual_clock_waits_for_a_job_and_jumps_when_it_is_done() {
    let begun = LoopHandle::current().time();
    let slow = to_thread(|| thread::sleep(ms(20)));
    timeout(Duration::from_secs(3600), slow)
        .await
        .unwrap()
        .unwrap();
    let took = LoopHandle::current().time() - begun;
    assert!(took >= ms(15) && took < Duration::from_secs(60), "{took:?}");

    let (held, job) = held();
    let unpolled = to_thread(job);
    drop(held);
    sleep(Duration::from_secs(3600)).await; // would take real time if the job were outstanding
    unpolled.await.unwrap();

    let (held, job) = crate::threads::held();
    let mut dropped = Box::pin(to_thread(job));
    let polled = poll_fn(|cx| Poll::Ready(dropped.as_mut().poll(cx))).await;
    assert!(polled.is_pending());
    drop((held, dropped));
    sleep(Duration::from_secs(3600)).await;
}

#[test]
fn a_job_needs_a_loop_that_is_open() {
    assert!(panic_of(|| to_thread(|| ())).starts_with("no event loop is running on this thread"));
    assert!(panic_of(|| ThreadPool::builder().max_threads(0)).contains("allow at least one"));
    assert!(panic_of(|| ThreadPool::builder().name("a\0b")).contains("zero byte"));
}
