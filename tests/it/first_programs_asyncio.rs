//! Programs that an asyncio user ports first, written from the documentation alone.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use coro::group::{Retry, map_concurrent};
use coro::io::AsyncWriteExt;
use coro::net::{StreamReader, TcpStream, open_connection, start_server};
use coro::sync::{Queue, Semaphore};
use coro::threads::{ThreadPool, run_in_executor, to_thread};
use coro::{
    LoopHandle, TaskGroup, call_later, gather, sleep, spawn, timeout, try_scope, yield_from,
    yield_now,
};

const SECOND: Duration = Duration::from_secs(1);

#[coro::test]
async fn two_sleepers_a_chain_and_a_clock_take_their_turns() {
    #[coro::coroutine]
    fn sleeper(name: &str, seconds: u32, log: &RefCell<Vec<String>>) {
        log.borrow_mut().push(format!("{name} sleeps"));
        yield_from!(sleep(SECOND * seconds));
        log.borrow_mut().push(format!("{name} wakes"));
    }

    #[coro::coroutine]
    fn compute(x: i32, y: i32) -> i32 {
        yield_from!(sleep(SECOND));
        x + y
    }

    #[coro::coroutine]
    fn print_sum(x: i32, y: i32) -> String {
        format!("{x} + {y} = {}", yield_from!(compute(x, y)))
    }

    let log = RefCell::new(Vec::new());
    gather((sleeper("one", 3, &log), sleeper("two", 1, &log))).await;
    assert_eq!(
        *log.borrow(),
        ["one sleeps", "two sleeps", "two wakes", "one wakes"]
    );
    assert_eq!(print_sum(1, 2).await, "1 + 2 = 3");

    // display_date: a callout that calls itself later, until a time is over.
    fn display(end: std::time::Instant, shown: Rc<Cell<u32>>) {
        shown.set(shown.get() + 1);
        if LoopHandle::current().time() + SECOND < end {
            call_later(SECOND, move || display(end, shown));
        }
    }
    let shown = Rc::new(Cell::new(0));
    display(LoopHandle::current().time() + 5 * SECOND, shown.clone());
    sleep(6 * SECOND).await;
    assert_eq!(shown.get(), 5);
}

type Members = Rc<RefCell<HashMap<SocketAddr, Rc<Queue<String>>>>>;

async fn member(stream: TcpStream, me: SocketAddr, members: Members) -> io::Result<()> {
    let inbox = Rc::new(Queue::bounded(100));
    members.borrow_mut().insert(me, inbox.clone());
    let (read, mut write) = stream.into_split();
    let writer = spawn(async move {
        while let Ok(line) = inbox.get().await {
            write.write_all(line.as_bytes()).await?;
        }
        write.close().await
    });
    let mut lines = StreamReader::new(read);
    while let Some(line) = lines.read_line().await? {
        for (_, other) in members.borrow().iter().filter(|(at, _)| **at != me) {
            let _ = other.try_put(format!("{line}\n"));
        }
    }
    if let Some(inbox) = members.borrow_mut().remove(&me) {
        inbox.shutdown(false);
    }
    writer.await?
}

#[coro::test]
async fn a_chat_passes_lines_to_the_others_and_stops_gently() -> io::Result<()> {
    let members = Members::default();
    let shared = members.clone();
    let server = start_server("127.0.0.1:0", move |stream, me| {
        member(stream, me, shared.clone())
    })?;
    let port = server.local_addr()?.port();

    let ann = open_connection("127.0.0.1", port).await?;
    let bob = open_connection("127.0.0.1", port).await?;
    while members.borrow().len() < 2 {
        yield_now().await;
    }
    (&ann).write_all(b"hello\n").await?;
    let mut heard = StreamReader::new(&bob);
    assert_eq!(heard.read_line().await?, Some("hello"));

    server.close();
    (&ann).close().await?;
    (&bob).close().await?;
    assert_eq!(server.shutdown(5 * SECOND).await, 0);
    assert_eq!(heard.read_line().await?, None);
    Ok(())
}

#[coro::test]
async fn producers_and_consumers_share_a_queue_in_a_task_group() {
    let queue = Rc::new(Queue::bounded(3));
    let eaten = Rc::new(Cell::new(0));
    let group = TaskGroup::<String>::fallible();
    for _ in 0..2 {
        let (queue, eaten) = (queue.clone(), eaten.clone());
        let consumer = async move {
            while let Ok(item) = queue.get().await {
                sleep(SECOND).await;
                eaten.set(eaten.get() + item);
                queue.task_done();
            }
        };
        group.spawn(consumer).expect("the group is open");
    }
    let producers = TaskGroup::<String>::fallible();
    for first in [1, 11] {
        let queue = queue.clone();
        let producer = async move {
            for item in first..first + 5 {
                let full = |_| "the queue was shut down".to_owned();
                queue.put(item).await.map_err(full)?;
            }
            Ok(())
        };
        producers.try_spawn(producer).expect("the group is open");
    }
    producers.join().await.expect("no producer fails");
    queue.join().await;
    queue.shutdown(false);
    group.join().await.expect("no consumer fails");
    assert_eq!(eaten.get(), 15 + 65);
}

#[cfg(unix)]
#[coro::test(real)]
async fn a_pipeline_of_processes_has_a_time_limit() -> io::Result<()> {
    use coro::process::Command;
    use std::process::Stdio;

    let mut tr = Command::new("tr")
        .args(["a-z", "A-Z"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    let mut stdin = tr.stdin.take().expect("was set to be piped");
    let between = Stdio::try_from(tr.stdout.take().expect("was set to be piped"))?;
    let sort = Command::new("sort")
        .stdin(between)
        .stdout(Stdio::piped())
        .spawn()?;
    stdin.write_all(b"b\na\n").await?;
    stdin.close().await?;
    let output = timeout(60 * SECOND, sort.wait_with_output()).await??;
    assert_eq!(output.stdout, b"A\nB\n");
    assert!(tr.wait().await?.success());

    let mut endless = Command::shell("sleep 3600; echo never");
    let cut = timeout(Duration::from_millis(20), endless.output()).await;
    assert!(cut.is_err());
    Ok(())
}

#[coro::test]
async fn a_line_client_tries_again_after_an_answer_that_is_no_answer() -> io::Result<()> {
    let requests = Rc::new(Cell::new(0));
    let counter = requests.clone();
    let server = start_server("127.0.0.1:0", move |stream: TcpStream, _| {
        let counter = counter.clone();
        async move {
            counter.set(counter.get() + 1);
            let busy = counter.get() < 3;
            let mut lines = StreamReader::new(&stream);
            let line = lines.read_line().await?.unwrap_or_default().to_owned();
            let answer = if busy {
                "BUSY\n".to_owned()
            } else {
                format!("OK {line}\n")
            };
            (&stream).write_all(answer.as_bytes()).await?;
            io::Result::Ok(())
        }
    })?;
    let port = server.local_addr()?.port();

    let ask = async || {
        let stream = open_connection("127.0.0.1", port).await?;
        (&stream).write_all(b"time\n").await?;
        let mut lines = StreamReader::new(&stream);
        match timeout(SECOND, lines.read_line()).await?? {
            Some("BUSY") | None => Err(io::Error::other("the server is busy")),
            Some(answer) => Ok(answer.to_owned()),
        }
    };
    let answer = Retry::new().attempts(5).delay(SECOND).run(ask).await?;
    assert_eq!((answer.as_str(), requests.get()), ("OK time", 3));
    Ok(())
}

#[coro::test]
async fn a_fan_out_has_a_limit() {
    let (running, most) = (Cell::new(0), Cell::new(0));
    let fetch = async |page: u32| {
        running.set(running.get() + 1);
        most.set(most.get().max(running.get()));
        sleep(SECOND).await;
        running.set(running.get() - 1);
        page * 10
    };

    let limit = Semaphore::new(3);
    let pages = gather((1..=10).map(|page| {
        let (limit, fetch) = (&limit, &fetch);
        async move {
            let _permit = limit.acquire().await.expect("it is never closed");
            fetch(page).await
        }
    }));
    assert_eq!(pages.await.iter().sum::<u32>(), 550);
    assert_eq!(most.get(), 3);

    most.set(0);
    let pages = map_concurrent(1..=10, 4, &fetch).await;
    assert_eq!((pages.len(), most.get()), (10, 4));

    let first_error = try_scope(async |s| {
        let children =
            [1, 2].map(|n| s.try_spawn(async move { Err::<u32, _>(format!("{n} failed")) }));
        for child in children {
            child.await;
        }
        Ok(())
    });
    let failures = first_error.await.unwrap_err().into_failures();
    assert_eq!(failures, ["1 failed", "2 failed"]);
}

#[coro::test]
async fn blocking_calls_run_on_threads() {
    let pool = ThreadPool::builder().max_threads(4).build();
    let jobs = (1..=8).map(|n| run_in_executor(&pool, move || n * n));
    let squares = gather(jobs.collect::<Vec<_>>()).await;
    let squares: Result<Vec<u32>, _> = squares.into_iter().collect();
    assert_eq!(squares.unwrap().iter().sum::<u32>(), 204);

    let text = to_thread(|| std::fs::read_to_string("/no/such/file")).await;
    assert!(text.expect("it neither panics nor is cancelled").is_err());
}
