//! Values that live on one core each: `Sharded`.

use std::cell::Cell;
use std::collections::HashMap;
use std::convert::Infallible;
use std::future::pending;
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::thread;

use coro::cores::{Builder, Core, Sharded};
use coro::sync::remote::channel;
use coro::{gather, sleep};

use crate::support::{ms, panic_of};

fn on(threads: usize) -> Builder {
    Builder::new().threads(threads)
}

#[test]
fn a_key_lives_on_one_core_and_keys_live_on_all() {
    let cores = Sharded::new(|| thread::current().name().unwrap().to_owned());
    let ran = on(2).run(async |_| {
        let mut homes = Vec::new();
        for key in 0..64 {
            let home = cores.home(&key);
            let name = cores.on(&key, |name| name.clone()).await.unwrap();
            assert_eq!(name, format!("core-{home}"));
            homes.push(home);
        }
        Ok::<_, Infallible>(homes)
    });
    let homes = ran.unwrap();
    assert_eq!(homes[0], homes[1], "all cores agree");
    assert!(homes[0].contains(&0) && homes[0].contains(&1));
}

#[test]
fn no_change_is_lost_and_results_come_back_in_order() {
    let counts = Sharded::new(HashMap::<u32, u32>::new);
    let ran = on(2).run(async |_| {
        let count = |n: u32| {
            counts.on(&(n % 7), move |counts| {
                *counts.entry(n % 7).or_default() += 1;
                n
            })
        };
        let results = gather((0..700).map(count).collect::<Vec<_>>()).await;
        let results: Vec<u32> = results.into_iter().map(Result::unwrap).collect();
        assert!(results.into_iter().eq(0..700));
        while counts
            .each(|it| it.values().sum::<u32>())
            .await
            .into_iter()
            .map(Result::unwrap)
            .sum::<u32>()
            < 1400
        {
            sleep(ms(1)).await;
        }
        let of_one = counts.on(&3, |counts| counts[&3]).await.unwrap();
        assert_eq!(of_one, 200);
    });
    ran.unwrap();
}

#[test]
fn calls_of_one_core_run_in_the_order_in_which_they_began() {
    let seen = Sharded::new(Vec::<u32>::new);
    let ran = on(2).run(async |core| {
        if core.index() == 1 {
            return;
        }
        let calls = (0..100).map(|n| seen.on_core(1, move |seen| seen.push(n)));
        gather(calls.collect::<Vec<_>>()).await;
        let seen = seen.on_core(1, |seen| seen.clone()).await.unwrap();
        assert!(seen.into_iter().eq(0..100));
    });
    ran.unwrap();
}

#[test]
fn values_need_not_be_send_and_are_dropped_on_their_core_when_the_run_ends() {
    struct Home(Rc<Cell<u32>>, usize);
    static DROPPED: AtomicUsize = AtomicUsize::new(0);
    impl Drop for Home {
        fn drop(&mut self) {
            assert_eq!(self.1, Core::current().index());
            DROPPED.fetch_add(1, SeqCst);
        }
    }
    let values = Sharded::new(|| Home(Rc::default(), Core::current().index()));
    for run in 1..=2 {
        let ran = on(2).run(async |_| {
            for value in values
                .each(|value| value.0.replace(value.0.get() + 1))
                .await
            {
                assert!(value.unwrap() < 2, "each run has values of its own");
            }
        });
        ran.unwrap();
        assert_eq!(DROPPED.load(SeqCst), 2 * run);
    }
}

#[test]
fn a_panic_in_a_closure_comes_back_and_the_value_stays() {
    let value = Sharded::new(|| 1);
    let ran = on(2).run(async |core| {
        for index in 0..2 {
            let broken = value.on_core(index, |value| {
                *value += 1;
                if true {
                    panic!("half way");
                }
            });
            let error = broken.await.unwrap_err();
            assert!(error.is_panic());
            assert_eq!(
                error.to_string(),
                format!("a call on core {index} panicked: half way")
            );
        }
        let _ = core;
    });
    ran.unwrap();
}

#[test]
fn a_call_runs_though_the_task_that_asked_is_gone() {
    let value = Sharded::new(|| 0);
    let (tell, told) = channel::unbounded();
    let ran = on(2).run(async |core| {
        if core.index() == 1 {
            return;
        }
        let tell = tell.clone();
        let asking = async {
            let call = value.on_core(1, move |_| tell.try_send("ran").unwrap());
            let _ = call.await;
            pending::<()>().await;
        };
        assert!(coro::timeout(ms(0), asking).await.is_err());
        assert_eq!(told.recv().await, Some("ran"));
    });
    ran.unwrap();
}

#[test]
fn a_value_in_use_and_a_loop_that_is_no_core_are_refused_in_words() {
    let value = Sharded::new(|| 0);
    let ran = on(1).run(async |_| value.here(|_| value.here(|_| ())));
    let error = ran.unwrap_err().to_string();
    assert!(
        error.contains("in use by a closure that is running"),
        "{error}"
    );
    let elsewhere = panic_of(|| coro::run(async { value.home("key") }));
    assert!(elsewhere.contains("there is no core here"), "{elsewhere}");
}
