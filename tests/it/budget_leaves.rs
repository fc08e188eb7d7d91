//! Every leaf spends from the budget of its step.

use std::cell::Cell;
use std::future::Future;
use std::net;
use std::rc::Rc;

use coro::net::{StreamReader, TcpListener, TcpStream, UdpSocket};
use coro::sync::{
    Barrier, Condition, Event, Lock, OnceCell, Queue, RwLock, Semaphore, broadcast, channel,
    oneshot, remote, watch,
};
use coro::{LoopHandle, spawn, yield_now};
use futures::StreamExt;
use futures::io::{AsyncReadExt, AsyncWriteExt};

use crate::support::turns;

/// Counts the rounds of a loop.
#[derive(Clone, Default)]
struct Rounds(Rc<Cell<u32>>);

impl Rounds {
    fn count(&self) {
        self.0.set(self.0.get() + 1);
    }
}

/// Runs a loop whose waits are all ready at once. Its first step, and its second, each make this number
/// of rounds.
async fn check<F: Future + 'static>(rounds_a_step: u32, work: impl FnOnce(Rounds) -> F) {
    let rounds = Rounds::default();
    let task = spawn(work(rounds.clone()));
    yield_now().await;
    assert_eq!(rounds.0.get(), rounds_a_step, "in the first step");
    yield_now().await;
    assert_eq!(rounds.0.get(), 2 * rounds_a_step, "in the second step");
    assert!(task.cancel());
    assert!(task.await.is_err());
}

/// A loop over one wait.
macro_rules! always {
    ($(let $name:pat = $value:expr;)* loop $wait:expr) => {
        |rounds: Rounds| async move {
            $(let $name = $value;)*
            loop {
                let _ = $wait;
                rounds.count();
            }
        }
    };
}

#[coro::test]
async fn locks_and_permits() {
    check(
        128,
        always!(let lock = Lock::new(()); loop lock.lock().await),
    )
    .await;
    check(
        128,
        always!(let lock = Rc::new(Lock::new(())); loop lock.clone().lock_owned().await),
    )
    .await;
    check(
        128,
        always!(let lock = RwLock::new(()); loop lock.read().await),
    )
    .await;
    check(
        128,
        always!(let lock = RwLock::new(()); loop lock.write().await),
    )
    .await;
    check(
        128,
        always!(let permits = Semaphore::new(1); loop permits.acquire().await),
    )
    .await;
}

#[coro::test]
async fn events_and_meetings() {
    let set = || {
        let event = Event::new();
        event.set();
        event
    };
    check(128, always!(let event = set(); loop event.wait().await)).await;
    check(
        128,
        always!(let alone = Barrier::new(1); loop alone.wait().await),
    )
    .await;
    check(
        128,
        always!(let made = OnceCell::new(); loop made.get_or_init(async || 1).await),
    )
    .await;
    check(128, |rounds| async move {
        let (lock, condition) = (Lock::new(()), Condition::new());
        let mut guard = lock.try_lock().unwrap();
        loop {
            guard = condition.wait_for(guard, |_| true).await;
            rounds.count();
        }
    })
    .await;
}

#[coro::test]
async fn queues_and_channels() {
    check(
        128,
        always!(let queue = Queue::unbounded(); loop queue.put(1).await),
    )
    .await;
    check(64, |rounds| async move {
        let queue = Queue::bounded(1);
        loop {
            queue.put(1).await.unwrap();
            queue.get().await.unwrap();
            rounds.count();
        }
    })
    .await;
    check(
        128,
        always!(let queue = Queue::<u8>::unbounded(); loop queue.join().await),
    )
    .await;
    check(64, |rounds| async move {
        let (sender, mut receiver) = channel::bounded(1);
        loop {
            sender.send(1).await.unwrap();
            receiver.next().await.unwrap();
            rounds.count();
        }
    })
    .await;
    check(128, |rounds| async move {
        loop {
            let (sender, receiver) = oneshot::channel();
            sender.send(1).unwrap();
            receiver.await.unwrap();
            rounds.count();
        }
    })
    .await;
}

#[coro::test]
async fn broadcast_and_watch() {
    for as_stream in [false, true] {
        check(128, move |rounds| async move {
            let (sender, mut receiver) = broadcast::channel(1);
            loop {
                sender.send(1).unwrap();
                match as_stream {
                    true => drop(receiver.next().await),
                    false => drop(receiver.recv().await),
                }
                rounds.count();
            }
        })
        .await;
    }
    check(128, |rounds| async move {
        let (sender, mut receiver) = watch::channel(0);
        loop {
            sender.send(1).unwrap();
            receiver.changed().await.unwrap();
            rounds.count();
        }
    })
    .await;
    check(128, |rounds| async move {
        let (_sender, mut receiver) = watch::channel(0);
        loop {
            drop(receiver.wait_for(|_| true).await);
            rounds.count();
        }
    })
    .await;
}

#[coro::test]
async fn what_threads_share() {
    let set = || {
        let event = remote::Event::new();
        event.set();
        event
    };
    check(128, always!(let event = set(); loop event.wait().await)).await;
    check(64, |rounds| async move {
        let (sender, receiver) = remote::channel::bounded(1);
        loop {
            sender.send(1).await.unwrap();
            receiver.recv().await.unwrap();
            rounds.count();
        }
    })
    .await;
    check(128, |rounds| async move {
        loop {
            let (sender, receiver) = remote::oneshot::channel();
            sender.send(1).unwrap();
            receiver.await.unwrap();
            rounds.count();
        }
    })
    .await;
}

#[coro::test]
async fn joins_of_what_is_finished() {
    let tasks: Vec<_> = (0..400).map(|n| spawn(async move { n })).collect();
    turns(1).await;
    check(128, |rounds| async move {
        for task in tasks {
            task.await.unwrap();
            rounds.count();
        }
    })
    .await;
    let remote = LoopHandle::current().remote();
    let tasks: Vec<_> = (0..400)
        .map(|n| remote.spawn(move || async move { n }).unwrap())
        .collect();
    while !tasks.iter().all(coro::event_loop::RemoteTask::is_finished) {
        yield_now().await;
    }
    check(128, |rounds| async move {
        for task in tasks {
            task.await.unwrap();
            rounds.count();
        }
    })
    .await;
}

#[coro::test(real)]
async fn streams() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let other = net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (mut written, _) = listener.accept().await.unwrap();
    let mut ours = TcpStream::connect(listener.local_addr().unwrap())
        .await
        .unwrap();
    let (mut theirs, _) = listener.accept().await.unwrap();
    theirs.write_all(&[b'\n'; 1000]).await.unwrap();
    ours.readable().await.unwrap();
    yield_now().await;
    check(128, |rounds| async move {
        loop {
            assert_eq!(ours.read(&mut [0]).await.unwrap(), 1);
            rounds.count();
        }
    })
    .await;
    check(128, |rounds| async move {
        loop {
            assert_eq!(written.write(&[0]).await.unwrap(), 1);
            rounds.count();
        }
    })
    .await;
    drop(other);
}

#[coro::test(real)]
async fn lines_that_are_in_the_buffer() {
    let mut reader = StreamReader::new(futures::io::Cursor::new(vec![b'\n'; 1000]));
    check(128, |rounds| async move {
        while reader.read_line().await.unwrap().is_some() {
            rounds.count();
        }
    })
    .await;
}

#[coro::test(real)]
async fn datagrams_and_accepting() {
    let ours = UdpSocket::bind("127.0.0.1:0").unwrap();
    let theirs = net::UdpSocket::bind("127.0.0.1:0").unwrap();
    for _ in 0..300 {
        theirs.send_to(&[1], ours.local_addr().unwrap()).unwrap();
    }
    ours.readable().await.unwrap();
    yield_now().await;
    check(128, |rounds| async move {
        loop {
            ours.recv_from(&mut [0; 8]).await.unwrap();
            rounds.count();
        }
    })
    .await;

    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let clients: Vec<_> = (0..120)
        .map(|_| net::TcpStream::connect(address).unwrap())
        .collect();
    let accepted = Rc::new(Cell::new(0));
    let task = spawn({
        let accepted = accepted.clone();
        async move {
            let lock = Lock::new(());
            loop {
                drop(listener.accept().await.unwrap());
                drop(lock.lock().await);
                accepted.set(accepted.get() + 1);
            }
        }
    });
    yield_now().await;
    // Accepting counts as eight waits, so there are fourteen rounds of nine, and two are left.
    assert_eq!(accepted.get(), 14);
    task.cancel();
    drop(clients);
}

#[cfg(unix)]
#[coro::test(real)]
async fn unix_streams_and_pipes() {
    use coro::net::UnixStream;
    let (mut ours, mut theirs) = UnixStream::pair().unwrap();
    theirs.write_all(&[0; 1000]).await.unwrap();
    check(128, |rounds| async move {
        loop {
            assert_eq!(ours.read(&mut [0]).await.unwrap(), 1);
            rounds.count();
        }
    })
    .await;
    let (mut reader, mut writer) = coro::net::pipe().unwrap();
    writer.write_all(&[0; 1000]).await.unwrap();
    check(128, |rounds| async move {
        loop {
            assert_eq!(reader.read(&mut [0]).await.unwrap(), 1);
            rounds.count();
        }
    })
    .await;
    let (mut ours, theirs) = std::os::unix::net::UnixStream::pair().unwrap();
    theirs.set_nonblocking(true).unwrap();
    std::io::Write::write_all(&mut ours, &[0; 1000]).unwrap();
    let fd = coro::net::AsyncFd::new(theirs).unwrap();
    check(128, |rounds| async move {
        loop {
            let read = fd.async_io(coro::net::Interest::Read, |io| {
                std::io::Read::read(&mut &*io, &mut [0])
            });
            assert_eq!(read.await.unwrap(), 1);
            rounds.count();
        }
    })
    .await;
}
