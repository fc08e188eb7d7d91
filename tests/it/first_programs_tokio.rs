//! Programs that a tokio user ports first, written from the documentation alone.

use std::cell::{Cell, RefCell};
use std::io;
use std::rc::Rc;
use std::time::Duration;

use coro::group::Retry;
use coro::io::{AsyncReadExt, AsyncWriteExt};
use coro::net::{StreamReader, TcpStream, close_in_order, open_connection, start_server};
use coro::sync::{channel, oneshot};
use coro::{CancelToken, LoopHandle, Task, interval, race, sleep, spawn, timeout, yield_now};

const SECOND: Duration = Duration::from_secs(1);

#[coro::test]
async fn a_select_loop_hears_jobs_ticks_and_the_end() {
    enum Event {
        Stop,
        Job(Option<u32>),
        Tick,
    }
    let (jobs, mut received) = channel::bounded(4);
    let stop = CancelToken::new();
    let stopping = stop.clone();
    let producer = spawn(async move {
        for job in [1, 2, 3] {
            sleep(SECOND).await;
            jobs.send(job).await.expect("the receiver is alive");
        }
        sleep(10 * SECOND).await;
        stopping.cancel("it is late");
    });

    let mut ticks = interval(2 * SECOND);
    let (mut sum, mut ticked) = (0, 0);
    loop {
        let stopped = async {
            stop.cancelled().await;
            Event::Stop
        };
        let job = async { Event::Job(received.recv().await) };
        let tick = async {
            ticks.tick().await;
            Event::Tick
        };
        match race((stopped, job, tick)).await {
            Event::Stop => break,
            Event::Job(Some(job)) => sum += job,
            Event::Job(None) => unreachable!("the producer keeps its sender until the stop"),
            Event::Tick => ticked += 1,
        }
    }
    producer.await.unwrap();
    assert_eq!(sum, 6);
    assert!((5..=7).contains(&ticked), "{ticked} ticks in 13 seconds");
}

async fn answer(stream: TcpStream, stopping: CancelToken) -> io::Result<()> {
    let mut lines = StreamReader::new(&stream);
    while let Ok(line) = stopping.run_until_cancelled(lines.read_line()).await {
        let Some(line) = line? else { return Ok(()) };
        let line = line.to_owned();
        sleep(Duration::from_millis(5)).await; // the work
        (&stream)
            .write_all(format!("done: {line}\n").as_bytes())
            .await?;
    }
    (&stream).write_all(b"goodbye\n").await?;
    close_in_order(stream, 60 * SECOND).await
}

#[coro::test(real)]
async fn a_server_drains_before_it_stops() -> io::Result<()> {
    let stopping = CancelToken::new();
    let token = stopping.clone();
    let server = start_server("127.0.0.1:0", move |stream, _| {
        answer(stream, token.child())
    })?;
    let port = server.local_addr()?.port();
    let client = spawn(async move {
        let client = open_connection("127.0.0.1", port).await?;
        (&client).write_all(b"one\n").await?;
        let mut heard = StreamReader::new(&client);
        assert_eq!(heard.read_line().await?, Some("done: one"));
        (&client).write_all(b"two\n").await?;
        stopping.cancel("the server stops"); // before or after the server has read the request
        let rest = heard.read_to_end(1000).await?;
        io::Result::Ok(String::from_utf8_lossy(&rest).into_owned())
    });
    while server.connections() == 0 {
        yield_now().await;
    }
    assert_eq!(server.shutdown(60 * SECOND).await, 0);
    let rest = client.await??;
    assert!(rest.ends_with("goodbye\n"), "{rest}");
    Ok(())
}

#[coro::test]
async fn a_background_task_ends_with_its_owner() {
    struct Guard(Rc<Cell<bool>>);
    impl Drop for Guard {
        fn drop(&mut self) {
            self.0.set(true);
        }
    }

    struct Poller {
        _task: Task<()>,
        polls: Rc<Cell<u32>>,
    }
    impl Poller {
        fn start(ended: Rc<Cell<bool>>) -> Self {
            let polls = Rc::new(Cell::new(0));
            let counter = polls.clone();
            let task = spawn(async move {
                let _guard = Guard(ended);
                let mut ticks = interval(SECOND);
                loop {
                    ticks.tick().await;
                    counter.set(counter.get() + 1);
                }
            });
            Self {
                _task: task.cancel_on_drop(),
                polls,
            }
        }
    }

    let ended = Rc::new(Cell::new(false));
    let poller = Poller::start(ended.clone());
    sleep(10 * SECOND).await;
    assert!(poller.polls.get() >= 9);
    assert!(!ended.get());
    drop(poller);
    yield_now().await;
    assert!(ended.get());
}

#[coro::test]
async fn retries_are_tested_on_a_virtual_clock() {
    let before = LoopHandle::current().time();
    let attempts = Cell::new(0);
    let answer = Retry::new()
        .attempts(4)
        .delay(SECOND)
        .factor(2.0)
        .jitter(0.0)
        .run(async || {
            attempts.set(attempts.get() + 1);
            timeout(10 * SECOND, std::future::pending::<()>()).await
        });
    assert!(answer.await.is_err());
    assert_eq!(attempts.get(), 4);
    let passed = LoopHandle::current().time() - before;
    assert_eq!(passed, (4 * 10 + 1 + 2 + 4) * SECOND);
}

#[coro::test]
async fn an_actor_answers_by_a_oneshot() {
    enum Request {
        Add(i64),
        Total(oneshot::Sender<i64>),
    }
    let (requests, mut received) = channel::bounded(8);
    let actor = spawn(async move {
        let mut total = 0;
        while let Some(request) = received.recv().await {
            match request {
                Request::Add(n) => total += n,
                Request::Total(answer) => drop(answer.send(total)),
            }
        }
        total
    });
    let other = requests.clone();
    spawn(async move { other.send(Request::Add(4)).await.is_ok() })
        .await
        .unwrap();
    assert!(requests.send(Request::Add(3)).await.is_ok());
    let (ask, answer) = oneshot::channel();
    assert!(requests.send(Request::Total(ask)).await.is_ok());
    assert_eq!(answer.await, Ok(7));
    drop(requests);
    assert_eq!(actor.await.unwrap(), 7);
}

#[coro::test]
async fn connections_share_a_refcell() -> io::Result<()> {
    let seen = Rc::new(RefCell::new(Vec::new()));
    let shared = seen.clone();
    let server = start_server("127.0.0.1:0", move |mut stream: TcpStream, _| {
        let seen = shared.clone();
        async move {
            let mut text = String::new();
            stream.read_to_string(&mut text).await?;
            seen.borrow_mut().push(text);
            io::Result::Ok(())
        }
    })?;
    let port = server.local_addr()?.port();
    for text in ["one", "two"] {
        let mut client = open_connection("127.0.0.1", port).await?;
        client.write_all(text.as_bytes()).await?;
        client.close().await?;
        client.read_to_end(&mut Vec::new()).await?; // until the server has closed it
    }
    assert_eq!(*seen.borrow(), ["one", "two"]);
    Ok(())
}
