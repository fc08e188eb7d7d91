//! Every interleaving of what threads can do to the seats of a group, as loom finds them.
//!
//! Loom also counts the `Arc`s: a room that is freed twice, or not at all, fails the model.

use std::task::{Poll, Wake, Waker};

use loom::sync::Arc;
use loom::sync::atomic::AtomicUsize;
use loom::sync::atomic::Ordering::{Acquire, Release, SeqCst};
use loom::thread;

use super::WokenMembers;

/// A parent that counts how often it was woken.
struct Parent(AtomicUsize);

impl Parent {
    fn new() -> (std::sync::Arc<Self>, Waker) {
        let parent = std::sync::Arc::new(Parent(AtomicUsize::new(0)));
        let waker = Waker::from(parent.clone());
        (parent, waker)
    }

    fn woken(&self) -> usize {
        self.0.load(SeqCst)
    }
}

impl Wake for Parent {
    fn wake(self: std::sync::Arc<Self>) {
        self.0.fetch_add(1, SeqCst);
    }
}

/// A group of `members`, each of which was polled once and has given a waker away. The group waits.
fn waiting(members: usize, parent: &Waker) -> (WokenMembers, Vec<Waker>) {
    let ready = WokenMembers::of(members);
    drop(ready.begin());
    let mut wakers = Vec::new();
    while let Some(turn) = ready.next() {
        wakers.push(turn.waker().clone());
    }
    assert_eq!(wakers.len(), members);
    let _: Poll<()> = ready.end(parent);
    (ready, wakers)
}

/// The members whose turn it is in one poll.
fn poll(ready: &WokenMembers) -> Vec<usize> {
    drop(ready.begin());
    std::iter::from_fn(|| Some(ready.next()?.seat())).collect()
}

#[test]
fn two_members_are_woken_at_once_and_neither_is_lost() {
    loom::model(|| {
        let (parent, waker) = Parent::new();
        let (ready, wakers) = waiting(2, &waker);
        let others: Vec<_> = wakers
            .into_iter()
            .map(|waker| thread::spawn(move || waker.wake()))
            .collect();
        for other in others {
            other.join().unwrap();
        }
        assert!(parent.woken() >= 1);
        let mut turns = poll(&ready);
        turns.sort_unstable();
        assert_eq!(turns, [0, 1]);
    });
}

#[test]
fn a_group_that_begins_to_wait_hears_of_a_member() {
    loom::model(|| {
        let (parent, waker) = Parent::new();
        let said = Arc::new(AtomicUsize::new(0));
        let (ready, mut wakers) = waiting(1, &waker);
        let member = wakers.pop().unwrap();
        let other = thread::spawn({
            let said = said.clone();
            move || {
                said.store(1, Release);
                member.wake();
            }
        });
        let heard = match poll(&ready).as_slice() {
            [] => false,
            _ => said.load(Acquire) == 1,
        };
        let _: Poll<()> = ready.end(&waker);
        let before = parent.woken();
        other.join().unwrap();
        // Either the poll saw what was said, or the group is woken to look again.
        assert!(heard || parent.woken() >= 1, "{before}");
        if !heard {
            assert_eq!(poll(&ready), [0]);
        }
    });
}

#[test]
fn a_member_leaves_while_its_waker_is_used_elsewhere() {
    loom::model(|| {
        let (_parent, waker) = Parent::new();
        let (ready, mut wakers) = waiting(1, &waker);
        let member = wakers.pop().unwrap();
        let other = thread::spawn(move || {
            let second = member.clone();
            member.wake();
            drop(second);
        });
        ready.remove(0);
        // The seat is another member's now, or a new one is.
        let (seat, parent) = ready.enter();
        drop(parent);
        let turns = poll(&ready);
        assert!(turns.contains(&seat));
        other.join().unwrap();
        assert!(poll(&ready).len() <= 1);
        let (again, parent) = ready.enter();
        drop(parent);
        assert!(poll(&ready).contains(&again));
    });
}

#[test]
fn wakers_outlive_the_group() {
    loom::model(|| {
        let (_parent, waker) = Parent::new();
        let (ready, wakers) = waiting(2, &waker);
        let others: Vec<_> = wakers
            .into_iter()
            .map(|waker| {
                thread::spawn(move || {
                    waker.wake_by_ref();
                    drop(waker);
                })
            })
            .collect();
        drop(ready);
        for other in others {
            other.join().unwrap();
        }
    });
}

#[test]
fn the_last_two_wakers_of_a_seat_that_was_left_are_dropped_at_once() {
    loom::model(|| {
        let (_parent, waker) = Parent::new();
        let (ready, mut wakers) = waiting(1, &waker);
        let first = wakers.pop().unwrap();
        let second = first.clone();
        let others = [first, second].map(|waker| thread::spawn(move || drop(waker)));
        ready.remove(0);
        for other in others {
            other.join().unwrap();
        }
        // All wakers are gone, so the seat is there for the next.
        let (seat, parent) = ready.enter();
        drop(parent);
        assert_eq!(seat, 0);
    });
}
