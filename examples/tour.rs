//! Everything that the other examples show, in one program that takes about four seconds.
//!
//! ```text
//! $ cargo run --example tour
//! coro: a tour on one thread. The first column is the time in seconds.
//!
//! 1  Coroutines that wait at the same time
//!    0.000  one       sleeping for: 0.9 seconds
//!    0.000  two       sleeping for: 0.3 seconds
//!    0.000  three     sleeping for: 0.6 seconds
//!    0.300  two       is finished
//!    0.600  three     is finished
//!    0.900  one       is finished
//!
//! 2  A coroutine that waits for the value of another
//!    0.900  compute   1 + 2 ...
//!    1.200  sum       1 + 2 = 3
//! ```
//!
//! and so on, with callouts, dates, errors, futures of other kinds, deadlines, ten thousand tasks
//! at once and a TCP server with its clients. With a scale such as `-- 0.1` after the command it
//! takes a tenth of the time.

mod support;

use std::cell::Cell;
use std::error::Error;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::panic;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::LazyLock;
use std::task::{Context, Poll};
use std::time::{Duration, Instant, SystemTime};

use coro::net::{TcpListener, TcpStream};
use coro::time::sleep_until;
use coro::{LoopHandle, gather, sleep, spawn, timeout, yield_from};
use futures::{AsyncReadExt, AsyncWriteExt};
use support::seconds;

/// Prints a line: the time, the speaker, the text.
macro_rules! say {
    ($who:expr, $($what:tt)+) => {{
        let time = START.elapsed().as_secs_f64();
        println!("{time:8.3}  {:<8}  {}", $who, format_args!($($what)+));
    }};
}

#[coro::main]
fn main() -> Result<(), Box<dyn Error>> {
    support::check_arguments();
    LazyLock::force(&START);
    println!("coro: a tour on one thread. The first column is the time in seconds.");

    section(1, "Coroutines that wait at the same time");
    yield_from!(gather([
        my_coroutine("one", 0.9),
        my_coroutine("two", 0.3),
        my_coroutine("three", 0.6),
    ]));

    section(2, "A coroutine that waits for the value of another");
    yield_from!(print_sum(1, 2));

    section(3, "Plain functions that the loop calls later");
    yield_from!(callouts());

    section(4, "The date, tick by tick on the loop's own clock");
    yield_from!(display_date(&LoopHandle::current()));

    section(5, "An error from three coroutines down, and a panic");
    yield_from!(errors());

    section(6, "A coroutine, an async fn and a hand-written future");
    yield_from!(mixed());

    section(7, "Deadlines, and ten thousand tasks");
    yield_from!(deadlines());
    yield_from!(ten_thousand())?;

    section(8, "A TCP server and its clients");
    yield_from!(network())?;

    println!(
        "\nThe end, after {:.3} seconds.",
        START.elapsed().as_secs_f64()
    );
    Ok(())
}

static START: LazyLock<Instant> = LazyLock::new(Instant::now);

fn section(number: u32, title: &str) {
    println!("\n{number}  {title}");
}

#[coro::coroutine]
fn my_coroutine(task_name: &str, seconds_to_sleep: f64) {
    say!(task_name, "sleeping for: {seconds_to_sleep} seconds");
    yield_from!(sleep(seconds(seconds_to_sleep)));
    say!(task_name, "is finished");
}

#[coro::coroutine]
fn compute(x: i32, y: i32) -> i32 {
    say!("compute", "{x} + {y} ...");
    yield_from!(sleep(seconds(0.3)));
    x + y
}

#[coro::coroutine]
fn print_sum(x: i32, y: i32) {
    let result = yield_from!(compute(x, y));
    say!("sum", "{x} + {y} = {result}");
}

#[coro::coroutine]
fn callouts() {
    coro::call_later(seconds(0.3), || say!("callout", "after 0.3 seconds"));
    let unwanted = coro::call_later(seconds(0.2), || say!("callout", "after 0.2 seconds"));
    coro::call_later(seconds(0.1), || say!("callout", "after 0.1 seconds"));
    coro::call_soon(|| say!("callout", "as soon as possible"));
    unwanted.cancel();
    say!(
        "main",
        "registered four, cancelled the one after 0.2 seconds"
    );
    yield_from!(sleep(seconds(0.4)));
}

#[coro::coroutine]
fn display_date(event_loop: &LoopHandle) {
    let start = event_loop.time();
    for passed in 1..=3 {
        say!(
            "date",
            "{}",
            humantime::format_rfc3339_millis(SystemTime::now())
        );
        yield_from!(sleep_until(start + passed * seconds(0.2)));
    }
}

#[coro::coroutine]
fn errors() {
    for order in [["tea", "cake"], ["tea", "moon"]] {
        match yield_from!(bill(order)) {
            Ok(total) => say!("bill", "{order:?} is {total}"),
            Err(error) => say!("bill", "{order:?} fails: {error}"),
        }
    }
    // Rust prints each panic where it happens. This panic is expected, and printed below.
    let hook = panic::take_hook();
    panic::set_hook(Box::new(|_| {}));
    let outcome = yield_from!(spawn(no_such_luck()));
    panic::set_hook(hook);
    if let Err(error) = outcome {
        say!("task", "{error}");
    }
}

#[coro::coroutine]
fn bill(order: [&str; 2]) -> Result<u32, Box<dyn Error>> {
    let [first, second] = order;
    Ok(yield_from!(price(first))? + yield_from!(price(second))?)
}

#[coro::coroutine]
fn price(item: &str) -> Result<u32, String> {
    yield_from!(sleep(seconds(0.05)));
    yield_from!(look_up(item))
}

#[coro::coroutine]
fn look_up(item: &str) -> Result<u32, String> {
    match item {
        "tea" => Ok(3),
        "cake" => Ok(4),
        _ => Err(format!("we sell no {item}")),
    }
}

#[coro::coroutine]
fn no_such_luck() {
    panic!("no such luck");
}

#[coro::coroutine]
fn mixed() {
    say!("coro", "asks the async fn");
    let polls = yield_from!(through_async_fn());
    say!("coro", "is told of {polls} polls");
}

async fn through_async_fn() -> u32 {
    say!("async fn", "asks the hand-written future");
    let inner = my_coroutine("inner", 0.1);
    let future = CountPolls {
        future: Box::pin(inner),
        polls: 0,
    };
    future.await
}

/// A hand-written future: polls another future to its end. Its output is the number of polls.
struct CountPolls<F> {
    future: Pin<Box<F>>,
    polls: u32,
}

impl<F: Future> Future for CountPolls<F> {
    type Output = u32;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<u32> {
        self.polls += 1;
        say!("by hand", "poll {} of a coroutine", self.polls);
        let polls = self.polls;
        self.future.as_mut().poll(cx).map(|_| polls)
    }
}

#[coro::coroutine]
fn deadlines() {
    let outcome = yield_from!(timeout(seconds(0.2), sleep(Duration::MAX)));
    if let Err(error) = outcome {
        say!("timeout", "{error}");
    }
    let task = spawn(sleep(Duration::MAX));
    task.cancel();
    if let Err(error) = yield_from!(task) {
        say!("cancel", "{error}");
    }
}

#[coro::coroutine]
fn ten_thousand() -> Result<(), coro::JoinError> {
    let tasks: Vec<_> = (0..10_000).map(|_| spawn(sleep(seconds(0.3)))).collect();
    say!(
        "main",
        "spawned 10000 tasks that sleep for 0.3 seconds each"
    );
    for task in tasks {
        yield_from!(task)?;
    }
    say!("main", "all 10000 are finished");
    Ok(())
}

#[coro::coroutine]
fn network() -> io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    say!("server", "listens on {address}");
    let echoed = Rc::new(Cell::new(0));
    let server = spawn(serve(listener, echoed.clone()));

    let clients = yield_from!(gather([
        converse("ann", address, 0.00),
        converse("ben", address, 0.03),
        converse("eve", address, 0.06),
    ]));
    clients.into_iter().collect::<io::Result<()>>()?;
    yield_from!(ping_pong(address))?;

    server.cancel();
    match yield_from!(server) {
        Ok(ended) => ended?,
        Err(error) => {
            let bytes = echoed.get();
            say!("server", "closed after {bytes} bytes ({error})");
        }
    }
    Ok(())
}

/// Accepts until it is cancelled; serves each client in a task of its own.
#[coro::coroutine]
fn serve(listener: TcpListener, echoed: Rc<Cell<usize>>) -> io::Result<()> {
    loop {
        let (stream, _) = yield_from!(listener.accept())?;
        spawn(echo(stream, echoed.clone()));
    }
}

#[coro::coroutine]
fn echo(mut stream: TcpStream, echoed: Rc<Cell<usize>>) -> io::Result<()> {
    let mut buffer = [0; 1024];
    loop {
        let received = yield_from!(stream.read(&mut buffer))?;
        if received == 0 {
            return Ok(());
        }
        yield_from!(stream.write_all(&buffer[..received]))?;
        echoed.set(echoed.get() + received);
    }
}

#[coro::coroutine]
fn converse(name: &str, address: SocketAddr, pause: f64) -> io::Result<()> {
    let mut stream = yield_from!(TcpStream::connect(address))?;
    for word in ["hello", "loop", "bye"] {
        yield_from!(sleep(seconds(0.1 + pause)));
        let message = format!("{word} from {name}");
        let answer = yield_from!(exchange(&mut stream, &message))?;
        say!(name, "hears {answer:?}");
    }
    Ok(())
}

#[coro::coroutine]
fn ping_pong(address: SocketAddr) -> io::Result<()> {
    let mut stream = yield_from!(TcpStream::connect(address))?;
    stream.set_nodelay(true)?;
    let begun = Instant::now();
    for _ in 0..1_000 {
        yield_from!(exchange(&mut stream, "ping"))?;
    }
    let micros = begun.elapsed().as_micros() / 1_000;
    say!("ping", "1000 round trips, {micros} microseconds each");
    Ok(())
}

/// Sends a message, then waits until as many bytes have come back.
#[coro::coroutine]
fn exchange(stream: &mut TcpStream, message: &str) -> io::Result<String> {
    yield_from!(stream.write_all(message.as_bytes()))?;
    let mut answer = vec![0; message.len()];
    yield_from!(stream.read_exact(&mut answer))?;
    String::from_utf8(answer).map_err(io::Error::other)
}
