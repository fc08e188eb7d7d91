//! Messages from one core to another, through the channel of each runtime.

use std::cell::RefCell;
use std::future::poll_fn;
use std::thread;
use std::time::Instant;

use coro::cores::Builder;
use coro::sync::remote::channel;
use glommio::channels::shared_channel;

use crate::harness::{Bound, Case, Effort, Reading, Role, Sample};
use crate::machine::{self, cpu_time};
use crate::runtimes::{Glommio, Runtime, TokioLocalRuntime};

const REPEATS: usize = 5;
/// How many messages a channel has room for.
const ROOM: usize = 1024;

/// How many messages are sent before the sender waits for an answer, and how many in all.
#[derive(Clone, Copy)]
struct Shape {
    at_once: u64,
    answers: u64,
}

pub(super) fn streaming() -> Case {
    let shape = |effort: &Effort| Shape {
        at_once: effort.count(1_000_000),
        answers: 1,
    };
    all("a message to another core, streaming", shape).goal_for("CPU", Bound::AheadOfPeers(1.0))
}

pub(super) fn there_and_back() -> Case {
    let shape = |effort: &Effort| Shape {
        at_once: 1,
        answers: effort.count(50_000),
    };
    all("a message to another core and its answer", shape).goal_for("CPU", Bound::AheadOfPeers(1.0))
}

fn all(name: &'static str, shape: fn(&Effort) -> Shape) -> Case {
    Case::new(name, "tokio mpsc")
        .subject("coro", Role::Coro, move |effort| by_coro(shape(effort)))
        .subject("async-channel, on coro", Role::Peer, move |effort| {
            by_async_channel(shape(effort))
        })
        .subject("tokio mpsc", Role::Peer, move |effort| {
            by_tokio(*effort, shape(effort))
        })
        .subject("glommio shared_channel", Role::Peer, move |effort| {
            by_glommio(*effort, shape(effort))
        })
}

impl Shape {
    /// The side that measures. `send` sends a message, `answered` waits for an answer.
    async fn ask(self, send: impl AsyncFn(u64), answered: impl AsyncFn()) -> Vec<Reading> {
        let (mut cpu, mut wall) = (Vec::new(), Vec::new());
        let messages = (self.at_once * self.answers) as f64;
        for repeat in 0..=REPEATS {
            let (begin, used) = (Instant::now(), cpu_time());
            for _ in 0..self.answers {
                for n in 0..self.at_once {
                    send(n).await;
                }
                answered().await;
            }
            if repeat > 0 {
                cpu.push((cpu_time() - used).as_nanos() as f64 / messages);
                wall.push(begin.elapsed().as_nanos() as f64 / messages);
            }
        }
        vec![
            Reading::new("CPU", "ns", cpu),
            Reading::new("wall", "ns", wall),
        ]
    }

    /// The other side.
    async fn answer(self, receive: impl AsyncFn() -> u64, answer: impl AsyncFn()) {
        for _ in 0..(REPEATS as u64 + 1) * self.answers {
            for n in 0..self.at_once {
                assert_eq!(receive().await, n);
            }
            answer().await;
        }
    }
}

fn by_coro(shape: Shape) -> Sample {
    let (send, receive) = channel::bounded(ROOM);
    let (reply, replies) = channel::bounded(ROOM);
    let ran = Builder::new().threads(2).pin(true).run(async |core| {
        if core.index() == 0 {
            let send = async |n| send.send(n).await.map_err(drop).unwrap_or_default();
            let answered = async || replies.recv().await.unwrap_or_default();
            return Ok(shape.ask(send, answered).await);
        }
        let received = async || receive.recv().await.expect("the sender lives");
        let answer = async || reply.send(()).await.unwrap_or_default();
        shape.answer(received, answer).await;
        Ok::<_, std::convert::Infallible>(Vec::new())
    });
    let readings = ran.map_err(|error| error.to_string())?;
    Ok(readings.into_iter().next().unwrap_or_default())
}

fn by_async_channel(shape: Shape) -> Sample {
    let (send, receive) = async_channel::bounded(ROOM);
    let (reply, replies) = async_channel::bounded(ROOM);
    let ran = Builder::new().threads(2).pin(true).run(async |core| {
        if core.index() == 0 {
            let send = async |n| send.send(n).await.map_err(drop).unwrap_or_default();
            let answered = async || replies.recv().await.unwrap_or_default();
            return Ok(shape.ask(send, answered).await);
        }
        let received = async || receive.recv().await.expect("the sender lives");
        let answer = async || reply.send(()).await.unwrap_or_default();
        shape.answer(received, answer).await;
        Ok::<_, std::convert::Infallible>(Vec::new())
    });
    let readings = ran.map_err(|error| error.to_string())?;
    Ok(readings.into_iter().next().unwrap_or_default())
}

fn by_tokio(effort: Effort, shape: Shape) -> Sample {
    let (send, receive) = tokio::sync::mpsc::channel(ROOM);
    let (reply, replies) = tokio::sync::mpsc::channel(ROOM);
    let answering = thread::spawn(move || {
        machine::bind(effort.other_core);
        TokioLocalRuntime::run(async move {
            let receive = RefCell::new(receive);
            let received = async || {
                let message = poll_fn(|cx| receive.borrow_mut().poll_recv(cx));
                message.await.expect("the sender lives")
            };
            let answer = async || reply.send(()).await.unwrap_or_default();
            shape.answer(received, answer).await;
        })
    });
    machine::bind(machine::cores().last().copied());
    let readings = TokioLocalRuntime::run(async move {
        let replies = RefCell::new(replies);
        let send = async |n| send.send(n).await.unwrap_or_default();
        let answered = async || {
            let reply = poll_fn(|cx| replies.borrow_mut().poll_recv(cx));
            reply.await.unwrap_or_default()
        };
        shape.ask(send, answered).await
    });
    answering.join().map_err(|_| "the other side panicked")??;
    readings
}

fn by_glommio(effort: Effort, shape: Shape) -> Sample {
    let (send, receive) = shared_channel::new_bounded(ROOM);
    let (reply, replies) = shared_channel::new_bounded(ROOM);
    let answering = thread::spawn(move || {
        machine::bind(effort.other_core);
        Glommio::run(async move {
            let (receive, reply) = (receive.connect().await, reply.connect().await);
            let received = async || receive.recv().await.expect("the sender lives");
            let answer = async || reply.send(()).await.unwrap_or_default();
            shape.answer(received, answer).await;
        })
    });
    machine::bind(machine::cores().last().copied());
    let readings = Glommio::run(async move {
        let (send, replies) = (send.connect().await, replies.connect().await);
        let send = async |n| send.send(n).await.unwrap_or_default();
        let answered = async || replies.recv().await.unwrap_or_default();
        shape.ask(send, answered).await
    });
    answering.join().map_err(|_| "the other side panicked")??;
    readings
}
