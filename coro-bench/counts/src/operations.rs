//! The operations whose instructions are counted, each done a number of times.

use std::hint::black_box;
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

use coro::net::{TcpListener, TcpStream};
use coro::sync::{Event, Lock, Semaphore, channel};
use coro::{yield_, yield_from};
use futures::{AsyncReadExt, AsyncWriteExt};

/// The name of an operation, and the function that does it a number of times.
type Operation = (&'static str, fn(u64));

pub(crate) const OPERATIONS: [Operation; 11] = [
    ("switch", switch),
    ("spawn and join", spawn_and_join),
    ("wake another task", wake),
    ("lock and release", lock),
    ("acquire and release", acquire),
    ("send and receive", send_and_receive),
    ("wait for a set event", set_event),
    ("arm and cancel a sleep", sleep),
    ("echo of 64 bytes", echo),
    ("item of a generator", generator),
    ("item through 8 generators", delegation),
];

fn switch(rounds: u64) {
    coro::run(async move {
        let tasks = [(); 2].map(|()| {
            coro::spawn(async move {
                for _ in 0..rounds / 2 {
                    coro::yield_now().await;
                }
            })
        });
        for task in tasks {
            task.await.expect("neither cancelled nor panicked");
        }
    });
}

fn spawn_and_join(rounds: u64) {
    coro::run(async move {
        for _ in 0..rounds / 100 {
            let tasks: Vec<_> = (0..100).map(|n| coro::spawn(async move { n })).collect();
            for task in tasks {
                black_box(task.await.expect("neither cancelled nor panicked"));
            }
        }
    });
}

/// Two tasks that hand one message to and fro.
fn wake(rounds: u64) {
    coro::run(async move {
        let (there, mut here) = channel::bounded(1);
        let (back, mut again) = channel::bounded(1);
        let other = coro::spawn(async move {
            while let Some(n) = here.recv().await {
                if back.send(n).await.is_err() {
                    break;
                }
            }
        });
        for n in 0..rounds / 2 {
            there.send(n).await.expect("the other task receives");
            black_box(again.recv().await);
        }
        drop(there);
        other.await.expect("neither cancelled nor panicked");
    });
}

/// Spreads rounds over turns: a step that never suspends is no program that exists.
async fn in_turns(rounds: u64, mut once: impl AsyncFnMut()) {
    for _ in 0..rounds / 50 {
        for _ in 0..50 {
            once().await;
        }
        coro::yield_now().await;
    }
}

fn lock(rounds: u64) {
    coro::run(async move {
        let lock = Lock::new(0_u64);
        in_turns(rounds, async || *lock.lock().await += 1).await;
    });
}

fn acquire(rounds: u64) {
    coro::run(async move {
        let semaphore = Semaphore::new(2);
        in_turns(rounds, async || drop(black_box(semaphore.acquire().await))).await;
    });
}

fn send_and_receive(rounds: u64) {
    coro::run(async move {
        let (sender, mut receiver) = channel::bounded(8);
        in_turns(rounds, async || {
            sender.send(1).await.expect("the receiver is there");
            black_box(receiver.recv().await);
        })
        .await;
    });
}

fn set_event(rounds: u64) {
    coro::run(async move {
        let event = Rc::new(Event::new());
        event.set();
        in_turns(rounds, async || {
            event.wait().await;
        })
        .await;
    });
}

fn sleep(rounds: u64) {
    coro::run(async move {
        in_turns(rounds, async || {
            let mut sleep = pin!(coro::sleep(Duration::from_secs(60)));
            std::future::poll_fn(|cx| {
                assert!(sleep.as_mut().poll(cx).is_pending(), "a minute is not over");
                Poll::Ready(())
            })
            .await;
        })
        .await;
    });
}

fn echo(rounds: u64) {
    let served: std::io::Result<()> = coro::run(async move {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let mut client = TcpStream::connect(listener.local_addr()?).await?;
        let (mut server, _) = listener.accept().await?;
        coro::spawn(async move {
            let mut bytes = [0; 64];
            while server.read_exact(&mut bytes).await.is_ok() {
                if server.write_all(&bytes).await.is_err() {
                    break;
                }
            }
        });
        let mut bytes = [7; 64];
        for _ in 0..rounds {
            client.write_all(&bytes).await?;
            client.read_exact(&mut bytes).await?;
        }
        Ok(())
    });
    served.expect("a connection over loopback");
}

#[coro::coroutine(yields = u64)]
fn numbers(to: u64) {
    for n in 0..to {
        yield_!(n);
    }
}

fn generator(rounds: u64) {
    black_box(pin!(numbers(rounds)).iter().map(black_box).sum::<u64>());
}

macro_rules! delegating {
    ($($name:ident => $inner:ident),*) => {
        $(
            #[coro::coroutine(yields = u64)]
            fn $name(to: u64) {
                yield_from!($inner(to));
            }
        )*
    };
}

delegating!(d1 => numbers, d2 => d1, d3 => d2, d4 => d3, d5 => d4, d6 => d5, d7 => d6);

fn delegation(rounds: u64) {
    black_box(pin!(d7(rounds)).iter().map(black_box).sum::<u64>());
}
