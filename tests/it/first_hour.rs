//! Programs that newcomers write in their first hour, from the documentation alone: users of asyncio,
//! of generators, and of tokio. Each has to compile as it would first be written.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::io;
use std::pin::pin;
use std::rc::Rc;
use std::time::Duration;

use coro::generator::{BoxAsyncGenerator, BoxGenerator};
use coro::group::Retry;
use coro::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, StreamExt};
use coro::net::{TcpStream, open_connection, start_server};
use coro::sync::{Queue, Semaphore, channel, oneshot};
use coro::{CancelToken, TaskGroup, sleep, timeout, yield_, yield_from};

fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

// Users of asyncio.

#[coro::test]
fn two_sleepers_run_side_by_side() {
    #[coro::coroutine]
    fn say(after: u64, word: &'static str) -> &'static str {
        yield_from!(sleep(ms(after)));
        word
    }
    let words = yield_from!(coro::gather((say(2, "hello"), say(1, "world"))));
    assert_eq!(words, ("hello", "world"));
}

#[coro::test]
async fn producers_and_consumers_share_a_queue_in_a_group() {
    let queue = Rc::new(Queue::new(3));
    let sum = Rc::new(Cell::new(0));
    let group = TaskGroup::new();
    for n in 0..3 {
        let queue = queue.clone();
        let _ = group.spawn(async move { queue.put(n).await.unwrap() });
    }
    let (items, total) = (queue.clone(), sum.clone());
    let _ = group.spawn(async move {
        for _ in 0..3 {
            total.set(total.get() + items.get().await.unwrap());
            items.task_done();
        }
    });
    group.join().await.unwrap();
    assert_eq!(sum.get(), 3);
}

#[coro::test(real)]
async fn a_client_reads_lines_and_tries_again() -> io::Result<()> {
    let visits = Rc::new(Cell::new(0));
    let counted = visits.clone();
    let server = start_server("localhost:0", async move |mut stream: TcpStream, _peer| {
        counted.set(counted.get() + 1);
        if counted.get() > 1 {
            stream.write_all(b"one\ntwo\n").await?;
        }
        io::Result::Ok(())
    })?;
    let port = server.local_addr()?.port();
    let policy = Retry::new().attempts(3).delay(ms(1));
    let lines = policy.run(async || {
        let stream = open_connection("localhost", port).await?;
        let mut lines = BufReader::new(stream).lines();
        let first = lines.next().await.ok_or(io::ErrorKind::UnexpectedEof)??;
        io::Result::Ok((first, lines.next().await.transpose()?))
    });
    assert_eq!(lines.await?, ("one".to_owned(), Some("two".to_owned())));
    assert_eq!(visits.get(), 2);
    Ok(())
}

#[coro::test]
async fn a_semaphore_limits_a_fan_out() {
    let (limit, running, most) = (Semaphore::new(2), Cell::new(0), Cell::new(0));
    let jobs = (0..6).map(|n| {
        let (limit, running, most) = (&limit, &running, &most);
        async move {
            let _permit = limit.acquire().await;
            running.set(running.get() + 1);
            most.set(most.get().max(running.get()));
            sleep(ms(1)).await;
            running.set(running.get() - 1);
            n
        }
    });
    assert_eq!(coro::gather(jobs).await, [0, 1, 2, 3, 4, 5]);
    assert_eq!(most.get(), 2);
}

#[coro::test(real)]
async fn a_call_that_blocks_runs_on_a_thread() {
    let sum = coro::threads::to_thread(|| (1..=4).sum::<u32>()).await;
    assert_eq!(sum.unwrap(), 10);
}

#[coro::test]
async fn a_slow_answer_times_out() {
    let answer = timeout(ms(5), async {
        sleep(Duration::from_secs(60)).await;
        42
    });
    assert!(answer.await.is_err());
}

// Users of generators.

#[test]
fn pages_are_one_iterator() {
    #[coro::coroutine(yields = u32)]
    fn items(pages: u32) {
        for page in 0..pages {
            yield_from!((page * 10..).take(2));
        }
    }
    assert_eq!(
        items(2).into_iter().skip(1).collect::<Vec<_>>(),
        [1, 10, 11]
    );
}

#[test]
fn a_tokenizer_ends_with_its_error() {
    #[coro::coroutine(yields = &'a str)]
    fn tokens<'a>(text: &'a str) -> Result<(), String> {
        for word in text.split(' ') {
            if word.contains('?') {
                return Err(format!("what is {word}"));
            }
            yield_!(word);
        }
        Ok(())
    }
    let tokens: Vec<_> = tokens("a b c? d").try_iter().collect();
    assert_eq!(tokens, [Ok("a"), Ok("b"), Err("what is c?".to_owned())]);
}

#[test]
fn a_generator_is_kept_in_a_struct_and_comes_from_a_trait() {
    trait Source {
        fn numbers(&self) -> BoxGenerator<'_, u32>;
    }
    struct Even(u32);
    impl Source for Even {
        #[coro::coroutine(yields = u32, boxed)]
        fn numbers(&self) {
            for n in 0..self.0 {
                yield_!(2 * n);
            }
        }
    }
    struct Reader {
        numbers: BoxGenerator<'static, u32>,
    }
    let source: Box<dyn Source> = Box::new(Even(3));
    assert!(source.numbers().eq([0, 2, 4]));
    let mut reader = Reader {
        numbers: coro::generator!(yields = u32, boxed, { yield_!(7) }),
    };
    assert_eq!(reader.numbers.next(), Some(7));
    assert_eq!(reader.numbers.next(), None);
}

#[test]
fn a_pinned_generator_gives_one_item_at_a_time() {
    #[coro::coroutine(yields = u32)]
    fn primes() {
        for n in 2_u32.. {
            if (2..n).all(|d| n % d != 0) {
                yield_!(n);
            }
        }
    }
    let mut primes = pin!(primes());
    assert_eq!(primes.as_mut().next(), Some(2));
    assert_eq!(primes.as_mut().iter().take(3).sum::<u32>(), 3 + 5 + 7);
}

#[coro::test]
async fn a_stream_is_made_in_the_midst_of_a_function() {
    fn ticks(count: u32) -> BoxAsyncGenerator<'static, u32> {
        coro::generator!(yields = u32, boxed, async move {
            for n in 0..count {
                sleep(Duration::from_secs(1)).await;
                yield_!(n);
            }
        })
    }
    assert_eq!(ticks(3).map(|n| n * n).collect::<Vec<_>>().await, [0, 1, 4]);
}

// Users of tokio.

#[coro::test]
async fn a_select_loop_is_a_race_of_variants() {
    enum Event {
        Value(Option<u32>),
        Tick,
    }
    let (sender, mut receiver) = channel::bounded(8);
    coro::spawn(async move {
        for n in 0..3 {
            sleep(ms(15)).await;
            let _ = sender.send(n).await;
        }
    });
    let (mut values, mut ticks) = (Vec::new(), 0);
    loop {
        let event = coro::race((async { Event::Value(receiver.recv().await) }, async {
            sleep(ms(10)).await;
            Event::Tick
        }));
        match event.await {
            Event::Value(Some(value)) => values.push(value),
            Event::Value(None) => break,
            Event::Tick => ticks += 1,
        }
    }
    assert_eq!(values, [0, 1, 2]);
    assert!(ticks >= 3);
}

#[coro::test(real)]
async fn a_server_drains_its_connections() -> io::Result<()> {
    let server = start_server("localhost:0", async |mut stream: TcpStream, _peer| {
        let mut byte = [0];
        stream.read_exact(&mut byte).await?;
        stream.write_all(b"bye").await
    })?;
    let mut client = open_connection("localhost", server.local_addr()?.port()).await?;
    while server.connections() == 0 {
        coro::yield_now().await;
    }
    let shutdown = server.shutdown(Duration::from_secs(60));
    let client = async {
        client.write_all(b"x").await?;
        let mut answer = String::new();
        client.read_to_string(&mut answer).await?;
        io::Result::Ok(answer)
    };
    let (cut, answer) = coro::gather((shutdown, client)).await;
    assert_eq!((cut, answer?.as_str()), (0, "bye"));
    Ok(())
}

#[coro::test]
async fn a_cancelled_background_task_cleans_up() {
    struct Cleans(Rc<Cell<bool>>);
    impl Drop for Cleans {
        fn drop(&mut self) {
            self.0.set(true);
        }
    }
    let cleaned = Rc::new(Cell::new(false));
    let guard = Cleans(cleaned.clone());
    let task = coro::spawn(async move {
        let _guard = guard;
        std::future::pending::<()>().await;
    });
    coro::yield_now().await;
    task.cancel();
    assert!(task.await.is_err_and(|error| error.is_cancelled()));
    assert!(cleaned.get());
}

#[coro::test]
async fn an_actor_answers_by_oneshot() {
    enum Ask {
        Add(&'static str, u32),
        Get(&'static str, oneshot::Sender<u32>),
    }
    let (actor, mut inbox) = channel::unbounded();
    coro::spawn(async move {
        let mut counts = HashMap::new();
        while let Some(ask) = inbox.recv().await {
            match ask {
                Ask::Add(name, count) => *counts.entry(name).or_insert(0) += count,
                Ask::Get(name, answer) => drop(answer.send(counts.get(name).copied().unwrap_or(0))),
            }
        }
    });
    let _ = actor.try_send(Ask::Add("a", 2));
    let _ = actor.try_send(Ask::Add("a", 3));
    let (answer, count) = oneshot::channel();
    let _ = actor.try_send(Ask::Get("a", answer));
    assert_eq!(count.await, Ok(5));
}

#[coro::test]
async fn a_token_stops_tasks_that_share_a_cell() {
    let token = CancelToken::new();
    let seen = Rc::new(RefCell::new(Vec::new()));
    let task = coro::spawn({
        let (token, seen) = (token.clone(), seen.clone());
        async move {
            let work = async {
                for n in 0.. {
                    seen.borrow_mut().push(n);
                    sleep(Duration::from_secs(1)).await;
                }
            };
            token.run_until_cancelled(work).await.is_err()
        }
    });
    sleep(ms(2500)).await;
    token.cancel("enough");
    assert!(task.await.unwrap());
    assert_eq!(*seen.borrow(), [0, 1, 2]);
}
