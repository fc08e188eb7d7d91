//! A loop with `busy_poll`, which polls for a while before it sleeps.

use std::thread;
use std::time::{Duration, Instant};

use coro::net::{TcpListener, TcpStream};
use coro::{EventLoop, LoopHandle, sleep, spawn};
use futures::channel::oneshot;
use futures::{AsyncReadExt, AsyncWriteExt};

/// Long enough that no test outlasts a busy poll.
const LONG: Duration = Duration::from_secs(3600);

fn busy(duration: Duration) -> EventLoop {
    EventLoop::builder().busy_poll(duration).build().unwrap()
}

#[test]
fn it_hears_other_threads_without_ever_sleeping() {
    for duration in [LONG, Duration::MAX] {
        let sent = busy(duration).run_until_complete(async {
            let (tell, told) = oneshot::channel();
            let remote = LoopHandle::current().remote();
            let thread = thread::spawn(move || remote.call_soon(|| tell.send(7).unwrap()));
            let sent = told.await;
            thread.join().unwrap().unwrap();
            sent
        });
        assert_eq!(sent, Ok(Ok(7)));
    }
}

#[test]
fn its_timers_are_neither_early_nor_forgotten() {
    for duration in [Duration::ZERO, Duration::from_micros(200), LONG] {
        let mut event_loop = busy(duration);
        let begun = Instant::now();
        let slept = Duration::from_millis(2);
        event_loop.run_until_complete(sleep(slept)).unwrap();
        assert!(begun.elapsed() >= slept, "with {duration:?}");
    }
}

#[test]
fn it_hears_sockets() {
    let exchanged = busy(LONG).run_until_complete(async {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let server = spawn(async move {
            let (mut stream, _) = listener.accept().await?;
            let mut byte = [0];
            stream.read_exact(&mut byte).await?;
            stream.write_all(&byte).await
        });
        let mut client = TcpStream::connect(address).await?;
        client.write_all(b"x").await?;
        let mut byte = [0];
        client.read_exact(&mut byte).await?;
        server.await.unwrap()?;
        std::io::Result::Ok(byte)
    });
    assert_eq!(exchanged.unwrap().unwrap(), *b"x");
}

#[test]
fn under_a_virtual_clock_it_does_nothing() {
    let builder = EventLoop::builder().busy_poll(LONG).virtual_time();
    let begun = Instant::now();
    let slept = builder.build().unwrap().run_until_complete(sleep(LONG));
    assert_eq!(slept, Ok(()));
    assert!(begun.elapsed() < LONG / 60);
}
