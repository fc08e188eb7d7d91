//! Waits that are given up after each of their polls: nothing is lost, and others are served.
//!
//! A victim is dropped after its k-th poll, for each k, in two ways: at once, and when it has been
//! woken and would be polled again. In the second way a value, a permit or a notification may have
//! been handed to the victim already: it goes to the next waiter.

use std::cell::{Cell, RefCell};
use std::future::{Future, pending};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use coro::group::{Retry, shield};
use coro::sync::{Condition, Lock, OnceCell, Semaphore, broadcast, channel, oneshot, watch};
use coro::time::fail_after;
use coro::{CancelToken, gather, race, sleep, spawn, timeout, yield_now};

use crate::support::{Counted, Drops, ms, turns};

/// The moment at which a victim is given up.
#[derive(Clone, Copy, Debug)]
struct When {
    polls: usize,
    woken: bool,
}

/// Polls a future this number of times, then drops it.
struct Cut<F> {
    future: Option<Pin<Box<F>>>,
    when: When,
}

impl<F: Future> Future for Cut<F> {
    type Output = Option<F::Output>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<F::Output>> {
        if self.when.polls > 0 {
            self.when.polls -= 1;
            let future = self.future.as_mut().expect("polled after its end");
            if let Poll::Ready(output) = future.as_mut().poll(cx) {
                return Poll::Ready(Some(output));
            }
            if self.when.polls > 0 || self.when.woken {
                return Poll::Pending;
            }
        }
        self.future = None;
        Poll::Ready(None)
    }
}

impl When {
    /// The output of the future, if it has one before it is given up.
    fn cut<F: Future>(self, future: F) -> Cut<F> {
        Cut {
            future: Some(Box::pin(future)),
            when: self,
        }
    }
}

/// Runs a program with a victim that is given up after each number of polls, until the victim ends
/// before that. The program says whether the victim did.
async fn everywhere(name: &str, at_least: usize, program: impl AsyncFn(When) -> bool) {
    for woken in [false, true] {
        let mut polls = 0;
        loop {
            let when = When { polls, woken };
            let outcome = timeout(ms(1_000_000), program(when)).await;
            match outcome.unwrap_or_else(|_| panic!("{name} waits for ever, {when:?}")) {
                true => break,
                false => polls += 1,
            }
        }
        assert!(polls >= at_least, "{name} was given up {polls} times only");
    }
}

const VALUES: usize = 5;

#[coro::test]
async fn a_receiver_that_gives_up_loses_no_value() {
    everywhere("recv", 5, async |when| {
        let (sender, mut receiver) = channel::bounded(1);
        let producer = async move {
            for value in 0..VALUES {
                sender.send(value).await.unwrap();
                turns(value % 3).await;
            }
        };
        let got = RefCell::new(Vec::new());
        let consumer = async {
            let victim = async {
                while let Some(value) = receiver.recv().await {
                    got.borrow_mut().push(value);
                }
            };
            let ended = when.cut(victim).await.is_some();
            while let Some(value) = receiver.recv().await {
                got.borrow_mut().push(value);
            }
            ended
        };
        let (ended, ()) = gather((consumer, producer)).await;
        assert!(
            got.borrow().iter().copied().eq(0..VALUES),
            "{got:?}, {when:?}"
        );
        ended
    })
    .await;
}

#[coro::test]
async fn a_sender_that_gives_up_leaves_its_room_to_the_next() {
    everywhere("send", 4, async |when| {
        let (sender, mut receiver) = channel::bounded(1);
        let other = sender.clone();
        let sent = Cell::new(0);
        let victim = async {
            let victim = async {
                for value in 0..VALUES {
                    sender.send(value).await.unwrap();
                    sent.set(value + 1);
                }
            };
            let ended = when.cut(victim).await.is_some();
            drop(sender);
            ended
        };
        let other = async move {
            for value in 100..100 + VALUES {
                other.send(value).await.unwrap();
            }
        };
        let consumer = async {
            let mut got = Vec::new();
            while let Some(value) = receiver.recv().await {
                got.push(value);
                turns(2).await;
            }
            got
        };
        let (ended, (), got) = gather((victim, other, consumer)).await;
        let (of_other, of_victim): (Vec<_>, Vec<_>) = got.into_iter().partition(|&n| n >= 100);
        assert!(of_other.into_iter().eq(100..100 + VALUES), "{when:?}");
        // A value that was taken from a wait before it was polled again has been sent, too.
        let count = of_victim.len();
        assert!(of_victim.into_iter().eq(0..count), "{when:?}");
        assert!(count == sent.get() || count == sent.get() + 1, "{when:?}");
        ended
    })
    .await;
}

#[coro::test]
async fn the_value_of_a_oneshot_waits_for_the_next_poll() {
    everywhere("oneshot", 1, async |when| {
        let (sender, mut receiver) = oneshot::channel();
        spawn(async move {
            turns(2).await;
            sender.send(7).unwrap();
        });
        match when.cut(&mut receiver).await {
            Some(value) => value == Ok(7),
            None => {
                assert_eq!(receiver.await, Ok(7));
                false
            }
        }
    })
    .await;
}

#[coro::test]
async fn a_change_that_was_not_seen_is_seen_later() {
    everywhere("watch", 3, async |when| {
        let (sender, mut receiver) = watch::channel(0);
        let producer = async move {
            for value in 1..=VALUES {
                sleep(ms(1)).await;
                sender.send(value).unwrap();
            }
        };
        let consumer = async {
            let ended = when
                .cut(async {
                    while *receiver.wait_for(|_| true).await.unwrap() < VALUES {
                        receiver.changed().await.unwrap();
                    }
                })
                .await
                .is_some();
            assert_eq!(
                *receiver.wait_for(|value| *value == VALUES).await.unwrap(),
                VALUES
            );
            ended
        };
        gather((consumer, producer)).await.0
    })
    .await;
}

#[coro::test]
async fn a_receiver_of_a_broadcast_that_gives_up_goes_on_where_it_was() {
    everywhere("broadcast", 3, async |when| {
        let (sender, mut receiver) = broadcast::channel(VALUES);
        let producer = async move {
            for value in 0..VALUES {
                turns(2).await;
                sender.send(value).unwrap();
            }
        };
        let got = RefCell::new(Vec::new());
        let consumer = async {
            let victim = async {
                while let Ok(value) = receiver.recv().await {
                    got.borrow_mut().push(value);
                }
            };
            let ended = when.cut(victim).await.is_some();
            while let Ok(value) = receiver.recv().await {
                got.borrow_mut().push(value);
            }
            ended
        };
        let (ended, ()) = gather((consumer, producer)).await;
        assert!(
            got.borrow().iter().copied().eq(0..VALUES),
            "{got:?}, {when:?}"
        );
        ended
    })
    .await;
}

#[coro::test]
async fn a_notification_of_a_waiter_that_gives_up_goes_to_the_next() {
    everywhere("condition", 2, async |when| {
        let (lock, condition) = (Lock::new(()), Condition::new());
        let went_on = Cell::new(0);
        let waits = async || {
            drop(condition.wait(lock.lock().await).await);
            went_on.set(went_on.get() + 1);
        };
        let notifier = async {
            sleep(ms(1)).await;
            // The lock is held meanwhile, so that the notified waiter waits for it.
            let guard = lock.lock().await;
            condition.notify_one();
            turns(3).await;
            drop(guard);
            sleep(ms(1)).await;
            let by_one = went_on.get();
            condition.notify_all();
            by_one
        };
        let others = gather((waits(), waits()));
        let (victim, _, by_one) = gather((when.cut(waits()), others, notifier)).await;
        assert_eq!(by_one, 1, "one notification, one goes on: {when:?}");
        assert!(!lock.is_locked());
        victim.is_some()
    })
    .await;
}

#[coro::test]
async fn a_value_whose_maker_gives_up_is_made_by_the_next() {
    everywhere("once_cell", 3, async |when| {
        let (cell, begun, made) = (OnceCell::new(), Cell::new(0), Cell::new(0));
        let get = async || {
            *cell
                .get_or_init(async || {
                    begun.set(begun.get() + 1);
                    turns(2).await;
                    made.set(made.get() + 1);
                    7
                })
                .await
        };
        let (victim, others) = gather((when.cut(get()), gather((get(), get())))).await;
        assert_eq!((others, made.get()), ((7, 7), 1), "{when:?}");
        assert!(begun.get() <= 2);
        victim == Some(7)
    })
    .await;
}

#[coro::test]
async fn a_permit_of_a_waiter_that_gives_up_goes_to_the_next() {
    everywhere("semaphore", 2, async |when| {
        let semaphore = Semaphore::new(1);
        let taken = semaphore.acquire().await;
        let wants = async || {
            let _permit = semaphore.acquire().await;
            yield_now().await;
        };
        let release = async {
            turns(2).await;
            drop(taken);
        };
        let others = gather((wants(), wants()));
        let (victim, _, ()) = gather((when.cut(wants()), others, release)).await;
        assert_eq!(semaphore.available_permits(), 1);
        victim.is_some()
    })
    .await;
}

#[coro::test]
async fn no_attempt_is_made_once_trying_again_was_given_up() {
    everywhere("retry", 5, async |when| {
        let drops = Drops::default();
        let attempts = Cell::new(0);
        let policy = Retry::new().attempts(4).delay(ms(1));
        let operation = async || {
            let _counted = drops.counted();
            attempts.set(attempts.get() + 1);
            yield_now().await;
            Err::<(), _>("no")
        };
        let outcome = when.cut(policy.run(operation)).await;
        let made = attempts.get();
        assert_eq!(drops.count(), made, "{when:?}");
        sleep(ms(100)).await;
        assert_eq!(attempts.get(), made);
        assert!(outcome.is_none() || (outcome, made) == (Some(Err("no")), 4));
        outcome.is_some()
    })
    .await;
}

async fn holds(counted: Counted, steps: usize) -> usize {
    let _counted = counted;
    for _ in 0..steps {
        sleep(ms(1)).await;
    }
    steps
}

#[coro::test]
async fn deadlines_and_their_bodies_are_given_up_as_one() {
    for limit in [2, 50] {
        everywhere("fail_after", 2, async |when| {
            let drops = Drops::default();
            let (one, other) = (drops.counted(), drops.counted());
            let inner = async move |_: &coro::time::Deadline| holds(other, 3).await;
            let outcome = when.cut(fail_after(ms(limit), async |deadline| {
                let _one = one;
                let moved = fail_after(ms(limit), inner).await.ok();
                deadline.reschedule_after(ms(limit));
                yield_now().await;
                moved
            }));
            let ended = outcome.await.is_some();
            assert_eq!(drops.count(), 2, "{when:?}");
            sleep(ms(100)).await; // what is left of a deadline does no harm
            ended
        })
        .await;
    }
}

#[coro::test]
async fn a_future_that_a_token_ends_is_dropped_once_and_other_waiters_hear_of_it() {
    for cancelled_after in [2, 50] {
        everywhere("cancel_on", 2, async |when| {
            let drops = Drops::default();
            let token = CancelToken::new();
            let (canceller, counted) = (token.clone(), drops.counted());
            coro::call_later(ms(cancelled_after), move || canceller.cancel("enough"));
            let ended = when.cut(token.run_until_cancelled(holds(counted, 4))).await;
            assert_eq!(drops.count(), 1, "{when:?}");
            assert_eq!(token.child().cancelled().await.reason(), "enough");
            ended.is_some()
        })
        .await;
    }
}

#[coro::test]
async fn a_race_that_is_given_up_and_its_losers_lose_no_value() {
    everywhere("race", 3, async |when| {
        let (sender, mut first) = channel::bounded(1);
        let (other_sender, mut second) = channel::bounded(1);
        let producer = async move {
            for value in 0..VALUES {
                sender.send(value).await.unwrap();
                other_sender.send(100 + value).await.unwrap();
                turns(value % 2).await;
            }
        };
        let got = RefCell::new(Vec::new());
        let consumer = async {
            let victim = async {
                while let Some(value) = race((first.recv(), second.recv())).await {
                    got.borrow_mut().push(value);
                }
            };
            let ended = when.cut(victim).await.is_some();
            let rest = async |receiver: &mut channel::Receiver<usize>| {
                while let Some(value) = receiver.recv().await {
                    got.borrow_mut().push(value);
                }
            };
            gather((rest(&mut first), rest(&mut second))).await;
            ended
        };
        let ended = gather((consumer, producer)).await.0;
        got.borrow_mut().sort_unstable();
        let sent = (0..VALUES).chain(100..100 + VALUES);
        assert!(got.borrow().iter().copied().eq(sent), "{got:?}, {when:?}");
        ended
    })
    .await;
}

#[coro::test]
async fn a_shielded_future_runs_to_its_end() {
    everywhere("shield", 2, async |when| {
        let done = Rc::<Cell<usize>>::default();
        let inner = done.clone();
        let work = async move {
            for _ in 0..3 {
                sleep(ms(1)).await;
                inner.set(inner.get() + 1);
            }
        };
        let victim = async {
            shield(work).await.unwrap();
            yield_now().await;
            pending::<()>().await;
        };
        let limited = async { timeout(ms(10), victim).await.unwrap_err() };
        let began = when.polls > 0;
        let ended = when.cut(limited).await.is_some();
        sleep(ms(20)).await;
        assert_eq!(done.get(), if began { 3 } else { 0 }, "{when:?}");
        ended
    })
    .await;
}
