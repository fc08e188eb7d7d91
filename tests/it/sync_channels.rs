//! Channels: delivery, lost values, closing by either side.

use std::cell::Cell;
use std::rc::Rc;

use coro::sync::{Closed, Lock, Queue, Semaphore, SendError, TryRecvError, TrySendError};
use coro::sync::{broadcast, channel, oneshot, watch};
use coro::{gather, spawn};
use futures::{FutureExt, StreamExt, stream::FusedStream};

use crate::support::{Drops, OnDrop, panic_of, turns};

#[coro::test]
async fn a_oneshot_tells_each_side_that_the_other_has_gone() {
    let (sender, receiver) = oneshot::channel::<u32>();
    drop(sender);
    assert_eq!(receiver.await, Err(Closed));

    let (mut sender, receiver) = oneshot::channel();
    assert!(sender.closed().now_or_never().is_none());
    let told = spawn(async move {
        sender.closed().await;
        sender.send(1)
    });
    turns(1).await;
    drop(receiver);
    assert_eq!(told.await.unwrap(), Err(SendError(1)));

    let (sender, mut receiver) = oneshot::channel();
    assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
    sender.send(2).unwrap();
    receiver.close();
    assert_eq!(receiver.try_recv(), Ok(2));
    assert_eq!(receiver.await, Err(Closed));
}

#[coro::test]
async fn a_value_is_not_lost_when_the_wait_for_a_oneshot_is_dropped() {
    let (sender, mut receiver) = oneshot::channel();
    assert!((&mut receiver).now_or_never().is_none());
    sender.send(3).unwrap();
    assert_eq!(receiver.await, Ok(3));
    let drops = Drops::default();
    let (sender, receiver) = oneshot::channel();
    sender.send(drops.counted()).unwrap();
    drop(receiver);
    assert_eq!(drops.count(), 1);
}

#[coro::test]
async fn a_channel_closes_when_one_of_its_sides_has_gone() {
    let (sender, mut receiver) = channel::bounded(2);
    let other = sender.clone();
    sender.send(1).await.unwrap();
    drop(sender);
    assert_eq!(receiver.try_recv(), Ok(1));
    assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
    other.send(2).await.unwrap();
    drop(other);
    assert_eq!(receiver.recv().await, Some(2));
    assert_eq!(receiver.recv().await, None);
    assert!(receiver.next().await.is_none() && receiver.is_terminated());

    let drops = Drops::default();
    let (sender, receiver) = channel::bounded(1);
    sender.send(drops.counted()).await.unwrap();
    let blocked = spawn({
        let (sender, drops) = (sender.clone(), drops.clone());
        async move { sender.send(drops.counted()).await.is_err() }
    });
    turns(1).await;
    drop(receiver);
    assert_eq!(drops.count(), 1);
    assert!(blocked.await.unwrap());
    assert_eq!(drops.count(), 2);
    let refused = sender.try_send(drops.counted()).unwrap_err();
    assert!(refused.is_closed());
    drop(refused.into_inner());
}

#[coro::test]
async fn a_full_channel_says_so_and_an_unbounded_one_never_is() {
    let (sender, receiver) = channel::bounded(1);
    sender.try_send(1).unwrap();
    assert_eq!(sender.try_send(2), Err(TrySendError::Full(2)));
    assert_eq!((sender.len(), sender.capacity()), (1, 1));
    drop(receiver);
    let (sender, receiver) = channel::unbounded();
    (0..5_000).for_each(|n| sender.try_send(n).unwrap());
    for n in 5_000..10_000 {
        sender.send(n).await.unwrap();
    }
    assert_eq!(sender.capacity(), usize::MAX);
    drop(sender);
    assert_eq!(receiver.collect::<Vec<_>>().await.len(), 10_000);
    assert!(panic_of(|| channel::bounded::<()>(0)).contains("unbounded()"));
    assert!(panic_of(|| Queue::<()>::bounded(0)).contains("unbounded()"));
}

#[coro::test]
async fn each_value_goes_to_one_of_several_receivers_in_the_order_of_their_asking() {
    let (sender, receiver) = channel::bounded(9);
    let tasks: Vec<_> = (0..3)
        .map(|_| {
            let mut receiver = receiver.clone();
            spawn(async move { receiver.recv().await })
        })
        .collect();
    turns(1).await;
    for n in 0..3 {
        sender.send(n).await.unwrap();
    }
    for (n, task) in tasks.into_iter().enumerate() {
        assert_eq!(task.await.unwrap(), Some(n));
    }
}

#[coro::test]
async fn a_value_granted_to_a_stream_passes_on_when_it_is_dropped_or_received_from() {
    let (sender, mut stream) = channel::bounded(9);
    let mut other = stream.clone();
    assert!(stream.next().now_or_never().is_none());
    assert!(other.next().now_or_never().is_none());
    sender.send(1).await.unwrap();
    sender.send(2).await.unwrap();
    assert_eq!(stream.len(), 0); // each has been granted one, but is not polled yet
    drop(stream);
    assert_eq!(other.try_recv(), Ok(1));
    assert_eq!(other.recv().await, Some(2));
}

#[coro::test]
async fn a_receiver_that_waits_as_a_stream_keeps_its_place_when_it_receives() {
    let (sender, mut first) = channel::bounded(9);
    let mut second = first.clone();
    assert!(first.next().now_or_never().is_none());
    assert!(second.next().now_or_never().is_none());
    drop(first.recv()); // never polled
    let mut received = first.recv();
    assert!((&mut received).now_or_never().is_none());
    sender.send(1).await.unwrap();
    sender.send(2).await.unwrap();
    assert_eq!(received.await, Some(1));
    assert_eq!(second.recv().await, Some(2));
}

#[coro::test]
async fn only_the_latest_value_is_watched() {
    let (sender, mut receiver) = watch::channel("a");
    let mut other = receiver.clone();
    assert!(receiver.changed().now_or_never().is_none());
    sender.send("b").unwrap();
    sender.send_modify(|value| *value = "c");
    assert_eq!(receiver.changed().now_or_never(), Some(Ok(())));
    assert_eq!(*receiver.borrow(), "c");
    assert!(!receiver.has_changed() && other.has_changed());
    assert_eq!(
        other.wait_for(|value| *value == "c").await.as_deref(),
        Ok(&"c")
    );
    let late = sender.subscribe();
    assert!(!late.has_changed());
    sender.send("d").unwrap();
    drop(sender);
    assert_eq!(other.changed().await, Ok(()));
    assert_eq!(other.changed().await, Err(Closed));
    assert!(other.wait_for(|value| *value == "e").await.is_err());
    assert_eq!(*late.borrow(), "d");
}

#[coro::test]
async fn a_watch_without_receivers_says_so() {
    let (sender, receiver) = watch::channel(0);
    assert!(sender.closed().now_or_never().is_none());
    let other = receiver.clone();
    drop((receiver, other));
    assert_eq!(sender.closed().now_or_never(), Some(()));
    assert_eq!(sender.send(1), Err(SendError(1)));
    assert_eq!(sender.send_replace(2), 0);
    assert_eq!(*sender.subscribe().borrow(), 2);
    let text = panic_of(|| {
        let _borrowed = sender.borrow();
        sender.send_replace(3)
    });
    assert!(text.contains("drop what borrow() gave"), "{text}");
}

#[coro::test]
async fn a_broadcast_reaches_all_subscribers_and_tells_slow_ones_how_many_they_missed() {
    let (sender, mut fast) = broadcast::channel(2);
    let mut slow = sender.subscribe();
    for n in 1..=5 {
        assert_eq!(sender.send(n), Ok(2));
        assert_eq!(fast.recv().await, Ok(n));
    }
    let late = sender.subscribe();
    assert_eq!((slow.len(), late.len(), sender.len()), (5, 0, 2));
    assert_eq!(slow.recv().await, Err(broadcast::RecvError::Lagged(3)));
    assert_eq!(slow.recv().await, Ok(4));
    drop(sender);
    assert_eq!(slow.next().await, Some(Ok(5)));
    assert_eq!(slow.next().await, None);
    assert_eq!(slow.recv().await, Err(broadcast::RecvError::Closed));
    assert_eq!(fast.try_recv(), Err(broadcast::TryRecvError::Closed));
}

#[coro::test]
async fn a_broadcast_value_is_dropped_when_no_receiver_is_left_to_take_it() {
    let drops = Drops::default();
    let (sender, mut receiver) = broadcast::channel(8);
    let slow = sender.subscribe();
    for _ in 0..3 {
        sender.send(Rc::new(drops.counted())).unwrap();
        drop(receiver.recv().await.unwrap());
    }
    assert_eq!((drops.count(), sender.len()), (0, 3));
    drop(slow);
    assert_eq!((drops.count(), sender.len()), (3, 0));
    drop(receiver);
    assert!(sender.send(Rc::new(drops.counted())).is_err());
}

#[coro::test]
async fn streams_of_a_broadcast_wait_and_go_on() {
    let (sender, receiver) = broadcast::channel(4);
    let other = receiver.resubscribe();
    let sum =
        |stream: broadcast::Receiver<u32>| stream.map(Result::unwrap).fold(0, async |a, b| a + b);
    let sending = async move {
        for n in 1..=4 {
            turns(1).await;
            sender.send(n).unwrap();
        }
    };
    let (one, two, ()) = gather((sum(receiver), sum(other), sending)).await;
    assert_eq!((one, two), (10, 10));
}

/// A value whose `clone` uses the channel that it came from.
struct Echo(broadcast::Sender<Echo>, Rc<Cell<u32>>);

impl Clone for Echo {
    fn clone(&self) -> Self {
        self.1.set(self.1.get() + 1);
        let _ = (self.0.subscribe().try_recv(), self.0.len());
        if self.1.get() == 1 {
            let _ = self.0.send(Echo(self.0.clone(), self.1.clone()));
        }
        Echo(self.0.clone(), self.1.clone())
    }
}

#[coro::test]
async fn a_value_may_use_the_channel_while_it_is_cloned_or_dropped() {
    let (sender, mut receiver) = broadcast::channel(1);
    let other = sender.subscribe();
    let clones = Rc::new(Cell::new(0));
    let _ = sender.send(Echo(sender.clone(), clones.clone()));
    assert!(receiver.try_recv().is_ok());
    assert_eq!(clones.get(), 1);
    assert_eq!((receiver.len(), other.len()), (1, 2));
    drop((receiver, other));

    let (sender, receiver) = channel::unbounded();
    let again = sender.clone();
    let check: Box<dyn FnOnce()> = Box::new(move || assert!(again.is_closed() && again.is_empty()));
    assert!(sender.try_send(OnDrop::new(check)).is_ok());
    drop(receiver);
}

#[coro::test]
async fn owned_guards_keep_their_primitive_alive_and_release_it() {
    let lock = Rc::new(Lock::new(vec![1]));
    let mut owned = lock.clone().lock_owned().await;
    assert!(lock.clone().try_lock_owned().is_err() && lock.try_lock().is_none());
    assert!(format!("{lock:?}").contains("<locked>"));
    let waiting = spawn({
        let lock = lock.clone();
        async move { lock.lock().await.len() }
    });
    turns(1).await;
    owned.push(2);
    drop(owned);
    assert_eq!(waiting.await.unwrap(), 2);
    assert_eq!(Rc::into_inner(lock).unwrap().into_inner(), [1, 2]);

    let semaphore = Rc::new(Semaphore::new(3));
    let mut permit = semaphore.clone().acquire_owned(3).await.unwrap();
    let split = permit.split(2).unwrap();
    assert!(permit.split(2).is_none());
    drop(permit);
    assert_eq!(semaphore.available_permits(), 1);
    split.forget();
    assert_eq!(
        (semaphore.forget_permits(5), semaphore.available_permits()),
        (1, 0)
    );
}

#[coro::test]
async fn a_panic_releases_a_lock_and_poisons_nothing() {
    let lock = Rc::new(Lock::new(0));
    let task = spawn({
        let lock = lock.clone();
        async move {
            *lock.lock().await = 1;
            let _held = lock.lock().await;
            panic!("while it is held");
        }
    });
    assert!(task.await.unwrap_err().is_panic());
    assert_eq!(*lock.lock().await, 1);
    let queue = Queue::<()>::unbounded();
    assert!(panic_of(|| queue.task_done()).contains("once for each"));
}
