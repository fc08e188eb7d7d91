//! A simulation beside the real world: its refusals, its findings, the jobs that it runs itself.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;
use std::time::{Duration, Instant, UNIX_EPOCH};

use coro::testing::{FailedRun, Sim, explore, rand};
use coro::threads::to_thread;

const MS: Duration = Duration::from_millis(1);

#[track_caller]
fn failure(test: impl AsyncFn(&Sim)) -> Box<FailedRun> {
    explore().seeds(5).try_run(test).unwrap_err()
}

#[track_caller]
fn differs(test: impl AsyncFn(&Sim)) -> String {
    let failed = failure(test);
    let message = failed.message().to_owned();
    println!("{failed}");
    assert!(
        message.starts_with("two runs with the same seed differ: step "),
        "{message}"
    );
    assert!(message.contains("tests/it/simulated_world.rs"), "{message}");
    assert!(failed.odd_decisions() == 0 || failed.replay().is_empty());
    message
}

#[test]
fn the_order_of_a_hash_map_is_reported_with_the_first_step_that_differs() {
    differs(async |_: &Sim| {
        let delays: HashMap<u32, u32> = (0..100).map(|n| (n, n)).collect();
        for (_, delay) in delays {
            drop(coro::spawn(coro::sleep(MS * delay)));
        }
        coro::sleep(MS * 200).await;
    });
}

#[test]
fn a_real_clock_that_decides_a_branch_is_reported() {
    let runs = Cell::new(0);
    differs(async |_: &Sim| {
        runs.set(runs.get() + 1);
        let begun = Instant::now();
        if runs.get() == 2 {
            std::thread::sleep(2 * MS); // a machine that is slow for a while
        }
        let is_slow = begun.elapsed() >= 2 * MS;
        coro::spawn(async move {
            if is_slow {
                coro::yield_now().await;
            }
        })
        .await
        .unwrap();
    });
}

#[test]
fn a_wake_up_by_another_thread_is_reported() {
    let runs = Cell::new(0);
    differs(async |_: &Sim| {
        runs.set(runs.get() + 1);
        let (sender, receiver) = coro::sync::remote::channel::bounded(1);
        let is_first = runs.get() == 1;
        let thread = std::thread::spawn(move || {
            if is_first {
                std::thread::sleep(20 * MS);
            }
            sender.blocking_send(7).unwrap();
        });
        if !is_first {
            thread.join().unwrap();
        }
        let busy = coro::spawn(async {
            for _ in 0..10 {
                coro::yield_now().await;
            }
        });
        let waiter = coro::spawn(async move { receiver.recv().await });
        assert_eq!(waiter.await.unwrap(), Some(7));
        busy.await.unwrap();
    });
}

#[test]
fn a_deadlock_ends_the_run_at_once_with_the_unfinished_tasks() {
    let failed = failure(async |_: &Sim| {
        let event = Rc::new(coro::sync::Event::new());
        let waiter = coro::spawn(async move { event.wait().await });
        waiter.await.unwrap();
    });
    let message = failed.message();
    assert!(
        message.starts_with("deadlock: no task is ready"),
        "{message}"
    );
    assert!(
        message.contains("Task-1 of tests/it/simulated_world.rs:"),
        "{message}"
    );
    assert!(message.contains("Event, first in line"), "{message}");
    assert_eq!(failed.odd_decisions(), 0);
}

#[test]
fn a_livelock_ends_the_run_with_the_busiest_tasks() {
    let failed = failure(async |sim: &Sim| {
        sim.limit_steps(1_000);
        let spinning = coro::spawn(async {
            loop {
                coro::yield_now().await;
            }
        });
        spinning.set_name("spinning");
        drop(coro::spawn(async {
            loop {
                coro::sleep(MS).await;
            }
        }));
        spinning.await.unwrap();
    });
    let message = failed.message();
    assert!(
        message.starts_with("the simulation took 1000 steps"),
        "{message}"
    );
    assert!(
        message.contains("the busiest are spinning of tests/it/"),
        "{message}"
    );
    assert!(message.contains("Sim::limit_steps"), "{message}");
}

#[test]
fn time_without_an_end_ends_the_run() {
    let failed = failure(async |sim: &Sim| {
        sim.limit_time(Duration::from_secs(60));
        loop {
            coro::sleep(Duration::from_secs(10)).await;
        }
    });
    let message = failed.message();
    assert!(message.contains("for 70 s of virtual time"), "{message}");
    assert!(message.contains("Sim::limit_time"), "{message}");
}

#[test]
fn jobs_run_on_the_thread_of_the_loop_in_virtual_time() {
    let orders = RefCell::new(BTreeSet::new());
    let begun = Instant::now();
    explore().seeds(50).run(async |_: &Sim| {
        let here = std::thread::current().id();
        let job = |n: u32| to_thread(move || (n, std::thread::current().id()));
        let order = Rc::new(RefCell::new(Vec::new()));
        let wait = async |n| {
            let (n, thread) = job(n).await.unwrap();
            assert_eq!(thread, here);
            order.borrow_mut().push(n);
        };
        coro::gather((wait(0), wait(1), wait(2))).await;
        orders.borrow_mut().insert(order.take());
        let failed = to_thread(|| panic!("no such luck")).await.unwrap_err();
        assert!(failed.is_panic());
    });
    assert!(orders.borrow().len() == 6, "{orders:?}");
    assert!(begun.elapsed() < Duration::from_secs(30));
}

/// The message to a test that uses a part of the real world.
#[cfg(unix)]
#[track_caller]
fn refused(thing: &str, test: impl AsyncFn()) {
    let failed = failure(async |_: &Sim| test().await);
    assert_eq!(
        failed.message(),
        format!(
            "there is no {thing} in a simulation: put it behind a function of your own that the \
             test replaces, or write the test with `#[coro::test(real)]`"
        )
    );
    assert!(failed.place().is_some());
}

#[test]
#[cfg(unix)]
fn the_real_world_is_refused_in_one_sentence() {
    use coro::net::{AsyncFd, pipe, stdin, stdout};
    use coro::process::Command;
    use coro::signal::{SignalKind, ctrl_c, signal};
    use std::os::unix::net::UnixStream;

    refused("subprocess", async || drop(Command::new("true").spawn()));
    refused("subprocess", async || {
        drop(Command::new("true").output().await)
    });
    refused("signal", async || drop(ctrl_c()));
    refused("signal", async || drop(signal(SignalKind::hangup())));
    refused("standard stream", async || drop(stdin()));
    refused("standard stream", async || drop(stdout()));
    refused("pipe", async || drop(pipe()));
    refused("foreign descriptor", async || {
        drop(AsyncFd::new(UnixStream::pair().unwrap().0));
    });
    refused("foreign descriptor", async || {
        let (one, _other) = UnixStream::pair().unwrap();
        drop(coro::LoopHandle::current().add_reader(one, || {}));
    });
}

#[test]
fn the_clocks_are_virtual() {
    explore().run(async |_: &Sim| {
        let (begun, date) = (coro::time::now(), coro::time::system_now());
        coro::sleep(Duration::from_secs(3_600)).await;
        assert_eq!(coro::time::now() - begun, Duration::from_secs(3_600));
        let passed = coro::time::system_now().duration_since(date).unwrap();
        assert_eq!(passed, Duration::from_secs(3_600));
        assert_eq!(
            date.duration_since(UNIX_EPOCH).unwrap().as_secs(),
            946_684_800
        );
    });
    assert!(coro::time::now() <= Instant::now());
    assert!(coro::time::system_now() > UNIX_EPOCH + Duration::from_secs(1_700_000_000));
}

#[test]
fn random_numbers_come_from_the_seed() {
    let drawn = |seeds| {
        let drawn = RefCell::new(Vec::new());
        explore().seeds(seeds).run(async |_: &Sim| {
            let mut bytes = [0; 5];
            rand::fill(&mut bytes);
            let task = coro::spawn(async { rand::random() });
            let of_task = task.await.unwrap();
            drawn
                .borrow_mut()
                .push((bytes, rand::below(1_000), of_task));
        });
        drawn.into_inner()
    };
    let first = drawn(20);
    assert_eq!(first, drawn(20));
    let distinct: BTreeSet<_> = first.iter().collect();
    assert_eq!(distinct.len(), 20);
    assert_ne!(rand::random(), rand::random());
    let mut items: Vec<u32> = (0..100).collect();
    rand::shuffle(&mut items);
    assert!(!items.is_sorted());
    items.sort_unstable();
    assert!(items.into_iter().eq(0..100));
}

#[test]
fn an_action_is_called_before_its_step() {
    explore().run(async |sim: &Sim| {
        let seen = Rc::new(Cell::new(0));
        sim.at_step(5, {
            let (sim, seen) = (sim.clone(), seen.clone());
            move || seen.set(sim.steps())
        });
        for _ in 0..10 {
            coro::yield_now().await;
        }
        assert_eq!(seen.get(), 4);
    });
}
