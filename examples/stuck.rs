//! Four programs that hang, with the report that names the lines, and one that does not.
//!
//! In each of them every task waits for another one of the same loop. The loop finds that out when it
//! is about to sleep, and reports it with the tree of all tasks.
//!
//! With `--dot` it prints the first of them as a graph instead, which Graphviz draws:
//!
//! ```text
//! $ cargo run --example stuck -- --dot | dot -Tsvg > stuck.svg
//! ```

use std::cell::Cell;
use std::future::Future;
use std::rc::Rc;
use std::time::Duration;

use coro::net::{TcpListener, TcpStream};
use coro::sync::{Event, Lock, channel};
use coro::{EventLoop, LoopHandle, Task, spawn, yield_from};
use futures::io::AsyncReadExt;

/// Two tasks take two locks in opposite orders: take them in the same order everywhere.
#[coro::coroutine]
async fn crossed_locks() {
    let (money, stock) = (Rc::new(Lock::new(100)), Rc::new(Lock::new(5)));
    let buying = spawn(buy(money.clone(), stock.clone()));
    buying.set_name("buying");
    let selling = spawn(sell(money, stock));
    selling.set_name("selling");
    yield_from!(buying).unwrap();
    yield_from!(selling).unwrap();
}

#[coro::coroutine]
async fn buy(money: Rc<Lock<u32>>, stock: Rc<Lock<u32>>) {
    let mut money = yield_from!(money.lock());
    yield_from!(coro::yield_now());
    let mut stock = yield_from!(stock.lock());
    (*money, *stock) = (*money - 10, *stock + 1);
}

#[coro::coroutine]
async fn sell(money: Rc<Lock<u32>>, stock: Rc<Lock<u32>>) {
    let mut stock = yield_from!(stock.lock());
    yield_from!(coro::yield_now());
    let mut money = yield_from!(money.lock());
    (*money, *stock) = (*money + 10, *stock - 1);
}

/// Two tasks await each other's end: one of them has to end without the other.
#[coro::coroutine]
async fn awaiting_each_other() {
    let second: Rc<Cell<Option<Task<()>>>> = Rc::default();
    let first = spawn({
        let second = second.clone();
        async move { second.take().expect("it was spawned").await.unwrap() }
    });
    first.set_name("first");
    let task = spawn(async move { first.await.unwrap() });
    task.set_name("second");
    second.set(Some(task));
    coro::sleep(Duration::ZERO).await;
    let ended = Event::new();
    yield_from!(ended.wait());
}

/// A receiver waits for the end of a channel whose sender it has itself: drop the sender first.
#[coro::coroutine]
async fn kept_sender() {
    let (sender, mut receiver) = channel::bounded(4);
    for n in 0..3 {
        sender.send(n).await.unwrap();
    }
    while let Some(n) = yield_from!(receiver.recv()) {
        assert!(n < 3);
    }
    drop(sender);
}

/// An event is set before any task waits for the next one: clear it after the wait, or use a queue.
#[coro::coroutine]
async fn missed_event() {
    let ready = Event::new();
    ready.set();
    ready.clear();
    coro::scope(async |scope| {
        scope.spawn(ready.wait());
    })
    .await;
}

/// Runs a future that hangs until its deadlock is reported.
fn hang<F: Future<Output = ()>>(title: &str, future: F) {
    let mut event_loop = EventLoop::builder()
        .report_deadlocks(true)
        .build()
        .expect("the system gives a poller");
    event_loop.handle().set_exception_handler(|report| {
        println!("{}", report.message);
        LoopHandle::current().stop();
    });
    println!("== {title}\n");
    let stopped = event_loop.run_until_complete(future);
    assert!(stopped.is_err(), "it should hang");
}

/// No hang: the tasks of a server wait for the system.
#[coro::main]
async fn serve() -> std::io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let client = TcpStream::connect(listener.local_addr()?).await?;
    let (connection, _) = listener.accept().await?;
    spawn(talk(connection)).set_name("connection");
    spawn(async move { listener.accept().await.map(drop) }).set_name("listener");
    for _ in 0..2000 {
        spawn(coro::sleep(Duration::from_secs(60)));
    }
    coro::sleep(Duration::from_millis(5)).await;
    println!("== A server at work\n");
    print!("{}", LoopHandle::current().dump().await);
    drop(client);
    Ok(())
}

#[coro::coroutine]
async fn talk(mut connection: TcpStream) -> Option<[u8; 4]> {
    let frame = coro::timeout(Duration::from_secs(30), read_frame(&mut connection));
    yield_from!(frame).ok()?.ok()
}

#[coro::coroutine]
async fn read_frame(connection: &mut TcpStream) -> std::io::Result<[u8; 4]> {
    let mut frame = [0; 4];
    yield_from!(connection.read_exact(&mut frame))?;
    Ok(frame)
}

/// Prints the tasks with crossed locks as a graph.
fn draw() {
    let mut event_loop = EventLoop::new().expect("the system gives a poller");
    event_loop.handle().spawn(crossed_locks()).set_name("shop");
    let begun = event_loop.run_until_complete(coro::sleep(Duration::from_millis(1)));
    assert!(begun.is_ok(), "it is not stopped");
    print!("{}", event_loop.dump().to_dot());
}

fn main() {
    if std::env::args().any(|argument| argument == "--dot") {
        return draw();
    }
    hang("Crossed locks", crossed_locks());
    hang("Two tasks that await each other", awaiting_each_other());
    hang("A sender that is kept", kept_sender());
    hang("An event that was missed", missed_event());
    serve().expect("sockets of this machine");
}
