//! A loop without a poller, which parks its thread: timers, wakes by other threads, groups, locks.
#![cfg(test)]

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use coro::event_loop::RemoteHandle;
use coro::sync::remote::{channel, oneshot};
use coro::sync::{Lock, Semaphore};
use coro::threads::to_thread;
use coro::{EventLoop, LoopHandle, gather, race, sleep, spawn, timeout, try_gather, yield_now};

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

#[coro::test(real)]
async fn timers_fire_in_order_and_never_early() {
    let fired = Rc::new(RefCell::new(Vec::new()));
    let begun = Instant::now();
    let tasks: Vec<_> = [12, 3, 7, 1]
        .into_iter()
        .map(|due| {
            let fired = fired.clone();
            spawn(async move {
                sleep(ms(due)).await;
                assert!(begun.elapsed() >= ms(due));
                fired.borrow_mut().push(due);
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(*fired.borrow(), [1, 3, 7, 12]);
}

#[coro::test(real)]
async fn a_short_timer_does_not_wait_for_a_whole_millisecond() {
    let mut least = Duration::MAX;
    for _ in 0..200 {
        let begun = Instant::now();
        sleep(Duration::from_micros(100)).await;
        least = least.min(begun.elapsed());
    }
    assert!(least < Duration::from_micros(900), "{least:?}");
}

#[coro::test(real)]
async fn a_timeout_ends_a_wait_for_another_thread_which_goes_on() {
    let go = std::sync::Arc::new(AtomicBool::new(false));
    let seen = go.clone();
    let mut job = spawn(to_thread(move || {
        while !seen.load(Ordering::Acquire) {
            thread::yield_now();
        }
        7
    }));
    assert!(timeout(ms(2), &mut job).await.is_err());
    go.store(true, Ordering::Release);
    assert_eq!(job.await.unwrap().unwrap(), 7);
}

/// Each round the loop has nothing but this wake, so a lost one would be a wait for ever.
#[coro::test(real)]
async fn no_wake_by_another_thread_is_lost() {
    let (ask, asked) = channel::unbounded::<u32>();
    let (tell, told) = channel::unbounded::<u32>();
    let other = thread::spawn(move || {
        while let Some(number) = asked.blocking_recv() {
            if number % 3 == 0 {
                thread::yield_now(); // the loop is asleep by then more often
            }
            tell.try_send(number + 1).unwrap();
        }
    });
    for number in 0..20_000 {
        ask.try_send(number).unwrap();
        assert_eq!(told.recv().await, Some(number + 1));
    }
    drop(ask);
    other.join().unwrap();
}

#[coro::test(real)]
async fn a_token_that_foreign_code_takes_loses_no_wake() {
    for _ in 0..200 {
        let (tell, told) = oneshot::channel();
        let this = thread::current();
        let other = thread::spawn(move || {
            tell.send(1).unwrap();
            this.unpark(); // and one that nothing here waits for
        });
        thread::park();
        assert_eq!(told.await, Ok(1));
        other.join().unwrap();
    }
}

#[test]
fn many_threads_call_into_a_loop_that_sleeps() {
    let mut event_loop = EventLoop::new().unwrap();
    let remote: RemoteHandle = event_loop.handle().remote();
    let senders: Vec<_> = (0..4)
        .map(|_| {
            let remote = remote.clone();
            thread::spawn(move || -> u64 {
                (0..500)
                    .map(|n| remote.block_on(move || async move { n }).unwrap())
                    .sum()
            })
        })
        .collect();
    let all = thread::spawn(move || {
        let sum: u64 = senders.into_iter().map(|it| it.join().unwrap()).sum();
        remote.call_soon(|| LoopHandle::current().stop()).unwrap();
        sum
    });
    event_loop.run_forever();
    assert_eq!(all.join().unwrap(), 4 * (0..500).sum::<u64>());
}

#[test]
fn two_loops_wake_one_another() {
    let (there, here) = (channel::bounded(1), channel::bounded(1));
    let ran = coro::cores::Builder::new().threads(2).run(async |core| {
        let ((mine, _), (_, theirs)) = match core.index() {
            0 => (&there, &here),
            _ => (&here, &there),
        };
        for number in 0..2_000 {
            mine.send(number).await.unwrap();
            assert_eq!(theirs.recv().await, Some(number));
        }
    });
    ran.unwrap();
}

#[coro::test(real)]
async fn groups_and_locks_work() {
    let lock = Rc::new(Lock::new(0));
    let gates = Semaphore::new(2);
    let add = async |n: u32| {
        let _permit = gates.acquire().await.unwrap();
        let mut sum = lock.lock().await;
        let before = *sum;
        yield_now().await;
        *sum = before + n;
        n
    };
    assert_eq!(gather([add(1), add(2), add(3)]).await, [1, 2, 3]);
    assert_eq!(*lock.lock().await, 6);
    assert_eq!(gather((add(4), async { "b" })).await, (4, "b"));
    let failed: Result<Vec<u32>, &str> = try_gather(vec![
        Box::pin(async { Err("no") }) as std::pin::Pin<Box<dyn Future<Output = _>>>,
        Box::pin(async {
            sleep(Duration::from_secs(3600)).await;
            Ok(1)
        }),
    ])
    .await;
    assert_eq!(failed, Err("no"));
    let first = race((
        async {
            sleep(ms(1)).await;
            1
        },
        async {
            sleep(Duration::from_secs(3600)).await;
            2
        },
    ));
    assert_eq!(first.await, 1);
}

#[coro::test]
async fn a_virtual_clock_jumps_and_lets_time_flow_for_threads() {
    let begun = Instant::now();
    sleep(Duration::from_secs(3600)).await;
    assert!(begun.elapsed() < Duration::from_secs(60));
    assert_eq!(to_thread(|| 3).await.unwrap(), 3);
}
