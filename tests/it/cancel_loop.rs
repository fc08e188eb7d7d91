//! Waits that belong to the loop, to other threads or to a generator, dropped at each suspension.
#![expect(
    clippy::await_holding_refcell_ref,
    reason = "only the operation borrows it, and gives it back when it is dropped"
)]

use std::cell::{Cell, RefCell};
use std::pin::Pin;
use std::rc::Rc;
use std::time::Duration;

use coro::sync::{Condition, Lock, broadcast, remote};
use coro::testing::{advance, cancel_everywhere, wait_all_tasks_blocked};
use coro::{CoroutineState, LoopHandle, TaskLocal, yield_};

use crate::cancel_sync::{With, beside};

const MS: Duration = Duration::from_millis(1);

#[test]
fn the_single_value_of_another_thread_stays_to_be_received() {
    let places = cancel_everywhere(
        async || {
            let (sender, receiver) = remote::oneshot::channel();
            coro::call_later(MS, move || sender.send(7).unwrap());
            With::new(RefCell::new(receiver))
        },
        async |it| it.got((&mut *it.state.borrow_mut()).await),
        async |it| {
            if it.got.borrow().is_empty() {
                it.got((&mut *it.state.borrow_mut()).await);
            }
            assert!(matches!(it.got.borrow()[..], [Ok(7)]));
        },
    );
    assert_eq!(places, 1);
    let places = cancel_everywhere(
        async || {
            let (sender, receiver) = remote::oneshot::channel::<()>();
            coro::call_later(MS, move || drop(receiver));
            RefCell::new(sender)
        },
        async |sender| sender.borrow_mut().closed().await,
        async |sender| {
            sender.borrow_mut().closed().await;
            assert!(sender.borrow().is_closed());
        },
    );
    assert_eq!(places, 1);
}

#[test]
fn the_end_of_a_broadcast_is_told_again() {
    let places = cancel_everywhere(
        async || {
            let (sender, receiver) = broadcast::channel::<u32>(2);
            coro::call_later(MS, move || drop(sender));
            RefCell::new(receiver)
        },
        async |receiver| {
            let end = receiver.borrow_mut().recv().await;
            assert_eq!(end, Err(broadcast::RecvError::Closed));
        },
        async |receiver| {
            let end = receiver.borrow_mut().recv().await;
            assert_eq!(end, Err(broadcast::RecvError::Closed));
        },
    );
    assert_eq!(places, 1);
}

#[test]
fn a_condition_that_is_waited_for_leaves_its_lock_free() {
    let places = cancel_everywhere(
        async || {
            let it = Rc::new((Lock::new(0), Condition::new()));
            for n in 1..=2 {
                let it = it.clone();
                coro::call_later(n * MS, move || {
                    *it.0.try_lock().unwrap() = n;
                    it.1.notify_all();
                });
            }
            it
        },
        async |it| {
            let guard = it.0.lock().await;
            let guard = it.1.wait_for(guard, |n| *n == 2).await;
            assert_eq!(*guard, 2);
        },
        async |it| {
            coro::sleep(5 * MS).await;
            assert!(!it.0.is_locked());
        },
    );
    assert_eq!(places, 2);
}

#[test]
fn a_dump_can_be_asked_for_again() {
    let places = cancel_everywhere(
        async || beside(coro::sleep(9 * MS)),
        async |()| drop(LoopHandle::current().dump().await),
        async |()| {
            let tree = LoopHandle::current().dump().await;
            assert_eq!(tree.tasks().len(), 2);
        },
    );
    assert_eq!(places, 1);
}

#[test]
fn a_wait_for_a_quiet_loop_is_given_up() {
    let places = cancel_everywhere(
        async || coro::time::now(),
        async |_| wait_all_tasks_blocked().await,
        async |begun| {
            wait_all_tasks_blocked().await;
            assert_eq!(coro::time::now(), *begun);
        },
    );
    assert_eq!(places, 1);
}

#[test]
fn time_that_is_moved_on_stays_where_it_was_dropped() {
    let places = cancel_everywhere(
        async || {
            let ticks = Rc::new(Cell::new(0_u32));
            let counted = ticks.clone();
            beside(async move {
                let mut ticks = coro::interval(MS);
                loop {
                    ticks.tick().await;
                    counted.set(counted.get() + 1);
                }
            });
            (ticks, coro::time::now())
        },
        async |_| advance(3 * MS).await,
        async |(ticks, begun)| {
            let passed = (coro::time::now() - *begun).as_millis();
            assert!(passed <= 3, "{passed} ms");
            assert_eq!(u128::from(ticks.get()), passed + 1); // the first comes at once
        },
    );
    assert!(places >= 3, "{places} places");
}

#[coro::coroutine(yields = u32, resumes = u32)]
async fn doubler() {
    let mut number = yield_!(0);
    loop {
        coro::sleep(MS).await;
        number = yield_!(number * 2);
    }
}

#[test]
fn a_step_of_a_generator_is_finished_later() {
    let places = cancel_everywhere(
        async || {
            let mut generator = Box::pin(doubler());
            assert_eq!(generator.as_mut().start().await, CoroutineState::Yielded(0));
            (RefCell::new(generator), Cell::new(false))
        },
        async |(generator, begun): &(RefCell<Pin<Box<_>>>, Cell<bool>)| {
            begun.set(true);
            let mut generator = generator.borrow_mut();
            let step = generator.as_mut().resume(4).await;
            assert_eq!(step, CoroutineState::Yielded(8));
            begun.set(false);
        },
        async |(generator, begun)| {
            if begun.get() {
                let step = generator.borrow_mut().as_mut().start().await;
                assert_eq!(step, CoroutineState::Yielded(8));
            }
        },
    );
    assert_eq!(places, 1);
}

static NAME: TaskLocal<&str> = TaskLocal::new();

#[test]
fn a_future_is_dropped_with_its_values_in_place() {
    struct Dropped(Rc<Cell<Option<&'static str>>>);
    impl Drop for Dropped {
        fn drop(&mut self) {
            self.0.set(NAME.get());
        }
    }
    let places = cancel_everywhere(
        async || Rc::new(Cell::new(None)),
        async |seen| {
            let dropped = Dropped(seen.clone());
            let inside = async move {
                coro::yield_now().await;
                drop(dropped);
            };
            NAME.scope("here", inside).await;
        },
        async |seen| assert!(matches!(seen.get(), None | Some("here"))),
    );
    assert_eq!(places, 1);
}
