//! `Builder::around`: a loop that is run inside of something.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};

use coro::event_loop::Enter;
use coro::{EventLoop, sleep, spawn};

use crate::support::{OnDrop, ms};

/// A log that guards of any thread write to.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    fn add(&self, event: impl Into<String>) {
        self.0.lock().unwrap().push(event.into());
    }

    fn taken(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }

    /// A closure that enters `name`.
    fn entering(&self, name: &'static str) -> impl Fn() -> Left + Send + Sync + use<> {
        let log = self.clone();
        move || {
            log.add(format!("enter {name}"));
            Left(log.clone(), name)
        }
    }
}

struct Left(Log, &'static str);

impl Drop for Left {
    fn drop(&mut self) {
        self.0.add(format!("leave {}", self.1));
    }
}

#[test]
fn the_first_is_the_outermost_and_every_run_is_inside_of_all() {
    let log = Log::default();
    let builder = EventLoop::builder()
        .around(log.entering("a"))
        .around(log.entering("b"));
    let mut event_loop = builder.build().unwrap();
    assert!(log.taken().is_empty());
    for _ in 0..2 {
        event_loop
            .run_until_complete(async { log.add("main") })
            .unwrap();
        let expected = ["enter a", "enter b", "main", "leave b", "leave a"];
        assert_eq!(log.taken(), expected);
    }
    event_loop.handle().stop();
    event_loop.run_forever();
    assert_eq!(log.taken(), ["enter a", "enter b", "leave b", "leave a"]);
}

#[test]
fn tasks_that_the_closing_drops_are_dropped_inside() {
    let log = Log::default();
    let mut event_loop = EventLoop::builder()
        .around(log.entering("a"))
        .build()
        .unwrap();
    let on_drop = OnDrop::new({
        let log = log.clone();
        move || log.add("dropped")
    });
    let main = async {
        spawn(async move {
            sleep(ms(1000)).await;
            drop(on_drop);
        });
    };
    event_loop.run_until_complete(main).unwrap();
    log.taken();
    event_loop.close();
    assert_eq!(log.taken(), ["enter a", "dropped", "leave a"]);
    drop(event_loop);
    assert!(log.taken().is_empty());
}

#[test]
fn it_is_left_when_the_main_future_panics() {
    let log = Log::default();
    let mut event_loop = EventLoop::builder()
        .around(log.entering("a"))
        .build()
        .unwrap();
    let run = || event_loop.run_until_complete(async { panic!("as it should") });
    catch_unwind(AssertUnwindSafe(run)).unwrap_err();
    assert_eq!(log.taken(), ["enter a", "leave a"]);
}

#[test]
fn a_guard_may_borrow_from_that_which_is_entered() {
    #[derive(Clone)]
    struct Place(Arc<Mutex<u32>>);

    impl Enter for Place {
        type Guard<'a> = std::sync::MutexGuard<'a, u32>;

        fn enter(&self) -> Self::Guard<'_> {
            self.0.lock().unwrap()
        }
    }

    let place = Place(Arc::default());
    let mut event_loop = EventLoop::builder().around(place.clone()).build().unwrap();
    let is_held = async { place.0.try_lock().is_err() };
    assert_eq!(event_loop.run_until_complete(is_held), Ok(true));
    assert!(place.0.try_lock().is_ok());
}

#[test]
fn a_loop_that_is_inside_already_is_refused_before_anything_is_entered() {
    let log = Log::default();
    let mut inner = EventLoop::builder()
        .around(log.entering("a"))
        .build()
        .unwrap();
    coro::run(async {
        let run = || inner.run_until_complete(async {});
        catch_unwind(AssertUnwindSafe(run)).unwrap_err();
    });
    assert!(log.taken().is_empty());
}
