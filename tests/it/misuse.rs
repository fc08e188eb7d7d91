//! Misuse of each public name: an error or a panic that says the remedy.

use std::cell::{Cell, RefCell};
use std::future::{pending, ready};
use std::pin::pin;
use std::rc::Rc;
use std::task::{Context, Waker};
use std::thread;
use std::time::{Duration, Instant};

use coro::cores::Core;
use coro::event_loop::{CallHandle, RemoteHandle, RemoteTask, ReportKind, TimerHandle};
use coro::group::Shield;
use coro::net::{TcpListener, TcpStream};
use coro::task::TaskHandle;
use coro::time::Sleep;
use coro::{EventLoop, LoopHandle, Task};
use futures::executor::block_on;

use crate::support::{Drops, OnDrop, Reports, ms, panic_of, turns, virtual_loop};

const NO_LOOP: &str = "no event loop is running on this thread: call this inside coro::run(..) or \
                       in a task or callout of a loop; from other threads use a RemoteHandle";
const NESTED: &str = "cannot run an event loop on a thread that is running one: await the future \
                      there, or run this loop on another thread";

// ---- which threads ----

/// `holds` has one meaning if `T` is not `Send`, and is ambiguous if it is.
trait IfNotSend<A> {
    fn holds() {}
}
impl<T: ?Sized> IfNotSend<()> for T {}
impl<T: ?Sized + Send> IfNotSend<u8> for T {}

trait IfNotSync<A> {
    fn holds() {}
}
impl<T: ?Sized> IfNotSync<()> for T {}
impl<T: ?Sized + Sync> IfNotSync<u8> for T {}

macro_rules! stays_on_its_thread {
    ($($name:ty),+ $(,)?) => { $(
        let _ = <$name as IfNotSend<_>>::holds;
        let _ = <$name as IfNotSync<_>>::holds;
    )+ };
}

#[test]
fn types_of_a_loop_stay_on_its_thread_and_remote_types_do_not() {
    stays_on_its_thread!(
        EventLoop,
        LoopHandle,
        Task<()>,
        TaskHandle,
        CallHandle,
        Core,
        TimerHandle,
        Sleep,
        Shield<()>,
        TcpListener,
        TcpStream,
    );
    fn goes_anywhere<T: Send + Sync + Clone + 'static>() {}
    fn can_be_sent<T: Send + 'static>() {}
    goes_anywhere::<RemoteHandle>();
    goes_anywhere::<coro::event_loop::Builder>();
    goes_anywhere::<coro::event_loop::ErrorReport>();
    can_be_sent::<RemoteTask<Cell<u8>>>();
    can_be_sent::<coro::JoinError>();
}

#[coro::test]
async fn another_thread_is_not_inside_of_the_loop() {
    let outside = thread::spawn(|| {
        assert!(LoopHandle::try_current().is_none() && coro::task::current_task().is_none());
        panic_of(LoopHandle::current)
    });
    assert_eq!(outside.join().unwrap(), NO_LOOP);
}

// ---- outside ----

#[test]
fn outside_of_a_loop_everything_that_needs_one_says_so() {
    assert!(LoopHandle::try_current().is_none() && coro::task::current_task().is_none());
    let panics: [(&str, &dyn Fn()); 14] = [
        ("LoopHandle::current", &|| drop(LoopHandle::current())),
        ("spawn", &|| drop(coro::spawn(ready(())))),
        ("shield", &|| drop(coro::group::shield(ready(())))),
        ("call_soon", &|| drop(coro::call_soon(|| ()))),
        ("call_later", &|| drop(coro::call_later(ms(1), || ()))),
        ("call_at", &|| {
            drop(coro::event_loop::call_at(Instant::now(), || ()))
        }),
        ("sleep", &|| block_on(coro::sleep(ms(1)))),
        ("sleep of zero", &|| block_on(coro::sleep(Duration::ZERO))),
        ("sleep_until", &|| {
            block_on(coro::time::sleep_until(Instant::now()))
        }),
        ("timeout", &|| {
            assert!(block_on(coro::timeout(ms(1), pending::<()>())).is_err())
        }),
        ("interval", &|| {
            block_on(coro::interval(ms(1)).tick());
        }),
        ("TcpListener::bind", &|| {
            drop(TcpListener::bind("127.0.0.1:0"))
        }),
        ("TcpStream::connect", &|| {
            drop(block_on(TcpStream::connect(([127, 0, 0, 1], 1))));
        }),
        ("ctrl_c", &|| drop(block_on(coro::signal::ctrl_c()))),
    ];
    for (name, call) in panics {
        assert_eq!(panic_of(call), NO_LOOP, "{name}");
    }
}

#[test]
fn futures_that_need_no_loop_run_under_any_executor() {
    block_on(async {
        coro::yield_now().await;
        assert_eq!(coro::gather((ready(1), async { 2 })).await, (1, 2));
        assert_eq!(coro::race([ready(3), ready(4)]).await, 3);
        assert_eq!(coro::timeout(ms(1), ready(5)).await, Ok(5));
    });
}

#[test]
fn a_loops_own_handle_works_outside_while_the_loop_is_not_closed() {
    let mut event_loop = virtual_loop();
    let handle = event_loop.handle();
    let task = handle.spawn(async { LoopHandle::current().time() });
    let called = Rc::new(Cell::new(0));
    let (soon, later) = (called.clone(), called.clone());
    handle.call_soon(move || soon.set(soon.get() + 1));
    handle.call_later(Duration::ZERO, move || later.set(later.get() + 1));
    assert_eq!(handle.all_tasks().len(), 1);
    event_loop.run_until_complete(task).unwrap().unwrap();
    event_loop.run_until_complete(turns(1)).unwrap();
    assert_eq!(called.get(), 2);
    let other = virtual_loop();
    let text = panic_of(|| drop(other.handle().spawn_eager(ready(()))));
    assert_eq!(
        text,
        "spawn_eager() outside of its event loop: use spawn(), or call it inside"
    );
    let text = event_loop
        .run_until_complete(async { panic_of(|| drop(other.handle().spawn_eager(ready(())))) });
    assert!(
        text.unwrap()
            .starts_with("spawn_eager() outside of its event loop")
    );
}

// ---- closed ----

#[test]
fn a_closed_loop_says_so_at_every_request_for_work() {
    let mut event_loop = virtual_loop();
    let handle = event_loop.handle();
    let task = handle.spawn(pending::<()>());
    let drops = Drops::default();
    event_loop.close();
    let refused = |what: &str| {
        format!(
            "{what}() on an event loop that is closed: do it before the loop is closed, \
             or make another loop"
        )
    };
    let counted = || drops.counted();
    let (a, b, c, d, e) = (counted(), counted(), counted(), counted(), counted());
    assert_eq!(
        panic_of(|| handle.spawn(async move { drop(a) })),
        refused("spawn")
    );
    assert_eq!(
        panic_of(|| handle.spawn_eager(async move { drop(b) })),
        refused("spawn_eager")
    );
    assert_eq!(
        panic_of(|| handle.call_soon(move || drop(c))),
        refused("call_soon")
    );
    assert_eq!(
        panic_of(|| handle.call_later(ms(1), move || drop(d))),
        refused("call_later")
    );
    let now = handle.time();
    assert_eq!(
        panic_of(|| handle.call_at(now, move || drop(e))),
        refused("call_at")
    );
    assert_eq!(drops.count(), 5);
    assert_eq!(
        panic_of(|| event_loop.run_forever()),
        "run_forever() on an event loop that is closed"
    );
    let stopped = event_loop.run_until_complete(ready(())).unwrap_err();
    assert!(stopped.is_closed());
    assert_eq!(stopped.to_string(), "the event loop is closed");

    // Calls that only read the state, or end something, still work.
    assert!(handle.is_closed() && handle.remote().is_closed());
    assert!(handle.all_tasks().is_empty());
    handle.stop();
    handle.set_debug(true);
    let counted = drops.counted();
    task.add_done_callback(move |_| drop(counted));
    assert_eq!(drops.count(), 6);
    assert!(task.is_finished() && !task.cancel());
    assert!(block_on(task).unwrap_err().is_cancelled());
    assert_eq!(
        format!("{event_loop:?}"),
        "EventLoop { ready: 0, closed: true }"
    );
    event_loop.close();
}

// ---- again, inside ----

#[test]
fn run_inside_of_run_says_what_to_do_instead() {
    let nested = || panic_of(|| coro::run(ready(())));
    assert_eq!(coro::run(async { nested() }), NESTED);
    assert_eq!(
        coro::run(async { coro::spawn(async move { nested() }).await.unwrap() }),
        NESTED
    );
    let by_hand = || {
        let mut other = virtual_loop();
        assert_eq!(panic_of(|| other.run_forever()), NESTED);
        panic_of(|| other.run_until_complete(ready(())))
    };
    assert_eq!(coro::run(async { by_hand() }), NESTED);
    assert!(LoopHandle::try_current().is_none());
}

#[test]
fn run_inside_of_a_callout_or_of_a_destructor_is_reported_and_the_loop_goes_on() {
    let mut event_loop = virtual_loop();
    let handle = event_loop.handle();
    let reports = Reports::of(&handle);
    handle.call_soon(|| coro::run(ready(())));
    handle
        .spawn(ready(()))
        .add_done_callback(|_| coro::run(ready(())));
    let guard = OnDrop::new(|| coro::run(ready(())));
    handle.spawn(async move {
        let _guard = guard;
        pending::<()>().await;
    });
    event_loop.run_until_complete(turns(3)).unwrap();
    let kind = ReportKind::CalloutPanicked;
    reports.assert_taken([(kind, NESTED), (kind, NESTED)]);
    event_loop.close();
    reports.assert_taken([(ReportKind::DropPanicked, NESTED)]);
}

#[test]
fn a_loop_in_a_shared_cell_cannot_be_closed_or_run_by_its_own_task() {
    let shared = Rc::new(RefCell::new(virtual_loop()));
    let own = shared.clone();
    let handle = shared.borrow().handle();
    let task = handle.spawn(async move { own.try_borrow_mut().is_err() });
    let locked = shared.borrow_mut().run_until_complete(task);
    assert!(locked.unwrap().unwrap());
}

#[test]
fn stopping_the_loop_of_run_says_what_to_do_instead() {
    let text = panic_of(|| {
        coro::run(async {
            LoopHandle::current().stop();
            pending::<()>().await;
        })
    });
    assert_eq!(
        text,
        "the event loop was stopped before the future completed: let the main future return, \
         or call stop() on a loop of your own"
    );
}

// ---- another loop ----

#[test]
fn a_sleep_that_was_begun_in_another_loop_is_refused_open_or_closed() {
    const ELSEWHERE: &str = "waiting for an instant outside of the event loop where the wait \
                             began, which alone ends it: await it there, or begin another wait here";
    let mut first = virtual_loop();
    let mut second = virtual_loop();
    let mut slept = pin!(coro::sleep(Duration::from_secs(3600)));
    let mut bounded = pin!(coro::timeout(Duration::from_secs(3600), pending::<()>()));
    let begun = async {
        let mut context = Context::from_waker(Waker::noop());
        slept.as_mut().poll(&mut context).is_pending()
            && bounded.as_mut().poll(&mut context).is_pending()
    };
    assert_eq!(first.run_until_complete(begun), Ok(true));
    for _ in 0..2 {
        assert_eq!(
            panic_of(|| second.run_until_complete(slept.as_mut())),
            ELSEWHERE
        );
        assert_eq!(
            panic_of(|| second.run_until_complete(bounded.as_mut())),
            ELSEWHERE
        );
        first.close();
    }
    assert_eq!(panic_of(|| block_on(slept.as_mut())), ELSEWHERE);
}

// ---- values ----

#[test]
fn an_interval_of_zero_and_a_race_of_nothing_are_refused() {
    assert_eq!(
        panic_of(|| coro::interval(Duration::ZERO)),
        "an interval of zero would never let the loop sleep: use yield_now"
    );
    let empty = "a race of nothing never ends: give race() at least one future";
    assert_eq!(
        panic_of(|| coro::race(Vec::<std::future::Ready<()>>::new())),
        empty
    );
    assert_eq!(panic_of(|| coro::race([(); 0].map(ready))), empty);
}

#[test]
fn a_remote_task_polled_after_its_output_says_so() {
    let mut event_loop = EventLoop::new().unwrap();
    let remote = event_loop.handle().remote();
    let mut task = remote.spawn(|| ready(1)).unwrap();
    event_loop.run_until_complete(coro::sleep(ms(1))).unwrap();
    assert_eq!(block_on(&mut task).unwrap(), 1);
    let text = panic_of(|| block_on(&mut task));
    assert_eq!(
        text,
        "a remote task was polled again after it gave its output"
    );
}

#[test]
fn a_panic_of_the_caller_names_the_callers_line() {
    let line = Rc::new(Cell::new(0));
    let (sender, receiver) = std::sync::mpsc::channel();
    // The hook stays, as other tests put theirs before it meanwhile.
    let hook = std::panic::take_hook();
    let here = thread::current().id();
    std::panic::set_hook(Box::new(move |info| {
        if thread::current().id() == here {
            let location = info.location().unwrap();
            let _ = sender.send((location.file().to_owned(), location.line()));
        } else {
            hook(info);
        }
    }));
    line.set(line!() + 1);
    let _ = panic_of(|| coro::spawn(ready(())));
    let (file, at) = receiver.recv().unwrap();
    assert!(file.ends_with("misuse.rs"), "{file}");
    assert_eq!(at, line.get());
}
