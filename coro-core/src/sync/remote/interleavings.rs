//! Every interleaving of threads at a channel's `TwoLockQueue`, as loom finds them.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Wake, Waker};

use loom::sync::Notify;
use loom::thread;

use super::channel;
use crate::sync::error::{SendError, TryRecvError};

/// Blocks a thread of a model.
struct ModelThread(Notify);

impl Wake for ModelThread {
    fn wake(self: std::sync::Arc<Self>) {
        self.0.notify();
    }
}

fn block_on<F: Future>(future: F) -> F::Output {
    let thread = std::sync::Arc::new(ModelThread(Notify::new()));
    let waker = Waker::from(thread.clone());
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread.0.wait(),
        }
    }
}

fn poll_once<F: Future>(future: F) -> Option<F::Output> {
    let polled = pin!(future).poll(&mut Context::from_waker(Waker::noop()));
    match polled {
        Poll::Ready(output) => Some(output),
        Poll::Pending => None,
    }
}

#[test]
fn a_sender_that_waits_for_room_hears_of_it() {
    loom::model(|| {
        let (sender, receiver) = channel::bounded(1);
        let sending = thread::spawn(move || {
            for n in 1..=3 {
                block_on(sender.send(n)).unwrap();
            }
        });
        for n in 1..=3 {
            assert_eq!(block_on(receiver.recv()), Some(n));
        }
        assert_eq!(block_on(receiver.recv()), None);
        sending.join().unwrap();
    });
}

#[test]
fn a_receiver_by_the_front_alone_and_a_sender_that_is_about_to_wait_do_not_miss_each_other() {
    loom::model(|| {
        let (sender, receiver) = channel::bounded(2);
        for n in 1..=2 {
            sender.try_send(n).unwrap();
        }
        assert_eq!(receiver.try_recv(), Ok(1)); // which moves the second value to the front
        sender.try_send(3).unwrap();
        let sending = thread::spawn(move || block_on(sender.send(4)).unwrap());
        assert_eq!(receiver.try_recv(), Ok(2));
        sending.join().unwrap(); // the only other value that is taken comes after this
        assert_eq!(receiver.try_recv(), Ok(3));
        assert_eq!(receiver.try_recv(), Ok(4));
        assert_eq!(receiver.try_recv(), Err(TryRecvError::Closed));
    });
}

#[test]
fn no_more_values_lie_in_a_channel_than_it_has_room_for() {
    loom::model(|| {
        let (sender, receiver) = channel::bounded(2);
        sender.try_send(1).unwrap();
        let taking = thread::spawn(move || {
            let taken = receiver.try_recv().is_ok();
            (receiver, usize::from(taken))
        });
        let sent = (2..=4).take_while(|n| sender.try_send(*n).is_ok()).count();
        let (receiver, taken) = taking.join().unwrap();
        assert!(1 + sent - taken <= 2 && sent >= 1);
        let mut left = 0;
        while receiver.try_recv().is_ok() {
            left += 1;
        }
        assert_eq!(left, 1 + sent - taken);
    });
}

#[test]
fn two_senders_and_a_receiver_keep_the_order_of_each() {
    loom::model(|| {
        let (sender, receiver) = channel::bounded(1);
        let other = sender.clone();
        let sending = thread::spawn(move || {
            for n in [10, 11] {
                block_on(other.send(n)).unwrap();
            }
        });
        let mut received = Vec::new();
        let mut own = std::pin::pin!(sender.send(1));
        let mut cx = Context::from_waker(Waker::noop());
        let mut sent = own.as_mut().poll(&mut cx).is_ready();
        while received.len() < 3 {
            received.push(block_on(receiver.recv()).unwrap());
            sent = sent || own.as_mut().poll(&mut cx).is_ready();
        }
        assert!(sent);
        received.retain(|n| *n != 1);
        assert_eq!(received, [10, 11]);
        sending.join().unwrap();
    });
}

#[test]
fn two_receivers_share_the_values() {
    loom::model(|| {
        let (sender, receiver) = channel::bounded(2);
        sender.try_send(1).unwrap();
        let other = receiver.clone();
        let receiving = thread::spawn(move || {
            let mut sum = 0;
            while let Some(n) = block_on(other.recv()) {
                sum += n;
            }
            sum
        });
        let first = receiver.try_recv().unwrap_or(0);
        sender.try_send(2).unwrap();
        drop(sender);
        let last = block_on(receiver.recv()).unwrap_or(0);
        assert_eq!(first + last + receiving.join().unwrap(), 3);
    });
}

#[test]
fn a_value_that_is_given_to_a_wait_as_it_is_dropped_is_not_lost() {
    loom::model(|| {
        let (sender, receiver) = channel::bounded(1);
        let sending = thread::spawn(move || {
            block_on(sender.send(1)).unwrap();
            block_on(sender.send(2)).unwrap();
        });
        let first = poll_once(receiver.recv()).flatten();
        let mut received: Vec<i32> = first.into_iter().collect();
        while let Some(n) = block_on(receiver.recv()) {
            received.push(n);
        }
        assert_eq!(received, [1, 2]);
        sending.join().unwrap();
    });
}

#[test]
fn a_sender_that_waits_gets_its_value_back_when_the_receiver_goes() {
    loom::model(|| {
        let (sender, receiver) = channel::bounded(1);
        sender.try_send(1).unwrap();
        let sending = thread::spawn(move || block_on(sender.send(2)));
        let received = receiver.try_recv();
        drop(receiver);
        assert_eq!(received, Ok(1));
        let sent = sending.join().unwrap();
        assert!(matches!(sent, Ok(()) | Err(SendError(2))));
    });
}
