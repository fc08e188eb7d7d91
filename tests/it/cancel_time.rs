//! Every wait of `coro::sync::remote` and `coro::time`, dropped at each of its suspensions.
#![expect(
    clippy::await_holding_refcell_ref,
    reason = "only the operation borrows it, and gives it back when it is dropped"
)]

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use coro::sync::remote;
use coro::testing::cancel_everywhere;

use crate::cancel_sync::{With, beside};

const MS: Duration = Duration::from_millis(1);

#[test]
fn waits_for_other_threads_lose_nothing() {
    let places = cancel_everywhere(
        async || {
            let (sender, receiver) = remote::channel::bounded(1);
            beside(async move {
                for n in 0..3 {
                    coro::sleep(MS).await;
                    sender.send(n).await.unwrap();
                }
            });
            With::new(receiver)
        },
        async |it| {
            for _ in 0..2 {
                it.got(it.state.recv().await.unwrap());
            }
        },
        async |it| {
            while let Some(value) = it.state.recv().await {
                it.got(value);
            }
            assert_eq!(*it.got.borrow(), [0, 1, 2]);
        },
    );
    assert_eq!(places, 2);

    let places = cancel_everywhere(
        async || {
            let (sender, receiver) = remote::channel::bounded(1);
            sender.try_send(0).unwrap();
            let receiver = Rc::new(receiver);
            let later = receiver.clone();
            coro::call_later(MS, move || assert_eq!(later.try_recv(), Ok(0)));
            ((sender, receiver), Cell::new(false))
        },
        async |((sender, _), sent)| {
            sender.send(1).await.unwrap();
            sent.set(true);
        },
        async |((_, receiver), sent)| {
            coro::sleep(5 * MS).await;
            assert_eq!(receiver.try_recv().ok(), sent.get().then_some(1));
        },
    );
    assert_eq!(places, 1);

    let places = cancel_everywhere(
        async || {
            let event = Rc::new(remote::Event::new());
            let later = event.clone();
            coro::call_later(MS, move || later.set());
            event
        },
        async |event| event.wait().await,
        async |event| event.wait().await,
    );
    assert_eq!(places, 1);
}

#[test]
fn no_tick_of_an_interval_is_lost() {
    let places = cancel_everywhere(
        async || (RefCell::new(coro::interval(10 * MS)), coro::time::now()),
        async |(interval, _)| {
            interval.borrow_mut().tick().await;
            interval.borrow_mut().tick().await;
        },
        async |(interval, begun)| {
            let next = interval.borrow_mut().tick().await;
            let nth = (next - *begun).as_millis() / 10;
            assert!(nth <= 2 && (next - *begun).as_millis() % 10 == 0);
        },
    );
    assert!(places >= 1);
}

#[test]
fn time_limits_drop_what_they_limit() {
    let setup = async || Rc::new(());
    let is_free = async |it: &Rc<()>| assert_eq!(Rc::strong_count(it), 1);
    let hold = |it: &Rc<()>| {
        let held = it.clone();
        async move {
            coro::sleep(3 * MS).await;
            coro::yield_now().await;
            drop(held);
        }
    };
    let within = async |it: &Rc<()>| coro::timeout(9 * MS, hold(it)).await.unwrap();
    assert_eq!(cancel_everywhere(setup, within, is_free), 2);
    let beyond = async |it: &Rc<()>| assert!(coro::timeout(2 * MS, hold(it)).await.is_err());
    assert_eq!(cancel_everywhere(setup, beyond, is_free), 1);
    let deadline = async |it: &Rc<()>| {
        let limited = coro::time::fail_after(2 * MS, async |_| hold(it).await);
        assert!(limited.await.is_err());
    };
    assert_eq!(cancel_everywhere(setup, deadline, is_free), 1);
    let until = coro::time::now; // the present of each simulation
    let slept = async |_: &Rc<()>| coro::time::sleep_until(until() + MS).await;
    assert_eq!(cancel_everywhere(setup, slept, is_free), 1);
}
