//! The locks, semaphores, channels that are compared, with a trait for each kind.

use crate::harness::Role;

/// A lock that one task at a time holds.
pub(super) trait Locks: 'static {
    const NAME: &'static str;
    const ROLE: Role = Role::Peer;

    type Lock: 'static;
    type Guard<'a>;

    fn new() -> Self::Lock;
    fn lock(lock: &Self::Lock) -> impl Future<Output = Self::Guard<'_>>;
}

/// A channel with room for at least `room` messages.
pub(super) trait Channels: 'static {
    const NAME: &'static str;
    const ROLE: Role = Role::Peer;

    type Sender: 'static;
    type Receiver: 'static;

    fn new(room: usize) -> (Self::Sender, Self::Receiver);
    fn send(sender: &mut Self::Sender, message: u64) -> impl Future<Output = ()>;
    fn receive(receiver: &mut Self::Receiver) -> impl Future<Output = u64>;
}

/// A channel for one message.
pub(super) trait Oneshots: 'static {
    const NAME: &'static str;
    const ROLE: Role = Role::Peer;

    type Sender: 'static;

    fn new() -> (Self::Sender, impl Future<Output = u64>);
    fn send(sender: Self::Sender, message: u64);
}

pub(super) struct Coro;

impl Locks for Coro {
    const NAME: &'static str = "coro";
    const ROLE: Role = Role::Coro;

    type Lock = coro::sync::Lock<u64>;
    type Guard<'a> = coro::sync::LockGuard<'a, u64>;

    fn new() -> Self::Lock {
        coro::sync::Lock::new(0)
    }

    fn lock(lock: &Self::Lock) -> impl Future<Output = Self::Guard<'_>> {
        lock.lock()
    }
}

impl Channels for Coro {
    const NAME: &'static str = "coro";
    const ROLE: Role = Role::Coro;

    type Sender = coro::sync::channel::Sender<u64>;
    type Receiver = coro::sync::channel::Receiver<u64>;

    fn new(room: usize) -> (Self::Sender, Self::Receiver) {
        coro::sync::channel::bounded(room)
    }

    async fn send(sender: &mut Self::Sender, message: u64) {
        sender.send(message).await.expect("there is a receiver");
    }

    async fn receive(receiver: &mut Self::Receiver) -> u64 {
        receiver.recv().await.expect("there is a sender")
    }
}

impl Oneshots for Coro {
    const NAME: &'static str = "coro";
    const ROLE: Role = Role::Coro;

    type Sender = coro::sync::oneshot::Sender<u64>;

    fn new() -> (Self::Sender, impl Future<Output = u64>) {
        let (sender, receiver) = coro::sync::oneshot::channel();
        (sender, async { receiver.await.expect("it is sent") })
    }

    fn send(sender: Self::Sender, message: u64) {
        sender.send(message).expect("there is a receiver");
    }
}

/// `coro`'s semaphore with one permit, as a lock.
pub(super) struct CoroSemaphore;

impl Locks for CoroSemaphore {
    const NAME: &'static str = "coro";
    const ROLE: Role = Role::Coro;

    type Lock = coro::sync::Semaphore;
    type Guard<'a> = coro::sync::Permit<'a>;

    fn new() -> Self::Lock {
        coro::sync::Semaphore::new(1)
    }

    async fn lock(lock: &Self::Lock) -> Self::Guard<'_> {
        lock.acquire().await.expect("it is open")
    }
}

/// `coro`'s channel without a limit.
pub(super) struct CoroUnbounded;

impl Channels for CoroUnbounded {
    const NAME: &'static str = "coro unbounded";
    const ROLE: Role = Role::Floor; // no peer of our bounded channel

    type Sender = coro::sync::channel::Sender<u64>;
    type Receiver = coro::sync::channel::Receiver<u64>;

    fn new(_: usize) -> (Self::Sender, Self::Receiver) {
        coro::sync::channel::unbounded()
    }

    async fn send(sender: &mut Self::Sender, message: u64) {
        sender.try_send(message).expect("there is a receiver");
    }

    async fn receive(receiver: &mut Self::Receiver) -> u64 {
        receiver.recv().await.expect("there is a sender")
    }
}

/// `coro`'s queue, as a channel.
pub(super) struct CoroQueue;

impl Channels for CoroQueue {
    const NAME: &'static str = "coro Queue";
    const ROLE: Role = Role::Floor; // no peer of our channel

    type Sender = std::rc::Rc<coro::sync::Queue<u64>>;
    type Receiver = Self::Sender;

    fn new(room: usize) -> (Self::Sender, Self::Receiver) {
        let queue = std::rc::Rc::new(coro::sync::Queue::bounded(room));
        (queue.clone(), queue)
    }

    async fn send(sender: &mut Self::Sender, message: u64) {
        sender.put(message).await.expect("it is open");
    }

    async fn receive(receiver: &mut Self::Receiver) -> u64 {
        receiver.get().await.expect("it is open")
    }
}

pub(super) struct Tokio;

impl Locks for Tokio {
    const NAME: &'static str = "tokio";

    type Lock = tokio::sync::Mutex<u64>;
    type Guard<'a> = tokio::sync::MutexGuard<'a, u64>;

    fn new() -> Self::Lock {
        tokio::sync::Mutex::new(0)
    }

    fn lock(lock: &Self::Lock) -> impl Future<Output = Self::Guard<'_>> {
        lock.lock()
    }
}

impl Channels for Tokio {
    const NAME: &'static str = "tokio";

    type Sender = tokio::sync::mpsc::Sender<u64>;
    type Receiver = tokio::sync::mpsc::Receiver<u64>;

    fn new(room: usize) -> (Self::Sender, Self::Receiver) {
        tokio::sync::mpsc::channel(room)
    }

    async fn send(sender: &mut Self::Sender, message: u64) {
        sender.send(message).await.expect("there is a receiver");
    }

    async fn receive(receiver: &mut Self::Receiver) -> u64 {
        receiver.recv().await.expect("there is a sender")
    }
}

impl Oneshots for Tokio {
    const NAME: &'static str = "tokio";

    type Sender = tokio::sync::oneshot::Sender<u64>;

    fn new() -> (Self::Sender, impl Future<Output = u64>) {
        let (sender, receiver) = tokio::sync::oneshot::channel();
        (sender, async { receiver.await.expect("it is sent") })
    }

    fn send(sender: Self::Sender, message: u64) {
        sender.send(message).expect("there is a receiver");
    }
}

pub(super) struct TokioSemaphore;

impl Locks for TokioSemaphore {
    const NAME: &'static str = "tokio";

    type Lock = tokio::sync::Semaphore;
    type Guard<'a> = tokio::sync::SemaphorePermit<'a>;

    fn new() -> Self::Lock {
        tokio::sync::Semaphore::new(1)
    }

    async fn lock(lock: &Self::Lock) -> Self::Guard<'_> {
        lock.acquire().await.expect("it is open")
    }
}

pub(super) struct AsyncLock;

impl Locks for AsyncLock {
    const NAME: &'static str = "async-lock";

    type Lock = async_lock::Mutex<u64>;
    type Guard<'a> = async_lock::MutexGuard<'a, u64>;

    fn new() -> Self::Lock {
        async_lock::Mutex::new(0)
    }

    fn lock(lock: &Self::Lock) -> impl Future<Output = Self::Guard<'_>> {
        lock.lock()
    }
}

pub(super) struct AsyncLockSemaphore;

impl Locks for AsyncLockSemaphore {
    const NAME: &'static str = "async-lock";

    type Lock = async_lock::Semaphore;
    type Guard<'a> = async_lock::SemaphoreGuard<'a>;

    fn new() -> Self::Lock {
        async_lock::Semaphore::new(1)
    }

    fn lock(lock: &Self::Lock) -> impl Future<Output = Self::Guard<'_>> {
        lock.acquire()
    }
}

pub(super) struct AsyncChannel;

impl Channels for AsyncChannel {
    const NAME: &'static str = "async-channel";

    type Sender = async_channel::Sender<u64>;
    type Receiver = async_channel::Receiver<u64>;

    fn new(room: usize) -> (Self::Sender, Self::Receiver) {
        async_channel::bounded(room)
    }

    async fn send(sender: &mut Self::Sender, message: u64) {
        sender.send(message).await.expect("there is a receiver");
    }

    async fn receive(receiver: &mut Self::Receiver) -> u64 {
        receiver.recv().await.expect("there is a sender")
    }
}

pub(super) struct Futures;

impl Locks for Futures {
    const NAME: &'static str = "futures";

    type Lock = futures::lock::Mutex<u64>;
    type Guard<'a> = futures::lock::MutexGuard<'a, u64>;

    fn new() -> Self::Lock {
        futures::lock::Mutex::new(0)
    }

    fn lock(lock: &Self::Lock) -> impl Future<Output = Self::Guard<'_>> {
        lock.lock()
    }
}

impl Channels for Futures {
    const NAME: &'static str = "futures";

    type Sender = futures::channel::mpsc::Sender<u64>;
    type Receiver = futures::channel::mpsc::Receiver<u64>;

    fn new(room: usize) -> (Self::Sender, Self::Receiver) {
        futures::channel::mpsc::channel(room - 1) // each sender adds room for one
    }

    async fn send(sender: &mut Self::Sender, message: u64) {
        std::future::poll_fn(|cx| sender.poll_ready(cx))
            .await
            .and_then(|()| sender.start_send(message))
            .expect("there is a receiver");
    }

    async fn receive(receiver: &mut Self::Receiver) -> u64 {
        let next = futures::StreamExt::next(receiver).await;
        next.expect("there is a sender")
    }
}

impl Oneshots for Futures {
    const NAME: &'static str = "futures";

    type Sender = futures::channel::oneshot::Sender<u64>;

    fn new() -> (Self::Sender, impl Future<Output = u64>) {
        let (sender, receiver) = futures::channel::oneshot::channel();
        (sender, async { receiver.await.expect("it is sent") })
    }

    fn send(sender: Self::Sender, message: u64) {
        sender.send(message).expect("there is a receiver");
    }
}

/// The channel of the crate `local-channel`, which has no limit.
pub(super) struct LocalChannel;

impl Channels for LocalChannel {
    const NAME: &'static str = "local-channel";

    type Sender = local_channel::mpsc::Sender<u64>;
    type Receiver = local_channel::mpsc::Receiver<u64>;

    fn new(_: usize) -> (Self::Sender, Self::Receiver) {
        local_channel::mpsc::channel()
    }

    async fn send(sender: &mut Self::Sender, message: u64) {
        sender.send(message).expect("there is a receiver");
    }

    async fn receive(receiver: &mut Self::Receiver) -> u64 {
        let next = futures::StreamExt::next(receiver).await;
        next.expect("there is a sender")
    }
}
