//! A loop on each core: the run of all, its ends, the ways from core to core.

use std::cell::Cell;
use std::convert::Infallible;
use std::future::pending;
use std::io;
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Barrier, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use coro::cores::{Builder, Core, CoreFailure, Sharded, SharedPort};
use coro::sync::remote::{Event, channel};
use coro::testing::Sim;
use coro::threads::to_thread;
use coro::{gather, sleep, spawn};

use crate::support::{OnDrop, ms, panic_of};

fn on(threads: usize) -> Builder {
    Builder::new().threads(threads)
}

#[test]
fn values_come_in_the_order_of_the_cores_whichever_is_done_first() {
    let ran = on(3).run(async |core| {
        sleep(ms(20 - 10 * core.index() as u64)).await;
        Ok::<_, Infallible>((core.index(), core.count()))
    });
    assert_eq!(ran.unwrap(), [(0, 3), (1, 3), (2, 3)]);
}

#[test]
fn each_core_has_a_thread_of_its_own_which_bears_its_index() {
    let caller = thread::current().id();
    let ran = on(2).run(async |_| {
        let here = thread::current();
        Ok::<_, Infallible>((here.id(), here.name().unwrap().to_owned()))
    });
    let ran = ran.unwrap();
    assert_eq!((&*ran[0].1, &*ran[1].1), ("core-0", "core-1"));
    assert!(ran[0].0 != ran[1].0 && ran[0].0 != caller && ran[1].0 != caller);
}

#[test]
fn the_main_futures_run_at_the_same_time_and_borrow_from_the_caller() {
    let barrier = Barrier::new(2); // passed only if both steps run at once
    let count = AtomicUsize::new(0);
    let ran = on(2).run(async |_| {
        barrier.wait();
        count.fetch_add(1, SeqCst);
    });
    ran.unwrap();
    assert_eq!(count.load(SeqCst), 2);
}

#[test]
fn without_a_number_there_are_as_many_cores_as_the_process_may_use() {
    let available = thread::available_parallelism().unwrap().get();
    let ran = Builder::new().run(async |_| Ok::<_, Infallible>(()));
    assert_eq!(ran.unwrap().len(), available);
}

#[test]
fn the_settings_hold_for_each_loop() {
    let ran = on(2)
        .event_loop(|settings| settings.slow_callback_duration(ms(1)))
        .event_loop(|settings| settings.slow_callback_duration(ms(7)))
        .run(async |_| {
            let here = coro::LoopHandle::current();
            assert_eq!(here.slow_callback_duration(), ms(7));
        });
    ran.unwrap();
}

#[cfg(all(target_os = "linux", not(coro_portable)))]
#[test]
fn pinned_threads_run_on_one_of_the_processors_that_the_process_may_use() {
    let allowed = || -> Vec<usize> {
        let status = std::fs::read_to_string("/proc/thread-self/status").unwrap();
        let line = status
            .lines()
            .find_map(|it| it.strip_prefix("Cpus_allowed_list:"));
        let bounds = |range: &str| -> (usize, usize) {
            let (first, last) = range.split_once('-').unwrap_or((range, range));
            (first.parse().unwrap(), last.parse().unwrap())
        };
        let ranges = line.unwrap().trim().split(',').map(bounds);
        ranges.flat_map(|(first, last)| first..=last).collect()
    };
    let all = allowed();
    let threads = all.len() + 1; // one more, which shares a processor
    let pinned = on(threads)
        .pin(true)
        .run(async |_| Ok::<_, Infallible>(allowed()));
    for (index, processors) in pinned.unwrap().into_iter().enumerate() {
        assert_eq!(processors, [all[index % all.len()]], "core {index}");
    }
    assert_eq!(allowed(), all, "the calling thread stays as it was");
    let free = on(1).run(async |_| Ok::<_, Infallible>(allowed()));
    assert_eq!(free.unwrap(), [all]);
}

// ---- how it ends ----

#[test]
fn an_error_cancels_the_other_cores_and_comes_out_with_its_index() {
    let dropped = AtomicUsize::new(0);
    let ran = on(3).run(async |core| {
        if core.index() == 1 {
            return Err(io::Error::other("no such luck"));
        }
        let _main = OnDrop::new(|| {
            dropped.fetch_add(1, SeqCst);
        });
        pending::<io::Result<()>>().await
    });
    let error = ran.unwrap_err();
    assert_eq!(error.core(), 1);
    assert_eq!(error.to_string(), "core 1: no such luck");
    assert_eq!(dropped.load(SeqCst), 2, "both were waited for");
    match error.into_failure() {
        CoreFailure::Error(error) => assert_eq!(error.to_string(), "no such luck"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_panic_on_one_core_ends_the_run_at_once_with_its_message() {
    // The least time of several counts: other programs may use the processors meanwhile.
    let fastest = (0..50).map(|_| end_by_panic()).find(|took| *took < ms(100));
    assert!(fastest.is_some(), "each run went on for 100 ms");
}

/// Runs two cores, one of which panics. Gives the time from then to the end of the run.
fn end_by_panic() -> Duration {
    let (tell, told) = mpsc::sync_channel(1);
    let ran = on(2).run(async |core| {
        if core.index() == 1 {
            sleep(ms(5)).await; // so that the other core sleeps
            tell.send(Instant::now()).unwrap();
            panic!("core {} is out of {}", core.index(), "luck");
        }
        pending::<()>().await;
    });
    let took = told.recv().unwrap().elapsed();
    let error = ran.unwrap_err();
    assert!(error.is_panic() && error.core() == 1);
    assert_eq!(error.to_string(), "core 1 panicked: core 1 is out of luck");
    let payload = error.into_panic();
    assert_eq!(
        payload.downcast_ref::<String>().unwrap(),
        "core 1 is out of luck"
    );
    took
}

#[test]
fn the_first_failure_counts() {
    let failed = Event::new();
    let ran = on(2).run(async |core| {
        let _late = OnDrop::new(|| match core.index() {
            0 => panic!("while it was cancelled"),
            _ => failed.set(),
        });
        match core.index() {
            0 => pending().await,
            _ => Err::<(), _>("first"),
        }
    });
    assert!(failed.is_set());
    assert_eq!(ran.unwrap_err().to_string(), "core 1: first");
}

#[test]
fn a_panic_in_a_task_is_that_tasks_own() {
    let ran = on(2).run(async |core| {
        let error = spawn(async { panic!("in a task") }).await.unwrap_err();
        assert!(error.is_panic());
        let next = 1 - core.index();
        let error = core.spawn_on(next, || async { panic!("over there") }).await;
        assert!(
            error
                .unwrap_err()
                .to_string()
                .ends_with("panicked: over there")
        );
    });
    ran.unwrap();
}

#[test]
fn a_loop_that_the_program_stops_is_a_failure_of_its_core() {
    let ran = on(2).run(async |core| {
        if core.index() == 1 {
            coro::LoopHandle::current().stop();
        }
        pending::<()>().await;
    });
    let error = ran.unwrap_err();
    assert!(matches!(error.failure(), CoreFailure::Stopped));
    assert_eq!(
        error.to_string(),
        "core 1 was stopped before its main future completed"
    );
}

#[cfg(unix)]
#[test]
fn a_loop_that_cannot_be_made_ends_the_run_before_any_core_begins() {
    let begun = AtomicUsize::new(0);
    let no_signal = coro::signal::SignalKind::from_raw(999);
    let ran = on(3)
        .event_loop(|settings| settings.dump_on(no_signal))
        .run(async |_| {
            begun.fetch_add(1, SeqCst);
        });
    let error = ran.unwrap_err();
    assert!(matches!(error.failure(), CoreFailure::NotStarted(_)));
    let text = error.to_string();
    assert!(text.starts_with("core 0 could not start: "), "{text}");
    assert_eq!(begun.load(SeqCst), 0);
}

#[test]
fn a_core_that_is_done_serves_the_others_until_the_last_is() {
    let ran = on(2).run(async |core| {
        if core.index() == 1 {
            return Ok::<_, Infallible>(1);
        }
        let mut sum = 0;
        for n in 0..10 {
            sleep(ms(1)).await;
            sum += core.spawn_on(1, move || async move { n }).await.unwrap();
        }
        Ok(sum)
    });
    assert_eq!(ran.unwrap(), [45, 1]);
}

#[test]
fn tasks_that_are_left_are_cancelled_and_run_to_their_ends() {
    let dropped = std::sync::Arc::new(AtomicUsize::new(0));
    let ran = on(2).run(async |_| {
        let dropped = dropped.clone();
        let count = OnDrop::new(move || {
            dropped.fetch_add(1, SeqCst);
        });
        spawn(async move {
            let _count = count;
            pending::<()>().await;
        });
    });
    ran.unwrap();
    assert_eq!(dropped.load(SeqCst), 2);
}

#[test]
fn the_threads_of_a_core_are_waited_for() {
    static ENDED: AtomicUsize = AtomicUsize::new(0);
    let ran = on(2).run(async |_| {
        let begun = std::sync::Arc::new(Event::new());
        let begin = begun.clone();
        let job = to_thread(move || {
            begin.set();
            thread::sleep(ms(20));
            ENDED.fetch_add(1, SeqCst);
        });
        begun.wait().await;
        drop(job); // it runs already, so it goes on
    });
    ran.unwrap();
    assert_eq!(ENDED.load(SeqCst), 2);
}

// ---- shutting down ----

#[test]
fn shutting_down_tells_the_token_of_each_core_and_drops_no_main_future() {
    let ran = on(3).run(async |core| {
        let token = core.shutdown();
        if core.index() == 2 {
            core.shut_down("closing time");
            assert!(core.shutdown().is_cancelled(), "here it holds at once");
            core.shut_down("too late");
        }
        let why = token.cancelled().await;
        assert!(why.location().file().ends_with("cores.rs"));
        Ok::<_, Infallible>(why.reason().to_owned())
    });
    assert_eq!(ran.unwrap(), ["closing time"; 3]);
}

#[test]
fn a_token_that_the_program_cancels_itself_is_its_own() {
    let ran = on(2).run(async |core| {
        let own = core.shutdown();
        own.cancel("here alone");
        sleep(ms(5)).await;
        assert!(!core.shutdown().is_cancelled());
    });
    ran.unwrap();
}

// ---- from core to core ----

#[test]
fn tasks_run_on_the_core_that_was_named() {
    let ran = on(2).run(async |core| {
        for index in 0..2 {
            let there = core.spawn_on(index, || async {
                let local = Rc::new(Cell::new(1)); // the future is not `Send`
                sleep(ms(1)).await;
                local.set(Core::current().index());
                (local.get(), thread::current().name().unwrap().to_owned())
            });
            assert_eq!(there.await.unwrap(), (index, format!("core-{index}")));
        }
        let all = gather(core.each(|core| async move { core.index() })).await;
        let all: Vec<_> = all.into_iter().map(Result::unwrap).collect();
        assert_eq!(all, [0, 1]);
    });
    ran.unwrap();
}

#[test]
fn a_task_of_another_core_can_be_cancelled_and_is_detached_when_dropped() {
    let ran = on(2).run(async |core| {
        if core.index() == 1 {
            return;
        }
        let (send, received) = channel::unbounded();
        let (begun, dropped) = (send.clone(), send.clone());
        let task = core.spawn_on(1, move || async move {
            let _dropped = OnDrop::new(move || dropped.try_send("dropped").unwrap());
            begun.try_send("begun").unwrap();
            pending::<()>().await;
        });
        assert_eq!(received.recv().await, Some("begun"));
        task.cancel();
        assert!(task.await.unwrap_err().is_cancelled());
        assert_eq!(received.recv().await, Some("dropped"));
        drop(core.spawn_on(1, move || async move { send.try_send("detached") }));
        assert_eq!(received.recv().await, Some("detached"));
    });
    ran.unwrap();
}

#[test]
fn values_go_through_channels_in_order() {
    let (to, from): (Vec<_>, Vec<_>) = (0..2).map(|_| channel::bounded(4)).unzip();
    let ran = on(2).run(async |core| {
        let (me, other) = (core.index(), 1 - core.index());
        let sending = async {
            for n in 0..1000 {
                to[other].send((me, n)).await.unwrap();
            }
        };
        let receiving = async {
            for n in 0..1000 {
                assert_eq!(from[me].recv().await, Some((other, n)));
            }
        };
        gather((sending, receiving)).await;
    });
    ran.unwrap();
}

#[test]
fn a_plain_thread_reaches_a_core_by_its_remote_handle() {
    let ran = on(2).run(async |core| {
        let remote = core.remote(1);
        let there = to_thread(move || remote.block_on(|| async { Core::current().index() }));
        assert_eq!(there.await.unwrap().unwrap(), 1);
    });
    ran.unwrap();
}

#[test]
fn a_dump_has_a_branch_for_each_core() {
    let ran = on(2).run(async |core| {
        if core.index() == 1 {
            return;
        }
        let (begin, begun) = channel::unbounded();
        drop(core.spawn_on(1, move || async move {
            begin.try_send(()).unwrap();
            sleep(Duration::from_secs(60)).await;
        }));
        begun.recv().await;
        let tree = core.dump().await;
        let text = tree.to_string();
        let (first, second) = text.split_once("core 1\n").unwrap();
        assert!(first.starts_with("core 0\n  main"), "{text}");
        assert!(second.contains("the end of the other cores"), "{text}");
        assert!(
            second.contains("\n  Task-") && second.contains("a timer, due in"),
            "{text}"
        );
        assert_eq!(tree.cores().len(), 2);
        let json = tree.to_json();
        assert!(
            json.starts_with("{\"cores\":[{\"tasks\":[{\"id\":0,"),
            "{json}"
        );
        assert!(json.ends_with("}]}"), "{json}");
    });
    ran.unwrap();
}

// ---- misuse ----

#[test]
fn settings_ports_and_values_go_to_any_thread() {
    fn goes_anywhere<T: Send + Sync + 'static>() {}
    goes_anywhere::<Builder>();
    goes_anywhere::<SharedPort>();
    goes_anywhere::<Sharded<Rc<Cell<u8>>>>();
}

#[test]
fn wrong_numbers_are_refused_in_words() {
    let none = panic_of(|| drop(Builder::new().threads(0)));
    assert!(
        none.contains("a run on 0 cores would run nothing"),
        "{none}"
    );
    let ran = on(2).run(async |core| drop(core.spawn_on(2, || async {})));
    let error = ran.unwrap_err().to_string();
    assert!(
        error.contains("there is no core 2: the 2 cores have the indices from 0 on"),
        "{error}"
    );
}

#[test]
fn a_run_inside_of_a_loop_is_refused_in_words() {
    let inside = panic_of(|| {
        coro::run(async { drop(on(1).run(async |_| ())) });
    });
    assert!(
        inside.contains("which it would block: call it outside of any loop"),
        "{inside}"
    );
    let elsewhere = panic_of(|| coro::run(async { drop(Core::current()) }));
    assert!(elsewhere.contains("there is no core here"), "{elsewhere}");
    assert!(Core::try_current().is_none());
}

#[test]
fn a_run_in_a_simulation_is_refused_in_words() {
    let refused = panic_of(|| {
        coro::testing::explore()
            .seeds(1)
            .run(async |_: &Sim| drop(on(1).run(async |_| ())));
    });
    assert!(
        refused.contains("there is no thread for another core in a simulation"),
        "{refused}"
    );
}
