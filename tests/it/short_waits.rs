//! Timers that are due sooner than a sleep of the thread would end.

use std::thread;
use std::time::{Duration, Instant};

use coro::net::{TcpListener, TcpStream};
use coro::{LoopHandle, sleep, spawn};
use futures::channel::oneshot;
use futures::{AsyncReadExt, AsyncWriteExt};

/// More than a loop needs to learn how late its short sleeps end.
const SLEEPS: u64 = 2_000;

#[test]
fn they_are_never_early() {
    coro::run(async {
        for number in 0..SLEEPS {
            let asked = Duration::from_micros(number % 40);
            let before = Instant::now();
            sleep(asked).await;
            assert!(before.elapsed() >= asked, "a sleep of {asked:?} was early");
        }
    });
}

#[test]
fn a_loop_that_waits_for_nothing_else_hears_threads_and_sockets() {
    coro::run(async {
        let timers = spawn(async {
            loop {
                sleep(Duration::from_micros(5)).await;
            }
        });
        sleep(Duration::from_millis(50)).await; // by now the loop knows its sleeps

        let (tell, told) = oneshot::channel();
        let remote = LoopHandle::current().remote();
        let thread = thread::spawn(move || remote.call_soon(|| tell.send(7).unwrap()));
        assert_eq!(told.await, Ok(7));
        thread.join().unwrap().unwrap();

        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut here = TcpStream::connect(listener.local_addr().unwrap())
            .await
            .unwrap();
        let (mut there, _) = listener.accept().await.unwrap();
        let echo = spawn(async move {
            let mut byte = [0];
            there.read_exact(&mut byte).await.unwrap();
            there.write_all(&byte).await.unwrap();
        });
        here.write_all(&[9]).await.unwrap();
        let mut byte = [0];
        here.read_exact(&mut byte).await.unwrap();
        assert_eq!(byte, [9]);
        echo.await.unwrap();
        timers.cancel();
    });
}
